"""Splits: shares, groups, seeds, and what happens to labels of relevance 0."""

from __future__ import annotations

import random

import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.text import normalised
from embedtune.errors import DataError, DatasetIntegrityError
from embedtune.types import SPLITS


def many(count: int = 100) -> TuningDataset:
    """Make a dataset of queries with a document each."""
    return TuningDataset(
        corpus={f"d{i}": f"answer {i}" for i in range(count)},
        queries={f"q{i}": f"question {i}" for i in range(count)},
        train={f"q{i}": {f"d{i}": 1} for i in range(count)},
    )


def sizes(dataset: TuningDataset) -> tuple[int, ...]:
    """Return the number of queries with labels by split."""
    return tuple(len(dataset.labels(split)) for split in SPLITS)


@pytest.mark.parametrize("by", ["query", "document"])
def test_shares_are_met(by: str) -> None:
    """Where nothing holds queries together, the shares are exact."""
    dataset = many()

    assert (70, 10, 20) == sizes(dataset.split(test=0.2, validation=0.1, by=by))
    assert (80, 0, 20) == sizes(dataset.split(test=0.2, by=by))


def test_nothing_is_lost() -> None:
    """All labels are there afterwards, once; corpus and queries are the same."""
    dataset = many()
    parts = dataset.split(test=0.3, validation=0.3)
    together = {**parts.train, **parts.validation, **parts.test}

    assert dataset.train == together
    assert 100 == sum(sizes(parts))
    assert dataset.corpus == parts.corpus
    assert dataset.queries == parts.queries


def test_seeds() -> None:
    """Equal seeds give equal splits whatever the order of the data; others differ."""
    dataset = many()
    ids = list(dataset.train)
    random.Random(1).shuffle(ids)  # noqa: S311 -- it only has to be repeatable
    mixed = TuningDataset(
        corpus=dataset.corpus,
        queries={key: dataset.queries[key] for key in ids},
        train={key: dataset.train[key] for key in ids},
    )
    one = dataset.split(test=0.2, seed=1)

    assert one == mixed.split(test=0.2, seed=1)
    assert one.test != dataset.split(test=0.2, seed=2).test
    assert one.test != dataset.split(test=0.2, seed=-1).test


def test_split_is_the_same_on_every_machine() -> None:
    """The choice is fixed for good: measured figures stay comparable."""
    parts = many(10).split(test=0.2, validation=0.2, seed=0)

    assert (["q1", "q7"], ["q0", "q8"]) == (
        sorted(parts.validation),
        sorted(parts.test),
    )


def test_all_labels_are_pooled() -> None:
    """Splitting anew starts from the labels of all splits."""
    first = many().split(test=0.5, seed=1)

    assert first.split(test=0.2, seed=7) == many().split(test=0.2, seed=7)


def test_equal_queries_stay_together() -> None:
    """Queries that differ in case, form and spacing alone are on one side."""
    queries = {f"q{i}": f"Question  {i // 4}" for i in range(40)}
    queries |= {f"q{i}": f"question {i // 4}" for i in range(0, 40, 2)}
    dataset = TuningDataset(
        corpus={"d": "x"}, queries=queries, train={key: {"d": 1} for key in queries}
    )
    parts = dataset.split(test=0.2, validation=0.2, seed=3)
    texts = [
        {normalised(queries[key]) for key in parts.labels(split)} for split in SPLITS
    ]

    assert 10 == len(texts[0]) + len(texts[1]) + len(texts[2])
    assert 10 == len(texts[0] | texts[1] | texts[2])
    assert (24, 8, 8) == sizes(parts)


def test_shared_documents_stay_together() -> None:
    """By document, queries that share a relevant document or its twin are together."""
    dataset = TuningDataset(
        corpus={f"d{i}": f"Answer {i % 50}" for i in range(100)},
        queries={f"q{i}": f"question {i}" for i in range(100)},
        train={f"q{i}": {f"d{i}": 1} for i in range(100)},
    )
    parts = dataset.split(test=0.2, by="document", seed=5)
    numbers = [{int(key[1:]) % 50 for key in parts.labels(s)} for s in SPLITS]

    assert not numbers[0] & numbers[2]
    assert (80, 0, 20) == sizes(parts)


def test_crossing_zeros_are_left_out() -> None:
    """A label of relevance 0 goes where its document goes, or goes away."""
    dataset = TuningDataset(
        corpus={f"d{i}": f"answer {i}" for i in range(41)},
        queries={f"q{i}": f"question {i}" for i in range(40)},
        train={
            f"q{i}": {f"d{i}": 2, f"d{(i + 1) % 40}": 0, "d40": 0} for i in range(40)
        },
    )
    parts = dataset.split(test=0.25, by="document")
    by_query = dataset.split(test=0.25)
    labelled = [
        {doc_id for row in parts.labels(split).values() for doc_id in row}
        for split in SPLITS
    ]

    assert (30, 0, 10) == sizes(parts)
    assert not labelled[0] & labelled[2]
    assert all(row["d40"] == 0 for row in parts.train.values())
    assert all(2 in row.values() for row in parts.test.values())
    assert dataset.train == {**by_query.train, **by_query.test}


def test_query_with_zeros_alone_may_vanish() -> None:
    """A query all of whose labels cross the border has none any more."""
    dataset = TuningDataset(
        corpus={"a": "a", "b": "b", "c": "c"},
        queries={"q1": "1", "q2": "2", "q3": "3"},
        train={"q1": {"a": 1}, "q2": {"b": 1}, "q3": {"a": 0, "b": 0}},
    )
    parts = [dataset.split(test=0.34, by="document", seed=seed) for seed in range(20)]
    found = {
        split
        for part in parts
        for split in SPLITS
        if "q3" in part.labels(split)
        for doc_id in part.labels(split)["q3"]
    }

    assert found <= {"train", "test"}
    for part in parts:
        sides = [
            {doc for row in part.labels(split).values() for doc in row}
            for split in SPLITS
        ]
        assert not sides[0] & sides[2]


@pytest.mark.parametrize("by", ["query", "document"])
def test_unknown_ids_are_refused(by: str) -> None:
    """Labels for what is not there, and contradictions, come in one error."""
    good = many()
    dataset = TuningDataset(
        corpus=good.corpus,
        queries=good.queries,
        train={**good.train, "typo": {"d1": 1}, "q5": {"d5": 1, "gone": 0}},
        test={"q6": {"d6": 2, "lost": 1}},
    )

    with pytest.raises(DatasetIntegrityError, match=r"check\(\) tells where") as info:
        dataset.split(test=0.2, by=by)

    assert [
        (
            "query 'q6' and document 'd6' have relevance 2 in test and 1 before; "
            "keep one of them"
        ),
        (
            "test: document 'lost' of query 'q6' is not in the corpus; "
            "add it or remove the label"
        ),
        (
            "train: document 'gone' of query 'q5' is not in the corpus; "
            "add it or remove the label"
        ),
        "train: query 'typo' is not among the queries; add it or remove its labels",
    ] == sorted(info.value.problems)
    assert {"unknown-query", "unknown-document", "conflicting-labels"} <= {
        problem.rule for problem in dataset.check()
    }


def test_groups_larger_than_a_share_are_used() -> None:
    """Where no group fits, the nearest is taken, as long as it is near."""
    dataset = TuningDataset(
        corpus={f"d{i}": f"answer {i}" for i in range(4)},
        queries={f"q{i}": f"question {i}" for i in range(40)},
        train={f"q{i}": {f"d{i % 4}": 1} for i in range(40)},
    )

    assert (30, 0, 10) == sizes(dataset.split(test=0.2, by="document"))
    with pytest.raises(DataError, match="largest of the 4 groups") as info:
        dataset.split(test=0.1, by="document")

    assert "the test part would have 0 queries where 4 of 40" in str(info.value)


def test_places_remain() -> None:
    """The places of documents and queries are known after a split, too."""
    dataset = TuningDataset.from_pairs([(f"q{i}", f"d{i}") for i in range(10)])
    parts = dataset.split(test=0.2)

    assert parts.origin is not None
    assert "pair 3" == parts.origin.corpus[3]
    assert {} == parts.origin.labels
