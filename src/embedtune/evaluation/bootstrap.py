"""How sure a mean over queries is: bootstrap intervals and a randomisation test.

The queries are seen as a sample of those that people will send. Resampling them with
replacement shows how much the mean would move if other queries had been drawn. It says
nothing about queries of another kind, and nothing about wrong labels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import TypeAlias

import attrs
import numpy as np
import numpy.typing as npt

Seed: TypeAlias = int | np.random.Generator
Values: TypeAlias = npt.NDArray[np.float64]

RESAMPLES = 10_000
"""How many resamples are drawn unless a caller says otherwise."""

CONFIDENCE = 0.95
"""The share of intervals that should hold the true value."""

_BLOCK_CELLS = 2**16  # drawn at once, 8 bytes each: what a cache holds
_SWAP_CELLS = 2**20  # swapped at once, 9 bytes each


@attrs.frozen(kw_only=True)
class Interval:
    """A bootstrap interval.

    Attributes:
        low: Its lower end.
        high: Its upper end, not below *low*.
        confidence: The share of such intervals that should hold the true value.
    """

    low: float
    high: float
    confidence: float = CONFIDENCE

    def __str__(self) -> str:
        """Return both ends, rounded."""
        return f"[{self.low:.4f}, {self.high:.4f}]"


def resampled_means(
    values: Values | Sequence[float], *, resamples: int = RESAMPLES, seed: Seed = 0
) -> Values:
    """Return the means of *resamples* samples drawn from *values* with replacement.

    Memory is bounded whatever the number of values; equal seeds give equal means.

    Raises:
        ValueError: If there is no value, or one is not finite.
    """
    data = _checked(values, resamples)
    rng = np.random.default_rng(seed)
    means = np.empty(resamples)
    step = max(1, _BLOCK_CELLS // len(data))
    for start in range(0, resamples, step):
        size = (min(step, resamples - start), len(data))
        draws = rng.integers(len(data), size=size, dtype=np.uint32)
        means[start : start + step] = data[draws].mean(axis=1)
    return means


def mean_interval(
    values: Values | Sequence[float],
    *,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
    seed: Seed = 0,
) -> Interval:
    """Return the interval of the mean of *values*.

    One value, or many equal ones, give an interval without width: the data holds
    nothing to tell how sure it is.

    Raises:
        ValueError: If there is no value, one is not finite, or *confidence* is not
            between 0 and 1.

    Example:
        >>> print(mean_interval([0.0, 1.0] * 50, seed=0))
        [0.4000, 0.6000]
    """
    _check_confidence(confidence)
    means = resampled_means(values, resamples=resamples, seed=seed)
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, (tail, 1 - tail))
    return Interval(low=float(low), high=float(high), confidence=confidence)


def paired_interval(
    base: Values | Sequence[float],
    tuned: Values | Sequence[float],
    *,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
    seed: Seed = 0,
) -> Interval:
    """Return the interval of the mean difference *tuned* - *base*, query by query.

    It reaches as far from the difference found as *confidence* of the resampled ones
    lie, to both sides alike, times sqrt(n / (n - 1)) and the quantile of Student's t
    over that of the normal distribution. Where few queries changed, the percentile
    interval is too short on the side of which few were drawn; this one is not. The
    factor is that of Hesterberg, "What Teachers Should Know About the Bootstrap", The
    American Statistician 69 (2015), and near 1 for 50 queries or more.

    Raises:
        ValueError: As :func:`mean_interval`, and if the two differ in length.
    """
    _check_confidence(confidence)
    change = _differences(base, tuned)
    means = resampled_means(change, resamples=resamples, seed=seed)
    middle = float(change.mean())
    reach = float(np.quantile(np.abs(means - middle), confidence))
    reach *= _widening(len(change), confidence)
    return Interval(low=middle - reach, high=middle + reach, confidence=confidence)


def randomisation_p_value(
    base: Values | Sequence[float],
    tuned: Values | Sequence[float],
    *,
    gain: float = 0.0,
    resamples: int = RESAMPLES,
    seed: Seed = 0,
) -> float:
    """Return how often chance alone makes a mean difference as large, in either sense.

    If base and tuned were equally good, each query's two values could as well be
    swapped. They are, at random, *resamples* times. The result is never 0: the data as
    it is counts as one of the swaps.

    Args:
        base: A value for each query.
        tuned: The same for the tuned.
        gain: The true mean difference supposed; how far the data is from it is tested,
            by swapping the signs of what each query's difference has above it.
        resamples: How many swaps.
        seed: Equal seeds give equal results.

    Raises:
        ValueError: If there is no value, one is not finite, or the two differ in
            length.
    """
    data = _checked(_differences(base, tuned) - gain, resamples)
    rng = np.random.default_rng(seed)
    total = float(data.sum())
    # Sums of the same numbers in another order must count as equal.
    limit = abs(total) - 1e-9 * float(np.abs(data).sum())
    extreme = 0
    step = max(1, _SWAP_CELLS // len(data))
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        cells = rows * len(data)
        bits = np.frombuffer(rng.bytes((cells + 7) // 8), np.uint8)
        swapped = np.unpackbits(bits, count=cells).reshape(rows, len(data))
        sums = total - 2.0 * (swapped.astype(np.float64) @ data)
        extreme += int(np.count_nonzero(np.abs(sums) >= limit))
    return (extreme + 1) / (resamples + 1)


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        msg = f"'confidence' must be > 0 and < 1 (got {confidence!r})"
        raise ValueError(msg)


def _widening(count: int, confidence: float) -> float:
    """Return what an interval of *count* values is too short by, as a factor."""
    freedom = count - 1
    if not freedom:
        return 1.0
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    # Student's t by Abramowitz and Stegun, 26.7.5; within 1 % from 4 values on.
    quantile = (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )
    return math.sqrt(count / freedom) * quantile / z


def _differences(
    base: Values | Sequence[float], tuned: Values | Sequence[float]
) -> Values:
    first, second = np.asarray(base, np.float64), np.asarray(tuned, np.float64)
    if first.shape != second.shape:
        msg = f"'base' and 'tuned' differ in shape ({first.shape} and {second.shape})"
        raise ValueError(msg)
    return second - first


def _checked(values: Values | Sequence[float], resamples: int) -> Values:
    data = np.asarray(values, np.float64)
    if data.ndim != 1 or not data.size:
        msg = f"'values' must be at least one number in a row (got shape {data.shape})"
        raise ValueError(msg)
    if not np.isfinite(data).all():
        msg = "'values' must be finite numbers (got NaN or infinity)"
        raise ValueError(msg)
    if resamples < 1:
        msg = f"'resamples' must be >= 1 (got {resamples!r})"
        raise ValueError(msg)
    return data
