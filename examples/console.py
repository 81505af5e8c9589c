"""What the quickstart needs to print well: headings, tables, a clock, the memory."""

from __future__ import annotations

import os
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

WIDTH = 88


def accept_any_text() -> None:
    """Let a terminal that knows ASCII only show the rest as escapes."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace", line_buffering=True)


def heading(text: str) -> None:
    """Print *text* over a line."""
    print(f"\n{text}\n{'-' * len(text)}")


def wrapped(text: str) -> None:
    """Print *text* in lines of at most `WIDTH` characters; an indent stays."""
    indent = " " * (len(text) - len(text.lstrip()))
    print(
        textwrap.fill(
            text.strip(),
            WIDTH,
            initial_indent=indent,
            subsequent_indent=indent + "  " * bool(indent),
            break_on_hyphens=False,
        )
    )


def clipped(text: str, width: int) -> str:
    """Return *text* on one line of at most *width* characters."""
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 3].rstrip() + "..."


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int = 1
) -> None:
    """Print aligned columns: the first *texts* to the left, numbers to the right."""
    cells = [list(head), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        line = "  ".join(
            cell.ljust(width) if number < texts else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print(f"  {line}".rstrip())


class Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._start = time.perf_counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the block's time as *name*'s."""
        start = time.perf_counter()
        try:
            yield
        finally:
            passed = time.perf_counter() - start
            self.seconds[name] = self.seconds.get(name, 0.0) + passed

    def show(self) -> None:
        """Print the seconds of each stage and of all."""
        total = time.perf_counter() - self._start
        stages = ", ".join(f"{name} {took:.1f}" for name, took in self.seconds.items())
        wrapped(f"{total:.1f} seconds: {stages}.")


def peak_memory() -> str | None:
    """Return the most memory that was held, in words; `None` where nobody counts."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    own, children = (
        resource.getrusage(who).ru_maxrss * unit / 1e6
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    status = Path("/proc/self/status")
    if status.exists():  # on Linux, the figure above begins with that of the parent
        peak = next(line for line in status.read_text().splitlines() if "VmHWM" in line)
        own = int(peak.split()[1]) * 1024 / 1e6
    if not children:
        return f"{own:.0f} MB"
    return f"{own:.0f} MB, and {children:.0f} MB in the process that tuned"


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
