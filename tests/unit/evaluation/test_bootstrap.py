"""Bootstrap intervals and the randomisation test."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest

from embedtune.evaluation.bootstrap import (
    Interval,
    mean_interval,
    paired_interval,
    randomisation_p_value,
    resampled_means,
)


def test_width_is_that_of_the_normal_approximation() -> None:
    """For many values the interval is the mean and 1.96 standard errors each way."""
    values = np.random.default_rng(0).normal(0.3, 0.2, 2_000)
    error = 1.96 * values.std() / np.sqrt(len(values))

    interval = mean_interval(values)

    assert pytest.approx(values.mean() - error, abs=0.0006) == interval.low
    assert pytest.approx(values.mean() + error, abs=0.0006) == interval.high


def test_coverage() -> None:
    """A 90 % interval holds the true mean in about 90 % of experiments."""
    rng = np.random.default_rng(1)
    held = 0
    for seed in range(300):
        found = mean_interval(
            rng.exponential(1.0, 80), confidence=0.9, resamples=500, seed=seed
        )
        held += found.low <= 1.0 <= found.high

    assert 0.83 <= held / 300 <= 0.95


def test_higher_confidence_is_wider() -> None:
    """An interval lies within every interval of higher confidence."""
    values = np.random.default_rng(2).random(50)

    narrow, wide = (mean_interval(values, confidence=c) for c in (0.5, 0.99))

    assert wide.low < narrow.low < narrow.high < wide.high


def test_seeds() -> None:
    """Equal seeds give equal intervals; a generator is drawn from."""
    values = np.random.default_rng(3).random(40)

    assert mean_interval(values, seed=7) == mean_interval(values, seed=7)
    assert mean_interval(values, seed=7) != mean_interval(values, seed=8)
    assert mean_interval(values, seed=7) == mean_interval(
        values, seed=np.random.default_rng(7)
    )


def test_memory_is_bounded() -> None:
    """Ten million draws from many values take far less than they would at once."""
    values = np.random.default_rng(0).random(20_000)
    tracemalloc.start()
    means = resampled_means(values, resamples=500)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (500,) == means.shape
    assert peak < 40 * 2**20  # at once, draws and values take 120 MB


@pytest.mark.parametrize("values", [[0.25], [0.25] * 9])
def test_data_without_spread(values: list[float]) -> None:
    """One value, or equal ones, give an interval without width."""
    assert Interval(low=0.25, high=0.25) == mean_interval(values)


def test_pairing_takes_the_spread_of_queries_out() -> None:
    """An equal gain of every query is sure, however the queries differ."""
    base = np.random.default_rng(4).random(30) * 0.9

    interval = paired_interval(base, base + 0.1)

    assert [pytest.approx(0.1)] * 2 == [interval.low, interval.high]


def test_interval_of_a_difference_is_that_of_student() -> None:
    """For normal differences it is that of the t-test, for few values, too."""
    rng = np.random.default_rng(7)
    for count, quantile in ((10, 2.2622), (30, 2.0452), (400, 1.9659)):
        change = rng.normal(0.1, 0.3, count)
        reach = quantile * change.std(ddof=1) / np.sqrt(count)

        interval = paired_interval(np.zeros(count), change, resamples=40_000)

        assert pytest.approx(change.mean()) == (interval.low + interval.high) / 2
        assert pytest.approx(2 * reach, rel=0.04) == interval.high - interval.low


def test_one_difference_has_an_interval_without_width() -> None:
    """One query tells nothing about how sure it is."""
    interval = paired_interval([0.25], [0.5])

    assert (0.25, 0.25) == (interval.low, interval.high)


def test_p_value_of_a_gain() -> None:
    """What is tested is how far the data is from the gain supposed, on either side."""
    rng = np.random.default_rng(8)
    base = rng.random(60)
    tuned = base + rng.normal(0.2, 0.1, 60)
    supposed = (0.0, 0.15, float((tuned - base).mean()), 0.25, 0.4)

    found = [randomisation_p_value(base, tuned, gain=gain) for gain in supposed]

    assert [True, True, False, True, True] == [p_value < 0.05 for p_value in found]
    assert found[0] <= found[1]
    assert found[4] <= found[3]


def test_p_value_of_a_gain_is_rarely_wrong() -> None:
    """If the true gain is the one supposed, p is below 0.1 in about a tenth of cases."""
    rng = np.random.default_rng(9)
    small = 0
    for seed in range(300):
        base = np.zeros(60)
        tuned = rng.choice([0.0, 0.0, 0.0, 0.5], 60)  # ties, and a mean of 0.125
        small += (
            randomisation_p_value(base, tuned, gain=0.125, resamples=300, seed=seed)
            < 0.1
        )

    assert 0.05 <= small / 300 <= 0.16


def test_p_value_is_that_of_all_swaps() -> None:
    """With few queries, the share of all 2**n swaps is known exactly."""
    base = np.array([0.1, 0.5, 0.3, 0.7, 0.2, 0.6, 0.4, 0.8])
    tuned = np.array([0.3, 0.6, 0.2, 0.9, 0.5, 0.65, 0.35, 0.9])
    change = tuned - base
    sums = [
        abs(sum(s * c for s, c in zip(signs, change, strict=True)))
        for signs in itertools.product((-1, 1), repeat=8)
    ]
    exact = np.mean([value >= abs(change.sum()) - 1e-9 for value in sums])

    found = randomisation_p_value(base, tuned, resamples=50_000)

    assert pytest.approx(exact, abs=0.004) == found


def test_p_value_without_difference() -> None:
    """Equal values could not be more likely under chance: p is 1."""
    values = np.random.default_rng(5).random(20)

    assert 1.0 == randomisation_p_value(values, values)


def test_p_value_is_uniform_without_effect() -> None:
    """If chance alone differs, p is below 0.1 in about a tenth of experiments."""
    rng = np.random.default_rng(6)
    small = 0
    for seed in range(300):
        base, tuned = rng.random(40), rng.random(40)
        small += randomisation_p_value(base, tuned, resamples=300, seed=seed) < 0.1

    assert 0.05 <= small / 300 <= 0.16


def test_p_value_is_never_zero() -> None:
    """The data as it is counts as one of the swaps."""
    base = np.zeros(200)

    assert 1 / 1_001 == randomisation_p_value(base, base + 0.5, resamples=1_000)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "at least one number"),
        ([[0.1, 0.2]], "in a row"),
        ([0.1, float("nan")], "finite"),
        ([float("inf")], "finite"),
    ],
)
def test_wrong_values(values: list[float], message: str) -> None:
    """Nothing, a matrix, NaN and infinity are refused."""
    with pytest.raises(ValueError, match=message):
        mean_interval(values)


def test_wrong_settings() -> None:
    """Confidence, resamples and lengths are checked."""
    for confidence in (0.0, 1.0, 95.0):
        with pytest.raises(ValueError, match="'confidence' must be > 0 and < 1"):
            mean_interval([0.1], confidence=confidence)
    with pytest.raises(ValueError, match="'resamples' must be >= 1"):
        mean_interval([0.1], resamples=0)
    with pytest.raises(ValueError, match="differ in shape"):
        paired_interval([0.1], [0.1, 0.2])


def test_text() -> None:
    """An interval prints as its two ends."""
    assert "[0.1000, 0.2500]" == str(Interval(low=0.1, high=0.25))
