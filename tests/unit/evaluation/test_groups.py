"""Queries by whether training saw their documents."""

from __future__ import annotations

from embedtune.datasets.dataset import TuningDataset
from embedtune.evaluation.groups import seen_and_unseen


def test_seen_by_label_and_by_text() -> None:
    """A query is seen by a trained document or by a duplicate of one."""
    dataset = TuningDataset(
        corpus={
            "a": "Reset it.",
            "b": "reset  IT.",
            "c": "Call us.",
            "d": "Wait.",
            "empty": "",
            "empty too": " ",
        },
        queries={f"q{i}": "text" for i in range(8)},
        train={"q0": {"a": 2, "c": 0, "empty": 1}},
        validation={"q1": {"c": 1}},
        test={
            "q2": {"a": 1},
            "q3": {"b": 1},
            "q4": {"c": 1},
            "q5": {"d": 1, "a": 0},
            "q6": {"d": 1, "a": 1},
            "q7": {"d": 0},
        },
    )

    groups = seen_and_unseen(dataset)

    assert {"seen": ("q2", "q3", "q6"), "unseen": ("q4", "q5")} == groups


def test_empty_documents_are_not_duplicates() -> None:
    """Documents without text have nothing that training could have seen."""
    dataset = TuningDataset(
        corpus={"a": "", "b": ""},
        queries={"q1": "x", "q2": "y"},
        train={"q1": {"a": 1}},
        test={"q2": {"b": 1}},
    )

    assert {"seen": (), "unseen": ("q2",)} == seen_and_unseen(dataset)


def test_other_splits_and_unknown_documents() -> None:
    """Any split can be asked for; labels of unknown documents count by their id."""
    dataset = TuningDataset(
        corpus={"a": "text"},
        queries={"q1": "x", "q2": "y"},
        train={"q1": {"ghost": 1}},
        validation={"q2": {"ghost": 1}, "q1": {"a": 1}},
    )

    assert {"seen": ("q2",), "unseen": ("q1",)} == seen_and_unseen(
        dataset, "validation"
    )
    assert {"seen": (), "unseen": ()} == seen_and_unseen(dataset, "test")


def test_split_by_document_leaves_all_unseen() -> None:
    """What `split(by="document")` promises is what the groups say."""
    pairs = [(f"query {i} about topic {i % 9}", f"answer {i % 9}") for i in range(60)]
    dataset = TuningDataset.from_pairs(pairs).split(test=0.3, seed=1, by="document")

    groups = seen_and_unseen(dataset)

    assert () == groups["seen"]
    assert set(dataset.test) == set(groups["unseen"])
