"""Measuring candidates on a hold-out."""

from __future__ import annotations

import numpy as np
import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.evaluation.evaluate import evaluate
from embedtune.serving.local import LocalEmbedder
from embedtune.serving.static import StaticModel
from embedtune.tuning.encoder import Parameters
from embedtune.tuning.holdout import Fold
from embedtune.tuning.labels import Labels
from embedtune.tuning.material import Material, gather
from embedtune.tuning.measuring import Examination


@pytest.fixture(scope="module")
def model() -> StaticModel:
    """Open the bundled model, in few dimensions."""
    bundled = StaticModel.open()
    return bundled.with_table(bundled.table[:, :24], name="small")


@pytest.fixture(scope="module")
def dataset(make_task: object) -> TuningDataset:
    """Make a task with labels of three grades."""
    task: TuningDataset = make_task(queries=90, documents=45)  # type: ignore[operator]
    train = {
        query_id: {**labels, "d0": 2, "d7": 3}
        for query_id, labels in task.train.items()
    }
    return TuningDataset(corpus=task.corpus, queries=task.queries, train=train)


@pytest.fixture(scope="module")
def material(dataset: TuningDataset, model: StaticModel) -> Material:
    """Gather that task."""
    return gather(dataset, model, np.random.default_rng(0))


def fold(material: Material, seen: int = 10) -> Fold:
    """Examine on all queries, the first of them as those of seen documents."""
    train = material.train
    return Fold(
        train=train,
        seen=train.take(np.arange(seen)),
        unseen=train.take(np.arange(seen, len(train))),
    )


def test_equals_the_evaluation_of_the_folded_model(
    dataset: TuningDataset, material: Material, model: StaticModel
) -> None:
    """What is measured in training is what `evaluate` says of the saved model."""
    generator = np.random.default_rng(1)
    size = model.dimension
    tuned = Parameters(
        matrix=np.eye(size, dtype=np.float32)
        + generator.normal(0, 0.1, (size, size)).astype(np.float32),
        log_weights=generator.normal(0, 0.3, len(model.table)).astype(np.float32),
    )
    examination = Examination.of(
        fold(material), material.texts, material.hard, generator
    )

    for parameters in (tuned, Parameters.base(model.table)):
        measured = examination.measure(parameters)
        embedder = LocalEmbedder(
            model.with_table(parameters.folded(model.table), name="folded")
        )
        report = evaluate(embedder, dataset, split="train", measures=("nDCG@10",))
        found = np.concatenate([measured.seen, measured.unseen])
        np.testing.assert_allclose(report["nDCG@10"], found.mean(), atol=1e-3)


def test_no_queries_of_a_kind(material: Material) -> None:
    """A hold-out without queries of one kind gives no values for it."""
    none = Fold(train=material.train, seen=material.train, unseen=Labels.of([]))
    examination = Examination.of(
        none, material.texts, material.hard, np.random.default_rng(0)
    )

    measured = examination.measure(Parameters.base(material.texts.table))

    assert (len(material.train), 0) == (len(measured.seen), len(measured.unseen))


def test_large_corpora_are_searched_in_part(
    material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Labelled documents are always searched, then hard negatives, then others."""
    monkeypatch.setattr("embedtune.tuning.measuring.MOST_DOCUMENTS", 20)
    few = Fold(
        train=material.train,
        seen=material.train.take(np.arange(3)),
        unseen=material.train.take(np.arange(3, 5)),
    )

    examination = Examination.of(
        few, material.texts, material.hard, np.random.default_rng(0)
    )

    measured = examination.measure(Parameters.base(material.texts.table))
    assert 20 == len(examination.documents)
    assert 5 * 3 >= examination.held_out.judgements.keys.size >= 5 * 2
    assert (3, 2) == (len(measured.seen), len(measured.unseen))
    assert measured.seen.mean() > 0
