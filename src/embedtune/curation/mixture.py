"""How probable it is that a label was drawn at random: mixtures, in pure numbers.

A label is either right, and then chosen as some model would choose it, or wrong, and
then drawn from all documents alike. How many are wrong, and how far each model can be
trusted, is what makes the labels as they are most likely. This is the "noise rate" of
confident learning (Northcutt, Jiang and Chuang, 2021, "Confident Learning: Estimating
Uncertainty in Dataset Labels"), for classes that are too many to count in pairs.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.evaluation.bootstrap import CONFIDENCE, Interval

Floats: TypeAlias = npt.NDArray[np.float64]

_ROUNDS = 1_000
_CLOSE = 1e-7
_DEVIATIONS = 1.959964  # of a normal distribution, for 95 %


@attrs.frozen(kw_only=True, eq=False)
class Mixture:
    """The most likely mixture of chance and models.

    Attributes:
        chance: The share of labels drawn at random.
        weights: The share of labels that each model explains.
        posterior: For each label the probability that it was drawn at random.
        error: The standard error of *chance*.
    """

    chance: float
    weights: Floats
    posterior: Floats
    error: float


def fit_mixture(probabilities: Floats, documents: int) -> Mixture:
    """Return the mixture that makes the labels most likely.

    Args:
        probabilities: (labels, models); how probable each model holds each label.
        documents: How many there are; chance takes each of them alike.
    """
    level = 1 / documents
    parts = np.column_stack([np.full(len(probabilities), level), probabilities])
    weights = np.full(parts.shape[1], 1 / parts.shape[1])
    for _ in range(_ROUNDS):
        joint = parts * weights
        shares = joint / joint.sum(axis=1, keepdims=True)
        new = shares.mean(axis=0)
        is_close = np.abs(new - weights).max() < _CLOSE
        weights = new
        if is_close:
            break
    joint = parts * weights
    total = joint.sum(axis=1)
    chance = float(weights[0])
    of_models = (total - joint[:, 0]) / max(1 - chance, _CLOSE)
    slope = (level - of_models) / total
    information = float(slope @ slope)
    return Mixture(
        chance=chance,
        weights=weights[1:],
        posterior=joint[:, 0] / total,
        error=1 / math.sqrt(information) if information > 0 else 1.0,
    )


def log_likelihood(probabilities: Floats, documents: int) -> float:
    """Return how well one model and chance explain the labels together."""
    found = fit_mixture(probabilities[:, None], documents)
    mixed = found.chance / documents + (1 - found.chance) * probabilities
    return float(np.log(mixed).sum())


@attrs.frozen(kw_only=True)
class NoiseShare:
    """The share of labels that are wrong as if drawn at random, by two estimates.

    Attributes:
        by_likelihood: From the mixture. Too low where models doubt right labels
            evenly, too high where they are sure of the wrong thing.
        by_tail: Twice the share of labels whose document is in the lower half of all.
            Too high by the right labels that are there, never too low but by chance.
    """

    by_likelihood: float
    by_tail: float
    interval: Interval

    @property
    def share(self) -> float:
        """The mean of both estimates."""
        return (self.by_likelihood + self.by_tail) / 2


def noise_share(mixture: Mixture, tails: Floats, labels: int) -> NoiseShare:
    """Return both estimates, and an interval that spans the intervals of both.

    Args:
        mixture: As fitted.
        tails: For each model the share of labels in the lower half of its ranking.
        labels: How many labels there are.
    """
    tail = float(tails.min())
    error = 2 * math.sqrt(max(tail * (1 - tail), 1 / labels) / labels)
    low = min(mixture.chance - _DEVIATIONS * mixture.error, 2 * tail - 2 * error)
    high = max(mixture.chance + _DEVIATIONS * mixture.error, 2 * tail + 2 * error)
    return NoiseShare(
        by_likelihood=mixture.chance,
        by_tail=min(2 * tail, 1.0),
        interval=Interval(
            low=max(low, 0.0), high=min(high, 1.0), confidence=CONFIDENCE
        ),
    )
