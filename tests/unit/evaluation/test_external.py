"""Evaluating runs from elsewhere."""

from __future__ import annotations

import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.errors import ConfigurationError, DataError, DatasetIntegrityError
from embedtune.evaluation.evaluate import evaluate
from embedtune.evaluation.external import evaluate_run
from embedtune.serving.local import LocalEmbedder

MEASURES = ("nDCG@5", "R@5", "RR", "AP", "P@3", "Success@1")


def test_a_report_s_own_run(dataset: TuningDataset, embedder: LocalEmbedder) -> None:
    """A run that came from a report has the report's values."""
    report = evaluate(embedder, dataset, measures=MEASURES)

    again = evaluate_run(report.run.to_mapping(), dataset, measures=MEASURES)

    assert report.values.tolist() == again.values.tolist()
    assert report.run == again.run
    assert report.dataset_fingerprint == again.dataset_fingerprint
    assert ("run", "", "test", 12) == (
        again.embedder,
        again.fingerprint,
        again.split,
        again.documents,
    )


def test_forgotten_unlabelled_and_unjudged() -> None:
    """Forgotten queries are 0, unlabelled ones left out, unjudged hits not relevant."""
    labels = {"q1": {"d1": 1}, "q2": {"d1": 1}, "q3": {"d1": 1}}
    run = {"q1": {"other": 2.0, "d1": 1.0}, "q3": {}, "q9": {"d1": 1.0}}

    report = evaluate_run(run, labels, measures="RR")

    assert {"q1": 0.5, "q2": 0.0, "q3": 0.0} == report.per_query["RR"]
    assert ("", "", 2) == (report.split, report.dataset_fingerprint, report.documents)


def test_ties_keep_the_order_of_the_run() -> None:
    """Equal scores are ranked as the run names them, on either side of a label."""
    labels = {"q": {"m": 1}}

    first = evaluate_run({"q": {"m": 1.0, "a": 1.0, "z": 1.0}}, labels, measures="RR")
    last = evaluate_run({"q": {"a": 1.0, "z": 1.0, "m": 1.0}}, labels, measures="RR")

    assert [1.0, pytest.approx(1 / 3)] == [first["RR"], last["RR"]]


def test_empty_run(dataset: TuningDataset) -> None:
    """A run without any query is worth 0."""
    report = evaluate_run({}, dataset, measures=MEASURES)

    assert not report.values.any()
    assert 10 == len(report.query_ids)


def test_wrong_arguments(dataset: TuningDataset) -> None:
    """Labels are needed, a split goes with a dataset only, scores are numbers."""
    with pytest.raises(DataError, match="no labels to measure with"):
        evaluate_run({}, {})
    with pytest.raises(DataError, match="'validation' has no labels"):
        evaluate_run({}, dataset, "validation")
    with pytest.raises(ConfigurationError, match="'split' needs a dataset"):
        evaluate_run({}, {"q": {"d": 1}}, "test")
    with pytest.raises(DataError, match="finite numbers"):
        evaluate_run({"q": {"d": float("nan")}}, {"q": {"d": 1}})
    with pytest.raises(DatasetIntegrityError, match="'ghost'"):
        evaluate_run(
            {},
            TuningDataset(
                corpus={"d": "x"},
                queries={"q": "y"},
                train={},
                test={"q": {"ghost": 1}},
            ),
        )
