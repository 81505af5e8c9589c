"""Relevance labels in tab-separated files, as BEIR and Vertex AI write them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from embedtune.datasets.files import add_encoding_problem, open_text
from embedtune.datasets.origin import LineNumbers
from embedtune.datasets.problems import FileProblems, RecordError, shown
from embedtune.datasets.relevance import LabelCollector, relevance_of
from embedtune.types import Qrels

_Row: TypeAlias = tuple[int, list[str]]

HEADER = ("query-id", "corpus-id", "score")
_NEEDS_QUOTES = re.compile('[\t\r\n"]')
_BOM = "\ufeff"
_TREC_COLUMNS = 4
_DIGITS = {str(i): i for i in range(10)}


def read_labels(path: Path, problems: FileProblems) -> tuple[Qrels, LineNumbers]:
    """Read one split's labels.

    Columns are found by the names in the header, in any order; others are ignored.
    Without a `score` column, or where the cell is empty, the relevance is 1.

    Args:
        path: The file.
        problems: Where every row that is no label is noted.

    Returns:
        The labels, and the line of each.
    """
    collector = LabelCollector()
    rows = _rows(path, problems)
    columns = _columns(path, rows, problems)
    if columns is not None:
        _collect(path, rows, columns, collector, problems)
    for line, what in collector.conflicts():
        problems.add(path, line, what)
    return collector.labels(), collector.lines(first=2)


def label_lines(labels: Qrels) -> Iterator[bytes]:
    """Yield the file, header first; ids that need quotes are quoted as in CSV."""
    yield ("\t".join(HEADER) + "\n").encode()
    for query_id, documents in labels.items():
        start = quoted(query_id)
        yield "".join(
            f"{start}\t{quoted(doc_id)}\t{relevance}\n"
            for doc_id, relevance in documents.items()
        ).encode()


def quoted(key: str) -> str:
    """Return an id as it stands in a tab-separated file."""
    if _NEEDS_QUOTES.search(key) is None:
        return key
    return '"' + key.replace('"', '""') + '"'


def needs_quotes(key: str) -> bool:
    """Whether an id cannot stand in a tab-separated file as it is."""
    return _NEEDS_QUOTES.search(key) is not None


def _rows(path: Path, problems: FileProblems) -> Iterator[_Row]:
    """Yield line number and cells of each row; blank lines are skipped."""
    start = 1
    with open_text(path, "utf-8") as file:
        reader = csv.reader(file, delimiter="\t", strict=True)
        try:
            for row in reader:
                if row:
                    yield start, row
                start = reader.line_num + 1
        except csv.Error as e:
            what = f"is not tab-separated text ({e}); quote cells that hold quotes"
            problems.add(path, start, what)
        except UnicodeDecodeError:
            add_encoding_problem(path, "utf-8", problems)


def _collect(
    path: Path,
    rows: Iterable[_Row],
    columns: _Columns,
    collector: LabelCollector,
    problems: FileProblems,
) -> None:
    # Ids are not replaced by the corpus' own: looking each up in a large corpus
    # takes longer than everything else here, to save a tenth of the memory.
    label_of, add = columns.label, collector.add
    for line, row in rows:
        try:
            query_id, doc_id, relevance = label_of(row)
        except RecordError as e:
            problems.add(path, line, str(e))
        else:
            add(query_id, doc_id, relevance, line)


class _Columns:
    """Where the three columns are."""

    def __init__(self, names: Sequence[str]) -> None:
        self._query = names.index("query-id")
        self._document = names.index("corpus-id")
        self._score = names.index("score") if "score" in names else None
        self._width = len(names)

    def label(self, row: Sequence[str]) -> tuple[str, str, int]:
        """Return what one row holds.

        Raises:
            RecordError: If it is no label.
        """
        if len(row) != self._width:
            msg = f"has {len(row)} columns where the header has {self._width}"
            raise RecordError(msg)
        query_id, doc_id = row[self._query], row[self._document]
        if not query_id or not doc_id:
            msg = f"column {HEADER[1 if query_id else 0]!r} is empty"
            raise RecordError(msg)
        cell = "1" if self._score is None else row[self._score]
        relevance = _DIGITS.get(cell)
        if relevance is None:
            relevance = relevance_of(cell) if cell else 1
        return query_id, doc_id, relevance


def _columns(
    path: Path, rows: Iterator[_Row], problems: FileProblems
) -> _Columns | None:
    """Return where the columns are, or note why that is not known."""
    before = len(problems)
    line, header = next(rows, (1, []))
    names = [name.removeprefix(_BOM).strip().lower() for name in header]
    twice = [name for name in HEADER if names.count(name) > 1]
    missing = [name for name in HEADER[:2] if name not in names]
    if len(problems) > before:
        return None
    if twice:
        problems.add(path, line, f"has the column {twice[0]!r} twice; rename one")
    elif missing:
        problems.add(path, line, _no_header(header, missing))
    else:
        return _Columns(names)
    return None


def _no_header(row: Sequence[str], missing: Sequence[str]) -> str:
    if not row:
        return f"is empty; the first line must name the columns {', '.join(HEADER)}"
    cells = row[0].split() if len(row) == 1 else row
    if len(cells) == _TREC_COLUMNS or len(cells) == len(HEADER):
        score = cells[-1].strip()
        if score.lstrip("-").isdigit():
            return (
                f"has no header (got {shown(tuple(cells))}); the first line must be "
                "query-id, corpus-id, score with tabs between, and rows of the TREC "
                "form have their second column removed"
            )
    return (
        f"has no column {' and no column '.join(map(repr, missing))} "
        f"(got {shown(tuple(row))}); the first line must be query-id, corpus-id, "
        "score with tabs between"
    )
