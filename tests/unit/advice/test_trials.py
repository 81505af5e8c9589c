"""Which trials are run, on what, and for how long."""

from __future__ import annotations

import pytest

from embedtune.advice.trials import planned, usable_queries
from embedtune.datasets.dataset import TuningDataset


@pytest.mark.parametrize(
    ("queries", "expected"),
    [
        (12, [(12, 0)]),
        (16, [(16, 0)]),
        (20, [(16, 0), (20, 0), (16, 1), (16, 2)]),
        (
            160,
            [(20, 0), (160, 0), (80, 0), (40, 0), (40, 1), (20, 1), (20, 2)],
        ),
    ],
)
def test_plan(queries: int, expected: list[tuple[int, int]]) -> None:
    """The smallest part comes first, then the whole; small parts are drawn anew."""
    assert expected == planned(queries)


def test_queries_without_a_relevant_document_are_left_out() -> None:
    """What no tuner would take is no part of a trial."""
    labels = {f"q{i:02}": {f"d{i}": int(i < 10)} for i in range(12)}
    dataset = TuningDataset(
        corpus={f"d{i}": "text" for i in range(12)},
        queries=dict.fromkeys(labels, "text"),
        train=labels,
    )

    assert sorted(labels)[:10] == usable_queries(dataset)


def test_too_few_queries() -> None:
    """What cannot be tuned on gives no trial."""
    labels = {f"q{i}": {"d": 1} for i in range(40)}
    dataset = TuningDataset(
        corpus={"d": "text"}, queries=dict.fromkeys(labels, "text"), train=labels
    )

    assert [] == usable_queries(dataset)
