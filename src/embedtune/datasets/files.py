"""Reading text files so that every mistake in them has a place."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

import orjson

from embedtune.datasets.origin import LineNumbers
from embedtune.datasets.problems import FileProblems, RecordError, shown

T = TypeVar("T")
JsonObject = dict[str, object]

UNPACKING_ERRORS = (EOFError, gzip.BadGzipFile, zlib.error)
"""What a damaged `.gz` file raises while it is read."""

_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_WIDE = ("utf-16", "utf-32")
_SPACE = b" \t\r\n"


def read_records(
    path: Path, make: Callable[[JsonObject], tuple[str, T]], problems: FileProblems
) -> tuple[dict[str, T], LineNumbers]:
    """Read a JSON Lines file of records that have an id each.

    Args:
        path: The file; if its name ends in `.gz`, it is unpacked while it is read.
        make: Returns the id and the record of one line, or raises
            :class:`~embedtune.datasets.problems.RecordError`.
        problems: Where every line that is no record is noted.

    Returns:
        The records by id, in the order of the file, and the line of each.
    """
    records: dict[str, T] = {}
    lines = LineNumbers()
    repeated: list[tuple[int, str]] = []
    for number, item in json_objects(path, problems):
        try:
            key, record = make(item)
        except RecordError as e:
            problems.add(path, number, str(e))
            continue
        if key in records:
            repeated.append((number, key))
        else:
            records[key] = record
            if number != len(records):  # on the line of its own number otherwise
                lines.add(len(records) - 1, number)
    if repeated:
        first = {key: lines[i] for i, key in enumerate(records)}
        for number, key in repeated:
            what = f"'_id' {shown(key)} stands at line {first[key]} already"
            problems.add(path, number, what)
    return records, lines


def json_objects(
    path: Path, problems: FileProblems
) -> Iterator[tuple[int, JsonObject]]:
    """Yield line number and object of each line; blank lines are skipped."""
    loads = orjson.loads
    for number, line in byte_lines(path, problems):
        try:
            item = loads(line)
        except orjson.JSONDecodeError as e:
            if line.strip(_SPACE):
                problems.add(path, number, _not_json(line, e))
            continue
        if type(item) is dict:
            yield number, item
        else:
            what = f"holds {_json_type(item)}; every line must be a JSON object"
            problems.add(path, number, what)


def byte_lines(path: Path, problems: FileProblems) -> Iterator[tuple[int, bytes]]:
    """Yield number and bytes of each line, the byte order mark taken off."""
    try:
        with open_bytes(path) as file:
            first = file.readline()
            if first.startswith(_UTF_16):
                problems.add(path, 1, "is UTF-16; save it as UTF-8")
                return
            if first:
                yield 1, first.removeprefix(_BOM)
            yield from enumerate(file, 2)
    except UNPACKING_ERRORS as e:
        problems.add(path, None, f"cannot be unpacked ({e}); copy the file again")


def open_bytes(path: Path) -> BinaryIO:
    """Open a file for reading, unpacking it if its name ends in `.gz`."""
    if path.suffix == ".gz":
        return cast("BinaryIO", gzip.open(path))
    return path.open("rb", buffering=1 << 20)


def open_text(path: Path, encoding: str) -> io.TextIOWrapper:
    """Open a file as text whose line breaks stay as they are."""
    return io.TextIOWrapper(open_bytes(path), encoding=encoding, newline="")


def add_encoding_problems(
    path: Path, encoding: str, problems: FileProblems, hint: str = ""
) -> None:
    """Note each line of *path*, known to be in another encoding, that shows it."""
    before = len(problems)
    if not codecs.lookup(encoding).name.startswith(_WIDE):  # their lines end otherwise
        for number, line in byte_lines(path, problems):
            what = _wrong_bytes(line, encoding)
            if what:
                problems.add(path, number, what + hint)
    if len(problems) == before:
        problems.add(path, None, f"is not {encoding.upper()}{hint}")


def _wrong_bytes(line: bytes, encoding: str) -> str | None:
    """Return what is wrong with the encoding of *line*, or `None`."""
    try:
        line.decode(encoding)
    except UnicodeDecodeError as e:
        return (
            f"is not {encoding.upper()}: byte 0x{line[e.start]:02x} at position "
            f"{e.start + 1} of the line; save the file as UTF-8"
        )
    return None


def _not_json(line: bytes, error: orjson.JSONDecodeError) -> str:
    wrong = _wrong_bytes(line, "utf-8")
    return wrong or f"is not JSON: {error.msg}, at character {error.pos + 1}"


def _json_type(item: object) -> str:
    names = {
        list: "an array",
        str: "a string",
        int: "a number",
        float: "a number",
        bool: "true or false",
    }
    return names.get(type(item), "null")
