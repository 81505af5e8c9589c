"""What a search found for each query: a run, held as arrays."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, count
from numbers import Real
from types import MappingProxyType
from typing import Any, Self, TypeAlias

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.errors import DataError

RunMapping: TypeAlias = Mapping[str, Mapping[str, float]]
"""A run as other packages write it: `{query_id: {doc_id: score}}`."""

_NO_HITS: Mapping[str, float] = MappingProxyType({})
_SAME = attrs.cmp_using(eq=np.array_equal)


@attrs.frozen(kw_only=True, repr=False)
class Run(Mapping[str, tuple[tuple[str, float], ...]]):
    """The ranked hits of each query; a mapping from its id to `(doc_id, score)` pairs.

    Attributes:
        query_ids: The queries, a row each.
        doc_ids: The documents that were found by any query, as they first appear.
        documents: (queries, depth); places in *doc_ids*, best first, -1 for no hit.
        scores: (queries, depth); larger is better, NaN for no hit.
    """

    query_ids: tuple[str, ...]
    doc_ids: tuple[str, ...]
    documents: npt.NDArray[np.int64] = attrs.field(eq=_SAME)
    scores: npt.NDArray[np.float64] = attrs.field(
        eq=attrs.cmp_using(eq=lambda a, b: np.array_equal(a, b, equal_nan=True))
    )
    _rows: dict[str, int] = attrs.field(init=False, eq=False)

    def __attrs_post_init__(self) -> None:
        shape = self.documents.shape
        if len(shape) != 2 or len(self.query_ids) != shape[0]:  # noqa: PLR2004 -- matrix
            msg = f"'documents' must have a row for each query (got shape {shape!r})"
            raise ValueError(msg)
        if self.scores.shape != shape:
            msg = f"'scores' must have the shape {shape!r} (got {self.scores.shape!r})"
            raise ValueError(msg)
        lowest, highest = self.documents.min(initial=0), self.documents.max(initial=-1)
        if lowest < -1 or highest >= len(self.doc_ids):
            msg = "'documents' must be places in 'doc_ids', or -1"
            raise ValueError(msg)
        rows = {query_id: row for row, query_id in enumerate(self.query_ids)}
        object.__setattr__(self, "_rows", rows)
        self.documents.flags.writeable = False
        self.scores.flags.writeable = False

    @classmethod
    def of(cls, hits: RunMapping, query_ids: Sequence[str] | None = None) -> Self:
        """Rank *hits* by score; equal scores keep the order they are given in.

        Args:
            hits: Scores by query and document; any order.
            query_ids: The queries to keep; one that *hits* lacks has no hit. `None`
                for all of *hits*.

        Raises:
            DataError: If a score is no finite number.

        Example:
            >>> Run.of({"q1": {"d1": 0.2, "d2": 0.9}})["q1"]
            (('d2', 0.9), ('d1', 0.2))
        """
        return cls.numbered(hits, query_ids)[0]

    @classmethod
    def numbered(
        cls,
        hits: RunMapping,
        query_ids: Sequence[str] | None = None,
        *,
        wanted: Iterable[str] = (),
    ) -> tuple[Self, dict[str, int]]:
        """Return what :meth:`of` does, and the places of some documents in *doc_ids*.

        Args:
            hits: As for :meth:`of`.
            query_ids: As for :meth:`of`.
            wanted: The documents; those that were not found have no place.
        """
        kept = tuple(hits) if query_ids is None else tuple(query_ids)
        rows = [hits.get(query_id, _NO_HITS) for query_id in kept]
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        is_hit = np.arange(lengths.max(initial=0)) < lengths[:, None]
        scores = np.full(is_hit.shape, np.nan)
        scores[is_hit] = _numbers(kept, rows)
        found = list(chain.from_iterable(rows))
        if (scores[:, 1:] > scores[:, :-1]).any():
            order = np.argsort(-scores, axis=1, kind="stable")  # NaN comes last
            scores = np.take_along_axis(scores, order, axis=1)
            order += (np.cumsum(lengths) - lengths)[:, None]
            found = list(map(found.__getitem__, order[is_hit].tolist()))
        # One pass tells for each hit where its document was found first.
        firsts: dict[str, int] = {}
        first = np.fromiter(
            map(firsts.setdefault, found, count()), np.int64, len(found)
        )
        numbers = np.cumsum(first == np.arange(len(first))) - 1
        documents = np.full(is_hit.shape, -1, np.int64)
        documents[is_hit] = numbers[first]
        places = {
            doc_id: int(numbers[firsts[doc_id]])
            for doc_id in wanted
            if doc_id in firsts
        }
        run = cls(
            query_ids=kept, doc_ids=tuple(firsts), documents=documents, scores=scores
        )
        return run, places

    @classmethod
    def of_places(
        cls,
        query_ids: Sequence[str],
        doc_ids: Sequence[str],
        documents: npt.NDArray[np.int64],
        scores: npt.NDArray[np.floating[Any]],
    ) -> Self:
        """Return the run of ranked places in *doc_ids*, which may be a whole corpus.

        Only the documents that were found are kept.
        """
        distinct, first, numbers = np.unique(
            documents, return_index=True, return_inverse=True
        )
        order = np.argsort(np.where(distinct < 0, -1, first))
        order = order[np.count_nonzero(distinct < 0) :]
        kept: list[int] = distinct[order].tolist()
        places = np.full(len(distinct), -1, np.int64)
        places[order] = np.arange(len(order))
        return cls(
            query_ids=tuple(query_ids),
            doc_ids=tuple(doc_ids[number] for number in kept),
            documents=places[numbers.reshape(documents.shape)],
            scores=scores.astype(np.float64),
        )

    def __getitem__(self, query_id: str) -> tuple[tuple[str, float], ...]:
        """Return the hits of one query, best first."""
        row = self._rows[query_id]
        pairs = zip(
            self.documents[row].tolist(), self.scores[row].tolist(), strict=True
        )
        return tuple(
            (self.doc_ids[place], score) for place, score in pairs if place >= 0
        )

    def __iter__(self) -> Iterator[str]:
        """Iterate over the query ids."""
        return iter(self.query_ids)

    def __len__(self) -> int:
        """Return the number of queries."""
        return len(self.query_ids)

    def __hash__(self) -> int:
        """Hash by the queries; equal runs have equal ones."""
        return hash(self.query_ids)

    def __repr__(self) -> str:
        """Return the sizes; the content would fill the screen."""
        return f"Run({len(self)} queries, {self.documents.shape[1]} hits deep)"

    @property
    def depth(self) -> int:
        """How many hits a query has at most."""
        return int(self.documents.shape[1])

    def subset(self, query_ids: Sequence[str]) -> Self:
        """Return the run of these queries alone, in this order."""
        rows = [self._rows[query_id] for query_id in query_ids]
        return self.of_places(
            query_ids, self.doc_ids, self.documents[rows], self.scores[rows]
        )

    def to_mapping(self) -> dict[str, dict[str, float]]:
        """Return `{query_id: {doc_id: score}}`, best first, as other packages want."""
        return {query_id: dict(hits) for query_id, hits in self.items()}


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
