"""Progress of long work: a bar for people, silence for pipes, events for services.

- `True` draws a bar where a person is watching: on a terminal or in a notebook.
  Pipes, log files, CI (`CI` is set) and dumb terminals stay silent.
- `False` is always silent.
- A callable gets a :class:`ProgressEvent` for every step, and draws nothing.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, Protocol, TypeAlias

import attrs


@attrs.frozen(kw_only=True)
class ProgressEvent:
    """How far one piece of work has come.

    Attributes:
        description: What is being done, for example `"embedding documents"`.
        done: Units done.
        total: Units to do; `None` if nobody knows.
        seconds: Time since the work began.
        note: The last remark of the work, for example its loss; may be empty.
    """

    description: str
    done: int
    total: int | None
    seconds: float
    note: str


ProgressOption: TypeAlias = bool | Callable[[ProgressEvent], None]
"""The *progress* argument of every long operation; see the module's rules."""


class Progress(Protocol):
    """What long work reports to; safe to call from several threads."""

    def advance(self, n: int = 1) -> None:
        """Say that *n* more units are done."""
        ...

    def note(self, text: str) -> None:
        """Show *text* beside the bar until the next note."""
        ...


@contextmanager
def track(
    description: str, total: int | None, progress: ProgressOption
) -> Iterator[Progress]:
    """Show or report how far the block has come.

    Events come one at a time and in order: one at the start, then one for each
    call. What a callback raises comes through, which is a way to stop the work.
    A bar appears after a moment, so that short work shows none.

    Args:
        description: What the block does, in a few lower-case words.
        total: Units to do; `None` if nobody knows.
        progress: `True`, `False` or a callable; see the module's rules.

    Yields:
        What the block reports to.

    Raises:
        TypeError: If *progress* is none of the three.

    Example:
        >>> events = []
        >>> with track("counting", 2, events.append) as progress:
        ...     progress.advance(2)
        >>> [(event.done, event.total) for event in events]
        [(0, 2), (2, 2)]
    """
    if not isinstance(progress, bool) and not callable(progress):
        msg = f"'progress' must be True, False or a callable (got {progress!r})"
        raise TypeError(msg)
    if not isinstance(progress, bool):
        yield _Events(description, total, progress)
    elif progress and _has_watcher():
        bar = _Bar(description, total)
        try:
            yield bar
        finally:
            bar.close()
    else:
        yield _Silence()


class _Silence:
    """Nobody is watching."""

    def advance(self, n: int = 1) -> None:
        _check(n)

    def note(self, text: str) -> None:
        """Show nothing."""


class _Events:
    """A callback is watching."""

    def __init__(
        self,
        description: str,
        total: int | None,
        callback: Callable[[ProgressEvent], None],
    ) -> None:
        self._description = description
        self._total = total
        self._callback = callback
        self._started = time.monotonic()
        self._done = 0
        self._note = ""
        # Reentrant: a callback may itself report on the work that it watches.
        self._lock = threading.RLock()
        self._tell()

    def advance(self, n: int = 1) -> None:
        _check(n)
        with self._lock:
            self._done += n
            self._tell()

    def note(self, text: str) -> None:
        with self._lock:
            self._note = text
            self._tell()

    def _tell(self) -> None:
        self._callback(
            ProgressEvent(
                description=self._description,
                done=self._done,
                total=self._total,
                seconds=time.monotonic() - self._started,
                note=self._note,
            )
        )


class _Bar:
    """A person is watching."""

    _DELAY = 0.2  # seconds; shorter work shows no bar
    _SHAPE = (80, 24)  # columns and rows, where nobody knows

    def __init__(self, description: str, total: int | None) -> None:
        is_shapeless = _is_shapeless_terminal()
        width, height = self._SHAPE if is_shapeless else (None, None)
        self._bar = _tqdm()(
            desc=description,
            total=total,
            delay=self._DELAY,
            dynamic_ncols=not is_shapeless,
            ncols=width,
            nrows=height,
        )
        self._lock = threading.Lock()

    def advance(self, n: int = 1) -> None:
        _check(n)
        with self._lock:
            self._bar.update(n)

    def note(self, text: str) -> None:
        with self._lock:
            self._bar.set_postfix_str(text, refresh=False)

    def close(self) -> None:
        with self._lock:
            self._bar.close()


def _tqdm() -> type[Any]:
    # In a notebook without ipywidgets, tqdm.auto warns before it draws text.
    if find_spec("ipywidgets"):
        from tqdm.auto import tqdm as widget  # noqa: TID251 -- the door

        return widget
    from tqdm.std import tqdm as text  # noqa: TID251 -- the door

    return text


def _check(n: int) -> None:
    if n < 0:
        msg = f"'n' must be >= 0 (got {n!r})"
        raise ValueError(msg)


def _has_watcher() -> bool:
    if _in_notebook():
        return True
    if os.environ.get("CI") or os.environ.get("TERM") == "dumb":
        return False
    # A window without a console has no stderr at all.
    return sys.stderr is not None and sys.stderr.isatty()


def _is_shapeless_terminal() -> bool:
    # Terminals of containers often say that they have no column and no row.
    try:
        return min(os.get_terminal_size(sys.stderr.fileno())) == 0
    except (OSError, ValueError):  # not a terminal, but a notebook's output
        return False


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    # The shell of every Jupyter kernel; Colab and others derive theirs from it.
    return any(c.__name__ == "ZMQInteractiveShell" for c in type(shell).__mro__)
