"""How a gain grows with the number of training queries, and how sure that is.

Two laws of two numbers each are fitted to the same points. By one, every doubling
adds as much as the last (`a + b log n`): it knows no ceiling. By the other, the gain
nears a ceiling (`c n / (n + h)`). A forecast is the middle between them, and its
interval covers both, so that it says how little a few points know about the law, too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from embedtune.advice.values import Forecast, Trial
from embedtune.evaluation.bootstrap import CONFIDENCE, Interval, Values

LEAST_POINTS = 3
"""Fewer sizes carry no forecast."""

LEAST_RANGE = 4
"""The largest size must be so many times the smallest one."""

RESAMPLES = 1000

_HALVES = 60  # values of `h` that are tried


def forecasts(
    trials: Sequence[Trial], sizes: Sequence[int], *, ceiling: float, seed: int
) -> tuple[tuple[Forecast, ...], str]:
    """Return what tuning would gain with *sizes* training queries.

    Args:
        trials: Of at least three sizes for a forecast.
        sizes: How many training queries there would be.
        ceiling: No gain can be larger.
        seed: Decides about the resamples.

    Returns:
        The forecasts, and why there is none; one of them is empty.
    """
    by_size = _that_learned(trials)
    known = np.array(list(by_size), np.float64)
    if len(known) < LEAST_POINTS or known[-1] < LEAST_RANGE * known[0]:
        return (), _refusal(by_size)
    means = _resampled(list(by_size.values()), np.random.default_rng(seed))
    found = []
    for size in sizes:
        laws = [law(known, means, size) for law in (_growing, _saturating)]
        values = np.clip(laws, -1.0, ceiling)
        tail = (1 - CONFIDENCE) / 2
        found.append(
            Forecast(
                queries=size,
                gain=float(values[:, 0].mean()),
                interval=Interval(
                    low=float(np.quantile(values, tail, axis=1).min()),
                    high=float(np.quantile(values, 1 - tail, axis=1).max()),
                ),
            )
        )
    return tuple(found), ""


def _that_learned(trials: Sequence[Trial]) -> dict[int, list[Trial]]:
    # Below some size a tuner gives the base back, and its gain of 0 lies on no curve.
    by_size: dict[int, list[Trial]] = {}
    for trial in sorted(trials, key=lambda each: (each.queries, each.draw)):
        by_size.setdefault(trial.queries, []).append(trial)
    has_begun = False
    kept = {}
    for size, group in by_size.items():
        has_begun = has_begun or not all(trial.is_base for trial in group)
        if has_begun:
            kept[size] = group
    return kept


def _refusal(by_size: dict[int, list[Trial]]) -> str:
    if not by_size:
        return "no forecast: the tuner gave the base back at every size"
    sizes = ", ".join(f"{size:,}" for size in by_size)
    return (
        f"no forecast: the tuner gave another model only with {sizes} training queries;"
        f" a forecast needs {LEAST_POINTS} sizes, the largest {LEAST_RANGE} times the"
        " smallest"
    )


def _resampled(groups: list[list[Trial]], generator: np.random.Generator) -> Values:
    # Rows: the points as they are, then resamples of the queries, the same ones for
    # every size, and of the draws. Where a size has one draw, those of others tell how
    # much luck is in it.
    values = [np.array([trial.differences for trial in group]) for group in groups]
    count = values[0].shape[1]
    drawn = generator.multinomial(count, np.full(count, 1 / count), RESAMPLES) / count
    spread = _spread(values)
    columns = []
    for value in values:
        draws = len(value)
        by_draw = drawn @ value.T
        if draws > 1:
            chosen = generator.integers(draws, size=(RESAMPLES, draws))
            sample = np.take_along_axis(by_draw, chosen, axis=1).mean(axis=1)
        else:
            sample = by_draw[:, 0] + spread * generator.standard_normal(RESAMPLES)
        columns.append(np.concatenate([[value.mean()], sample]))
    return np.array(columns).T


def _spread(values: list[Values]) -> float:
    variances = [value.mean(axis=1).var(ddof=1) for value in values if len(value) > 1]
    return float(np.sqrt(np.mean(variances))) if variances else 0.0


def _growing(sizes: Values, means: Values, size: int) -> Values:
    x = np.log(sizes)
    slope = (means - means.mean(axis=1, keepdims=True)) @ (x - x.mean())
    slope /= ((x - x.mean()) ** 2).sum()
    result: Values = means.mean(axis=1) + slope * (np.log(size) - x.mean())
    return result


def _saturating(sizes: Values, means: Values, size: int) -> Values:
    halves = np.geomspace(sizes[0] / 8, sizes[-1] * 8, _HALVES)
    shapes = sizes / (sizes + halves[:, None])  # (halves, sizes)
    squares = (shapes**2).sum(axis=1)
    tops = means @ shapes.T / squares  # (rows, halves)
    errors = (means**2).sum(axis=1)[:, None] - tops**2 * squares
    best = errors.argmin(axis=1)
    top = np.take_along_axis(tops, best[:, None], axis=1)[:, 0]
    result: Values = top * size / (size + halves[best])
    return result
