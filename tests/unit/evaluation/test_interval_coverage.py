"""Whether intervals hold the truth and verdicts are right as often as they say."""

from __future__ import annotations

import numpy as np
import pytest

from embedtune.evaluation.verdict import Difference, difference_of

EXPERIMENTS = 300


def ndcg(log_rank: np.ndarray) -> np.ndarray:
    """Return nDCG@10 of one relevant document at these ranks: many 0 and many 1."""
    rank = np.maximum(np.ceil(np.exp(log_rank)), 1)
    return np.where(rank <= 10, 1 / np.log2(rank + 1), 0.0)


def differences(gain: float, size: int, rng: np.random.Generator) -> np.ndarray:
    """Return how nDCG@10 changes for *size* queries, of which most tie."""
    hardness = 0.6 + 1.6 * rng.standard_normal(size)
    noise = 0.35 * rng.standard_normal((2, size))
    return ndcg(hardness - gain + noise[1]) - ndcg(hardness + noise[0])


def experiments(gain: float, queries: int) -> tuple[float, list[Difference]]:
    """Return the true difference, and what each test set of its world says."""
    population = differences(gain, 400_000, np.random.default_rng(0))
    rng = np.random.default_rng(queries)
    found = [
        difference_of(
            "nDCG@10",
            np.zeros(queries),
            population[rng.integers(len(population), size=queries)],
            resamples=500,
            confidence=0.95,
            seed=seed,
        )
        for seed in range(EXPERIMENTS)
    ]
    return float(population.mean()), found


@pytest.mark.parametrize("queries", [50, 100, 300])
@pytest.mark.parametrize("gain", [0.0, 0.15, 0.6])
def test_coverage(gain: float, queries: int) -> None:
    """A 95 % interval holds the true difference in 93 to 97 % of 300 test sets."""
    true, found = experiments(gain, queries)
    held = sum(each.interval.low <= true <= each.interval.high for each in found)

    assert 0.93 <= held / EXPERIMENTS <= 0.97


@pytest.mark.parametrize("queries", [5, 20, 100])
def test_false_better(queries: int) -> None:
    """Where nothing differs, under 5 % of test sets are called better, however small."""
    _, found = experiments(0.0, queries)
    better = sum(each.verdict().is_better for each in found)

    assert better / EXPERIMENTS < 0.05


def test_gains_are_found() -> None:
    """A large gain on 100 queries is nearly always found, so the rule is not timid."""
    _, found = experiments(0.6, 100)

    assert sum(each.verdict().is_better for each in found) / EXPERIMENTS > 0.95
