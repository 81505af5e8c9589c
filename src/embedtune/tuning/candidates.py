"""Candidates: the ways to come from training labels to parameters."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

SHRINKAGES = (0.1, 0.3, 0.6, 0.9)
"""Of the warm starts."""


@attrs.frozen(kw_only=True)
class Schedule:
    """How long and how fast a run goes.

    Attributes:
        steps: The length of the whole cosine, also if the run is stopped before.
        batch_size: Queries in a step, at most.
        rate: A factor on both learning rates.
    """

    steps: int
    batch_size: int
    rate: float


@attrs.frozen(kw_only=True)
class Candidate:
    """One way to come from training labels to parameters.

    Attributes:
        steps: The length of the gradient run; 0 for a warm start alone.
        share: The share of the run's last state; the rest is that of its start.
        shrinkage: Of a warm start alone.
        power: Of a warm start alone.
    """

    steps: int = 0
    share: float = 1.0
    shrinkage: float = 0.3
    power: float = 0.25

    def __str__(self) -> str:
        """Say in a few words what it is."""
        if not self.steps:
            return f"whitening, shrinkage {self.shrinkage}, power {self.power}"
        blend = "" if self.share == 1 else f", {self.share:.0%} of the way"
        return f"{self.steps} steps{blend}"


START = Candidate()
"""The warm start from which the gradient run begins."""


def warm_starts(powers: Sequence[float]) -> tuple[Candidate, ...]:
    """Return the candidates that need no gradient run, of some powers."""
    return tuple(
        Candidate(shrinkage=shrinkage, power=power)
        for shrinkage in SHRINKAGES
        for power in powers
    )
