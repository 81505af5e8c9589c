"""The dataset value itself: what it takes, how it compares, what it says."""

from __future__ import annotations

import pickle
from pathlib import Path
from types import MappingProxyType

import attrs
import numpy as np
import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.values import Document, Query
from embedtune.errors import DatasetIntegrityError


def small() -> TuningDataset:
    """Make a dataset with a label in each split."""
    return TuningDataset(
        corpus={"d1": Document(doc_id="d1", text="one", metadata={"a": [1]})},
        queries={"q1": Query(query_id="q1", text="first"), "q2": "second"},
        train={"q1": {"d1": 1}},
        validation={"q2": {"d1": 2}},
        test={"q2": {"d1": 2}},
    )


def test_strings_become_values() -> None:
    """A string is the text of a document, or of a query, under its key."""
    dataset = TuningDataset(corpus={"d": "text"}, queries={"q": "what"}, train={})

    assert Document(doc_id="d", text="text") == dataset.corpus["d"]
    assert Query(query_id="q", text="what") == dataset.queries["q"]


def test_labels_by_split() -> None:
    """Each split has its labels, and those not given are empty."""
    dataset = small()

    assert {"q1": {"d1": 1}} == dataset.labels("train")
    assert {"q2": {"d1": 2}} == dataset.labels("validation")
    assert {"q2": {"d1": 2}} == dataset.labels("test")
    assert {} == TuningDataset(corpus={}, queries={}, train={}).labels("test")


def test_nothing_can_be_changed() -> None:
    """Neither the parts nor what was given can change a dataset later."""
    labels = {"q": {"d": 1}}
    dataset = TuningDataset(corpus={"d": "x"}, queries={"q": "y"}, train=labels)
    labels["q"]["d"] = 5

    assert {"q": {"d": 1}} == dataset.train
    assert isinstance(dataset.corpus, MappingProxyType)
    with pytest.raises(TypeError):
        dataset.train["q"]["d"] = 2
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        dataset.train = {}


def test_query_without_labels_is_left_out() -> None:
    """An empty row of labels says the same as no row."""
    dataset = TuningDataset(corpus={}, queries={"q": "y"}, train={"q": {}})

    assert {} == dataset.train


def test_numpy_integers_are_relevances() -> None:
    """Labels counted by NumPy or pandas need no conversion."""
    dataset = TuningDataset(
        corpus={"d": "x"}, queries={"q": "y"}, train={"q": {"d": np.int64(2)}}
    )

    assert int is type(dataset.train["q"]["d"])


def test_unknown_ids_in_labels_are_allowed() -> None:
    """Labels may name what is not there; the check tells, the constructor does not."""
    dataset = TuningDataset(corpus={}, queries={}, train={"q": {"d": 1}})

    assert {"q": {"d": 1}} == dataset.train


def test_every_problem_of_every_part_is_named() -> None:
    """One error names the problems of all parts together."""
    with pytest.raises(DatasetIntegrityError) as info:
        TuningDataset(
            corpus={"a": Document(doc_id="b", text="x"), "c": 5},
            queries={"": "x"},
            train={"q": {"d": -1}},
            test={"q": {"d": 1.5}, "r": 3},
        )

    assert 6 == len(info.value.problems)
    assert "6 problems" in str(info.value)
    assert [f"  {problem}" for problem in info.value.problems] == (
        str(info.value).splitlines()[1:]
    )


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (2**64, "an integer of more than 64 bits"),
        (-(2**63) - 1, "an integer of more than 64 bits"),
        (float("nan"), "the number nan"),
        (float("inf"), "the number inf"),
        ((1, 2), "a tuple"),
        ({1: "x"}, "a key that is no string"),
        ([{"deep": {1, 2}}], "a set"),
    ],
)
def test_metadata_must_be_json(value: object, problem: str) -> None:
    """What would not come back from a file as it is, is refused at once."""
    document = Document(doc_id="d", text="x", metadata={"key": value})

    with pytest.raises(DatasetIntegrityError, match=problem):
        TuningDataset(corpus={"d": document}, queries={}, train={})


def test_metadata_nested_without_end_is_refused() -> None:
    """A value that holds itself is an error, not an endless walk."""
    loop: list[object] = []
    loop.append(loop)
    query = Query(query_id="q", text="x", metadata={"loop": loop})

    with pytest.raises(DatasetIntegrityError, match="deeper than 100"):
        TuningDataset(corpus={}, queries={"q": query}, train={})


def test_equal_content_is_equal() -> None:
    """Datasets are equal, and hash the same, by content and not by origin."""
    assert small() == small()
    assert hash(small()) == hash(small())
    assert small() != attrs.evolve(small(), test={})
    assert small() != attrs.evolve(small(), corpus={"d1": "one"})


def test_pickle_keeps_everything() -> None:
    """A dataset can be handed to another process."""
    again = pickle.loads(pickle.dumps(small()))  # noqa: S301 -- our own bytes

    assert small() == again
    assert small().fingerprint == again.fingerprint


def test_repr_is_short() -> None:
    """A dataset shows its sizes and not its texts."""
    assert (
        "TuningDataset(corpus=1 documents, queries=2, train=1 labels, "
        "validation=1 labels, test=1 labels)"
    ) == repr(small())


def test_origin_is_lost_where_parts_change(tmp_path: Path) -> None:
    """A dataset with replaced parts does not claim the places of the old ones."""
    small().to_beir(tmp_path / "data")
    dataset = TuningDataset.from_beir(tmp_path / "data")

    assert dataset.origin is not None
    assert dataset.origin.corpus[0] == "corpus.jsonl:1"
    assert attrs.evolve(dataset, test={}).origin is None
