"""The table that comes with the examples is what their text says."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import pytest

import embedtune as et

TABLE = Path(__file__).parents[2] / "examples" / "data" / "tidewheel_support.csv"


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    """The rows as they stand in the file."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_size(rows: list[dict[str, str]]) -> None:
    """There are enough questions, each asked once, and enough answers."""
    questions = {row["question"].lower() for row in rows}

    assert ["question", "answer_title", "answer", "topic"] == list(rows[0])
    assert len(rows) == len(questions) >= 150
    assert len({row["answer"] for row in rows}) >= 45


def test_answers(rows: list[dict[str, str]]) -> None:
    """Each answer has one title, one topic, several questions and a fair length."""
    asked = defaultdict(set)
    labels = defaultdict(set)
    for row in rows:
        asked[row["answer"]].add(row["question"])
        labels[row["answer"]].add((row["answer_title"], row["topic"]))

    assert {1} == {len(found) for found in labels.values()}
    assert all(len(questions) >= 3 for questions in asked.values())
    assert all(30 <= len(answer.split()) <= 90 for answer in asked)


def test_check(rows: list[dict[str, str]]) -> None:
    """The library's own check has nothing to say against it, once it is split."""
    dataset = et.TuningDataset.from_table(
        TABLE, query="question", document="answer", title="answer_title"
    )

    assert (len(rows), len({row["answer"] for row in rows})) == (
        len(dataset.queries),
        len(dataset.corpus),
    )
    assert () == dataset.split(test=0.25, by="document").check().problems
