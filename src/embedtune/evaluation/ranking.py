"""Hits ranked by score, before anybody asks which documents they share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, count, repeat
from numbers import Real
from types import MappingProxyType
from typing import Self

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.errors import DataError

_NO_HITS: Mapping[str, float] = MappingProxyType({})


@attrs.frozen(kw_only=True, eq=False)
class Ranking:
    """The hits of each query, best first.

    Attributes:
        found: The document of each hit, query by query, in the order given.
        places: (queries, depth); places in *found*, best first, -1 for no hit.
        scores: (queries, depth); larger is better, NaN for no hit.
    """

    found: Sequence[str]
    places: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float64]

    @classmethod
    def of(
        cls, hits: Mapping[str, Mapping[str, float]], query_ids: Sequence[str]
    ) -> Self:
        """Rank the hits of these queries; equal scores keep the order given.

        Raises:
            DataError: If a score is no finite number.
        """
        rows = [hits.get(query_id, _NO_HITS) for query_id in query_ids]
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        depth = np.arange(lengths.max(initial=0))
        is_hit = depth < lengths[:, None]
        places = np.where(is_hit, (np.cumsum(lengths) - lengths)[:, None] + depth, -1)
        scores = np.full(is_hit.shape, np.nan)
        scores[is_hit] = _numbers(query_ids, rows)
        if (scores[:, 1:] > scores[:, :-1]).any():
            order = np.argsort(-scores, axis=1, kind="stable")  # NaN comes last
            scores = np.take_along_axis(scores, order, axis=1)
            places = np.take_along_axis(places, order, axis=1)
        return cls(found=list(chain.from_iterable(rows)), places=places, scores=scores)

    @property
    def distinct(self) -> int:
        """How many documents were found by any query."""
        return len(set(self.found))

    def numbers(
        self, table: Mapping[str, int], depth: int | None = None
    ) -> npt.NDArray[np.int64]:
        """Return the number of each hit in *table*, -1 for no hit and for others.

        Args:
            table: A number for each document of interest.
            depth: How many hits of each query; `None` for all.
        """
        places = self.places[:, :depth]
        numbers = np.full(places.shape, -1, np.int64)
        is_hit = places >= 0
        numbers[is_hit] = _array(
            map(table.get, self._documents(places[is_hit]), repeat(-1))
        )
        return numbers

    def numbered(self) -> tuple[tuple[str, ...], npt.NDArray[np.int64]]:
        """Return the documents found, as they first appear, and each hit's among them."""
        is_hit = self.places >= 0
        # One pass tells for each hit where its document was found first.
        firsts: dict[str, int] = {}
        first = _array(
            map(firsts.setdefault, self._documents(self.places[is_hit]), count())
        )
        numbers = np.cumsum(first == np.arange(len(first))) - 1
        documents = np.full(self.places.shape, -1, np.int64)
        documents[is_hit] = numbers[first]
        return tuple(firsts), documents

    def _documents(self, places: npt.NDArray[np.int64]) -> Iterable[str]:
        return map(self.found.__getitem__, places.tolist())


def _array(values: Iterable[int]) -> npt.NDArray[np.int64]:
    return np.fromiter(values, np.int64)


def _numbers(
    query_ids: Sequence[str], rows: Sequence[Mapping[str, float]]
) -> npt.NDArray[np.float64]:
    """Return all scores in one row."""
    values = np.array(list(chain.from_iterable(row.values() for row in rows)))
    if values.dtype.kind in "iuf" and np.isfinite(values).all():
        return values.astype(np.float64, copy=False)
    return np.array(
        [
            _number(query_id, doc_id, score)
            for query_id, row in zip(query_ids, rows, strict=True)
            for doc_id, score in row.items()
        ],
        np.float64,
    )


def _number(query_id: str, doc_id: str, score: object) -> float:
    if isinstance(score, Real) and math.isfinite(score):
        return float(score)
    msg = (
        f"scores must be finite numbers (got {score!r} for query {query_id!r} "
        f"and document {doc_id!r})"
    )
    raise DataError(msg)
