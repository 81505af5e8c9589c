"""Relevance labels while they are being read."""

from __future__ import annotations

import operator
from array import array
from types import MappingProxyType
from typing import SupportsIndex

import numpy as np
import numpy.typing as npt

from embedtune.datasets.origin import LineNumbers
from embedtune.datasets.problems import RecordError, shown
from embedtune.types import Qrels

MAX_RELEVANCE = 2**31 - 1
"""The largest relevance; larger ones are mistakes, such as ids in this column."""

_MAX_DIGITS = 12
_SHORT = 20


def relevance_of(value: object) -> int:
    """Return the relevance that a cell of a file or table holds.

    Raises:
        RecordError: If it is no whole number from 0 to `MAX_RELEVANCE`.
    """
    number = _number(value)
    if number is None:
        msg = f"relevance must be a whole number >= 0 (got {_described(value)})"
        raise RecordError(msg)
    if not 0 <= number <= MAX_RELEVANCE:
        msg = (
            f"relevance must be >= 0 and <= {MAX_RELEVANCE} (got {shown(value)}); "
            "write 0 for 'judged and not relevant'"
        )
        raise RecordError(msg)
    return number


class LabelCollector:
    """Labels one by one, with the lines they stand on."""

    def __init__(self) -> None:
        self._labels: dict[str, dict[str, int]] = {}
        self._numbers: dict[str, int] = {}
        self._query_of = array("I")
        self._lines = array("I")
        self._conflicts: list[tuple[str, str, int, int]] = []
        # Files have the labels of a query side by side: the last one is at hand.
        self._id = ""
        self._number = 0
        self._row: dict[str, int] = {}

    def add(self, query_id: str, doc_id: str, relevance: int, line: int) -> None:
        """Note one label; the same label once more changes nothing."""
        if query_id != self._id:
            self._take_up(query_id)
        row = self._row
        count = len(row)
        known = row.setdefault(doc_id, relevance)
        if len(row) > count:
            self._query_of.append(self._number)
            self._lines.append(line)
        elif known != relevance:
            self._conflicts.append((query_id, doc_id, relevance, line))

    def labels(self) -> Qrels:
        """Return the labels."""
        return MappingProxyType(
            {key: MappingProxyType(value) for key, value in self._labels.items()}
        )

    def lines(self, first: int) -> LineNumbers:
        """Return the line of each label, nested by query and then by document."""
        lines = self._nested_lines()
        if np.array_equal(lines, np.arange(first, first + lines.size)):
            return LineNumbers(first)
        return LineNumbers(first, array("I", lines.tobytes()))

    def conflicts(self, unit: str = "line") -> list[tuple[int, str]]:
        """Return the line and the problem of each label that contradicts another."""
        if not self._conflicts:
            return []
        lines = self._nested_lines()
        sizes = [len(labels) for labels in self._labels.values()]
        starts = [0, *np.cumsum(sizes).tolist()]
        found: list[tuple[int, str]] = []
        for query_id, doc_id, relevance, line in self._conflicts:
            labels = self._labels[query_id]
            place = list(labels).index(doc_id)
            first = lines[starts[self._numbers[query_id]] + place]
            what = (
                f"query {shown(query_id)} and document {shown(doc_id)} have relevance "
                f"{relevance} here and {labels[doc_id]} at {unit} {first}; keep one"
            )
            found.append((line, what))
        return found

    def _take_up(self, query_id: str) -> None:
        self._id = query_id
        self._row = self._labels.setdefault(query_id, {})
        self._number = self._numbers.setdefault(query_id, len(self._numbers))

    def _nested_lines(self) -> npt.NDArray[np.uintc]:
        query_of = np.array(self._query_of, np.uintc)
        return np.array(self._lines, np.uintc)[np.argsort(query_of, kind="stable")]


def _number(value: object) -> int | None:
    """Return the whole number that *value* is or spells, or `None`."""
    if isinstance(value, str):
        value = _spelled(value)
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        return None
    try:
        return operator.index(value)
    except TypeError:  # NumPy's truth values have the method and refuse the call
        return None


def _spelled(cell: str) -> int | float | None:
    if cell.isascii() and cell.isdigit() and len(cell) <= _MAX_DIGITS:
        return int(cell)
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def _described(value: object) -> str:
    """Return *value* for a message, unless it may be a whole text."""
    if isinstance(value, str) and len(value) > _SHORT:
        return f"a text of {len(value)} characters"
    return shown(value)
