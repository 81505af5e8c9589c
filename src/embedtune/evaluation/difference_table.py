"""The table of a comparison, for terminals, notebooks and files alike."""

from __future__ import annotations

from collections.abc import Mapping

from embedtune.evaluation.tables import percent
from embedtune.evaluation.verdict import Difference

ALL_QUERIES = "all"
"""What the group of all queries is called."""


def difference_table(
    groups: Mapping[str, Mapping[str, Difference]], confidence: float
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the header and a row for each measure of each group."""
    interval = f"{percent(confidence)} interval"
    names = ("queries", "measure", "base", "tuned", "difference", interval)
    rows = [
        _row(name, found)
        for name, differences in groups.items()
        for found in differences.values()
    ]
    return (*names, "p", "detectable", "won/lost/tied"), rows


def _row(name: str, found: Difference) -> tuple[str, ...]:
    return (
        f"{name} ({found.queries:,})",
        found.measure,
        f"{found.base:.4f}",
        f"{found.tuned:.4f}",
        f"{found.difference:+.4f}",
        f"[{found.interval.low:+.4f}, {found.interval.high:+.4f}]",
        f"{found.p_value:.4f}",
        "" if found.detectable is None else f"{found.detectable:.4f}",
        f"{found.wins:,}/{found.losses:,}/{found.ties:,}",
    )
