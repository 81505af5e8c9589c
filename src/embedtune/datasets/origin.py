"""Where the parts of a dataset were read from, at a few bytes a record."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from types import MappingProxyType

import attrs

from embedtune.types import Split


class LineNumbers:
    """The line of each record; takes memory only when lines were skipped."""

    def __init__(self, first: int = 1, lines: array[int] | None = None) -> None:
        self._first = first
        self._lines = lines

    def add(self, index: int, line: int) -> None:
        """Note the line of the record at *index*; those before it are known.

        Records that follow one another on their lines from the first one on may be
        left out.
        """
        if self._lines is None:
            if line == self._first + index:
                return
            self._lines = array("I", range(self._first, self._first + index))
        self._lines.append(line)

    def __getitem__(self, index: int) -> int:
        """Return the line of the record at *index*, counted from 0."""
        return self._first + index if self._lines is None else self._lines[index]


@attrs.frozen
class Place:
    """The file, or the table, that one part of a dataset was read from.

    Attributes:
        prefix: What stands before a line number, `"corpus.jsonl:"` or `"row "`.
        lines: The line of each record, in the order of the records.
    """

    prefix: str
    lines: LineNumbers

    def __getitem__(self, index: int) -> str:
        """Return the place of the record at *index*, counted from 0."""
        return f"{self.prefix}{self.lines[index]}"


@attrs.frozen(kw_only=True)
class Origin:
    """The places of a dataset's documents, queries and labels.

    Attributes:
        labels: By split; records are counted in the order in which the labels of
            the split are nested: by query, then by document.
        ignored: Files that look like labels and were not read, perhaps with the name
            that may be meant.
    """

    corpus: Place
    queries: Place
    labels: Mapping[Split, Place] = MappingProxyType({})
    ignored: tuple[str, ...] = ()
