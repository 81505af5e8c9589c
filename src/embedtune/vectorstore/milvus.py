"""The only door to pymilvus: calls, their time limits, retries and errors.

Importing pymilvus reads a `.env` file of a parent folder into the environment, and
gives its own logger a handler; importing embedtune imports neither. While one of our
calls runs, pymilvus' log of failed calls is silent in that thread: the error that is
raised says the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, TypeVar

import grpc
import pymilvus  # noqa: TID251 -- this is its door

from embedtune.errors import (
    AlreadyExistsError,
    AuthenticationError,
    BackendError,
    BackendTimeoutError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    UnavailableError,
    UnsupportedOperationError,
)
from embedtune.retry import NO_RETRY, RetryPolicy
from embedtune.types import FloatMatrix
from embedtune.vectorstore.filters import ID_FIELD, after
from embedtune.vectorstore.rows import (
    HASH_FIELD,
    HASH_LENGTH,
    LONGEST_ID,
    LONGEST_TEXT,
    PAYLOAD_FIELDS,
    VECTOR_FIELD,
    Row,
)

T = TypeVar("T")

# Rows have norm 1, so the inner product is the cosine; and it spares Milvus Lite from
# normalising every row in every search.
_METRIC = "IP"

_CONNECT_TIMEOUT = 10.0
# A flush of Milvus Lite can hold a write for many seconds; giving up early would turn
# a success into an unknown outcome.
_WRITE_TIMEOUT = 120.0
_BUILD_TIMEOUT = 1_800.0
PAGE = 8_192
"""Rows that are read at once."""

_LONGEST_REASON = 300

_NOT_CONNECTED = 2  # pymilvus could not connect, or not again, whatever the cause
_NOT_FOUND = 100
_CODES: Mapping[int, type[BackendError]] = {
    _NOT_CONNECTED: UnavailableError,
    4: NotFoundError,
    8: RateLimitedError,
    9: UnavailableError,  # the server denies writing for now
    _NOT_FOUND: NotFoundError,
    101: UnavailableError,  # not loaded: another process releases and loads
    700: NotFoundError,
    1100: InvalidRequestError,
    1400: AuthenticationError,
    1401: PermissionDeniedError,
    1600: NotFoundError,
    1601: AlreadyExistsError,
    1602: AlreadyExistsError,
}
_STATUSES: Mapping[grpc.StatusCode, type[BackendError]] = {
    grpc.StatusCode.ABORTED: UnavailableError,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExistsError,
    grpc.StatusCode.CANCELLED: UnavailableError,
    grpc.StatusCode.DEADLINE_EXCEEDED: BackendTimeoutError,
    grpc.StatusCode.INTERNAL: UnavailableError,
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequestError,
    grpc.StatusCode.NOT_FOUND: NotFoundError,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDeniedError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: InvalidRequestError,  # a message too large
    grpc.StatusCode.UNAUTHENTICATED: AuthenticationError,
    grpc.StatusCode.UNAVAILABLE: UnavailableError,
    grpc.StatusCode.UNIMPLEMENTED: UnsupportedOperationError,
}

# Codes 1 and 65535 stand for anything.
_EXISTS_WORDS = ("already exists", "File exists", "duplicate collection")

_is_calling: ContextVar[bool] = ContextVar("_is_calling", default=False)


class Client:
    """Calls to one Milvus, on its collections by their real names.

    Attributes:
        is_lite: Whether Milvus Lite answers, in this process or in another.
    """

    def __init__(
        self,
        uri: str,
        *,
        token: str,
        timeout: float,
        retry: RetryPolicy,
        label: str,
    ) -> None:
        self._timeout = timeout
        self._write_timeout = max(timeout, _WRITE_TIMEOUT)
        self._build_timeout = max(timeout, _BUILD_TIMEOUT)
        self._retry = retry
        _quieten()
        self._milvus = _connect(uri, token, timeout, label)
        version = self._read("index.open", self._milvus.get_server_version)
        self.is_lite = str(version).startswith("milvus_lite")

    def close(self) -> None:
        """Close the connection; may be called again."""
        self._milvus.close()

    # -- collections and aliases ------------------------------------------------------

    def describe(self, name: str, operation: str) -> tuple[str, dict[str, str]] | None:
        """Return the real name and the properties behind a name or an alias."""
        try:
            facts = self._read(
                operation, self._milvus.describe_collection, collection_name=name
            )
        except NotFoundError:
            return None
        return str(facts["collection_name"]), dict(facts["properties"])

    def collections(self, operation: str) -> list[str]:
        """Return the real names of all collections."""
        return list(self._read(operation, self._milvus.list_collections))

    def create(
        self,
        collection: str,
        *,
        dimension: int,
        properties: Mapping[str, str],
        operation: str,
    ) -> None:
        """Create a collection without an index."""
        schema = pymilvus.MilvusClient.create_schema(
            auto_id=False, enable_dynamic_field=False
        )
        types = pymilvus.DataType
        schema.add_field(
            ID_FIELD, types.VARCHAR, is_primary=True, max_length=LONGEST_ID
        )
        schema.add_field(VECTOR_FIELD, types.FLOAT_VECTOR, dim=dimension)
        schema.add_field("text", types.VARCHAR, max_length=LONGEST_TEXT)
        schema.add_field("title", types.VARCHAR, max_length=LONGEST_TEXT)
        schema.add_field("metadata", types.JSON)
        schema.add_field(HASH_FIELD, types.VARCHAR, max_length=HASH_LENGTH)
        self._write(
            operation,
            self._milvus.create_collection,
            collection_name=collection,
            schema=schema,
            properties=dict(properties),
            consistency_level="Strong",  # `page` cannot ask for it
            is_repeatable=False,
        )

    def create_index(self, collection: str, operation: str) -> None:
        """Declare how vectors are searched, unless that was done.

        Milvus Lite compares with every vector without being told to. An index would
        gain nothing there, and lose something: Lite writes it to a file of its own that
        is not replaced atomically, and a collection with half of one never loads again.
        """
        if self.is_lite or self._read(
            operation, self._milvus.list_indexes, collection_name=collection
        ):
            return
        params = pymilvus.MilvusClient.prepare_index_params()
        params.add_index(VECTOR_FIELD, index_type="FLAT", metric_type=_METRIC)
        self._write(
            operation,
            self._milvus.create_index,
            collection_name=collection,
            index_params=params,
            sync=False,  # nothing to wait for: the collection is empty
        )

    def create_alias(self, collection: str, alias: str, operation: str) -> None:
        """Give a collection its second name."""
        self._write(
            operation,
            self._milvus.create_alias,
            collection_name=collection,
            alias=alias,
            is_repeatable=False,
        )

    def load(self, collection: str, operation: str) -> None:
        """Make a collection searchable."""
        self._build(operation, self._milvus.load_collection, collection)

    def flush(self, collection: str, operation: str) -> None:
        """Make all that was written durable."""
        self._build(operation, self._milvus.flush, collection)

    # -- rows -------------------------------------------------------------------------

    def upsert(self, collection: str, rows: list[Row], operation: str) -> None:
        """Write rows, over those of the same ids."""
        self._write(
            operation, self._milvus.upsert, collection_name=collection, data=rows
        )

    def delete(self, collection: str, condition: str, operation: str) -> None:
        """Delete the rows that fulfil a filter."""
        self._write(
            operation,
            self._milvus.delete,
            collection_name=collection,
            filter=condition,
        )

    def query(
        self, collection: str, condition: str, fields: Sequence[str], operation: str
    ) -> list[Row]:
        """Return the rows that fulfil a filter, as they are now."""
        return [
            dict(row)
            for row in self._read(
                operation,
                self._milvus.query,
                collection_name=collection,
                filter=condition,
                output_fields=list(fields),
                consistency_level="Strong",
            )
        ]

    def page(
        self, collection: str, last: str, fields: Sequence[str], operation: str
    ) -> list[Row]:
        """Return some rows after id *last*, in the order of ids; none at the end.

        Rows of one id come together. pymilvus' own iterator would leave some out, and
        puts the last id into its filter as it is, so that a quote in an id breaks it.
        """
        rows = self._read(
            operation,
            self._milvus.query,
            collection_name=collection,
            filter=after(last) if last else "",
            output_fields=[ID_FIELD, *fields],
            limit=PAGE,
            # In this mode rows come in order, and pymilvus drops a consistency level.
            iterator="True",
            reduce_stop_for_best="True",
        )
        if len(rows) == PAGE:  # more of the last id may follow
            cut = rows[-1][ID_FIELD]
            rows = [row for row in rows if row[ID_FIELD] != cut] or rows
        return [dict(row) for row in rows]

    def count(self, collection: str, operation: str) -> int:
        """Return the number of rows, as it is now."""
        (row,) = self.query(collection, "", ["count(*)"], operation)
        return int(row["count(*)"])

    def search(
        self, collection: str, vectors: FloatMatrix, limit: int, operation: str
    ) -> list[list[tuple[Row, float]]]:
        """Return, for each vector, the best rows and their scores, best first."""
        results = self._read(
            operation,
            self._milvus.search,
            collection_name=collection,
            data=list(vectors),
            limit=limit,
            anns_field=VECTOR_FIELD,
            search_params={"metric_type": _METRIC},
            output_fields=list(PAYLOAD_FIELDS),
            consistency_level="Session",
        )
        return [[_scored_row(hit) for hit in hits] for hits in results]

    # -- the one seam -----------------------------------------------------------------

    def _read(self, operation: str, call: Callable[..., T], **arguments: Any) -> T:
        arguments["timeout"] = self._timeout
        return self._retry.call(
            lambda: _translated(operation, lambda: call(**arguments))
        )

    def _write(
        self,
        operation: str,
        call: Callable[..., object],
        *,
        is_repeatable: bool = True,
        **arguments: Any,
    ) -> None:
        # Milvus Lite must not write again after a failure; see `lite`.
        policy = self._retry if is_repeatable and not self.is_lite else NO_RETRY
        arguments["timeout"] = self._write_timeout
        policy.call(lambda: _translated(operation, lambda: call(**arguments)))

    def _build(
        self, operation: str, call: Callable[..., object], collection: str
    ) -> None:
        policy = NO_RETRY if self.is_lite else self._retry
        policy.call(
            lambda: _translated(
                operation,
                lambda: call(collection_name=collection, timeout=self._build_timeout),
            )
        )


def _connect(uri: str, token: str, timeout: float, label: str) -> Any:
    operation = "index.open"
    try:
        return _translated(
            operation,
            # A connection of our own: closing it closes it.
            lambda: pymilvus.MilvusClient(
                uri=uri,
                token=token,
                timeout=min(timeout, _CONNECT_TIMEOUT),
                dedicated=True,
            ),
        )
    except UnavailableError as e:
        msg = (
            f"the server at {label!r} did not answer;"
            " check that it runs and that the address is right"
        )
        raise type(e)(msg, operation=operation) from e


def _scored_row(hit: Mapping[str, Any]) -> tuple[Row, float]:
    # Older servers do not say what the key is called; then pymilvus calls it "id".
    doc_id = hit[ID_FIELD] if ID_FIELD in hit else hit["id"]
    return {**hit["entity"], ID_FIELD: doc_id}, float(hit["distance"])


def _translated(operation: str, call: Callable[[], T]) -> T:
    token = _is_calling.set(True)
    try:
        return call()
    except pymilvus.MilvusException as e:
        raise _from_milvus(e, operation) from e
    except grpc.RpcError as e:
        raise _from_grpc(e.code(), e.details() or "", operation) from e
    finally:
        _is_calling.reset(token)


def _from_milvus(error: pymilvus.MilvusException, operation: str) -> BackendError:
    code = error.code
    if isinstance(code, grpc.StatusCode):  # pymilvus gave up trying again
        return _from_grpc(code, error.message, operation)
    if code == _NOT_CONNECTED and isinstance(error.__cause__, grpc.Call):
        cause = error.__cause__
        return _from_grpc(cause.code(), cause.details() or "", operation)
    cls = _CODES.get(int(code))
    if cls is None and any(words in error.message for words in _EXISTS_WORDS):
        cls = AlreadyExistsError
    cls = cls or InvalidRequestError
    msg = f"{operation!r} was refused with code {int(code)}: {_short(error.message)}"
    return cls(msg, operation=operation)


def _from_grpc(status: grpc.StatusCode, details: str, operation: str) -> BackendError:
    cls = _STATUSES.get(status, BackendError)
    msg = f"{operation!r} did not get through ({status.name}): {_short(details)}"
    return cls(msg, operation=operation)


def _short(reason: str) -> str:
    lines = reason.strip().splitlines() or ["no reason given"]
    return lines[0][:_LONGEST_REASON]


def _is_not_ours(_: logging.LogRecord) -> bool:
    """Let pass what other users of pymilvus in this process log."""
    return not _is_calling.get()


def _quieten() -> None:
    for name in ("pymilvus.decorators", "pymilvus.client.connection_manager"):
        logging.getLogger(name).addFilter(_is_not_ours)  # once, however often called
