"""Groups of queries: by seen documents, length, label, or anything."""

from __future__ import annotations

import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.errors import ConfigurationError
from embedtune.evaluation.comparison import compare
from embedtune.evaluation.evaluate import evaluate
from embedtune.evaluation.groups import group_queries, seen_and_unseen
from embedtune.serving.local import LocalEmbedder


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


@pytest.fixture
def worded() -> TuningDataset:
    """Return nine queries of 1, 1, 2, 3, 3, 4, 5, 6 and 9 words."""
    lengths = (1, 9, 2, 3, 3, 4, 5, 6, 1)
    return TuningDataset(
        corpus={"a": "first", "b": "second"},
        queries={f"q{i}": " ".join(["word"] * n) for i, n in enumerate(lengths)},
        train={},
        test={f"q{i}": {"a": 1, "b": i % 2} for i in range(9)},
    )


def test_by_length(worded: TuningDataset) -> None:
    """Three groups of about equal size, short ones first, hold every query once."""
    groups = group_queries(worded, by="length")

    assert {
        "1 to 2 words": ("q0", "q2", "q8"),
        "3 to 4 words": ("q3", "q4", "q5"),
        "5 to 9 words": ("q1", "q6", "q7"),
    } == groups


def test_equal_lengths_are_one_group() -> None:
    """Queries as long as one another cannot be divided; none make no group."""
    pairs = [(f"one{i}", f"text {i}") for i in range(6)]
    dataset = TuningDataset.from_pairs(pairs)

    assert ["1 word"] == list(group_queries(dataset, "train", by="length"))
    assert {} == group_queries(dataset, "test", by="length")


def test_by_document(worded: TuningDataset) -> None:
    """A query stands in the group of each document that is relevant to it."""
    groups = group_queries(worded, by="document")

    assert tuple(worded.test) == groups["a"]
    assert ("q1", "q3", "q5", "q7") == groups["b"]


def test_by_mapping_and_function(worded: TuningDataset) -> None:
    """Groups stand as they first appear; `None` and what is missing are in none."""
    topics = {"q8": "late", "q0": "early", "q2": "early", "q3": None, "ghost": "x"}

    def is_long(query: object) -> str | None:
        return "long" if len(str(query)) > 200 else None

    assert {"early": ("q0", "q2"), "late": ("q8",)} == group_queries(worded, by=topics)
    assert {"early": ("q0", "q2")} == group_queries(worded, by=topics, least=2)
    assert {} == group_queries(worded, by=is_long)


def test_groups_are_for_compare(
    dataset: TuningDataset, embedder: LocalEmbedder
) -> None:
    """What it returns is what compare takes."""
    report = evaluate(embedder, dataset)
    groups = group_queries(dataset, by=lambda query: query.query_id[0])

    assert ["q", "r"] == list(compare(report, report, groups=groups).groups)


def test_wrong_keys(worded: TuningDataset) -> None:
    """An unknown word, and a name that is no string, are refused."""
    with pytest.raises(ConfigurationError, match=r"'by' must be .* \(got 'size'\)"):
        group_queries(worded, by="size")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"the group of query 'q0' must be .*\(got 4\)"):
        group_queries(worded, by=lambda _: 4)  # type: ignore[arg-type, return-value]
