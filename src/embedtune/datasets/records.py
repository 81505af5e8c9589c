"""Datasets from tables: a query and a document in each row, columns by name."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeGuard

import attrs

from embedtune.datasets.bulk import paused_gc, trusted_document, trusted_query
from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.pairs import SideBySide
from embedtune.datasets.problems import (
    FileProblems,
    RecordError,
    raise_numbered_error,
    shown,
)
from embedtune.datasets.relevance import relevance_of
from embedtune.datasets.shapes import json_problem
from embedtune.datasets.sources import Row, csv_rows, jsonl_rows, mapping_rows
from embedtune.datasets.values import Document, Query
from embedtune.errors import ConfigurationError

if TYPE_CHECKING:
    from embedtune.datasets.tables import Table

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")


@attrs.frozen(kw_only=True)
class Columns:
    """Which column of a table holds what; `None` for what it does not hold."""

    query: str
    document: str
    relevance: str | None
    title: str | None
    query_id: str | None
    document_id: str | None
    metadata: tuple[str, ...]

    def __attrs_post_init__(self) -> None:
        single = attrs.astuple(self, filter=lambda field, _: field.name != "metadata")
        for name in (*single, *self.metadata):
            if name is not None and not isinstance(name, str):
                msg = f"a column is given by its name (got {name!r})"
                raise TypeError(msg)

    @property
    def names(self) -> list[str]:
        """Every column once."""
        named = (
            self.query,
            self.document,
            self.relevance,
            self.title,
            self.query_id,
            self.document_id,
            *self.metadata,
        )
        return list(dict.fromkeys(name for name in named if name is not None))


def read_table(
    source: str | Path | Table | Iterable[Mapping[str, object]],
    columns: Columns,
    *,
    encoding: str,
    delimiter: str | None,
) -> TuningDataset:
    """Read a table; see :meth:`~embedtune.datasets.dataset.TuningDataset.from_table`."""
    with paused_gc():
        if isinstance(source, (str, Path)):
            path = Path(source)
            return _read_file(path, columns, encoding=encoding, delimiter=delimiter)
        return _read_memory(source, columns)


def _read_file(
    path: Path, columns: Columns, *, encoding: str, delimiter: str | None
) -> TuningDataset:
    suffix = _suffix(path)
    problems = FileProblems(path)
    if not path.is_file():
        problems.add(path, None, "is missing")
        problems.raise_if_any()
    names = columns.names
    prefix, first_line = f"{path.name}:", 2
    rows: Iterator[Row]
    if suffix == ".parquet":
        from embedtune.datasets.tables import parquet_rows

        prefix, first_line = f"{path.name} row ", 0
        rows = parquet_rows(path, names, problems)
    elif suffix in _DELIMITERS:
        sign = _DELIMITERS[suffix] if delimiter is None else delimiter
        rows = csv_rows(path, names, problems, encoding=encoding, delimiter=sign)
    else:
        first_line = 1
        rows = jsonl_rows(path, names, problems)
    builder = SideBySide(first_line=first_line)
    unit = "row" if suffix == ".parquet" else "line"
    for line, what in _add_rows(builder, rows, columns, unit):
        if unit == "row":
            problems.add(path, None, f"row {line}: {what}")
        else:
            problems.add(path, line, what)
    problems.raise_if_any()
    return builder.dataset(prefix)


def _read_memory(
    source: Table | Iterable[Mapping[str, object]], columns: Columns
) -> TuningDataset:
    rows: Iterator[Row]
    if _is_table(source):
        from embedtune.datasets.tables import frame_rows

        rows = frame_rows(source, columns.names)
    elif isinstance(source, Iterable) and not isinstance(source, (bytes, Mapping)):
        rows = mapping_rows("the rows", _numbered(source), columns.names)
    else:
        msg = (
            f"'source' must be a path, a table or mappings (got "
            f"{type(source).__name__}); a lazy frame is collected first"
        )
        raise TypeError(msg)
    builder = SideBySide(first_line=0)
    problems = _add_rows(builder, rows, columns, "row")
    raise_numbered_error("the table has", "row", problems)
    return builder.dataset("row ")


def _add_rows(
    builder: SideBySide, rows: Iterable[Row], columns: Columns, unit: str
) -> list[tuple[int, str]]:
    """Add all rows and return line and problem of those that cannot be used."""
    reader = _RowReader(columns, builder)
    problems: list[tuple[int, str]] = []
    for line, cells in rows:
        try:
            reader.add(cells, line)
        except RecordError as e:
            problems.append((line, str(e)))
    return sorted([*problems, *builder.conflicts(unit)])


class _RowReader:
    """Makes queries, documents and labels of the cells of rows."""

    def __init__(self, columns: Columns, builder: SideBySide) -> None:
        self._columns = columns
        self._place = {name: i for i, name in enumerate(columns.names)}
        self._builder = builder

    def add(self, cells: Sequence[object], line: int) -> None:
        """Add the label that one row holds."""
        query = self._query(cells)
        document = self._document(cells)
        relevance = 1
        name = self._columns.relevance
        if name is not None:
            cell = cells[self._place[name]]
            if _is_empty(cell):
                _refuse_empty(name)
            relevance = relevance_of(cell)
        self._builder.add(query, document, relevance, line)

    def _query(self, cells: Sequence[object]) -> Query:
        text = _text(self._columns.query, cells[self._place[self._columns.query]])
        name = self._columns.query_id
        if name is None:
            return self._builder.query(text)
        return trusted_query(_id(name, cells[self._place[name]]), text)

    def _document(self, cells: Sequence[object]) -> Document:
        columns = self._columns
        text = _text(columns.document, cells[self._place[columns.document]])
        title = ""
        if columns.title is not None:
            cell = cells[self._place[columns.title]]
            title = "" if _is_empty(cell) else _text(columns.title, cell)
        metadata = {
            name: _json(name, cells[self._place[name]]) for name in columns.metadata
        }
        name = columns.document_id
        if name is None:
            return self._builder.document(text, title, metadata)
        doc_id = _id(name, cells[self._place[name]])
        return trusted_document(doc_id, text, title, metadata)


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix == ".gz":
        suffix = Path(path.stem).suffix.lower()
        if suffix == ".parquet":
            suffix = ".parquet.gz"
    if suffix in _SUFFIXES:
        return suffix
    ways = {
        ".xlsx": "; save the sheet as CSV",
        ".xls": "; save the sheet as CSV",
        ".json": "; write one object a line and name it .jsonl",
    }
    msg = (
        f"cannot read {path.name!r} as a table: the suffix must be one of "
        f"{', '.join(_SUFFIXES)}{ways.get(suffix, '')}"
    )
    raise ConfigurationError(msg)


def _is_table(source: object) -> TypeGuard[Table]:
    return hasattr(source, "__arrow_c_stream__")


def _numbered(rows: Iterable[object]) -> Iterator[tuple[int, Mapping[str, object]]]:
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            msg = (
                f"row {number} must be a mapping by column name "
                f"(got {type(row).__name__}); for tuples use from_pairs()"
            )
            raise TypeError(msg)
        yield number, row


def _is_empty(cell: object) -> bool:
    if cell is None or (isinstance(cell, float) and cell != cell):  # noqa: PLR0124 -- NaN
        return True
    return isinstance(cell, str) and (not cell or cell.isspace())


def _text(name: str, cell: object) -> str:
    if _is_empty(cell):
        _refuse_empty(name)
    if not isinstance(cell, str):
        msg = f"column {name!r} must hold texts (got {type(cell).__name__})"
        raise RecordError(msg)
    return cell


def _id(name: str, cell: object) -> str:
    if _is_empty(cell):
        _refuse_empty(name)
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    if isinstance(cell, bool) or not isinstance(cell, (str, int)):
        msg = f"column {name!r} must hold ids, texts or integers (got {shown(cell)})"
        raise RecordError(msg)
    return str(cell)


def _json(name: str, cell: object) -> object:
    """Return a cell as a value that JSON has; dates and decimals as their text."""
    if isinstance(cell, float) and _is_empty(cell):
        return None
    if isinstance(cell, (dt.date, dt.time)):
        return cell.isoformat()
    if isinstance(cell, decimal.Decimal):
        return str(cell)
    problem = json_problem(cell)
    if problem:
        msg = f"column {name!r} holds {problem}, which metadata cannot"
        raise RecordError(msg)
    return cell


def _refuse_empty(name: str) -> NoReturn:
    msg = f"column {name!r} is empty; fill the cell or leave the row out"
    raise RecordError(msg)
