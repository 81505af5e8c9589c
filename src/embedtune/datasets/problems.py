"""Problems, collected so that one error names them all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from embedtune.errors import DatasetFormatError, DatasetIntegrityError

_LISTED = 20
_WIDTH = 60


class RecordError(ValueError):
    """One record cannot be used; the message says why. Never leaves the layer."""


class FileProblems:
    """What is wrong with the files that are being read."""

    def __init__(self, source: Path) -> None:
        self._source = source
        self._found: list[tuple[Path, int | None, str]] = []

    def add(self, path: Path, line: int | None, what: str) -> None:
        """Note one problem; *line* counts from 1."""
        self._found.append((path, line, " ".join(what.splitlines())))

    def __len__(self) -> int:
        """Return how many problems are noted."""
        return len(self._found)

    def raise_if_any(self) -> None:
        """Raise the one error for everything noted."""
        if not self._found:
            return
        files = {path: i for i, (path, _, _) in reversed(list(enumerate(self._found)))}
        self._found.sort(key=lambda item: (files[item[0]], item[1] or 0))
        problems = [
            f"{self._name(path)}{f':{line}' if line else ''}: {what}"
            for path, line, what in self._found
        ]
        path, line, _ = self._found[0]
        msg = f"{str(self._source)!r} cannot be read: {listed(problems)}"
        raise DatasetFormatError(msg, path=str(path), line=line, problems=problems)

    def _name(self, path: Path) -> str:
        if path != self._source and path.is_relative_to(self._source):
            return path.relative_to(self._source).as_posix()
        return path.name


def raise_integrity_error(what: str, problems: Sequence[str]) -> None:
    """Raise the one error for *problems*, if there are any."""
    if problems:
        msg = f"{what}: {listed(problems)}"
        raise DatasetIntegrityError(msg, problems=problems)


def raise_numbered_error(
    what: str, unit: str, problems: Sequence[tuple[int, str]]
) -> None:
    """Raise the one error for what is wrong with numbered rows or pairs, if any.

    Args:
        what: What they are part of, with its verb: `"the table has"`.
        unit: `"row"` or `"pair"`.
        problems: The number and the problem of each, in this order.
    """
    if problems:
        sentences = [f"{unit} {number}: {problem}" for number, problem in problems]
        count, *lines = listed(sentences).split("\n")
        msg = "\n".join([f"{what} {count} ({unit}s count from 0):", *lines])
        raise DatasetIntegrityError(msg, problems=sentences)


def listed(problems: Sequence[str]) -> str:
    """Return how many there are, and then one a line, up to twenty."""
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    lines = [count, *problems[:_LISTED]]
    if len(problems) > _LISTED:
        lines.append(f"and {len(problems) - _LISTED} more; .problems has all of them")
    return "\n  ".join(lines)


def shown(value: object) -> str:
    """Return *value* as a message shows it: its `repr`, shortened."""
    text = repr(value)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."
