"""Runs as values."""

from __future__ import annotations

import copy
import pickle
from fractions import Fraction

import numpy as np
import pytest

from embedtune.errors import DataError
from embedtune.evaluation.run import Run

HITS = {"q1": {"d1": 0.5, "d2": 0.9, "d3": 0.5}, "q2": {}, "q3": {"d9": -1}}


def test_ranked_by_score_with_ties_in_the_order_given() -> None:
    """Best first; equal scores stay as the run named them."""
    run = Run.of(HITS)

    assert (("d2", 0.9), ("d1", 0.5), ("d3", 0.5)) == run["q1"]
    assert () == run["q2"]
    assert ["q1", "q2", "q3"] == list(run)
    assert (3, 3) == (len(run), run.depth)
    assert "Run(3 queries, 3 hits deep)" == repr(run)


def test_to_mapping_and_back() -> None:
    """The mapping holds all, and gives an equal run."""
    run = Run.of(HITS)

    assert {"q1": {"d2": 0.9, "d1": 0.5, "d3": 0.5}, "q2": {}, "q3": {"d9": -1.0}} == (
        run.to_mapping()
    )
    assert run == Run.of(run.to_mapping())
    assert hash(run) == hash(Run.of(run.to_mapping()))
    assert run != Run.of({**HITS, "q2": {"d1": 1.0}})


def test_choosing_queries() -> None:
    """A run can be limited, reordered and filled up by queries without hits."""
    chosen = Run.of(HITS, ["q3", "ghost", "q1"])

    assert ("q3", "ghost", "q1") == chosen.query_ids
    assert () == chosen["ghost"]
    assert (("d9", -1.0),) == chosen.subset(["q3"])["q3"]
    with pytest.raises(KeyError):
        chosen["q2"]


def test_documents_are_numbered_as_they_appear() -> None:
    """A document has one place, that of its first appearance, best hits first."""
    run = Run.of({"q1": {"a": 0.1, "b": 0.9}, "q2": {"c": 1, "a": 2, "b": 0}})

    assert ("b", "a", "c") == run.doc_ids
    assert [[0, 1, -1], [1, 2, 0]] == run.documents.tolist()
    assert not run.documents.flags.writeable


def test_a_run_travels_before_it_was_looked_at() -> None:
    """A copy of a run whose documents nobody asked for has them all."""
    assert Run.of(HITS) == copy.copy(Run.of(HITS))
    assert Run.of(HITS) == pickle.loads(pickle.dumps(Run.of(HITS)))  # noqa: S301


def test_other_names_are_unknown() -> None:
    """A name that a run does not have is an AttributeError, as of any object."""
    with pytest.raises(AttributeError, match="'Run' object has no attribute 'hits'"):
        Run.of(HITS).hits  # type: ignore[attr-defined]  # noqa: B018


def test_any_real_number_is_a_score() -> None:
    """Integers of any size, fractions and NumPy's numbers rank beside floats."""
    scores = {"a": 10**30, "b": Fraction(1, 2), "c": np.float32(0.75), "d": 1}

    run = Run.of({"q": scores, "r": {"x": 1, "y": 3}})

    assert (("a", 1e30), ("d", 1.0), ("c", 0.75), ("b", 0.5)) == run["q"]
    assert (("y", 3.0), ("x", 1.0)) == run["r"]


@pytest.mark.parametrize("score", [float("nan"), float("inf"), "0.5", None])
def test_scores_are_finite_numbers(score: object) -> None:
    """What cannot be ranked is refused with query and document."""
    with pytest.raises(DataError, match="for query 'q' and document 'd'"):
        Run.of({"q": {"d": score}})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("documents", "scores", "message"),
    [
        (np.zeros(2, int), np.zeros(2), "a row for each query"),
        (np.zeros((2, 1), int), np.zeros((2, 1)), "a row for each query"),
        (np.zeros((1, 1), int), np.zeros((1, 2)), "'scores' must have the shape"),
        (np.full((1, 1), 1), np.zeros((1, 1)), "places in 'doc_ids'"),
        (np.full((1, 1), -2), np.zeros((1, 1)), "places in 'doc_ids'"),
    ],
)
def test_parts_must_fit(
    documents: np.ndarray, scores: np.ndarray, message: str
) -> None:
    """A run of wrong parts cannot be made."""
    with pytest.raises(ValueError, match=message):
        Run(query_ids=("q",), doc_ids=("d",), documents=documents, scores=scores)


def test_arrays_are_read_only() -> None:
    """A run is a value: nobody changes it by accident."""
    run = Run.of(HITS)

    with pytest.raises(ValueError, match="read-only"):
        run.documents[0, 0] = 5
