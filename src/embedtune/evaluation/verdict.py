"""Better, worse or undecided, and why, in words."""

from __future__ import annotations

import math
from enum import StrEnum
from statistics import NormalDist

import attrs
import numpy as np

from embedtune.evaluation.bootstrap import (
    CONFIDENCE,
    Interval,
    Values,
    paired_interval,
    randomisation_p_value,
)
from embedtune.evaluation.notebook import verdict_line, view
from embedtune.evaluation.tables import percent, queries

SAME_MODEL = "no test"
"""What stands in the place of an outcome where base and tuned are one model."""

POWER = 0.8
"""How often a test set shows a true difference of the size called detectable."""

_TOLERANCE = 1e-9  # the same value computed in another order is no win


class Outcome(StrEnum):
    """What a comparison says about one measure."""

    BETTER = "better"
    WORSE = "worse"
    UNDECIDED = "undecided"


@attrs.frozen(kw_only=True)
class Difference:
    """How base and tuned differ in one measure.

    Attributes:
        measure: Its canonical name.
        base: The mean of the base.
        tuned: The mean of the tuned.
        interval: The bootstrap interval of *tuned* - *base*, paired by query.
        p_value: How often chance alone makes a difference as large, in either sense.
        wins: How many queries are better.
        losses: How many are worse.
        ties: How many are equal.
        deviation: The standard deviation of the differences, query by query.
    """

    measure: str
    base: float
    tuned: float
    interval: Interval
    p_value: float
    wins: int
    losses: int
    ties: int
    deviation: float

    @property
    def difference(self) -> float:
        """*tuned* - *base*; above 0 is better."""
        return self.tuned - self.base

    @property
    def queries(self) -> int:
        """How many queries were compared."""
        return self.wins + self.losses + self.ties

    @property
    def is_tied(self) -> bool:
        """Whether every query has the same value on both sides."""
        return not self.wins and not self.losses

    @property
    def detectable(self) -> float | None:
        """The smallest true difference that this test set could have shown.

        A true difference of this size is found in 80 % of test sets as large, by a
        two-sided test at 1 - confidence: (z(1 - alpha / 2) + z(0.8)) * deviation /
        sqrt(queries), the minimum detectable effect of Bloom, "Minimum Detectable
        Effects", Evaluation Review 19 (1995).

        `None` if the data cannot tell: no query differs from the others, or there are
        so few that no difference at all would decide.
        """
        return detectable_difference(
            self.deviation, self.queries, self.interval.confidence
        )

    def verdict(self) -> Verdict:
        """Return what the difference says.

        It is better or worse if the whole interval is on one side of 0 and the p-value
        is below 1 - confidence, so that a few queries never decide. It is undecided
        otherwise, which does not say that base and tuned are equally good.
        """
        return judged(self)


@attrs.frozen(kw_only=True)
class Verdict:
    """What a comparison says about one measure, and why.

    Attributes:
        outcome: Better, worse or undecided.
        measure: The canonical name of the measure.
        reason: Why, in one sentence.
    """

    outcome: Outcome
    measure: str
    reason: str

    @property
    def is_better(self) -> bool:
        """Whether tuned is better than base."""
        return self.outcome is Outcome.BETTER

    @property
    def is_worse(self) -> bool:
        """Whether tuned is worse than base."""
        return self.outcome is Outcome.WORSE

    def __str__(self) -> str:
        """Return the outcome and the reason."""
        return f"{self.outcome}: {self.reason}"

    def _repr_html_(self) -> str:
        return view(verdict_line(str(self)))


def judged(
    found: Difference, *, p_value: float | None = None, note: str = ""
) -> Verdict:
    """Return what a difference says, by its own p-value or a corrected one.

    Args:
        found: The difference.
        p_value: What counts instead of that of *found*.
        note: Said behind it, for example `", corrected for 3 candidates"`.
    """
    p_value = found.p_value if p_value is None else p_value
    is_sure = p_value < 1 - found.interval.confidence
    if found.interval.low > 0 and is_sure:
        outcome = Outcome.BETTER
    elif found.interval.high < 0 and is_sure:
        outcome = Outcome.WORSE
    else:
        outcome = Outcome.UNDECIDED
    reason = _reason(found, outcome, f"p = {p_value:.4f}", note)
    return Verdict(outcome=outcome, measure=found.measure, reason=reason)


def judged_by_gain(found: Difference, *, min_gain: float, p_value: float) -> Verdict:
    """Return whether a difference is surely above *min_gain*, or surely below 0.

    Args:
        found: The difference.
        min_gain: What a gain has to exceed, above 0.
        p_value: That of a test against *min_gain*.
    """
    plain = found.verdict()
    if plain.is_worse or found.is_tied:
        return plain
    is_above = found.interval.low > min_gain
    if is_above and p_value < 1 - found.interval.confidence:
        outcome = Outcome.BETTER
        why = f"is above {min_gain:g} (p = {p_value:.4f})"
    else:
        outcome = Outcome.UNDECIDED
        why = (
            f"is above {min_gain:g}, but chance alone makes this much in p = "
            f"{p_value:.4f} of the cases"
            if is_above
            else f"is not all above the {min_gain:g} asked for"
        ) + _size_of_test(found, min_gain)
    reason = f"{_change(found)}; {_interval(found)} {why}"
    return Verdict(outcome=outcome, measure=found.measure, reason=reason)


def verdict_on(found: Difference, *, same_model: str) -> Verdict:
    """Return what a difference says, if base and tuned may be one model.

    Args:
        found: The difference.
        same_model: The name of the model that both are; empty if they differ.
    """
    if not same_model or not found.is_tied:
        return found.verdict()
    reason = (
        f"base and tuned are the same model, {same_model} (a tuner that finds nothing"
        f" better returns the base unchanged), so {found.measure} cannot differ"
    )
    return Verdict(outcome=Outcome.UNDECIDED, measure=found.measure, reason=reason)


def difference_of(
    measure: str,
    base: Values,
    tuned: Values,
    *,
    resamples: int,
    confidence: float,
    seed: int,
) -> Difference:
    """Return how two rows of values of the same queries differ."""
    change = tuned - base
    wins = int(np.count_nonzero(change > _TOLERANCE))
    losses = int(np.count_nonzero(change < -_TOLERANCE))
    return Difference(
        measure=measure,
        base=float(base.mean()),
        tuned=float(tuned.mean()),
        interval=paired_interval(
            base, tuned, resamples=resamples, confidence=confidence, seed=seed
        ),
        p_value=randomisation_p_value(base, tuned, resamples=resamples, seed=seed),
        wins=wins,
        losses=losses,
        ties=len(change) - wins - losses,
        deviation=deviation_of(change),
    )


def detectable_difference(
    deviation: float, queries: int, confidence: float = CONFIDENCE
) -> float | None:
    """Return the smallest true difference that is found in 80 % of test sets.

    Args:
        deviation: The standard deviation of the differences, query by query.
        queries: How many there are in each test set.
        confidence: Of the interval that decides.

    Returns:
        See :attr:`Difference.detectable`, which also says when it is `None`.
    """
    alpha = 1 - confidence
    if not deviation or queries < _least_queries(alpha):
        return None
    normal = NormalDist()
    quantiles = normal.inv_cdf(1 - alpha / 2) + normal.inv_cdf(POWER)
    return quantiles * deviation / math.sqrt(queries)


def deviation_of(change: Values) -> float:
    """Return the standard deviation of differences, 0 if they are all the same."""
    if len(change) == 1 or np.ptp(change) <= _TOLERANCE:
        return 0.0
    return float(change.std(ddof=1))


def _least_queries(alpha: float) -> int:
    """Return how many queries it takes to decide: swaps of fewer are never so rare."""
    return math.floor(1 - math.log2(alpha)) + 1


def _reason(found: Difference, outcome: Outcome, chance: str, note: str) -> str:
    if found.is_tied:
        return f"{found.measure} is the same for each of {queries(found.queries)}"
    if outcome is not Outcome.UNDECIDED:
        side = "above" if outcome is Outcome.BETTER else "below"
        return f"{_change(found)}; {_interval(found)} is {side} 0 ({chance}{note})"
    if found.interval.low <= 0 <= found.interval.high:
        why = f"{_interval(found)} holds 0"
    else:
        why = f"chance alone makes this much in {chance} of the cases{note}"
    return f"{_change(found)}; {why}{_size_of_test(found)}"


def _change(found: Difference) -> str:
    if not found.difference:
        return f"the mean {found.measure} did not change"
    verb = "rose" if found.difference > 0 else "fell"
    return f"{found.measure} {verb} by {abs(found.difference):.4f} to {found.tuned:.4f}"


def _interval(found: Difference) -> str:
    return f"the {percent(found.interval.confidence)} interval {found.interval}"


def _size_of_test(found: Difference, min_gain: float = 0.0) -> str:
    """Return what can be expected of a test set of this size, as the end of a reason."""
    text = f", with {queries(found.queries)}"
    if found.detectable is not None:
        size = found.detectable + min_gain
        what = "gain" if min_gain else "difference"
        text += f"; this test set could have shown a {what} of {size:.4f} or more"
    elif found.queries < _least_queries(1 - found.interval.confidence):
        text += ", too few to show any difference"
    return text
