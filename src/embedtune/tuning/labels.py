"""Relevance labels as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.tuning.bags import Ints, ragged


@attrs.frozen(kw_only=True, eq=False)
class Labels:
    """Which documents answer which queries.

    Attributes:
        queries: The row of each labelled query, int64.
        starts: One more than there are queries: the labels of `queries[i]` are
            `documents[starts[i]:starts[i + 1]]`.
        documents: The row of each relevant document, int64.
        relevance: How relevant it is, above 0, float32.
    """

    queries: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    documents: npt.NDArray[np.int64]
    relevance: npt.NDArray[np.float32]

    @classmethod
    def of(cls, labels: Iterable[tuple[int, Mapping[int, float]]]) -> Labels:
        """Take labels over from mappings of document rows to relevance."""
        queries: list[int] = []
        lengths: list[int] = [0]
        documents: list[int] = []
        relevance: list[float] = []
        for query, judged in labels:
            queries.append(query)
            lengths.append(len(judged))
            documents.extend(judged.keys())
            relevance.extend(judged.values())
        return cls(
            queries=np.asarray(queries, dtype=np.int64),
            starts=np.cumsum(np.asarray(lengths, dtype=np.int64)),
            documents=np.asarray(documents, dtype=np.int64),
            relevance=np.asarray(relevance, dtype=np.float32),
        )

    def __len__(self) -> int:
        """Count the queries."""
        return len(self.queries)

    @property
    def owners(self) -> npt.NDArray[np.int64]:
        """For every label the position in `queries` that it belongs to."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    def take(self, positions: Ints) -> Labels:
        """Return the labels of the queries at some positions of `queries`."""
        where, starts = ragged(self.starts, positions)
        return Labels(
            queries=self.queries[positions],
            starts=starts,
            documents=self.documents[where],
            relevance=self.relevance[where],
        )


def joined(parts: Sequence[Labels]) -> Labels:
    """Return the labels of several parts, one after the other."""
    lengths = np.concatenate([np.diff(part.starts) for part in parts])
    return Labels(
        queries=np.concatenate([part.queries for part in parts]),
        starts=np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]),
        documents=np.concatenate([part.documents for part in parts]),
        relevance=np.concatenate([part.relevance for part in parts]),
    )
