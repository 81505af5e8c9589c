"""Which documents may be hard negatives."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import attrs

from embedtune.datasets.near_duplicates import refuse_threshold
from embedtune.errors import ConfigurationError

Sampling: TypeAlias = Literal["top", "random"]
"""Take the best of what is left, or any of it."""


@attrs.frozen(kw_only=True)
class MiningRules:
    """The settings of :func:`~embedtune.mine_hard_negatives`, checked together.

    Attributes:
        per_query: How many hard negatives are asked for each query, at least 1.
        rank_window: How many of what is left to skip, and how far down to look.
        margin: How much lower than the positive's score a negative's must be.
        relative_margin: The same as a share of the positive's score.
        min_score: What a negative's score must reach.
        max_score: What it must not exceed.
        sampling: The best of what is left, or a random choice.
        near_duplicates: The similarity from which on documents count as copies.
        seed: Of the random choice and of the search for near-duplicates.

    Raises:
        ConfigurationError: If a setting is out of range or does not fit another.
    """

    per_query: int
    rank_window: tuple[int, int]
    margin: float | None
    relative_margin: float | None
    min_score: float | None
    max_score: float | None
    sampling: Sampling
    near_duplicates: float | None
    seed: int

    def __attrs_post_init__(self) -> None:
        problems = [
            *_range_problems(self.per_query, self.rank_window),
            *self._score_problems(),
        ]
        if self.sampling not in ("top", "random"):
            problems.append(
                f"'sampling' must be 'top' or 'random' (got {self.sampling!r})"
            )
        if problems:
            raise ConfigurationError("; ".join(problems))
        if self.near_duplicates is not None:
            refuse_threshold(self.near_duplicates)

    def _score_problems(self) -> list[str]:
        problems = []
        bounds = {
            "margin": self.margin,
            "relative_margin": self.relative_margin,
            "min_score": self.min_score,
            "max_score": self.max_score,
        }
        for name, value in bounds.items():
            if value is not None and not math.isfinite(value):
                problems.append(f"{name!r} must be a number or None (got {value!r})")
        low, high = self.min_score, self.max_score
        if low is not None and high is not None and low > high:
            problems.append(f"'min_score' must be <= 'max_score' (got {low} > {high})")
        return problems


def _range_problems(per_query: object, window: object) -> list[str]:
    problems = []
    is_count = isinstance(per_query, int) and per_query >= 1
    if not is_count:
        problems.append(f"'per_query' must be >= 1 (got {per_query!r})")
    match window:
        case (int(first), int(last)) if 0 <= first < last:
            if isinstance(per_query, int) and is_count and per_query > last - first:
                problems.append(
                    f"'per_query' must be <= {last - first}, the ranks in "
                    f"'rank_window' (got {per_query!r})"
                )
        case _:
            problems.append(
                "'rank_window' must be two ranks, the first >= 0 and the last above it "
                f"(got {window!r})"
            )
    return problems
