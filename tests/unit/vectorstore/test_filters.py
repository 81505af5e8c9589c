"""Filters address exactly the rows whose ids they were made from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from milvus_lite.search.filter import parse_expr

from embedtune.vectorstore.filters import after, among, literal

ids = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
# Letters that a filter gives a meaning to come often.
odd_ids = st.text(st.sampled_from("\"'\\\n\r\t[](),%_{}$ aو"), min_size=1, max_size=12)


@given(value=ids | odd_ids)
def test_literals_are_read_back(value: str) -> None:
    """Milvus Lite's own parser reads every literal as the string it was made from."""
    parsed = parse_expr(f"doc_id in [{literal(value)}]")

    assert [value] == [element.value for element in parsed.values.elements]


@given(value=ids | odd_ids)
def test_comparisons_are_read_back(value: str) -> None:
    """The same holds for the filter that goes on after an id."""
    assert value == parse_expr(after(value)).right.value


@given(values=st.lists(ids | odd_ids, max_size=30))
def test_lists_are_read_back(values: list[str]) -> None:
    """No id is lost, added or moved."""
    found = [
        element.value
        for condition in among(values)
        for element in parse_expr(condition).values.elements
    ]

    assert values == found


@pytest.mark.parametrize(
    ("values", "sizes"),
    [
        ([], []),
        ([str(n) for n in range(2_500)], [1_000, 1_000, 500]),
        (["x" * 100_000] * 4, [3, 1]),
    ],
)
def test_filters_stay_small(values: list[str], sizes: list[int]) -> None:
    """A filter names at most 1,000 ids, and stops growing at 256 KiB."""
    assert sizes == [condition.count('"') // 2 for condition in among(values)]
