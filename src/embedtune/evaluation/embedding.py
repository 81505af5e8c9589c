"""Embedding for a measurement: batch by batch, the embedder's contract checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from embedtune.datasets.values import Document
from embedtune.errors import DataError, DimensionMismatchError
from embedtune.progress import Progress
from embedtune.serving.base import Embedder
from embedtune.types import FloatMatrix

_NORM_TOLERANCE = 0.01  # generous: rows that were rounded to 16 bits pass


def embedded_queries(
    embedder: Embedder, texts: Sequence[str], batch_size: int, progress: Progress
) -> FloatMatrix:
    """Return one row for each of *texts*."""
    parts = []
    for start in range(0, len(texts), batch_size):
        batch = texts[start : start + batch_size]
        parts.append(_checked(embedder, embedder.embed_queries(batch), len(batch)))
        progress.advance(len(batch))
    return np.concatenate(parts)


def embedded_documents(
    embedder: Embedder,
    documents: Sequence[Document],
    batch_size: int,
    progress: Progress,
) -> Iterator[FloatMatrix]:
    """Yield the rows of *documents*, batch by batch."""
    for start in range(0, len(documents), batch_size):
        batch = documents[start : start + batch_size]
        yield _checked(embedder, embedder.embed_documents(batch), len(batch))
        progress.advance(len(batch))


def _checked(embedder: Embedder, rows: FloatMatrix, texts: int) -> FloatMatrix:
    rows = np.asarray(rows)
    who = f"the embedder {embedder.name!r}"
    if rows.ndim != 2 or len(rows) != texts:  # noqa: PLR2004 -- a matrix has two
        msg = f"{who} gave shape {rows.shape!r} for {texts} texts; a row each is needed"
        raise DataError(msg)
    if rows.shape[1] != embedder.dimension:
        msg = (
            f"{who} gave rows of dimension {rows.shape[1]}, "
            f"its 'dimension' is {embedder.dimension}"
        )
        raise DimensionMismatchError(
            msg, expected=embedder.dimension, actual=rows.shape[1]
        )
    norms = np.linalg.norm(rows.astype(np.float32, copy=False), axis=1)
    broken = np.count_nonzero(~np.isfinite(norms))
    if broken:
        msg = f"{who} gave NaN or infinity for {broken} of {texts} texts"
        raise DataError(msg)
    wrong = np.abs(norms - 1) > _NORM_TOLERANCE
    if wrong.any():
        msg = (
            f"{who} gave rows of norm other than 1 for {wrong.sum()} of {texts} texts "
            f"(the first has {norms[wrong][0]:.4g}); divide each row by its norm"
        )
        raise DataError(msg)
    return rows
