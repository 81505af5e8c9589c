"""Datasets from pairs and graded triples."""

from __future__ import annotations

import numpy as np
import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.values import Document, Query
from embedtune.errors import DatasetIntegrityError

PAIRS = [
    ("lost my card", "Block it in the app."),
    ("card gone", "Block it in the app."),
    ("lost my card", "Call us."),
]


def test_equal_texts_are_one() -> None:
    """Queries and documents of equal text are one each, with several positives."""
    dataset = TuningDataset.from_pairs(PAIRS)
    query = next(q for q in dataset.queries.values() if q.text == "lost my card")
    texts = {dataset.corpus[doc_id].text for doc_id in dataset.train[query.query_id]}

    assert ["lost my card", "card gone"] == [q.text for q in dataset.queries.values()]
    assert {"Block it in the app.", "Call us."} == texts
    assert {} == dataset.validation
    assert {} == dataset.test


def test_ids_follow_from_the_text() -> None:
    """The same pairs in another order, or among others, keep their ids."""
    one = TuningDataset.from_pairs(PAIRS)
    other = TuningDataset.from_pairs(reversed([*PAIRS, PAIRS[0]]))
    more = TuningDataset.from_pairs([("new", "newer"), *PAIRS])

    assert one == other
    assert one.fingerprint == other.fingerprint
    assert one.corpus.keys() < more.corpus.keys()


def test_relevance_is_kept() -> None:
    """The third part is the relevance, 0 included; whole floats are whole."""
    dataset = TuningDataset.from_pairs(
        [("q", "a", 0), ["q", "b", 3.0], ("q", "c", np.int32(2)), ("q", "d")]
    )

    assert [0, 3, 2, 1] == list(next(iter(dataset.train.values())).values())
    assert {int} == {type(r) for r in next(iter(dataset.train.values())).values()}


def test_values_keep_their_ids() -> None:
    """Queries and documents with ids of their own keep those, and all they hold."""
    query = Query(query_id="q1", text="what", metadata={"topic": "t"})
    document = Document(doc_id="d1", text="that", title="T")
    dataset = TuningDataset.from_pairs([(query, document, 2), (query, "else")])

    assert query is dataset.queries["q1"]
    assert document is dataset.corpus["d1"]
    assert 2 == dataset.train["q1"]["d1"]


def test_places_are_positions() -> None:
    """Checks of pairs name the position of the pair."""
    dataset = TuningDataset.from_pairs(iter([*PAIRS, ("a", "CALL  us.")]))
    problem = dataset.check().warnings[0]

    assert "duplicate-document" == problem.rule
    assert problem.where.startswith("pair 3 ('d-")
    assert " repeats pair 2 ('d-" in problem.where


def test_no_pairs() -> None:
    """No pairs make an empty dataset, which the check refuses."""
    dataset = TuningDataset.from_pairs([])

    assert 0 == len(dataset.corpus)
    assert not dataset.check().ok


def test_problems_of_pairs() -> None:
    """The error says how many problems there are, and how pairs are counted."""
    with pytest.raises(DatasetIntegrityError) as info:
        TuningDataset.from_pairs([("a", "x"), ("", "x")])

    assert [
        "the list has 1 problem (pairs count from 0):",
        "  pair 1: its query is empty; leave the pair out",
    ] == str(info.value).splitlines()
