"""Certificates: what was tied, what a random split would have leaked, what leaks."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping

import attrs
import pytest

import embedtune as et
from embedtune.errors import DataError
from embedtune.types import SPLITS

SENTENCE = (
    "Hold both buttons for five seconds until lamp {} of the {} meter blinks twice."
)
KINDS = [f"{a}{b}" for a in ("gas", "water", "power", "heat") for b in "abcdefghij"]


def copied(texts: int = 40, copies: int = 3) -> et.TuningDataset:
    """Make a dataset whose documents are few, in several nearly equal copies each."""
    corpus = {
        f"d{i}-{j}": f"{kind * 4} {SENTENCE.format(kind, kind[::-1] * 6)}{'!' * j}"
        for i, kind in enumerate(KINDS[:texts])
        for j in range(copies)
    }
    return et.TuningDataset(
        corpus=corpus,
        queries={f"q{key}": f"question {key}" for key in corpus},
        train={f"q{key}": {key: 1} for key in corpus},
    )


def groups_of(labels: et.Qrels) -> set[str]:
    """Return which texts have a label, copies taken as one."""
    return {key.partition("-")[0] for row in labels.values() for key in row}


def certificate_of(dataset: et.TuningDataset) -> et.SplitCertificate:
    """Return the certificate that a split must have."""
    assert dataset.certificate is not None
    return dataset.certificate


def test_near_duplicates_are_not_divided() -> None:
    """By document, copies of one text are on one side, and nothing leaks."""
    parts = copied().split(test=0.25, validation=0.15, by="document")
    certificate = certificate_of(parts)
    sides = [groups_of(parts.labels(split)) for split in SPLITS]

    assert 40 == sum(map(len, sides)) == len(set().union(*sides))
    assert {"train": 72, "validation": 18, "test": 30} == certificate.queries
    assert {"train": 72, "validation": 18, "test": 30} == certificate.documents
    assert (40, 3) == (certificate.groups, certificate.largest_group)
    assert 120 == certificate.tied["near-duplicate document"]
    assert certificate.is_leak_free
    assert 15 < certificate.random.either <= 30
    assert certificate.random.documents == certificate.random.either
    assert 0 == certificate.random.queries
    assert certificate.remaining == certificate.verify(parts)


def test_without_them_a_split_leaks() -> None:
    """Where equal texts alone count, copies are on both sides; check() warns of it."""
    parts = copied().split(test=0.25, by="document", near_duplicates=None)
    rules = {problem.rule: problem for problem in parts.check()}

    assert certificate_of(parts).near_duplicates is None
    assert groups_of(parts.train) & groups_of(parts.test)
    assert certificate_of(parts).is_leak_free  # of equal texts, which is what it says
    assert "warning" == rules["near-duplicate-leak"].severity
    assert 15 < rules["near-duplicate-leak"].count <= 30
    assert "note" == rules["near-duplicate-document"].severity
    assert 80 == rules["near-duplicate-document"].count
    assert "120 of 120 are in 40 clusters" in rules["near-duplicate-document"].message
    clean = copied().split(test=0.25, by="document").check()
    assert "near-duplicate-leak" not in {problem.rule for problem in clean}


def test_by_query_the_rest_is_named() -> None:
    """By query, the certificate says how many test queries look for seen documents."""
    dataset = et.TuningDataset(
        corpus={f"d{i}": f"answer {i}" for i in range(10)},
        queries={f"q{i}": f"question {i % 90}" for i in range(100)},
        train={f"q{i}": {f"d{i % 10}": 1} for i in range(100)},
    )
    parts = dataset.split(test=0.2)
    certificate = certificate_of(parts)

    assert {"equal query text": 20, "near-duplicate query": 0} == certificate.tied
    assert (90, 2) == (certificate.groups, certificate.largest_group)
    assert 0 == certificate.remaining.queries
    assert 20 == certificate.remaining.documents == certificate.remaining.either
    assert 0 < certificate.random.queries
    assert not certificate.is_leak_free
    assert certificate.remaining == certificate.verify(parts)


def test_near_duplicate_queries_are_not_divided() -> None:
    """Queries that are nearly equal are on one side, in both ways of splitting."""
    text = "What do I have to do after I have lost the card of my {} account number {}"
    queries = {
        f"q{i}-{j}": f"{kind} {text.format(kind * 5, kind * 3)}{'?' * j}"
        for i, kind in enumerate(KINDS)
        for j in range(2)
    }
    dataset = et.TuningDataset(
        corpus={key: f"answer {key}" for key in queries},
        queries=queries,
        train={key: {key: 1} for key in queries},
    )

    def divided(parts: et.TuningDataset) -> set[str]:
        return groups_of(parts.train) & groups_of(parts.test)

    for by in ("query", "document"):
        assert not divided(dataset.split(test=0.3, by=by, near_duplicates=0.8))
        assert divided(dataset.split(test=0.3, by=by, near_duplicates=None))
    assert divided(dataset.split(test=0.3))
    tied = certificate_of(dataset.split(test=0.3, by="document")).tied
    assert 80 == tied["near-duplicate query"]


def test_each_kind_of_tie_is_counted() -> None:
    """Ties are counted by what ties, each kind without what explains it before."""
    long = SENTENCE.format("one", "gas")
    dataset = et.TuningDataset(
        corpus={"a": long, "b": long.upper(), "c": f"{long}!", "d": "other", "e": "e"},
        queries={f"q{i}": f"question {i}" for i in range(8)} | {"q8": "Question  0"},
        train={
            "q0": {"a": 1},
            "q1": {"b": 1},
            "q2": {"c": 1},
            "q3": {"d": 1},
            "q4": {"d": 2},
            "q5": {"e": 1},
            "q6": {"e": 0, "a": 0},
            "q7": {"e": 0},
            "q8": {"e": 0},
        },
    )
    certificate = certificate_of(dataset.split(test=0.4, by="document"))

    assert {
        "equal query text": 2,
        "near-duplicate query": 0,
        "shared document": 2,
        "equal document text": 2,
        "near-duplicate document": 3,
    } == certificate.tied
    assert 0 < certificate.dropped
    assert f"{certificate.dropped} labels of relevance 0" in str(certificate)


def test_it_prints_and_writes_itself() -> None:
    """A certificate says in words and as JSON what it holds."""
    certificate = certificate_of(copied().split(test=0.25, by="document", seed=4))
    facts = json.loads(json.dumps(certificate.to_dict()))
    lines = str(certificate).splitlines()

    assert (
        "split by document, seed 4: train 90, validation 0, test 30 queries" == lines[0]
    )
    assert "similarity of 0.8 or more" in lines[1]
    assert "  120 queries tied by relevant documents of nearly equal text" in lines
    assert "  this one leaks 0" == lines[-1]
    assert f"leaked {certificate.random.either} of 30 test queries" in lines[-2]
    assert repr(certificate) == str(certificate)
    assert "<li>this one leaks 0</li>" in certificate._repr_html_()
    assert facts["random"]["either"] == certificate.random.either
    assert {"train": 90, "validation": 0, "test": 30} == facts["queries"]


def test_it_lives_as_long_as_the_labels() -> None:
    """It is pickled along, makes no dataset unequal, and goes when labels change."""
    parts = copied().split(test=0.25, by="document")
    again = pickle.loads(pickle.dumps(parts))  # noqa: S301 -- our own bytes

    assert parts.certificate == again.certificate
    assert copied().certificate is None
    assert attrs.evolve(parts, test={}).certificate is None
    assert parts == attrs.evolve(parts)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"test": {}}, "test 0 queries"),
        ({"queries": {}}, "name 120 unknown queries"),
        ({"corpus": {}}, "name 120 unknown queries or documents"),
        ({"train": "test", "test": "train"}, "its parts have"),
    ],
)
def test_it_is_refused_for_other_labels(
    changes: Mapping[str, object], message: str
) -> None:
    """To verify it with another dataset is an error that says what differs."""
    parts = copied().split(test=0.25, by="document")
    swapped = {
        name: parts.labels(value) if isinstance(value, str) else value
        for name, value in changes.items()
    }

    with pytest.raises(DataError, match=message):
        certificate_of(parts).verify(attrs.evolve(parts, **swapped))


def test_leaks_that_were_added_are_found() -> None:
    """To verify finds labels of equal sizes that leak."""
    parts = copied().split(test=0.25, by="document")
    one, other = next(iter(parts.train)), next(iter(parts.test))
    mixed = attrs.evolve(parts, test={**parts.test, other: {**parts.train[one]}})

    with pytest.raises(DataError, match=r"1 test queries leak \(certified: 0\)"):
        certificate_of(parts).verify(mixed)


def test_nearly_all_of_one_text_is_refused() -> None:
    """Where one cluster is too large for the shares, the error names the way out."""
    long = SENTENCE.format("one", "gas")
    dataset = et.TuningDataset(
        corpus={f"d{i}": f"{long} {i}" for i in range(20)},
        queries={f"q{i}": f"question {i}" for i in range(20)},
        train={f"q{i}": {f"d{i}": 1} for i in range(20)},
    )

    with pytest.raises(DataError, match="near_duplicates=None"):
        dataset.split(test=0.2, by="document")
    assert 4 == len(dataset.split(test=0.2, by="document", near_duplicates=None).test)


@pytest.mark.parametrize("threshold", [0.2, "high", True])
def test_bad_thresholds_are_refused(threshold: object) -> None:
    """Splits and checks refuse a threshold that nobody can mean."""
    dataset = copied()
    for call in (
        lambda: dataset.split(test=0.2, near_duplicates=threshold),
        lambda: dataset.check(near_duplicates=threshold),
    ):
        with pytest.raises((TypeError, ValueError), match="threshold of near-dup"):
            call()
