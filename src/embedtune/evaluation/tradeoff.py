"""What each step from base to tuned gains on the task, and what it costs elsewhere."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from embedtune.errors import ConfigurationError


@attrs.frozen(kw_only=True)
class TradeoffPoint:
    """One model on the way from base to tuned.

    Attributes:
        share: How much of the tuned model is in it, from 0 (base) to 1 (tuned).
        gain: What the task gains against the base, in the measure.
        changes: What other queries gain or lose against the base, by the name of the
            probe.
        is_chosen: Whether this one was taken.
        measure: What gain and changes are measured in; empty for the first measure of
            the comparison that shows them.
    """

    share: float
    gain: float
    changes: Mapping[str, float] = attrs.field(factory=dict, hash=False)
    is_chosen: bool = False
    measure: str = ""

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            msg = f"'share' must be in 0..1 (got {self.share!r})"
            raise ValueError(msg)
        numbers = {"gain": self.gain, **self.changes}
        wrong = [name for name, value in numbers.items() if not math.isfinite(value)]
        if wrong:
            msg = f"gains and changes must be finite; wrong are {wrong!r}"
            raise ValueError(msg)


def checked_points(points: Iterable[TradeoffPoint]) -> tuple[TradeoffPoint, ...]:
    """Return the points from base to tuned.

    Raises:
        TypeError: If one is no point.
        ConfigurationError: If they are no curve; it names every problem.
    """
    given: tuple[Any, ...] = tuple(points)
    others = {type(p).__name__ for p in given if not isinstance(p, TradeoffPoint)}
    if others:
        msg = f"'tradeoff' must be of TradeoffPoints (got {', '.join(sorted(others))})"
        raise TypeError(msg)
    ordered: tuple[TradeoffPoint, ...] = tuple(sorted(given, key=lambda p: p.share))
    shares = [point.share for point in ordered]
    chosen = [point.share for point in ordered if point.is_chosen]
    problems = []
    if len(ordered) < 2:  # noqa: PLR2004 -- a line has two ends
        problems.append(f"it needs at least 2 points (got {len(ordered)})")
    if len(set(shares)) < len(shares):
        problems.append("a share stands there twice")
    if len(chosen) > 1:
        problems.append(f"only one point can be chosen (got {chosen!r})")
    if len({tuple(sorted(point.changes)) for point in ordered}) > 1:
        problems.append("every point needs a change for each probe")
    if len({point.measure for point in ordered}) > 1:
        problems.append("all points must be of one measure")
    if problems:
        msg = f"'tradeoff' is no curve: {'; '.join(problems)}"
        raise ConfigurationError(msg)
    return ordered
