"""Rows of tables that need no package: CSV, JSON Lines, mappings in memory."""

from __future__ import annotations

import codecs
import csv
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from embedtune.datasets.files import (
    UNPACKING_ERRORS,
    add_encoding_problem,
    byte_lines,
    encoding_name,
    is_utf8,
    is_wide,
    json_objects,
    open_text,
)
from embedtune.datasets.problems import FileProblems
from embedtune.errors import ConfigurationError

Row: TypeAlias = tuple[int, Sequence[object]]
"""The line or the number of a row, and its cells in the order asked for."""

_LONGEST_CELL = 2**31 - 1  # the most that the csv module takes on every platform
_CELL_LIMIT = threading.RLock()


def csv_rows(
    path: Path,
    names: Sequence[str],
    problems: FileProblems,
    *,
    encoding: str,
    delimiter: str,
) -> Iterator[Row]:
    """Yield the rows of a file with a header; rows without any content are skipped.

    Raises:
        ConfigurationError: If a column, the encoding or the delimiter is wrong.
    """
    _refuse_encoding(encoding)
    if len(delimiter) != 1 or delimiter in '"\r\n':
        msg = f"'delimiter' must be one character, such as ';' (got {delimiter!r})"
        raise ConfigurationError(msg)
    line = 1
    try:
        with open_text(path, encoding) as file, _large_cells():
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            header = next(reader, [])
            wrong = _wrong_header(names, header)
            if wrong is not None:
                _refuse_header(path, encoding, wrong, problems)
                return
            places = [header.index(name) for name in names]
            line = reader.line_num + 1
            for row in reader:
                if len(row) == len(header):
                    if any(row):
                        yield line, [row[place] for place in places]
                elif row:
                    problems.add(path, line, _wrong_width(row, header))
                line = reader.line_num + 1
    except csv.Error as e:
        problems.add(path, line, f"is not CSV ({e}); quote cells that hold quotes")
    except UNPACKING_ERRORS as e:
        problems.add(path, line, f"cannot be unpacked ({e})")
    except UnicodeDecodeError:
        _add_wrong_encoding(path, encoding, delimiter, problems)


def jsonl_rows(
    path: Path, names: Sequence[str], problems: FileProblems
) -> Iterator[Row]:
    """Yield the objects of a JSON Lines file; a missing key is an empty cell.

    Raises:
        ConfigurationError: If a column is in no line.
    """
    return mapping_rows(path.name, json_objects(path, problems), names)


def mapping_rows(
    where: str, rows: Iterable[tuple[int, Mapping[str, object]]], names: Sequence[str]
) -> Iterator[Row]:
    """Yield the cells of numbered mappings; a missing key is an empty cell.

    Raises:
        ConfigurationError: If a column is in no row, though there are rows.
    """
    unseen = set(names)
    seen: dict[str, None] = {}
    for number, row in rows:
        if unseen:
            seen.update(dict.fromkeys(row))
            unseen.difference_update(row)
        yield number, [row.get(name) for name in names]
    if unseen and seen:
        refuse_missing(where, sorted(unseen), list(seen))


def refuse_missing(where: str, missing: Sequence[str], columns: Sequence[str]) -> None:
    """Raise the error for columns that a table does not have.

    Raises:
        ConfigurationError: Always; it names the columns that there are.
    """
    msg = f"{where!r} {_no_columns(missing, columns)}"
    raise ConfigurationError(msg)


def _wrong_header(names: Sequence[str], header: Sequence[str]) -> str | None:
    """Return why the columns cannot be found in a header, or `None`."""
    missing = [name for name in names if name not in header]
    if missing:
        return _no_columns(missing, header)
    for name in names:
        if header.count(name) > 1:
            return f"has {header.count(name)} columns {name!r}; rename them"
    return None


def _no_columns(missing: Sequence[str], columns: Sequence[str]) -> str:
    return _wrong_delimiter(columns) or (
        f"has no column {', '.join(map(repr, missing))}; "
        f"it has {', '.join(map(repr, columns)) or 'none'}"
    )


def _wrong_delimiter(header: Sequence[str]) -> str | None:
    """Return which delimiter to use if a header seems to have another one."""
    if len(header) == 1 and "\0" not in header[0]:
        for sign in filter(header[0].__contains__, ";\t|,"):
            return f"has one column, {header[0]!r}; pass delimiter={sign!r}"
    return None


def _refuse_header(
    path: Path, encoding: str, wrong: str, problems: FileProblems
) -> None:
    """Note a wrong header and a wrong encoding together, or raise for the first.

    Raises:
        ConfigurationError: If nothing but the header is wrong.
    """
    before = len(problems)
    add_encoding_problem(path, encoding, problems, _encoding_hint(encoding))
    if len(problems) == before:
        msg = f"{path.name!r} {wrong}"
        raise ConfigurationError(msg)
    problems.add(path, 1, wrong)


def _add_wrong_encoding(
    path: Path, encoding: str, delimiter: str, problems: FileProblems
) -> None:
    """Note that a file is in another encoding, and what else its header tells."""
    before = len(problems)
    hint = _encoding_hint(encoding)
    add_encoding_problem(path, encoding, problems, hint)
    if len(problems) == before:
        what = f"is not {encoding_name(encoding)}; save the file as UTF-8{hint}"
        problems.add(path, None, what)
    wrong = _wrong_delimiter(_raw_header(path, encoding, delimiter))
    if wrong is not None:
        problems.add(path, 1, wrong)


def _raw_header(path: Path, encoding: str, delimiter: str) -> list[str]:
    """Return the header of a file that is in another encoding, as well as it goes."""
    if is_wide(encoding):
        return []
    for _, line in byte_lines(path, FileProblems(path)):
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError:
            text = line.decode("cp1252", "replace")
        return next(csv.reader([text], delimiter=delimiter), [])
    return []


def _encoding_hint(encoding: str) -> str:
    return f", or pass encoding={'cp1252' if is_utf8(encoding) else 'utf-8'!r}"


def _wrong_width(row: Sequence[str], header: Sequence[str]) -> str:
    return (
        f"has {len(row)} cells where the header has {len(header)}; "
        "quote cells that hold the delimiter"
    )


@contextmanager
def _large_cells() -> Iterator[None]:
    """Lift the csv module's limit of 131,072 characters, which is process-wide."""
    with _CELL_LIMIT:
        before = csv.field_size_limit(_LONGEST_CELL)
        try:
            yield
        finally:
            csv.field_size_limit(before)


def _refuse_encoding(encoding: str) -> None:
    try:
        codecs.lookup(encoding)
    except LookupError as e:
        msg = f"'encoding' {encoding!r} is unknown; try 'utf-8-sig' or 'cp1252'"
        raise ConfigurationError(msg) from e
