"""The fingerprint: the same for the same content, another for any other."""

from __future__ import annotations

import attrs
import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.values import Document, Query

BASE = TuningDataset(
    corpus={
        "d1": Document(doc_id="d1", text="one", title="t", metadata={"a": 1, "b": 2}),
        "d2": Document(doc_id="d2", text="two"),
    },
    queries={"q1": Query(query_id="q1", text="first"), "q2": "second"},
    train={"q1": {"d1": 1, "d2": 0}},
    validation={"q2": {"d1": 1}},
    test={"q2": {"d2": 2}},
)


def test_order_does_not_matter() -> None:
    """Documents, queries, labels and metadata may come in any order."""
    other = TuningDataset(
        corpus={
            "d2": "two",
            "d1": Document(
                doc_id="d1", text="one", title="t", metadata={"b": 2, "a": 1}
            ),
        },
        queries={"q2": "second", "q1": "first"},
        train={"q1": {"d2": 0, "d1": 1}},
        validation={"q2": {"d1": 1}},
        test={"q2": {"d2": 2}},
    )

    assert BASE.fingerprint == other.fingerprint


@pytest.mark.parametrize(
    "change",
    [
        {"corpus": {**BASE.corpus, "d2": "Two"}},
        {"corpus": {**BASE.corpus, "d2": Document(doc_id="d2", text="", title="two")}},
        {"corpus": {**BASE.corpus, "d3": "two"}},
        {"corpus": {"d2": "two", "d1": Document(doc_id="d1", text="one", title="t")}},
        {"queries": {**BASE.queries, "q2": "first"}},
        {
            "queries": {
                **BASE.queries,
                "q2": Query(query_id="q2", text="second", metadata={"a": None}),
            }
        },
        {"train": {"q1": {"d1": 1}}},
        {"train": {"q1": {"d1": 2, "d2": 0}}},
        {"train": {"q1": {"d1": 1}, "q2": {"d2": 0}}},
        {"validation": BASE.test, "test": BASE.validation},
        {"validation": {}},
    ],
)
def test_every_part_counts(change: dict[str, object]) -> None:
    """A change of any text, title, id, metadata, relevance or split is seen."""
    assert BASE.fingerprint != attrs.evolve(BASE, **change).fingerprint


def test_fields_do_not_run_into_each_other() -> None:
    """Moving text from one field to the next is a change."""
    made = [
        TuningDataset(
            corpus={"d": Document(doc_id="d", text=text, title=title)},
            queries={},
            train={},
        )
        for title, text in (("a", "b1:c"), ("a1:b", "c"), ("", "ab1:c"))
    ]

    assert 3 == len({dataset.fingerprint for dataset in made})


def test_fingerprint_is_stable() -> None:
    """It is the same on every machine and in every version that reads old jobs."""
    assert 64 == len(BASE.fingerprint)
    assert "3af70aef4cd5d1f9" == BASE.fingerprint[:16]


def test_surrogates_have_a_fingerprint() -> None:
    """Text that cannot be written can still be told apart."""
    one, other = (
        TuningDataset(corpus={"d": text}, queries={}, train={})
        for text in ("\ud800", "\udc00")
    )

    assert one.fingerprint != other.fingerprint
