"""An index: a Milvus collection that stays in step with documents and an embedder."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self, overload

import attrs
import numpy as np

from embedtune.datasets.values import Document
from embedtune.progress import ProgressOption
from embedtune.retry import RetryPolicy
from embedtune.serving.base import Embedder
from embedtune.serving.inputs import check_embedder
from embedtune.types import FloatMatrix
from embedtune.vectorstore.address import parse_address
from embedtune.vectorstore.checks import (
    check_dimension,
    check_documents,
    check_limit,
    check_name,
    check_rows,
    checked_texts,
)
from embedtune.vectorstore.filters import ID_FIELD, among
from embedtune.vectorstore.rows import PAYLOAD_FIELDS, to_document, to_hit
from embedtune.vectorstore.store import Store
from embedtune.vectorstore.sync import (
    OPERATION as SYNC,
)
from embedtune.vectorstore.sync import (
    carry_out,
    check_deletions,
    make_plan,
    repair,
)
from embedtune.vectorstore.values import Hit, SyncReport
from embedtune.vectorstore.versions import (
    Version,
    check_space,
    create_version,
    existing_version,
    find_version,
)

_HITS_AT_ONCE = 8_192
_QUERIES_AT_ONCE = 256


class MilvusIndex:
    """Documents in Milvus, found by their meaning.

    It may be used from several threads at once. Use it as a context manager, or call
    :meth:`close`: a folder of Milvus Lite belongs to one process at a time.

    Attributes:
        name: The name of the index.
        embedder: What embeds documents and queries.

    Example:
        >>> from embedtune.datasets.values import Document
        >>> from embedtune.serving.local import LocalEmbedder
        >>> faq = [
        ...     Document(doc_id="pin", text="How to change the PIN of a card"),
        ...     Document(doc_id="fee", text="What a transfer abroad costs"),
        ... ]
        >>> with MilvusIndex("support.db", "faq", LocalEmbedder()) as index:
        ...     report = index.sync(faq)
        ...     hits = index.search("new pin", limit=1)
        >>> report.added, hits[0].doc_id
        (2, 'pin')
    """

    def __init__(
        self,
        address: str | os.PathLike[str],
        name: str,
        embedder: Embedder,
        *,
        token: str | None = None,
        timeout: float = 30.0,
        retry: RetryPolicy | None = None,
    ) -> None:
        """Open an index; the first :meth:`sync` creates it.

        Opening a path makes its folder at once, still without an index: Milvus Lite
        works in that folder from then on. The folder above must exist.

        Args:
            address: A path opens Milvus Lite in this process and keeps its data in a
                folder of that name; `"http://..."` or `"https://..."` is a server.
            name: Letters, digits and `_`.
            embedder: Must have the space that the index was filled with.
            token: What a server asks for: an API key, or `"user:password"`.
            timeout: Seconds that one read may take. Writes may take longer.
            retry: How calls are repeated that are safe to repeat; `None` is the usual
                policy.

        Raises:
            TypeError: If *embedder* is no :class:`~embedtune.Embedder`; the message
                names what it lacks.
            ConfigurationError: If the address or the name is wrong, if the folder above
                the path does not exist, if a collection of that name is no index, or the index was filled in another space.
            DimensionMismatchError: If the index holds vectors of another length.
            UnavailableError: If another process has the folder, or the server does not
                answer.
        """
        check_name(name)
        check_embedder(embedder)
        check_dimension(embedder.dimension)
        if not timeout > 0:
            msg = f"'timeout' must be > 0 (got {timeout!r})"
            raise ValueError(msg)
        self.name = name
        self.embedder = embedder
        self._label = parse_address(address).label
        self._store = Store(
            parse_address(address),
            token=token or "",
            timeout=timeout,
            retry=retry or RetryPolicy(),
        )
        try:
            self._open()
        except BaseException:
            self._store.close()
            raise

    def sync(
        self,
        documents: Iterable[Document] | Mapping[str, Document],
        *,
        max_deleted_share: float = 0.5,
        progress: ProgressOption = True,
    ) -> SyncReport:
        """Make the index hold *documents*: no others, and each as it is now.

        Only what is new or changed is embedded and written. It may be stopped at any
        instant and called again. While it runs, searches see the documents that it has
        dealt with.

        Args:
            documents: All that the index shall hold, each id once; a mapping gives
                them by id.
            max_deleted_share: The largest share of the index that may be deleted, a
                guard against a list that was cut short; 1.0 allows everything.
            progress: `True` for a bar on a terminal, `False`, or a callable.

        Raises:
            DatasetIntegrityError: If documents cannot be held; all of them are named,
                and nothing was written.
            DataError: If too much would be deleted, or the embedder breaks its
                contract.
            BackendError: If a write fails. On Milvus Lite the index is closed then.
        """
        if not 0 <= max_deleted_share <= 1:
            msg = f"'max_deleted_share' must be from 0 to 1 (got {max_deleted_share!r})"
            raise ValueError(msg)
        started = time.monotonic()
        checked = check_documents(documents)
        with self._store.syncing():
            version = self._version_to_fill()
            plan = make_plan(self._store, version, checked)
            check_deletions(plan, max_deleted_share)
            report = carry_out(plan, self._store, version, self.embedder, progress)
        return attrs.evolve(report, seconds=time.monotonic() - started)

    @overload
    def search(self, text: str, *, limit: int = 10) -> list[Hit]: ...

    @overload
    def search(
        self, text: list[str] | tuple[str, ...], *, limit: int = 10
    ) -> list[list[Hit]]: ...

    def search(
        self, text: str | list[str] | tuple[str, ...], *, limit: int = 10
    ) -> list[Hit] | list[list[Hit]]:
        """Return the documents that fit *text* best, best first.

        Args:
            text: What is searched for. Several texts give a list of hits for each, in
                their order; that is faster than one call for each.
            limit: The most hits for a text, from 1 to 16,384.

        Raises:
            TypeError: If *text* is neither a string nor several.
            NotFoundError: If the index was never filled.
            ConfigurationError: If it was filled anew in another space.
        """
        check_limit(limit)
        hits = self._search(checked_texts(text), limit)
        return hits[0] if isinstance(text, str) else hits

    def get(self, doc_ids: Iterable[str]) -> dict[str, Document]:
        """Return the documents of these ids; an id that is not there is left out.

        Raises:
            NotFoundError: If the index was never filled.
        """
        operation = "index.get"
        wanted = _ids(doc_ids)
        found: dict[str, Document] = {}
        with self._store.reading(operation) as client:
            version = existing_version(client, self.name, self.embedder, operation)
            for condition in among(wanted):
                fields = [ID_FIELD, *PAYLOAD_FIELDS]
                rows = client.query(version.collection, condition, fields, operation)
                found |= {row[ID_FIELD]: to_document(row) for row in rows}
        return {doc_id: found[doc_id] for doc_id in wanted if doc_id in found}

    def count(self) -> int:
        """Return how many documents the index holds.

        Raises:
            NotFoundError: If the index was never filled.
        """
        operation = "index.count"
        with self._store.reading(operation) as client:
            version = existing_version(client, self.name, self.embedder, operation)
            return client.count(version.collection, operation)

    def close(self) -> None:
        """Close the index; may be called again.

        The last index of this process on a folder gives the folder free.
        """
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"MilvusIndex({self._label!r}, {self.name!r}, {self.embedder.name!r})"

    def _open(self) -> None:
        operation = "index.open"
        with self._store.reading(operation) as client:
            version = find_version(client, self.name, operation)
            if version is None:
                return
            check_space(version, self.embedder)
        with self._store.writing(operation) as client:
            client.load(version.collection, operation)  # Milvus Lite forgets it
        if self._store.was_killed:
            with self._store.syncing():
                repair(self._store, version)

    def _version_to_fill(self) -> Version:
        with self._store.reading(SYNC) as client:
            version = find_version(client, self.name, SYNC)
        if version is not None:
            check_space(version, self.embedder)
            return version
        with self._store.writing(SYNC) as client:
            return create_version(client, self.name, self.embedder, SYNC)

    def _search(self, texts: Sequence[str], limit: int) -> list[list[Hit]]:
        operation = "index.search"
        vectors = self._embed(texts)
        step = max(1, min(_QUERIES_AT_ONCE, _HITS_AT_ONCE // limit))
        hits: list[list[Hit]] = []
        with self._store.reading(operation) as client:
            version = existing_version(client, self.name, self.embedder, operation)
            for first in range(0, len(texts), step):
                some = vectors[first : first + step]
                found = client.search(version.collection, some, limit, operation)
                hits += [[to_hit(row, score) for row, score in one] for one in found]
        return hits

    def _embed(self, texts: Sequence[str]) -> FloatMatrix:
        dimension = self.embedder.dimension
        if not texts:
            return np.zeros((0, dimension), dtype=np.float32)
        rows = self.embedder.embed_queries(texts)
        check_rows(rows, len(texts), dimension, self.embedder.name)
        return np.asarray(rows, dtype=np.float32)


def _ids(doc_ids: Iterable[str]) -> list[str]:
    if isinstance(doc_ids, str):
        msg = f"'doc_ids' must be several ids (got the string {doc_ids!r})"
        raise TypeError(msg)
    listed = list(dict.fromkeys(doc_ids))
    for doc_id in listed:
        if not isinstance(doc_id, str):
            msg = f"'doc_ids' must be strings (got {doc_id!r})"
            raise TypeError(msg)
    # Half a surrogate pair cannot be sent, and no document has such an id.
    return [doc_id for doc_id in listed if _is_text(doc_id)]


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
