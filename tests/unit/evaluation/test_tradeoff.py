"""Models on the way from base to tuned."""

from __future__ import annotations

import math

import attrs
import pytest

from embedtune.errors import ConfigurationError
from embedtune.evaluation.chart import Line, Scale, chart, number
from embedtune.evaluation.tradeoff import TradeoffPoint, checked_points
from embedtune.evaluation.tradeoff_section import tradeoff_section


def point(share: float, gain: float = 0.0, **changes: float) -> TradeoffPoint:
    """Return a point that nobody chose."""
    return TradeoffPoint(share=share, gain=gain, changes=changes)


def test_points_are_ordered() -> None:
    """The curve goes from base to tuned, however it is given; points are values."""
    end, start = point(1, 0.2, general=-0.1), point(0, general=0.0)

    assert (start, end) == checked_points(iter([end, start]))
    assert hash(start) == hash(point(0, general=0.0))


def test_wrong_points() -> None:
    """A share is in 0..1, and every number finite."""
    with pytest.raises(ValueError, match=r"'share' must be in 0..1 \(got 1.5\)"):
        point(1.5)
    with pytest.raises(ValueError, match=r"wrong are \['gain', 'general'\]"):
        point(1, math.nan, general=math.inf)


def test_wrong_curves() -> None:
    """All that keeps points from being a curve is told at once."""
    chosen = [
        TradeoffPoint(share=0.5, gain=0, changes={name: 0.0}, is_chosen=True)
        for name in "ab"
    ]

    with pytest.raises(ConfigurationError) as info:
        checked_points(chosen)
    with pytest.raises(ConfigurationError, match=r"at least 2 points \(got 1\)"):
        checked_points([point(0)])
    with pytest.raises(ConfigurationError, match="must be of one measure"):
        checked_points([point(0), attrs.evolve(point(1), measure="R@10")])

    for expected in (
        "a share stands there twice",
        "only one point can be chosen (got [0.5, 0.5])",
        "every point needs a change for each probe",
    ):
        assert expected in str(info.value)


def test_section_in_words() -> None:
    """The note gives the chosen point, and the last one if it is another."""
    middle = TradeoffPoint(share=0.5, gain=0.1, changes={"<b>": -0.02}, is_chosen=True)
    points = [point(0, **{"<b>": 0.0}), middle, point(1, 0.15, **{"<b>": -0.25})]

    text = "".join(tradeoff_section(points, "nDCG@10"))

    assert "Chosen: 50 % of the tuned model, nDCG@10 of the task +0.100" in text
    assert "&lt;b&gt; \N{MINUS SIGN}0.020" in text
    assert "The last point: 100 % of the tuned model" in text
    assert "<b>" not in text
    assert [] == tradeoff_section([], "nDCG@10")


def test_section_names_its_own_measure() -> None:
    """What was measured in one measure is not sold as the comparison's."""
    points = [attrs.evolve(point(share), measure="nDCG@10") for share in (0, 1)]
    text = "".join(tradeoff_section(points, "R@5"))

    assert "change in nDCG@10" in text
    assert "R@5" not in text


def test_section_without_a_choice() -> None:
    """Nothing is marked where nothing was chosen; the end may be the choice."""
    end = TradeoffPoint(share=1, gain=0.2, is_chosen=True)
    nobody = "".join(tradeoff_section([point(0), point(1, 0.2)], "R@10"))
    last = "".join(tradeoff_section([point(0), end], "R@10"))

    assert "Chosen" not in nobody
    assert "The last point" in nobody
    assert "The last point" not in last


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 1.0], [0.0, 0.5, 1.0]),
        ([-0.021, 0.084], [0.0, 0.05]),
        ([3.0, 3.0], [2.98, 3.0, 3.02]),
        ([1.0, 450.0], [0.0, 200.0, 400.0]),
    ],
)
def test_ticks_are_round(values: list[float], expected: list[float]) -> None:
    """Ticks are few, round and within the axis, whatever the numbers."""
    scale = Scale.around(values, margin=0.08)

    assert pytest.approx(expected) == scale.ticks()
    assert all(scale.low <= tick <= scale.high for tick in scale.ticks())


def test_numbers() -> None:
    """A change has a sign unless it is 0, and minus is a minus."""
    assert "\N{MINUS SIGN}0.50" == number(-0.5, 2, is_change=True)
    assert "+0.5" == number(0.5, 1, is_change=True)
    assert "0" == number(-1e-9, 3, is_change=True)
    assert "0.5" == number(0.5, 1, is_change=False)


def test_chart_stays_within_its_drawing() -> None:
    """All coordinates lie inside, with a margin, for numbers of any size."""
    for size in (1e-9, 1.0, 1e9):
        points = [(size * x, -size * x * x) for x in range(50)]
        text = chart([Line(name="n", kind="k", points=points)], label="l", across="a")
        path = text.split(' d="M')[-1].split('"')[0]
        numbers = [float(x) for pair in path.split("L") for x in pair.split()]

        assert 100 == len(numbers)
        assert 0 < min(numbers) < max(numbers) < 1000
