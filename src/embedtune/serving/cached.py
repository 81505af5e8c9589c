"""An embedder that remembers: each text is embedded once, whoever asks again."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TypeVar

import numpy as np

from embedtune.datasets.values import Document
from embedtune.errors import DataError, DimensionMismatchError
from embedtune.serving.base import Embedder, query_fingerprint
from embedtune.serving.inputs import (
    check_embedder,
    checked_documents,
    checked_texts,
)
from embedtune.serving.rowstore import RowStore, is_unit
from embedtune.types import FloatMatrix

_TEXTS_AT_ONCE = 1024
T = TypeVar("T")


class CachedEmbedder:
    """Wraps an embedder and keeps its rows in a file, exact to the last bit.

    The file may hold the rows of many embedders, and threads and processes may use it
    at the same time; each process opens it for itself. What was embedded is on the
    disk block by block, so that a process that is killed loses a block at most.

    A row belongs to the embedder's fingerprint (of the query side for queries), to the
    verb, and to title and text.

    Example:
        >>> from embedtune.serving.cached import CachedEmbedder
        >>> from embedtune.serving.local import LocalEmbedder
        >>> with CachedEmbedder(LocalEmbedder(), "cache.db") as embedder:
        ...     first = embedder.embed_queries(["reset my password"])
        ...     again = embedder.embed_queries(["reset my password"])
        ...     embedder.misses, embedder.hits
        (1, 1)
    """

    def __init__(
        self, embedder: Embedder, path: str | Path, *, timeout: float = 60.0
    ) -> None:
        """Open the cache, or make it.

        Args:
            embedder: What is asked for rows that the file does not have.
            path: The file; its folder must exist.
            timeout: Seconds to wait for another process that writes.

        Raises:
            TypeError: If *embedder* is none; the message names what it lacks.
            ConfigurationError: If the file's folder does not exist.
            DataError: If the file is no cache, or one of another version. It is left as
                it is.
        """
        check_embedder(embedder)
        self._embedder = embedder
        self._store = RowStore(Path(path).absolute(), timeout=timeout)
        self._lock = threading.Lock()
        self._hits = 0
        self._misses = 0

    def __enter__(self) -> Self:
        """Return the embedder itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the file."""
        self.close()

    def __repr__(self) -> str:
        """Name the wrapped embedder."""
        return f"CachedEmbedder({self._embedder!r})"

    @property
    def name(self) -> str:
        """What a person calls the wrapped embedder."""
        return self._embedder.name

    @property
    def dimension(self) -> int:
        """The length of a row."""
        return self._embedder.dimension

    @property
    def fingerprint(self) -> str:
        """The identity of the wrapped embedder's document space."""
        return self._embedder.fingerprint

    @property
    def query_fingerprint(self) -> str:
        """The identity of the wrapped embedder's query side."""
        return query_fingerprint(self._embedder)

    @property
    def hits(self) -> int:
        """How many rows were given without asking the wrapped embedder."""
        return self._hits

    @property
    def misses(self) -> int:
        """How many texts the wrapped embedder was asked for."""
        return self._misses

    def close(self) -> None:
        """Close the file; the wrapped embedder stays as it is. Idempotent."""
        self._store.close()

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """Return one unit row for each of *texts*, in their order.

        Raises:
            TypeError: If *texts* is no sequence of strings.
            DataError: If the wrapped embedder breaks the contract of embedders.
            InvalidRequestError: If the cache is closed.
            UnavailableError: If another process keeps the file locked.
        """
        values = checked_texts(texts)
        identity = self.query_fingerprint
        keys = [_key(identity, "query", "", text) for text in values]
        return self._rows(keys, values, self._embedder.embed_queries)

    def embed_documents(self, documents: Sequence[Document | str]) -> FloatMatrix:
        """Return one unit row for each of *documents*, in their order.

        Raises:
            TypeError: If *documents* is no sequence of documents and strings.
            DataError: If the wrapped embedder breaks the contract of embedders.
            InvalidRequestError: If the cache is closed.
            UnavailableError: If another process keeps the file locked.
        """
        values = checked_documents(documents)
        identity = self.fingerprint
        keys = [
            _key(identity, "document", "", value)
            if isinstance(value, str)
            else _key(identity, "document", value.title, value.text)
            for value in values
        ]
        return self._rows(keys, values, self._embedder.embed_documents)

    def _rows(
        self,
        keys: Sequence[bytes],
        values: Sequence[T],
        embed: Callable[[Sequence[T]], FloatMatrix],
    ) -> FloatMatrix:
        first = {key: i for i, key in reversed(list(enumerate(keys)))}
        unique = sorted(first, key=first.__getitem__)
        rows = np.empty((len(unique), self.dimension), dtype=np.float32)
        known, known_rows = self._store.get(unique, self.dimension)
        rows[known] = known_rows
        is_missing = np.ones(len(unique), dtype=bool)
        is_missing[known] = False
        missing = np.flatnonzero(is_missing).tolist()
        for start in range(0, len(missing), _TEXTS_AT_ONCE):
            block = missing[start : start + _TEXTS_AT_ONCE]
            new = embed([values[first[unique[i]]] for i in block])
            self._check(new, len(block))
            rows[block] = new
            self._store.put([unique[i] for i in block], new)
        with self._lock:
            self._misses += len(missing)
            self._hits += len(keys) - len(missing)
        if len(unique) == len(keys):
            return rows
        number = {key: i for i, key in enumerate(unique)}
        return rows[[number[key] for key in keys]]

    def _check(self, rows: object, count: int) -> None:
        """Refuse rows that would spoil the file for everyone who asks later."""
        who = f"embedder {self.name!r} returned"
        if not isinstance(rows, np.ndarray) or rows.dtype != np.float32:
            kind = getattr(rows, "dtype", type(rows).__name__)
            msg = f"{who} {kind} instead of a float32 matrix"
            raise DataError(msg)
        if rows.ndim != 2 or len(rows) != count:  # noqa: PLR2004 -- a matrix
            msg = f"{who} shape {rows.shape} for {count} texts"
            raise DataError(msg)
        if rows.shape[1] != self.dimension:
            msg = f"{who} rows of length {rows.shape[1]} instead of {self.dimension}"
            raise DimensionMismatchError(
                msg, expected=self.dimension, actual=rows.shape[1]
            )
        bad = int((~is_unit(rows)).sum())
        if bad:
            msg = f"{who} {bad} of {count} rows that are not finite or not of norm 1"
            raise DataError(msg)


def _key(
    identity: str, kind: Literal["query", "document"], title: str, text: str
) -> bytes:
    # Every part is framed by its length: no two keys are made of the same bytes.
    digest = hashlib.blake2b(digest_size=32)
    for part in (identity, kind, title, text):
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.digest()
