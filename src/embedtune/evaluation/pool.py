"""Candidates for the best documents, by scores that may be a little off."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from embedtune.types import FloatMatrix

Found: TypeAlias = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
"""Candidates: their queries and their documents, pairwise, by ascending query."""

_SPARE = 64


class Pool:
    """For each query of a block, all documents that can still be among its best *k*.

    A document leaves only when *k* others beat it by more than the scores are off, so
    that no error of a score can have decided about it.
    """

    def __init__(
        self, k: int, floor: npt.NDArray[np.float64], doubt: npt.NDArray[np.float64]
    ) -> None:
        """Start empty.

        Args:
            k: How many documents are wanted for each query.
            floor: For each query a score that its documents must reach.
            doubt: For each query, how far apart two scores must be for their order to
                be certain.
        """
        self._k = k
        self._doubt = doubt
        self._floor = _below(floor)
        shape = (len(floor), self.width(k))
        self._scores = np.full(shape, -np.inf, np.float32)
        self._places = np.full(shape, -1, np.int32)
        self._filled = np.zeros(len(floor), np.int64)

    @staticmethod
    def width(k: int) -> int:
        """Return how many candidates a query may have."""
        return 3 * k + _SPARE

    def offer(self, scores: FloatMatrix, first: int) -> Found | None:
        """Take in a block of documents.

        Args:
            scores: One row a query, one column a document.
            first: The place of the first document.

        Returns:
            Nothing; or, if there is no room, the candidates of this block, none of
            which was taken in.
        """
        flat = np.flatnonzero(scores >= self._floor[:, None])
        rows, columns = np.divmod(flat, scores.shape[1])
        counts = np.bincount(rows, minlength=len(scores))
        free = self._scores.shape[1] - self._filled
        crowded = np.flatnonzero(counts > free)
        if crowded.size and scores.shape[1] >= self._k:
            self._raise(crowded, scores[crowded])
            kept = scores[rows, columns] >= self._floor[rows]
            rows, columns = rows[kept], columns[kept]
            counts = np.bincount(rows, minlength=len(scores))
        if (counts > free).any():
            return rows, columns + first
        starts = np.cumsum(counts) - counts
        slots = np.arange(len(rows)) - starts[rows] + self._filled[rows]
        self._scores[rows, slots] = scores[rows, columns]
        self._places[rows, slots] = columns + first
        self._filled += counts
        self._tidy()
        return None

    def raise_floor(self, floor: npt.NDArray[np.float64]) -> None:
        """Let documents below *floor* pass by from now on."""
        self._floor = np.maximum(self._floor, _below(floor))

    def drain(self) -> Found:
        """Return the candidates, and be empty."""
        rows, slots = np.nonzero(self._scores >= self._least())
        found = rows, self._places[rows, slots].astype(np.int64)
        self._scores.fill(-np.inf)
        self._filled.fill(0)
        return found

    def _least(self) -> FloatMatrix:
        lowest = np.float32(np.finfo(np.float32).min)  # what is not filled is below
        return np.maximum(self._floor, lowest)[:, None]

    def _raise(self, rows: npt.NDArray[np.int64], scores: FloatMatrix) -> None:
        place = scores.shape[1] - self._k
        best = np.partition(scores, place, axis=1)[:, place]
        certain = _below(best - self._doubt[rows])
        self._floor[rows] = np.maximum(self._floor[rows], certain)

    def _tidy(self) -> None:
        """Raise the floor to what is certain now, and let go what is below it."""
        every = np.arange(len(self._scores))
        used = int(self._filled.max())
        if used <= self._k:
            return
        self._raise(every, self._scores[:, :used])
        rows, slots = np.nonzero(self._scores[:, :used] >= self._least())
        counts = np.bincount(rows, minlength=len(every))
        starts = np.cumsum(counts) - counts
        free = np.arange(len(rows)) - starts[rows]
        scores, places = self._scores[rows, slots], self._places[rows, slots]
        self._scores[:, :used] = -np.inf
        self._scores[rows, free] = scores
        self._places[rows, free] = places
        self._filled = counts


def _below(scores: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    with np.errstate(over="ignore"):
        rounded = np.asarray(scores, np.float64).astype(np.float32)
    return np.nextafter(rounded, np.float32(-np.inf))
