"""What a few trials say of more training queries."""

from __future__ import annotations

import numpy as np
import pytest

from embedtune.advice.law import forecasts
from embedtune.advice.values import Trial

SIZES = (100, 200, 400, 800)


def trials(law: object, *, noise: float = 0.2, bases: int = 0) -> list[Trial]:
    """Return trials whose gains follow a law, with noise by query.

    Args:
        law: Takes a size, gives the true gain.
        noise: The standard deviation by query.
        bases: In so many of the smallest sizes, the base came back.
    """
    generator = np.random.default_rng(0)
    own = generator.normal(0, noise, 400)  # most of a query's luck is its own
    found = []
    for place, size in enumerate(SIZES):
        for draw in range(3 if place == 0 else 1):
            gain = law(size)  # type: ignore[operator]
            values = gain + own + generator.normal(0, noise / 4, 400)
            is_base = place < bases
            found.append(
                Trial(
                    queries=size,
                    draw=draw,
                    differences=np.zeros(400) if is_base else values,
                    is_base=is_base,
                    seconds=1.0,
                )
            )
    return found


@pytest.mark.parametrize(
    "law",
    [lambda n: 0.02 * np.log2(n / 50), lambda n: 0.12 * n / (n + 300)],
    ids=["growing", "saturating"],
)
def test_true_gain_is_held(law: object) -> None:
    """Whichever of the two laws is true, the interval holds the truth."""
    found, note = forecasts(trials(law), [1600, 3200], ceiling=0.5, seed=0)

    assert not note
    assert [1600, 3200] == [each.queries for each in found]
    for each in found:
        assert each.interval.low <= law(each.queries) <= each.interval.high  # type: ignore[operator]
        assert each.interval.low < each.gain < each.interval.high
    widths = [each.interval.high - each.interval.low for each in found]
    assert widths[0] < widths[1]


def test_ceiling() -> None:
    """No forecast is above what is missing to a perfect ranking."""
    found, _ = forecasts(
        trials(lambda n: 0.05 * np.log2(n / 50)), [3200], ceiling=0.2, seed=0
    )

    assert 0.2 >= found[0].interval.high
    assert 0.2 >= found[0].gain


def test_equal_seeds() -> None:
    """Equal seeds give equal forecasts."""
    some = trials(lambda n: 0.02 * np.log2(n / 50))

    first, again, other = (
        forecasts(some, [1600], ceiling=0.5, seed=seed)[0] for seed in (1, 1, 2)
    )

    assert first == again
    assert first[0].gain == other[0].gain
    assert first != other


def test_sizes_before_the_first_gain_do_not_count() -> None:
    """Where the base came back at the smallest sizes, the others carry no forecast."""
    found, note = forecasts(
        trials(lambda _: 0.05, bases=2), [1600], ceiling=0.5, seed=0
    )

    assert () == found
    assert "only with 400, 800 training queries" in note


def test_base_at_every_size() -> None:
    """Where nothing ever helped, there is no forecast, and the note says so."""
    found, note = forecasts(
        trials(lambda _: 0.05, bases=4), [1600], ceiling=0.5, seed=0
    )

    assert () == found
    assert "gave the base back at every size" in note


def test_narrow_range() -> None:
    """Sizes that lie close together carry no forecast."""
    some = [each for each in trials(lambda _: 0.05) if each.queries in {200, 400}]

    found, note = forecasts(some, [1600], ceiling=0.5, seed=0)

    assert () == found
    assert "a forecast needs 3 sizes, the largest 4 times the smallest" in note
