"""From the evidence to a recommendation: one pure function."""

from __future__ import annotations

from embedtune.advice.values import MEASURE, Evidence, GainPoint, Recommendation
from embedtune.catalog import TuningWay
from embedtune.evaluation.tables import queries
from embedtune.tuning.training_data import MIN_QUERIES

SMALL_ROOM = 0.03
"""With less missing to a perfect ranking, there is nothing to win."""

WORTH = 0.01
"""A smaller gain is not worth another model."""

LARGE_ROOM = 0.1
"""With as much missing after a gain, a larger way of tuning may find more."""

MANY_QUERIES = 1000
"""With fewer training queries, a larger way of tuning finds no more than a small one."""

FEW_QUERIES = 200
"""With fewer training queries, a trial without a gain says little."""

COARSE = 0.1
"""A test that cannot see smaller differences decides nothing."""

FEWEST = 12
"""With fewer labelled queries, and no test, none are held out to measure by."""

_FREE = (
    (TuningWay.LOCAL_LINEAR, Recommendation.LOCAL),
    (TuningWay.ADAPTER, Recommendation.ADAPTER),
)
_LARGE = (
    (TuningWay.MANAGED, Recommendation.MANAGED),
    (TuningWay.FULL, Recommendation.OPEN_WEIGHTS),
)


def recommend(evidence: Evidence) -> tuple[Recommendation, tuple[str, ...]]:
    """Return what to do, and why, in sentences without a full stop."""
    if evidence.blocking or evidence.room is None:
        return Recommendation.FIX_DATA, _why_blocked(evidence)
    if evidence.room < SMALL_ROOM:
        return Recommendation.LEAVE, (
            (
                f"the base misses {evidence.room:.3f} to a perfect {MEASURE}: there is"
                " nothing to win"
            ),
        )
    if evidence.train_queries < MIN_QUERIES:
        return Recommendation.FIX_DATA, (
            (
                f"there are {queries(evidence.train_queries)} to learn from; 100 give a"
                " gain worth having, some hundred a good one"
            ),
        )
    return _tried(evidence)


def _tried(evidence: Evidence) -> tuple[Recommendation, tuple[str, ...]]:
    point = evidence.point
    if point is None:
        return _untried(evidence, "no trial run shows what tuning gains of it")
    if point.interval.low > 0:
        return _sure(evidence, point)
    if point.queries < evidence.train_queries:
        # That a part is too small says nothing about the whole.
        return _untried(
            evidence,
            f"no trial run came further than {queries(point.queries)} of"
            f" {evidence.train_queries:,}, where nothing is sure yet; more seconds tell"
            " more",
        )
    return _unsure(evidence, point)


def _why_blocked(evidence: Evidence) -> tuple[str, ...]:
    if not evidence.blocking:
        found = "nothing could be measured: there are no test labels"
        if not evidence.train_queries:
            return (f"{found}, and none to hold out; label some queries",)
        return (
            (
                f"{found}, and of {queries(evidence.train_queries)} to learn from none"
                f" can be held out (it takes {FEWEST}); label more queries"
            ),
        )
    rules = ", ".join(evidence.blocking)
    return (
        (
            f"the check found errors ({rules}) that make tuning fail or a measure lie; no"
            " figure means anything before they are mended"
        ),
    )


def _untried(evidence: Evidence, why: str) -> tuple[Recommendation, tuple[str, ...]]:
    missing = f"the base misses {evidence.room:.3f} to a perfect {MEASURE}"
    for way, recommendation in _FREE:
        if way in evidence.ways:
            return recommendation, (
                f"{missing}, and {why}",
                "this way costs nothing but time; tune, and compare on the test labels",
            )
    return Recommendation.LEAVE, (
        f"{missing}, but the catalog knows no way to tune this model any more",
    )


def _sure(
    evidence: Evidence, point: GainPoint
) -> tuple[Recommendation, tuple[str, ...]]:
    gained = (
        f"a trial run on {queries(point.queries)} gained {point.gain:+.3f}"
        f" {point.interval} in {MEASURE} on queries that it had not seen"
    )
    if point.gain < WORTH:
        return Recommendation.LEAVE, (
            f"{gained}: sure, but too little to be worth another model",
        )
    left = (evidence.room or 0.0) - point.gain
    for way, recommendation in _larger(evidence):
        if left >= LARGE_ROOM:
            return recommendation, (
                f"{gained}, by a linear map alone",
                (
                    f"{left:.3f} are still missing, and {queries(evidence.train_queries)}"
                    f" are enough for the way that changes the model itself ({way})"
                ),
                (
                    "an adapter is free and keeps the stored vectors; tune it first, and"
                    " let it be what the larger way has to beat"
                ),
            )
    for way, recommendation in _FREE:
        if way in evidence.ways:
            return recommendation, (gained,)
    return Recommendation.LEAVE, (
        f"{gained}, but the catalog knows no way to tune this model any more",
    )


def _unsure(
    evidence: Evidence, point: GainPoint
) -> tuple[Recommendation, tuple[str, ...]]:
    found = (
        "the trial run gave the base back: nothing was surely better on labels that it"
        " held out"
        if point.bases == point.draws
        else f"a trial run gained {point.gain:+.3f} {point.interval} in {MEASURE},"
        " which may be luck"
    )
    if evidence.detectable is None or evidence.detectable > COARSE:
        size = evidence.detectable
        unseen = "any difference" if size is None else f"a difference below {size:.2f}"
        return Recommendation.FIX_DATA, (
            found,
            (
                f"with {queries(evidence.test_queries)} to measure by, {unseen} goes"
                " unseen; label more queries"
            ),
        )
    forecast = evidence.forecast
    if forecast is not None and forecast.interval.low > WORTH:
        return Recommendation.FIX_DATA, (
            found,
            (
                f"with {queries(forecast.queries)} to learn from, the gain would probably be"
                f" {forecast.gain:+.3f} {forecast.interval}; label more queries"
            ),
        )
    for _, recommendation in _larger(evidence):
        if (evidence.room or 0.0) >= LARGE_ROOM:
            return recommendation, (
                found,
                (
                    f"{evidence.room:.3f} are missing, and a linear map is not the way to"
                    " them; changing the model itself may be"
                ),
            )
    if evidence.train_queries < FEW_QUERIES:
        return Recommendation.FIX_DATA, (
            found,
            (
                f"{queries(evidence.train_queries)} are few to learn from; some hundred"
                " usually show whether there is a gain"
            ),
        )
    return Recommendation.LEAVE, (found,)


def _larger(evidence: Evidence) -> list[tuple[TuningWay, Recommendation]]:
    if evidence.train_queries < MANY_QUERIES:
        return []
    return [
        (way, recommendation)
        for way, recommendation in _LARGE
        if way in evidence.ways
        and (way is not TuningWay.MANAGED or evidence.is_fit_for_service)
    ]
