"""A connection that many indexes and threads may share, and its end after a failure."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from embedtune.errors import BackendError, InvalidRequestError
from embedtune.retry import RetryPolicy
from embedtune.vectorstore import lite
from embedtune.vectorstore.address import Address
from embedtune.vectorstore.gate import Gate
from embedtune.vectorstore.milvus import Client


class Store:
    """Where the collections are, with the rules for reading and writing there.

    On Milvus Lite a write holds off everything else: while it flushes, rows that were
    written before are invisible to a search. After a failed write nothing more is
    written through this store.
    """

    def __init__(
        self, address: Address, *, token: str, timeout: float, retry: RetryPolicy
    ) -> None:
        self.label = address.label
        self._is_closed = False
        self._failure = ""
        self._closing = threading.Lock()
        self._engine = lite.acquire(address.path) if address.path else None
        try:
            uri = self._engine.uri if self._engine else address.uri
            self._client = Client(
                uri, token=token, timeout=timeout, retry=retry, label=address.label
            )
        except BaseException:
            if self._engine:
                lite.release(self._engine)
            raise
        self._gate = self._engine.gate if self._engine else Gate()
        self._sync_lock = self._engine.sync_lock if self._engine else threading.Lock()

    @property
    def is_lite(self) -> bool:
        """Whether Milvus Lite answers."""
        return self._client.is_lite

    @property
    def was_killed(self) -> bool:
        """Whether a killed process may have left rows that stand twice."""
        return self._engine is not None and self._engine.was_killed

    def close(self) -> None:
        """Close the connection, and the folder if nobody else uses it."""
        with self._closing:
            if self._is_closed:
                return
            with self._gate.writing():  # calls that are under way end first
                self._is_closed = True
                self._client.close()
            if self._engine:
                lite.release(self._engine)

    @contextmanager
    def syncing(self) -> Iterator[None]:
        """Hold off other syncs during the block."""
        with self._sync_lock:
            yield

    @contextmanager
    def reading(self, operation: str) -> Iterator[Client]:
        """Give the client for reading."""
        with self._gate.reading():
            self._check(operation)
            yield self._client

    @contextmanager
    def writing(self, operation: str) -> Iterator[Client]:
        """Give the client for one write; if it fails on Milvus Lite, it was the last."""
        if not self.is_lite:
            with self.reading(operation) as client:  # a server orders writes itself
                yield client
            return
        with self._gate.writing():
            self._check(operation)
            try:
                yield self._client
            except BackendError as e:
                self._fail(str(e))
                msg = (
                    f"a write to {self.label!r} failed, and nothing more was written:"
                    f" {e}; {self._way_out}, then open the index and sync again"
                )
                raise BackendError(msg, operation=operation) from e
            except BaseException as e:
                self._fail(f"interrupted by {type(e).__name__}")
                raise

    def _check(self, operation: str) -> None:
        failure = self._failure or (self._engine.failure if self._engine else "")
        if self._is_closed:
            msg = "the index is closed; open it again"
            raise InvalidRequestError(msg, operation=operation)
        if failure:
            msg = (
                f"{self.label!r} was closed after a failed write ({failure});"
                f" {self._way_out}, then open the index again"
            )
            raise BackendError(msg, operation=operation)

    def _fail(self, reason: str) -> None:
        self._failure = reason
        if self._engine:
            lite.fail(self._engine, reason)

    @property
    def _way_out(self) -> str:
        if self._engine:
            return "remove the cause (is the disk full?)"
        return "remove the cause (is the disk full?) and restart that server"
