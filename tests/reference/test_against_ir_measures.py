"""Measures against ir_measures, on random runs and on runs of a real model."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.evaluation.evaluate import evaluate
from embedtune.evaluation.external import evaluate_run
from embedtune.evaluation.report import EvaluationReport
from embedtune.serving.local import LocalEmbedder
from embedtune.types import Qrels

ir_measures = pytest.importorskip("ir_measures")

NAMES = [
    f"{kind}@{cutoff}"
    for kind in ("nDCG", "R", "RR", "AP", "P", "Success")
    for cutoff in (1, 3, 5, 10, 37, 100)
]
NAMES += ["nDCG", "RR", "AP"]


def theirs(
    qrels: Qrels, run: dict[str, dict[str, float]]
) -> dict[tuple[str, str], float]:
    """Return what ir_measures says, by measure and query."""
    measures = [ir_measures.parse_measure(name) for name in NAMES]
    labels = {query_id: dict(row) for query_id, row in qrels.items()}
    return {
        (str(found.measure), found.query_id): found.value
        for found in ir_measures.iter_calc(measures, labels, run)
    }


def ours(report: EvaluationReport) -> dict[tuple[str, str], float]:
    """Return what a report says, by measure and query."""
    return {
        (name, query_id): value
        for name, row in report.per_query.items()
        for query_id, value in row.items()
    }


def assert_equal(qrels: Qrels, report: EvaluationReport) -> None:
    """Compare values of queries, and means."""
    run = report.run.to_mapping()
    expected, actual = theirs(qrels, run), ours(report)

    assert expected.keys() == actual.keys()
    worst = max(abs(expected[key] - actual[key]) for key in expected)
    assert worst < 1e-6
    measures = [ir_measures.parse_measure(name) for name in NAMES]
    labels = {query_id: dict(row) for query_id, row in qrels.items()}
    means = ir_measures.calc_aggregate(measures, labels, run)
    for measure, mean in means.items():
        assert pytest.approx(mean, abs=1e-6) == report[str(measure)]


@pytest.mark.parametrize("seed", range(12))
def test_random_runs(seed: int) -> None:
    """Graded labels, unjudged hits, forgotten and hopeless queries: all values agree.

    Scores are distinct: with ties, ir_measures ranks by document id, descending for
    some measures and ascending for others.
    """
    rng = np.random.default_rng(seed)
    documents = [f"d{i}" for i in range(rng.integers(2, 150))]
    qrels: dict[str, dict[str, int]] = {}
    run: dict[str, dict[str, float]] = {}
    for number in range(40):
        judged = rng.choice(documents, rng.integers(1, len(documents)), replace=False)
        top = int(rng.integers(0, 5))  # 0: nothing is relevant
        qrels[f"q{number}"] = {str(d): int(rng.integers(0, top + 1)) for d in judged}
        found = rng.choice(documents, rng.integers(0, len(documents)), replace=False)
        scores = rng.permutation(len(found)) / 7
        if rng.random() > 0.1 and len(found):
            pairs = zip(found, scores, strict=True)
            run[f"q{number}"] = {str(d): float(s) for d, s in pairs}
    run["unlabelled"] = {documents[0]: 1.0}

    report = evaluate_run(run, qrels, measures=NAMES)

    run.pop("unlabelled")
    assert set(qrels) == set(report.query_ids)
    assert_equal(qrels, report)


def test_real_model_on_made_up_data() -> None:
    """Rankings of the bundled model over a small corpus agree, too."""
    verbs, things = ["open", "sort", "copy", "join"], ["file", "list", "path", "socket"]
    corpus = {f"{v}-{t}": f"How to {v} a {t}" for v in verbs for t in things}
    dataset = TuningDataset(
        corpus=corpus,
        queries={key: f"I want to {key.replace('-', ' the ')}" for key in corpus},
        train={},
        test={
            key: {
                other: 2 * (other == key) + (other[:4] == key[:4]) for other in corpus
            }
            for key in corpus
        },
    )

    report = evaluate(LocalEmbedder(), dataset, measures=NAMES)

    assert_equal(dataset.test, report)


@pytest.mark.parametrize("name", ["banking77", "scifact", "tldr", "xquad-de"])
def test_real_data(name: str) -> None:
    """On public datasets, all queries and all measures agree."""
    folder = Path(os.environ.get("EMBEDTUNE_DATA", "does-not-exist")) / name
    if not folder.is_dir():
        pytest.skip("set EMBEDTUNE_DATA to a folder of BEIR folders")
    dataset = TuningDataset.from_beir(folder)

    report = evaluate(LocalEmbedder(), dataset, measures=NAMES)

    assert_equal(dataset.test, report)
