"""How much of a tuned model to take: what it gains against what it forgets.

Between base and tuned lie models that are a share of the way from one to the other.
Often they keep most of the gain and forget less.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

import attrs

from embedtune.evaluation.tradeoff import TradeoffPoint
from embedtune.tuning.heldout import MEASURE

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""The shares of the tuned model that are measured to show what it forgets."""

FINE_SHARES = tuple(tenth / 10 for tenth in range(11))
"""Those that are measured to keep to a limit."""

P = TypeVar("P")
P_contra = TypeVar("P_contra", contravariant=True)


class Probe(Protocol[P_contra]):
    """Queries that tuning must not break."""

    @property
    def name(self) -> str:
        """What the caller calls them."""
        ...

    @property
    def queries(self) -> int:
        """How many there are."""
        ...

    def measure(self, parameters: P_contra) -> float:
        """Return the mean nDCG@10 under some parameters."""
        ...


@attrs.frozen(kw_only=True)
class Watched(Generic[P]):
    """What the recipe watches.

    Attributes:
        probes: Makes the probes; called only if there is a tuned model.
        max_forgetting: How much a probe may lose; `None` for no limit.
    """

    probes: Callable[[], Sequence[Probe[P]]]
    max_forgetting: float | None = None

    @property
    def shares(self) -> tuple[float, ...]:
        """The shares of the tuned model that are measured, from 0 to 1."""
        return SHARES if self.max_forgetting is None else FINE_SHARES


@attrs.frozen(kw_only=True)
class ProbeScore:
    """One probe before and after tuning.

    Attributes:
        name: The probe's name.
        queries: How many queries it has.
        base: The mean nDCG@10 of the base.
        tuned: That of the tuned model.
    """

    name: str
    queries: int
    base: float
    tuned: float

    @property
    def change(self) -> float:
        """*tuned* - *base*; below 0, something was forgotten."""
        return self.tuned - self.base


@attrs.frozen(kw_only=True)
class Tradeoff:
    """The models on the way from base to tuned, and which of them was taken.

    Attributes:
        points: From base to tuned.
        probes: The probes under the one that was taken.
    """

    points: tuple[TradeoffPoint, ...]
    probes: tuple[ProbeScore, ...]

    @property
    def share(self) -> float:
        """How much of the tuned model was taken."""
        return next(point.share for point in self.points if point.is_chosen)

    def to_facts(self) -> Mapping[str, object]:
        """Return all of it as JSON values."""
        return {
            "probes": [attrs.asdict(probe) for probe in self.probes],
            "tradeoff": [attrs.asdict(point) for point in self.points],
        }

    def to_metrics(self) -> Mapping[str, float]:
        """Return the numbers of a job."""
        worst = min(probe.change for probe in self.probes)
        return {
            "share": self.share,
            "worst_change": worst,
            **{f"base_probe {probe.name}": probe.base for probe in self.probes},
            **{f"probe {probe.name}": probe.tuned for probe in self.probes},
        }


def trade_off(
    watched: Watched[P],
    models: Sequence[P],
    gains: Sequence[float],
) -> Tradeoff:
    """Return the curve, and take a point of it.

    Without a limit, that is the tuned model; with one, the largest share at which no
    probe loses more.

    Args:
        watched: At least one probe, and the limit.
        models: The parameters at each of the shares.
        gains: What the task gains at each of them.
    """
    probes, limit = watched.probes(), watched.max_forgetting
    values = [[probe.measure(model) for probe in probes] for model in models]
    changes = [
        [value - base for value, base in zip(row, values[0], strict=True)]
        for row in values
    ]
    allowed = [
        place
        for place, row in enumerate(changes)
        if limit is None or min(row) >= -limit
    ]
    taken = allowed[-1]
    if gains[taken] <= 0 and limit is not None:
        taken = 0
    names = [probe.name for probe in probes]
    return Tradeoff(
        points=tuple(
            TradeoffPoint(
                share=share,
                gain=gain,
                changes=dict(zip(names, row, strict=True)),
                is_chosen=place == taken,
                measure=MEASURE.name,
            )
            for place, (share, gain, row) in enumerate(
                zip(watched.shares, gains, changes, strict=True)
            )
        ),
        probes=tuple(
            ProbeScore(name=probe.name, queries=probe.queries, base=base, tuned=tuned)
            for probe, base, tuned in zip(probes, values[0], values[taken], strict=True)
        ),
    )


def probes_of(facts: Mapping[str, Any]) -> tuple[ProbeScore, ...]:
    """Return the probes of a model's facts; none if the base came back."""
    return tuple(ProbeScore(**row) for row in facts.get("probes", ()))


def tradeoff_of(facts: Mapping[str, Any]) -> tuple[TradeoffPoint, ...]:
    """Return the curve of a model's facts, from base to tuned; perhaps empty."""
    return tuple(TradeoffPoint(**row) for row in facts.get("tradeoff", ()))
