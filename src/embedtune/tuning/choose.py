"""Choosing among candidates, safely: score, limits, and a gate before the base goes.

A candidate is described by its measure for every validation query, of seen documents
and of unseen ones. Its score is the mean of the two means, weighted by how much each
kind counts for the goal. Of the candidates that are as good as the best, as far as so
many queries can tell, the one that is best on unseen documents is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import attrs
import numpy as np
import numpy.typing as npt

RESAMPLES = 1000
"""How often the gate draws the validation queries anew."""

SURE_ENOUGH = 0.95
"""The part of the resamples in which luck must give less than the gain."""

SURE_ENOUGH_WITH_FEW = 0.8
"""The same where there are so few labels that hardly anything would be surer.

With some 100 labels of four tasks, 18 of 19 chosen candidates gained on test queries,
the other lost 0.006. Asking for 0.9 would have turned away 14 of the 19, 0.8 does 9.

That was with right labels. A whole matrix fits wrong ones, too, and so
:class:`~embedtune.AdapterTuner` asks for `SURE_ENOUGH` always: with 120 labels of
banking77, all random, 7 of 20 jobs reach 0.8 and lose up to 0.38 on test queries, and 1
reaches 0.95. Of 20 jobs with right labels, 10 reach 0.8 and gain some 0.02, and 3 reach
0.95.
"""

NEAR = 0.25
"""So many standard errors below the best score, a candidate is as good as the best."""

TOLERANCE = 0.01
"""How far a tuned model may fall on unseen documents, where they are not the goal."""

_TINY = 1e-12  # an error of rounding, no error of sampling


class OptimizeFor(StrEnum):
    """What the tuned model shall be best at.

    `ALL` weights seen and unseen documents by how often each will be asked for, as far
    as the training labels tell. `SEEN` looks at documents with labels alone ("these
    documents"), `UNSEEN` at documents without ("new documents").
    """

    ALL = "all"
    SEEN = "seen"
    UNSEEN = "unseen"


@attrs.frozen(kw_only=True, eq=False)
class Measured:
    """The measure of one candidate, query by query.

    Attributes:
        seen: For queries of documents that have training labels; perhaps empty.
        unseen: For queries of documents that have none; perhaps empty.
    """

    seen: npt.NDArray[np.float64]
    unseen: npt.NDArray[np.float64]

    @classmethod
    def joined(cls, parts: Sequence[Measured]) -> Measured:
        """Return the queries of several folds as one."""
        return cls(
            seen=np.concatenate([part.seen for part in parts]),
            unseen=np.concatenate([part.unseen for part in parts]),
        )


@attrs.frozen(kw_only=True)
class Goal:
    """How candidates are compared.

    Attributes:
        weight: What seen documents count for; unseen ones count for the rest.
        may_lose_seen: How far the mean on seen documents may fall below the base's.
        may_lose_unseen: The same for unseen documents.
    """

    weight: float
    may_lose_seen: float
    may_lose_unseen: float

    @classmethod
    def of(cls, optimize_for: OptimizeFor, *, seen_share: float) -> Goal:
        """Return the goal for what the caller wants.

        Args:
            optimize_for: What the model shall be best at.
            seen_share: The share of future queries that look for seen documents.
        """
        if optimize_for is OptimizeFor.SEEN:
            return cls(weight=1.0, may_lose_seen=0.0, may_lose_unseen=np.inf)
        if optimize_for is OptimizeFor.UNSEEN:
            return cls(weight=0.0, may_lose_seen=np.inf, may_lose_unseen=0.0)
        return cls(weight=seen_share, may_lose_seen=0.0, may_lose_unseen=TOLERANCE)

    def score(self, measured: Measured) -> float:
        """Return the weighted mean; a kind without queries counts as 0."""
        return self.weight * _mean(measured.seen) + (1 - self.weight) * _mean(
            measured.unseen
        )

    def means(self, measured: Measured) -> dict[str, float]:
        """Return the score and the mean of each kind that has queries, by name."""
        means = {"score": self.score(measured)}
        if len(measured.seen):
            means["seen"] = float(measured.seen.mean())
        if len(measured.unseen):
            means["unseen"] = float(measured.unseen.mean())
        return means

    def allows(self, measured: Measured, base: Measured) -> bool:
        """Return whether a candidate keeps to the limits."""
        seen = _mean(measured.seen) - _mean(base.seen)
        unseen = _mean(measured.unseen) - _mean(base.unseen)
        return seen >= -self.may_lose_seen and unseen >= -self.may_lose_unseen


@attrs.frozen(kw_only=True)
class Choice:
    """What was chosen, and why.

    Attributes:
        position: The candidate's position; `None` stands for the base.
        confidence: The part of the resamples in which luck gives less than the gain.
        reason: One sentence for people.
    """

    position: int | None
    confidence: float
    reason: str


def choose(
    base: Measured,
    candidates: Sequence[Measured],
    goal: Goal,
    generator: np.random.Generator,
    *,
    needed: float = SURE_ENOUGH,
) -> Choice:
    """Return the position of the best candidate, the earliest of equals, or the base.

    Args:
        base: The base model's measures.
        candidates: The measures of all candidates, for the same queries.
        goal: How they are compared.
        generator: Decides about the resamples.
        needed: The confidence below which the base is taken.
    """
    allowed = [i for i, each in enumerate(candidates) if goal.allows(each, base)]
    if not allowed:
        return Choice(
            position=None,
            confidence=0.0,
            reason="every candidate loses too much on the validation queries",
        )
    best = max(allowed, key=lambda i: goal.score(candidates[i]))
    near = [i for i in allowed if _is_near(candidates[i], candidates[best], goal)]
    best = max(near, key=lambda i: _mean(candidates[i].unseen))
    gain = goal.score(candidates[best]) - goal.score(base)
    if gain <= 0:
        return Choice(
            position=None,
            confidence=0.0,
            reason="no candidate is better than the base on the validation queries",
        )
    confidence = _confidence(base, candidates, best, goal, generator)
    facts = (
        f"the best of {len(candidates)} candidates gains {gain:.4f} on the validation"
        f" queries, more than luck would in {confidence:.1%} of {RESAMPLES} resamples"
    )
    if confidence < needed:
        return Choice(
            position=None,
            confidence=confidence,
            reason=f"{facts}; {needed:.0%} are needed",
        )
    return Choice(position=best, confidence=confidence, reason=facts)


def _is_near(candidate: Measured, best: Measured, goal: Goal) -> bool:
    kinds = (
        (goal.weight, best.seen - candidate.seen),
        (1 - goal.weight, best.unseen - candidate.unseen),
    )
    variance = sum(
        weight**2 * lead.var() / len(lead) for weight, lead in kinds if len(lead)
    )
    lead = goal.score(best) - goal.score(candidate)
    return bool(lead <= NEAR * np.sqrt(variance))


def _confidence(
    base: Measured,
    candidates: Sequence[Measured],
    best: int,
    goal: Goal,
    generator: np.random.Generator,
) -> float:
    # The best of many looks good by luck alone. So its gain, in standard errors, is
    # compared with the largest that any candidate would have if none had a true one:
    # the resampled gains, moved so that their means are 0.
    gains = np.zeros(len(candidates))
    moved = np.zeros((RESAMPLES, len(candidates)))
    for weight, of_kind in (
        (goal.weight, [each.seen - base.seen for each in candidates]),
        (1 - goal.weight, [each.unseen - base.unseen for each in candidates]),
    ):
        by_query = np.array(of_kind).T
        if len(by_query):
            mean = by_query.mean(axis=0)
            gains += weight * mean
            moved += weight * (_resampled_means(by_query, generator) - mean)
    errors = moved.std(axis=0)
    is_varied = errors > _TINY
    if not is_varied[best]:
        return 1.0
    luck = (moved[:, is_varied] / errors[is_varied]).max(axis=1)
    return float((luck < gains[best] / errors[best]).mean())


def _resampled_means(
    by_query: npt.NDArray[np.float64], generator: np.random.Generator
) -> npt.NDArray[np.float64]:
    # One draw of the queries for all candidates, as counts.
    size = len(by_query)
    counts = generator.multinomial(size, np.full(size, 1 / size), size=RESAMPLES)
    means: npt.NDArray[np.float64] = counts @ by_query / size
    return means


def _mean(values: npt.NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else 0.0
