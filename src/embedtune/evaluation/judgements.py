"""Relevance labels as arrays, to look up whole rankings at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self, TypeAlias

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.types import Qrels

Integers: TypeAlias = npt.NDArray[np.int64]


@attrs.frozen(kw_only=True, eq=False)
class Judgements:
    """Labels by the numbers of queries and documents, sorted by both.

    Attributes:
        queries: How many queries there are.
        documents: How many documents there are.
        keys: `query * documents + document` of each label, rising.
        relevances: The relevance of each label.
    """

    queries: int
    documents: int
    keys: Integers
    relevances: Integers

    @classmethod
    def of(cls, labels: Qrels, documents: Mapping[str, int]) -> Self:
        """Return the labels of each query, in the order of *labels*.

        Args:
            labels: All of their documents must be in *documents*.
            documents: The number of each document, from 0.
        """
        width = max(1, len(documents))
        keys = [
            number * width + documents[doc_id]
            for number, row in enumerate(labels.values())
            for doc_id in row
        ]
        relevances = [value for row in labels.values() for value in row.values()]
        order = np.argsort(np.array(keys, np.int64))
        return cls(
            queries=len(labels),
            documents=width,
            keys=np.array(keys, np.int64)[order],
            relevances=np.array(relevances, np.int64)[order],
        )

    def ranked(self, documents: Integers) -> Integers:
        """Return the relevance of each hit, 0 for unjudged ones.

        Args:
            documents: (queries, depth); the documents found, -1 for no hit.
        """
        if not self.keys.size:
            return np.zeros(documents.shape, np.int64)
        rows = np.arange(self.queries)[:, None] * self.documents
        wanted = rows + documents
        places = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        is_judged = (self.keys[places] == wanted) & (documents >= 0)
        return np.where(is_judged, self.relevances[places], 0)

    def ideal(self, depth: int | None = None) -> Integers:
        """Return each query's relevances, largest first, filled up with 0.

        Args:
            depth: How many columns at most; `None` for as many as are positive.
        """
        rows = self.keys // self.documents
        is_positive = self.relevances > 0
        rows, values = rows[is_positive], self.relevances[is_positive]
        order = np.lexsort((-values, rows))
        rows, values = rows[order], values[order]
        counts = self.positives()
        columns = np.arange(len(rows)) - (np.cumsum(counts) - counts)[rows]
        width = int(counts.max(initial=0))
        width = width if depth is None else min(width, depth)
        result = np.zeros((self.queries, width), np.int64)
        is_kept = columns < width
        result[rows[is_kept], columns[is_kept]] = values[is_kept]
        return result

    def positives(self) -> Integers:
        """Return how many positives each query has."""
        rows = self.keys[self.relevances > 0] // self.documents
        return np.bincount(rows, minlength=self.queries).astype(np.int64)
