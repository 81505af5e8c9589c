"""What to look at beside the recommendation."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from embedtune.advice.headroom import DEPTH
from embedtune.advice.rules import LARGE_ROOM
from embedtune.advice.values import MEASURE, Evidence, Headroom
from embedtune.catalog import BaseModel, TuningWay
from embedtune.evaluation.tables import percent, queries

REACHED = 0.95
"""With a larger part of the documents among the first hundred, reach is no trouble."""


def hints_on(
    evidence: Evidence, headroom: Headroom | None, base: BaseModel | None, on: date
) -> tuple[str, ...]:
    """Return what is worth a look, in sentences without a full stop.

    Args:
        evidence: What the recommendation rests on.
        headroom: Where the base stands; `None` if it was not measured.
        base: What the catalog knows of the base model.
        on: Today.
    """
    return (
        *(_of_headroom(headroom, evidence) if headroom is not None else ()),
        *_of_the_test(evidence),
        *(_of_the_end(base, on) if base is not None else ()),
    )


def _of_headroom(headroom: Headroom, evidence: Evidence) -> Iterator[str]:
    is_static = TuningWay.LOCAL_LINEAR in evidence.ways
    if headroom.recall < REACHED:
        yield (
            f"{percent(round(1 - headroom.recall, 3))} of the relevant documents are"
            f" not among the first {DEPTH} hits, where no re-ranking finds them"
        )
    if headroom.recall < REACHED or (is_static and headroom.room > LARGE_ROOM):
        yield (
            "a search for words (BM25) often finds what embeddings miss, those of"
            " static models above all; try the hybrid search of Milvus beside tuning"
            " (it was not measured here)"
        )
    if headroom.unreached_count:
        few = ", ".join(map(repr, headroom.unreached))
        more = ", ..." if headroom.unreached_count > len(headroom.unreached) else ""
        yield (
            f"{queries(headroom.unreached_count)} of {headroom.queries:,} find nothing"
            f" relevant among the first {DEPTH} hits ({few}{more}); read some of them:"
            " a label may be wrong, or the document may be cut in the wrong place"
        )


def _of_the_test(evidence: Evidence) -> Iterator[str]:
    if evidence.detectable is not None:
        yield (
            f"with {queries(evidence.test_queries)} to measure by, a true difference in"
            f" {MEASURE} of {evidence.detectable:.3f} shows four times in five, and a"
            " smaller one less often"
        )


def _of_the_end(base: BaseModel, on: date) -> Iterator[str]:
    if base.retires is None:
        return
    state = "is retired since" if base.is_retired(on) else "is going to be retired on"
    instead = f"; its publisher names {base.replacement!r}" if base.replacement else ""
    yield (
        f"{base.model_id!r} {state} {base.retires}, with what was tuned from"
        f" it{instead}; labels stay good for the next model"
    )
