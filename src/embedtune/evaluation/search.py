"""Exact nearest documents, in blocks: memory is bounded by a block, not by the corpus.

Candidates are found by `float32` matrix products, whose last bits depend on the shape
of a block and on the number of threads. They only choose the candidates, by a margin
above their largest possible error. The score of a candidate is its inner product in
`float64`, rounded once to `float32`. Therefore

- the result is exact, and the same for every size of block;
- equal documents have equal scores, wherever they stand;
- of equal scores, the document with the lower index comes first.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from embedtune.errors import DataError, DimensionMismatchError
from embedtune.evaluation.pool import Pool
from embedtune.types import FloatMatrix

IndexMatrix: TypeAlias = npt.NDArray[np.int64]

BLOCK_BYTES = 128 * 2**20
"""What a search holds beside its inputs and its result, about, in bytes."""

_MOST_ROWS = 1024  # queries a block; more make the product no faster
_FIRST_COLUMNS = 1024  # documents of the first block, which gives the first floor
_PAIRS_AT_ONCE = 256  # their rows in float64 stay near the processor
_EPSILON = 2.0**-23  # float32; twice the unit round-off, for safety


def top_k(
    queries: FloatMatrix,
    documents: FloatMatrix,
    k: int,
    *,
    block_bytes: int = BLOCK_BYTES,
) -> tuple[IndexMatrix, FloatMatrix]:
    """Find the *k* documents with the largest inner product for each query.

    Args:
        queries: One row a query.
        documents: One row a document; may be memory-mapped.
        k: Hits wanted for each query; more than there are documents gives them all.
        block_bytes: Memory for intermediate results; does not change the result.

    Returns:
        Indices into *documents* and scores, both of shape (queries, min(k, documents)),
        best first, ties by lower index.

    Raises:
        DimensionMismatchError: If the rows differ in length.
        DataError: If a value is not finite, or so large that a score overflows.

    Example:
        >>> queries = np.array([[1, 0], [0, 1]], np.float32)
        >>> documents = np.array([[0, 1], [0.6, 0.8], [0, 1]], np.float32)
        >>> indices, scores = top_k(queries, documents, 2)
        >>> indices.tolist()
        [[1, 0], [0, 2]]
    """
    search = RunningTopK(queries, k, block_bytes=block_bytes)
    search.add(documents)
    return search.result()


def pair_scores(
    queries: npt.NDArray[np.floating],
    documents: FloatMatrix,
    rows: IndexMatrix,
    places: IndexMatrix,
) -> npt.NDArray[np.float32]:
    """Return the score of the query at each of *rows* with the document at its place.

    Each is what :func:`top_k` gives for the same pair, bit for bit.

    Args:
        queries: One row a query, as `float32` or exactly those values as `float64`.
        documents: One row a document; may be memory-mapped.
        rows: Indices into *queries*.
        places: As many indices into *documents*.
    """
    scores = np.empty(len(rows), np.float32)
    for start in range(0, len(rows), _PAIRS_AT_ONCE):
        part = slice(start, start + _PAIRS_AT_ONCE)
        scores[part] = np.vecdot(
            queries[rows[part]].astype(np.float64, copy=False),
            documents[places[part]].astype(np.float64),
        )
    return scores


class RunningTopK:
    """The best documents so far, for corpora that pass by and are not kept."""

    def __init__(
        self, queries: FloatMatrix, k: int, *, block_bytes: int = BLOCK_BYTES
    ) -> None:
        """Start with no documents; for the arguments see :func:`top_k`."""
        for name, value in (("k", k), ("block_bytes", block_bytes)):
            if value < 1:
                msg = f"{name!r} must be >= 1 (got {value!r})"
                raise ValueError(msg)
        self._queries = _rows(queries, "queries")
        self._norms = _norms(self._queries, "queries")
        self._k = k
        self._block_bytes = block_bytes
        self._seen = 0
        shape = (len(self._queries), k)
        self._indices = np.full(shape, -1, np.int64)
        self._scores = np.full(shape, -np.inf, np.float32)
        self._buffer = np.empty(0, np.float32)

    @property
    def seen(self) -> int:
        """How many documents have been added."""
        return self._seen

    def add(self, documents: FloatMatrix) -> None:
        """Take in the next documents; their indices go on from those before.

        Raises:
            DimensionMismatchError: If their rows are not as long as a query's.
            DataError: If a value is not finite, or so large that a score overflows;
                then none of them is taken in.
        """
        documents = _rows(documents, "documents")
        if documents.shape[1] != self._queries.shape[1]:
            msg = (
                f"documents have dimension {documents.shape[1]}, "
                f"queries have {self._queries.shape[1]}; embed both by one embedder"
            )
            raise DimensionMismatchError(
                msg, expected=self._queries.shape[1], actual=documents.shape[1]
            )
        norms = _norms(documents, "documents")
        self._check_range(norms)
        if self._queries.size and len(documents):
            rows, columns = self._block_shape(len(documents))
            longest = float(norms.max())
            for first in range(0, len(self._queries), rows):
                self._add_to(slice(first, first + rows), documents, columns, longest)
        self._seen += len(documents)

    def result(self) -> tuple[IndexMatrix, FloatMatrix]:
        """Return indices and scores as :func:`top_k` does."""
        width = min(self._k, self._seen)
        return self._indices[:, :width].copy(), self._scores[:, :width].copy()

    def _check_range(self, norms: npt.NDArray[np.float64]) -> None:
        largest = self._norms.max(initial=0.0) * norms.max(initial=0.0)
        if largest >= np.finfo(np.float32).max:
            msg = "vectors are too long to be scored in float32; give unit rows"
            raise DataError(msg)

    def _block_shape(self, documents: int) -> tuple[int, int]:
        cells = max(1, self._block_bytes // 16)  # score, mark, place, copy
        fit = max(1, self._block_bytes // (32 * Pool.width(self._k)))
        rows = min(len(self._queries), _MOST_ROWS, cells, fit)
        return rows, min(documents, max(1, cells // rows))

    def _add_to(
        self, where: slice, documents: FloatMatrix, columns: int, longest: float
    ) -> None:
        """Merge the best of *documents* into the hits of the queries at *where*."""
        queries = self._queries[where]
        # What a product may be off by, for the longest of the documents.
        slack = (queries.shape[1] + 2) * _EPSILON * self._norms[where] * longest
        floor = np.full(len(queries), -np.inf)
        if self._seen >= self._k:
            floor = self._scores[where, -1] - slack
        pool = Pool(self._k, floor, 2 * slack)
        start, step = 0, max(_FIRST_COLUMNS, 4 * self._k)
        while start < len(documents):
            end = start + min(columns, step)
            block = np.ascontiguousarray(documents[start:end])
            crowd = pool.offer(self._products(queries, block), start)
            if crowd is not None:  # more near ties than there is room for
                self._settle(where, documents, *pool.drain())
                self._settle(where, documents, *crowd)
                pool.raise_floor(self._scores[where, -1] - slack)
            start, step = end, 2 * step
        self._settle(where, documents, *pool.drain())

    def _settle(
        self,
        where: slice,
        documents: FloatMatrix,
        found: npt.NDArray[np.int64],
        columns: npt.NDArray[np.int64],
    ) -> None:
        """Score candidates exactly, and merge them."""
        queries = self._queries[where].astype(np.float64)
        # So many at once that their merge fits into the block's memory.
        step = max(1, self._block_bytes // 128)
        for start in range(0, len(found), step):
            rows, places = found[start : start + step], columns[start : start + step]
            exact = pair_scores(queries, documents, rows, places)
            self._merge(where.start, rows, places, exact)

    def _products(self, queries: FloatMatrix, block: FloatMatrix) -> FloatMatrix:
        shape = (len(queries), len(block))
        size = shape[0] * shape[1]
        if self._buffer.size < size:  # fresh pages cost as much as the product
            self._buffer = np.empty(size, np.float32)
        out: FloatMatrix = self._buffer[:size].reshape(shape)
        return np.matmul(queries, block.T, out=out)

    def _merge(
        self,
        first_query: int,
        found: npt.NDArray[np.int64],
        columns: npt.NDArray[np.int64],
        scores: npt.NDArray[np.float32],
    ) -> None:
        touched, rows = np.unique(found, return_inverse=True)
        queries = touched + first_query
        old = np.repeat(np.arange(len(touched)), self._k)
        all_rows = np.concatenate([old, rows])
        all_indices = np.concatenate(
            [self._indices[queries].ravel(), columns + self._seen]
        )
        all_scores = np.concatenate([self._scores[queries].ravel(), scores])
        order = np.lexsort((all_indices, -all_scores, all_rows))
        sizes = np.bincount(all_rows)
        starts = np.cumsum(sizes) - sizes
        best = order[(starts[:, None] + np.arange(self._k)).ravel()]
        shape = (len(touched), self._k)
        self._indices[queries] = all_indices[best].reshape(shape)
        self._scores[queries] = all_scores[best].reshape(shape)


def _rows(matrix: FloatMatrix, name: str) -> FloatMatrix:
    matrix = np.asarray(matrix)
    if matrix.ndim != 2:  # noqa: PLR2004 -- a matrix has two
        msg = f"{name!r} must be a matrix, a row a text (got shape {matrix.shape!r})"
        raise ValueError(msg)
    return matrix if matrix.dtype == np.float32 else matrix.astype(np.float32)


def _norms(matrix: FloatMatrix, name: str) -> npt.NDArray[np.float64]:
    squares = np.empty(len(matrix), np.float64)
    step = max(1, 2**20 // max(1, matrix.shape[1]))
    for start in range(0, len(matrix), step):
        part = matrix[start : start + step].astype(np.float64)
        squares[start : start + step] = np.vecdot(part, part)
    wrong = np.flatnonzero(~np.isfinite(squares))
    if wrong.size:
        msg = (
            f"{name!r} must be finite numbers; {wrong.size} of {len(matrix)} rows have "
            f"NaN or infinity, the first is row {wrong[0]}"
        )
        raise DataError(msg)
    return np.sqrt(squares)
