"""The files that Vertex AI tunes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.values import Document, Query
from embedtune.errors import DatasetIntegrityError

DATASET = TuningDataset(
    corpus={
        "d1": Document(doc_id="d1", text="one", title="T", metadata={"a": 1}),
        "d2": "two",
    },
    queries={"q1": Query(query_id="q1", text="first", metadata={"a": 1}), "q2": "x"},
    train={"q1": {"d1": 1, "d2": 0}},
    test={"q2": {"d2": 3}},
)


def test_exactly_the_documented_files(tmp_path: Path) -> None:
    """Strings only, tab-separated labels with a header, no file without labels."""
    DATASET.to_vertex(tmp_path / "v")
    lines = (tmp_path / "v" / "corpus.jsonl").read_text().splitlines()
    queries = (tmp_path / "v" / "queries.jsonl").read_text().splitlines()

    assert ["corpus.jsonl", "queries.jsonl", "test.tsv", "train.tsv"] == sorted(
        path.name for path in (tmp_path / "v").iterdir()
    )
    assert [
        {"_id": "d1", "text": "one", "title": "T"},
        {"_id": "d2", "text": "two"},
    ] == [json.loads(line) for line in lines]
    assert [{"_id": "q1", "text": "first"}, {"_id": "q2", "text": "x"}] == [
        json.loads(line) for line in queries
    ]
    assert (
        b"query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td2\t0\n"
        == (tmp_path / "v" / "train.tsv").read_bytes()
    )


def test_stale_splits_are_removed(tmp_path: Path) -> None:
    """Writing again leaves exactly the files of the new dataset."""
    DATASET.to_vertex(tmp_path)
    TuningDataset(corpus={"d": "x"}, queries={"q": "y"}, train={}).to_vertex(tmp_path)

    assert ["corpus.jsonl", "queries.jsonl", "train.tsv"] == sorted(
        path.name for path in tmp_path.iterdir()
    )


def test_ids_that_do_not_fit_are_all_named(tmp_path: Path) -> None:
    """Quotes, tabs and line breaks in ids are refused, labels' unknown ids included."""
    dataset = TuningDataset(
        corpus={'"': "x"}, queries={"a\n": "y"}, train={"b\r": {"c\t": 1}}
    )

    with pytest.raises(DatasetIntegrityError) as info:
        dataset.to_vertex(tmp_path / "v")

    assert 4 == len(info.value.problems)
    assert not (tmp_path / "v").exists()
