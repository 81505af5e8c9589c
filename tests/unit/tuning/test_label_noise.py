"""What wrong training labels do to tuners: less gain, no harm."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.evaluation.evaluate import evaluate
from embedtune.serving.local import LocalEmbedder
from embedtune.tuning.adapter import AdapterTuner
from embedtune.tuning.base import Tuner
from embedtune.tuning.local import LocalTuner
from embedtune.tuning.spec import TuningSpec

MakeTask = Callable[..., TuningDataset]
TUNERS = ["local", "query", "shared", "both"]


@pytest.fixture(params=TUNERS)
def tuner(request: pytest.FixtureRequest, base_folder: Path, tmp_path: Path) -> Tuner:
    """Give each tuner in turn."""
    if request.param == "local":
        return LocalTuner(tmp_path / "runs")
    embedder = LocalEmbedder(base_folder)
    return AdapterTuner(embedder, tmp_path / "runs", mode=request.param, progress=False)


def noisy(dataset: TuningDataset, share: float, seed: int = 0) -> TuningDataset:
    """Give a share of the training queries a random document instead of theirs."""
    generator = np.random.default_rng(seed)
    queries, documents = sorted(dataset.train), sorted(dataset.corpus)
    wrong = generator.permutation(queries)[: round(share * len(queries))].tolist()
    drawn = generator.choice(documents, len(wrong)).tolist()
    labels = {
        query: {document: 1} for query, document in zip(wrong, drawn, strict=True)
    }
    return TuningDataset(
        corpus=dataset.corpus,
        queries=dataset.queries,
        train={**dataset.train, **labels},
        test=dataset.test,
    )


def spec_for(tuner: Tuner, base_folder: Path) -> TuningSpec:
    """Ask for a short run."""
    if isinstance(tuner, LocalTuner):
        return TuningSpec(base_model=str(base_folder), train_steps=80, batch_size=32)
    return TuningSpec(train_steps=80, batch_size=32)


def test_a_third_of_wrong_labels_does_no_harm(
    tuner: Tuner, make_task: MakeTask, base_folder: Path
) -> None:
    """With 30 % of the labels at random, the result is not worse than the base."""
    dataset = make_task(queries=540, documents=90)
    wrong = noisy(dataset, 0.3)

    model = tuner.submit(wrong, spec_for(tuner, base_folder)).result()

    base = evaluate(LocalEmbedder(base_folder), dataset, progress=False)
    found = evaluate(model.embedder(), dataset, progress=False)
    assert found["nDCG@10"] >= base["nDCG@10"]


def test_wrong_labels_alone_teach_nothing(
    tuner: Tuner, make_task: MakeTask, base_folder: Path
) -> None:
    """With all labels at random, the job says that nothing helped."""
    wrong = noisy(make_task(queries=540, documents=90), 1.0)

    model = tuner.submit(wrong, spec_for(tuner, base_folder)).result()

    assert model.is_base
    assert model.facts["reason"]  # type: ignore[attr-defined]


def test_few_wrong_labels_teach_an_adapter_nothing(
    make_task: MakeTask, base_folder: Path, tmp_path: Path
) -> None:
    """An adapter of few labels must be as sure of its gain as one of many.

    Most queries are of documents that happen to have labels, so that an adapter seems
    to gain by what it learns of wrong ones.
    """
    wrong = noisy(make_task(queries=120, documents=40), 1.0, seed=7)
    tuner = AdapterTuner(LocalEmbedder(base_folder), tmp_path / "runs", progress=False)

    model = tuner.submit(wrong, TuningSpec(train_steps=40, batch_size=32)).result()

    assert model.is_base
    assert 0.8 < model.metrics["confidence"] < 0.95
    assert "95% are needed" in model.reason
