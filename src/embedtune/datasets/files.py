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
    wrong = _WrongEncoding("utf-8")
    for number, line in byte_lines(path, problems):
        try:
            item = loads(line)
        except orjson.JSONDecodeError as e:
            if line.strip(_SPACE) and not wrong.shows(number, line):
                what = f"is not JSON: {e.msg}, at character {e.pos + 1}"
                problems.add(path, number, what)
            continue
        if type(item) is dict:
            yield number, item
        else:
            what = f"holds {_json_type(item)}; every line must be a JSON object"
            problems.add(path, number, what)
    wrong.add_to(problems, path)


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


def add_encoding_problem(
    path: Path, encoding: str, problems: FileProblems, hint: str = ""
) -> None:
    """Note, once, that *path* is in another encoding, if a line of it shows that."""
    wrong = _WrongEncoding(encoding)
    if not is_wide(encoding):  # their lines end otherwise
        for number, line in byte_lines(path, problems):
            wrong.shows(number, line)
    wrong.add_to(problems, path, hint)


def encoding_name(encoding: str) -> str:
    """Return the name of an encoding as a message shows it."""
    return "UTF-8" if is_utf8(encoding) else encoding.upper()


def is_utf8(encoding: str) -> bool:
    """Whether this is UTF-8, with or without its mark."""
    return codecs.lookup(encoding).name in {"utf-8", "utf-8-sig"}


def is_wide(encoding: str) -> bool:
    """Whether the characters of this encoding have more than a byte each."""
    return codecs.lookup(encoding).name.startswith(_WIDE)


class _WrongEncoding:
    """The lines of a file that are in another encoding: how many, and the first."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._count = 0
        self._line = 0
        self._byte = ""

    def shows(self, number: int, line: bytes) -> bool:
        """Whether a line is in another encoding; it is counted then."""
        try:
            line.decode(self._encoding)
        except UnicodeDecodeError as e:
            if not self._count:
                self._line = number
                self._byte = f"byte 0x{line[e.start]:02x} at position {e.start + 1}"
            self._count += 1
            return True
        return False

    def add_to(self, problems: FileProblems, path: Path, hint: str = "") -> None:
        """Note one problem for all lines, if there are any."""
        if not self._count:
            return
        lines = "1 line" if self._count == 1 else f"{self._count} lines"
        what = (
            f"is not {encoding_name(self._encoding)} in {lines} (here {self._byte}); "
            f"save the file as UTF-8{hint}"
        )
        problems.add(path, self._line, what)


def _json_type(item: object) -> str:
    names = {
        list: "an array",
        str: "a string",
        int: "a number",
        float: "a number",
        bool: "true or false",
    }
    return names.get(type(item), "null")
