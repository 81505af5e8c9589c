"""Tables for terminals."""

from __future__ import annotations

from collections.abc import Sequence


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return lines with aligned columns: the first to the left, the others right.

    >>> print(text_table(("measure", "mean"), [("nDCG@10", "0.5"), ("R@10", "0.75")]))
    measure  mean
    nDCG@10   0.5
    R@10     0.75
    """
    lines = [list(header), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def counted(count: int, what: str, many: str | None = None) -> str:
    """Return *count* with its noun, for example `"1 query"`, `"2 queries"`."""
    return f"{count:,} {what if count == 1 else many or what + 's'}"


def queries(count: int) -> str:
    """Return for example `"300 queries"`."""
    return counted(count, "query", "queries")


def percent(share: float) -> str:
    """Return for example `"95 %"`."""
    return f"{100 * share:g} %"
