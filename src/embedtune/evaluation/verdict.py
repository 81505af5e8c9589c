"""Better, worse or undecided, and why, in words."""

from __future__ import annotations

from enum import StrEnum

import attrs
import numpy as np

from embedtune.evaluation.bootstrap import (
    Interval,
    Values,
    paired_interval,
    randomisation_p_value,
)
from embedtune.evaluation.notebook import verdict_line, view
from embedtune.evaluation.tables import percent, queries

SAME_MODEL = "no test"
"""What stands in the place of an outcome where base and tuned are one model."""

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
    """

    measure: str
    base: float
    tuned: float
    interval: Interval
    p_value: float
    wins: int
    losses: int
    ties: int

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

    def verdict(self) -> Verdict:
        """Return what the difference says.

        It is better or worse if the whole interval is on one side of 0 and the p-value
        is below 1 - confidence, so that a few queries never decide. It is undecided
        otherwise, which does not say that base and tuned are equally good.
        """
        alpha = 1 - self.interval.confidence
        is_sure = self.p_value < alpha
        if self.interval.low > 0 and is_sure:
            outcome = Outcome.BETTER
        elif self.interval.high < 0 and is_sure:
            outcome = Outcome.WORSE
        else:
            outcome = Outcome.UNDECIDED
        return Verdict(
            outcome=outcome, measure=self.measure, reason=_reason(self, outcome)
        )


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
    )


def _reason(found: Difference, outcome: Outcome) -> str:
    measure, size = found.measure, abs(found.difference)
    if found.is_tied:
        return f"{measure} is the same for each of {queries(found.queries)}"
    if not found.difference:
        change = f"the mean {measure} did not change"
    else:
        verb = "rose" if found.difference > 0 else "fell"
        change = f"{measure} {verb} by {size:.4f} to {found.tuned:.4f}"
    confidence = percent(found.interval.confidence)
    where = f"the {confidence} interval {found.interval}"
    if outcome is not Outcome.UNDECIDED:
        side = "above" if outcome is Outcome.BETTER else "below"
        return f"{change}; {where} is {side} 0 (p = {found.p_value:.4f})"
    if found.interval.low <= 0 <= found.interval.high:
        why = f"{where} holds 0"
    else:
        why = f"chance alone makes this much in p = {found.p_value:.4f} of the cases"
    return f"{change}; {why}, with {queries(found.queries)}"
