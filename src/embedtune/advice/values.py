"""What an advice is made of: plain values, without a text of the data."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import attrs
import numpy as np

from embedtune.catalog import TuningWay
from embedtune.datasets.report import Problem
from embedtune.evaluation.bootstrap import Interval, Values

MEASURE = "nDCG@10"
"""What headroom, gains and forecasts are in."""


class Recommendation(StrEnum):
    """What to do."""

    LEAVE = "leave it as it is"
    FIX_DATA = "fix the data first"
    LOCAL = "tune with the local tuner"
    ADAPTER = "tune an adapter"
    MANAGED = "tune with the managed service"
    OPEN_WEIGHTS = "tune the open weights"


class Weight(StrEnum):
    """How much a problem of the data weighs for the decision."""

    BLOCKS = "blocks"
    """Tuning fails or a measure lies."""
    MATTERS = "matters"
    """It touches enough of the data to change results."""
    MINOR = "minor"
    """Good to know."""


@attrs.frozen(kw_only=True)
class WeighedProblem:
    """A problem of the data, and how much it weighs.

    Attributes:
        problem: What the check found.
        weight: How much it weighs.
        share: The part of the documents, queries or labels that it touches.
    """

    problem: Problem
    weight: Weight
    share: float


@attrs.frozen(kw_only=True)
class Headroom:
    """Where the base stands, and what is missing.

    Attributes:
        queries: How many queries were measured.
        base: The mean nDCG@10 of the base.
        interval: Its interval.
        reranked: What the base's first hundred hits would give in the best order.
        recall: The mean share of the relevant documents among these hundred (R@100);
            the rest is beyond the reach of any re-ranking.
        unreached: The ids of queries with no relevant document among the hundred, a few.
        unreached_count: How many such queries there are.
    """

    queries: int
    base: float
    interval: Interval
    reranked: float
    recall: float
    unreached: tuple[str, ...]
    unreached_count: int

    @property
    def room(self) -> float:
        """What is missing to a perfect ranking."""
        return 1 - self.base


@attrs.frozen(kw_only=True, eq=False)
class Trial:
    """One tuning run on a part of the training queries.

    Attributes:
        queries: How many training queries it had.
        draw: Which of several draws of that size it was.
        differences: Tuned - base in nDCG@10, of each measured query.
        is_base: Whether the tuner gave the base back.
        seconds: How long tuning and measuring took.
    """

    queries: int
    draw: int
    differences: Values
    is_base: bool
    seconds: float


@attrs.frozen(kw_only=True)
class GainPoint:
    """What tuning gained with so many training queries.

    Attributes:
        queries: How many training queries there were.
        gain: The mean gain in nDCG@10 over all draws.
        interval: Its interval over the measured queries.
        draws: How many draws of that size were tuned.
        bases: In how many of them the tuner gave the base back.
    """

    queries: int
    gain: float
    interval: Interval
    draws: int
    bases: int


@attrs.frozen(kw_only=True)
class Forecast:
    """What tuning would probably gain with so many training queries.

    Attributes:
        queries: How many training queries there would be.
        gain: In the middle between two laws, see :mod:`embedtune.advice.law`.
        interval: From the lower end of both to the upper one.
    """

    queries: int
    gain: float
    interval: Interval


@attrs.frozen(kw_only=True)
class GainCurve:
    """What tuning gains, by the number of training queries.

    Attributes:
        tuner: What tuned, in words; empty if nothing did.
        points: From the smallest part to the largest one that was tuned.
        forecasts: For twice and four times the training queries; empty if the points
            do not carry them.
        note: What to know about it; why something is missing.
        seconds: How long all of it took.
    """

    tuner: str = ""
    points: tuple[GainPoint, ...] = ()
    forecasts: tuple[Forecast, ...] = ()
    note: str = ""
    seconds: float = 0.0


@attrs.frozen(kw_only=True)
class Evidence:
    """All that a recommendation rests on.

    Attributes:
        blocking: The names of rules that the data breaks so that nothing can be said.
        train_queries: Training queries with a relevant document.
        test_queries: Queries that were measured.
        room: What is missing to a perfect ranking; `None` if nothing was measured.
        point: What tuning gained with the most training queries that were tried.
        forecast: For four times the training queries.
        detectable: The smallest difference that these test queries would show, four
            times in five; `None` if nothing was measured, or by so few queries that
            none would.
        ways: How the model can be tuned, by the catalog.
        is_fit_for_service: Whether the data keeps to the limits of the managed
            service, as far as they are known.
    """

    blocking: tuple[str, ...] = ()
    train_queries: int
    test_queries: int
    room: float | None
    point: GainPoint | None = None
    forecast: Forecast | None = None
    detectable: float | None = None
    ways: tuple[TuningWay, ...] = (TuningWay.ADAPTER,)
    is_fit_for_service: bool = True


def interval_dict(interval: Interval) -> Mapping[str, float]:
    """Return an interval as JSON values."""
    return {"low": interval.low, "high": interval.high}


def mean_differences(trials: list[Trial]) -> Values:
    """Return the mean over draws, query by query."""
    mean: Values = np.mean([trial.differences for trial in trials], axis=0)
    return mean
