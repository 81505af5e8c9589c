"""The rules, as a table: evidence in, recommendation and words out."""

from __future__ import annotations

import re

import attrs
import pytest

from embedtune.advice.rules import recommend
from embedtune.advice.values import Evidence, Forecast, GainPoint, Recommendation
from embedtune.catalog import TuningWay
from embedtune.evaluation.bootstrap import Interval

STATIC = (TuningWay.LOCAL_LINEAR, TuningWay.ADAPTER)
SERVICE = (TuningWay.MANAGED, TuningWay.ADAPTER)
OPEN = (TuningWay.FULL, TuningWay.ADAPTER)
CLOSED = (TuningWay.ADAPTER,)


def point(gain: float, spread: float = 0.02, *, bases: int = 0) -> GainPoint:
    """Return what one trial on 2,000 queries gained."""
    return GainPoint(
        queries=2000,
        gain=gain,
        interval=Interval(low=gain - spread, high=gain + spread),
        draws=1,
        bases=bases,
    )


SURE, SMALL, LUCK, NONE = (
    point(0.08),
    point(0.008, 0.001),
    point(0.01),
    point(0, bases=1),
)
PART = attrs.evolve(NONE, queries=250)
MORE = Forecast(queries=8000, gain=0.05, interval=Interval(low=0.02, high=0.09))
USUAL = Evidence(
    train_queries=2000, test_queries=600, room=0.5, point=SURE, detectable=0.03
)


@pytest.mark.parametrize(
    ("changes", "expected", "words"),
    [
        ({"blocking": ("leaked-query",)}, "FIX_DATA", r"errors \(leaked-query\)"),
        ({"room": None, "train_queries": 0}, "FIX_DATA", "none to hold out"),
        ({"room": None, "train_queries": 1}, "FIX_DATA", "of 1 query to learn from"),
        ({"room": 0.02}, "LEAVE", "nothing to win"),
        ({"train_queries": 5, "point": None}, "FIX_DATA", "5 queries to learn from"),
        ({"point": None, "ways": STATIC}, "LOCAL", "no trial run shows"),
        ({"point": None, "ways": SERVICE}, "ADAPTER", "no trial run shows"),
        ({"point": None, "ways": ()}, "LEAVE", "no way to tune this model any more"),
        ({"ways": STATIC}, "LOCAL", r"gained \+0.080"),
        ({"ways": CLOSED}, "ADAPTER", r"gained \+0.080"),
        ({"ways": ()}, "LEAVE", "no way to tune this model any more"),
        ({"point": SMALL, "ways": STATIC}, "LEAVE", "too little"),
        ({"ways": SERVICE}, "MANAGED", r"0.420 are still missing"),
        ({"ways": OPEN}, "OPEN_WEIGHTS", "changes the model itself"),
        ({"ways": SERVICE, "is_fit_for_service": False}, "ADAPTER", "gained"),
        ({"ways": SERVICE, "train_queries": 900}, "ADAPTER", "gained"),
        ({"ways": SERVICE, "room": 0.15}, "ADAPTER", "gained"),
        ({"point": LUCK, "ways": STATIC}, "LEAVE", "may be luck"),
        ({"point": NONE, "ways": STATIC}, "LEAVE", "gave the base back"),
        ({"point": NONE, "detectable": 0.2}, "FIX_DATA", "below 0.20 goes unseen"),
        ({"point": PART, "ways": STATIC}, "LOCAL", "further than 250 queries of 2,000"),
        ({"point": NONE, "detectable": None}, "FIX_DATA", "any difference goes"),
        ({"point": NONE, "forecast": MORE}, "FIX_DATA", "with 8,000 queries"),
        ({"point": NONE, "ways": OPEN}, "OPEN_WEIGHTS", "not the way"),
        ({"point": NONE, "ways": SERVICE}, "MANAGED", "not the way"),
        ({"point": NONE, "room": 0.08, "ways": SERVICE}, "LEAVE", "gave the base"),
        ({"point": NONE, "train_queries": 150}, "FIX_DATA", "150 queries are few"),
    ],
)
def test_rules(changes: dict[str, object], expected: str, words: str) -> None:
    """Each kind of evidence leads to one recommendation, with its reason."""
    found, reasons = recommend(attrs.evolve(USUAL, **changes))

    assert Recommendation[expected] == found
    assert any(re.search(words, reason) for reason in reasons)
    assert not any(reason.endswith(".") for reason in reasons)
