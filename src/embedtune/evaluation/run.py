"""What a search found for each query: a run, held as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.evaluation.ranking import Ranking

RunMapping: TypeAlias = Mapping[str, Mapping[str, float]]
"""A run as other packages write it: `{query_id: {doc_id: score}}`."""

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
    _ranking: Ranking | None = attrs.field(init=False, eq=False, default=None)

    if not TYPE_CHECKING:  # checkers would accept any name

        def __getattr__(self, name: str) -> object:
            """Number the documents of :meth:`of_ranking` when they are asked for."""
            if name not in {"doc_ids", "documents"}:
                msg = f"{type(self).__name__!r} object has no attribute {name!r}"
                raise AttributeError(msg)
            doc_ids, documents = object.__getattribute__(self, "_ranking").numbered()
            documents.flags.writeable = False
            object.__setattr__(self, "doc_ids", doc_ids)
            object.__setattr__(self, "documents", documents)
            return doc_ids if name == "doc_ids" else documents

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
        kept = tuple(hits) if query_ids is None else tuple(query_ids)
        return cls.of_ranking(kept, Ranking.of(hits, kept))

    @classmethod
    def of_ranking(cls, query_ids: Sequence[str], ranking: Ranking) -> Self:
        """Return the run of ranked hits, a row for each query.

        Their documents are numbered when they are first asked for: that takes longer
        than to rank and to measure, and who only measures never asks.
        """
        run = cls.__new__(cls)
        kept = tuple(query_ids)
        ranking.scores.flags.writeable = False
        rows = {query_id: row for row, query_id in enumerate(kept)}
        facts = {"query_ids": kept, "scores": ranking.scores, "_rows": rows}
        for name, value in {**facts, "_ranking": ranking}.items():
            object.__setattr__(run, name, value)
        return run

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
        return f"Run({len(self)} queries, {self.depth} hits deep)"

    @property
    def depth(self) -> int:
        """How many hits a query has at most."""
        return int(self.scores.shape[1])

    def subset(self, query_ids: Sequence[str]) -> Self:
        """Return the run of these queries alone, in this order."""
        rows = [self._rows[query_id] for query_id in query_ids]
        return self.of_places(
            query_ids, self.doc_ids, self.documents[rows], self.scores[rows]
        )

    def to_mapping(self) -> dict[str, dict[str, float]]:
        """Return `{query_id: {doc_id: score}}`, best first, as other packages want."""
        return {query_id: dict(hits) for query_id, hits in self.items()}
