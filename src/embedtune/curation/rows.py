"""The rows of a corpus, in memory while they are few and on the disk otherwise."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from embedtune.datasets.values import Document
from embedtune.evaluation.embedding import embedded_documents
from embedtune.progress import Progress
from embedtune.serving.base import Embedder
from embedtune.types import FloatMatrix

BATCH = 4096
"""How many texts an embedder gets at once."""


@contextmanager
def corpus_rows(
    embedder: Embedder,
    documents: Sequence[Document],
    block_bytes: int,
    progress: Progress,
) -> Iterator[FloatMatrix]:
    """Give the rows of *documents*, each embedded once; they live as long as the block.

    Args:
        embedder: What embeds them.
        documents: In the order of the rows.
        block_bytes: Beyond this size they stand in a temporary file without a name.
        progress: Told of every document.
    """
    shape = (len(documents), embedder.dimension)
    if 4 * shape[0] * shape[1] <= block_bytes:
        rows: FloatMatrix = np.empty(shape, np.float32)
        _fill(rows, embedder, documents, progress)
        yield rows
        return
    with tempfile.TemporaryFile(prefix="embedtune-rows-") as file:
        mapped = np.memmap(file, np.float32, mode="w+", shape=shape)
        _fill(mapped, embedder, documents, progress)
        yield mapped


def _fill(
    rows: FloatMatrix,
    embedder: Embedder,
    documents: Sequence[Document],
    progress: Progress,
) -> None:
    start = 0
    for batch in embedded_documents(embedder, documents, BATCH, progress):
        rows[start : start + len(batch)] = batch
        start += len(batch)
