"""Bringing a collection in step with documents: what to do, then doing it.

Every step may be repeated, and each leaves the collection right for the documents it
has dealt with: ids are the documents' own, rows are written whole, and what was
written is told from what was not by its content hash. So a sync that was stopped at any
instant, however rudely, is finished by the next one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence

import attrs
import numpy as np

from embedtune.datasets.values import Document
from embedtune.errors import DataError
from embedtune.progress import Progress, ProgressOption, track
from embedtune.serving.base import Embedder
from embedtune.types import FloatMatrix
from embedtune.vectorstore.checks import check_rows
from embedtune.vectorstore.filters import ID_FIELD, among
from embedtune.vectorstore.rows import (
    FIELDS,
    HASH_FIELD,
    VECTOR_FIELD,
    content_hash,
    has_same_embedding,
    row_bytes,
    to_row,
)
from embedtune.vectorstore.store import Store
from embedtune.vectorstore.values import SyncReport
from embedtune.vectorstore.versions import Version

OPERATION = "index.sync"

ROWS_AT_ONCE = 1_000
"""The most rows in one write."""

_BYTES_AT_ONCE = 4 * 1024 * 1024
_TWINS_AT_ONCE = 200
_MOST = 0.9  # so many new ids at once look like old documents under new names

_LOG = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class Pending:
    """A document that has to be written.

    Attributes:
        document: The document.
        digest: Its content hash.
        is_embedded: Whether the collection has its embedding already.
    """

    document: Document
    digest: str
    is_embedded: bool


@attrs.frozen(kw_only=True)
class Plan:
    """What a sync has to do.

    Attributes:
        pending: Documents to write, in their order.
        gone: Ids to delete.
        added: How many of the pending the collection does not have.
        unchanged: Documents that need nothing.
        stored: Rows in the collection before.
    """

    pending: Sequence[Pending]
    gone: Sequence[str]
    added: int
    unchanged: int
    stored: int


def make_plan(store: Store, version: Version, documents: Sequence[Document]) -> Plan:
    """Compare *documents* with the collection."""
    hashes, twins = _scan(store, version)
    rewrite(store, version, twins)
    stored = len(hashes)
    pending = []
    added = 0
    for document in documents:
        digest = content_hash(document)
        old = hashes.pop(document.doc_id, None)
        if old is None:
            added += 1
        elif old == bytes.fromhex(digest):
            continue
        is_embedded = old is not None and has_same_embedding(old.hex(), digest)
        one = Pending(document=document, digest=digest, is_embedded=is_embedded)
        pending.append(one)
    return Plan(
        pending=pending,
        gone=list(hashes),
        added=added,
        unchanged=len(documents) - len(pending),
        stored=stored,
    )


def check_deletions(plan: Plan, max_deleted_share: float) -> None:
    """Refuse a plan that deletes more than it should.

    Raises:
        DataError: If it does; the message says how much.
    """
    if len(plan.gone) > max_deleted_share * plan.stored:
        shown = ", ".join(repr(doc_id) for doc_id in plan.gone[:3])
        hint = ""
        given = len(plan.pending) + plan.unchanged
        if plan.added > _MOST * given:
            hint = (
                f"; {plan.added} of {given} given ids are new: ids made from texts"
                " change with the texts, so give documents ids of their own"
                " ('document_id' of from_table)"
            )
        msg = (
            f"sync would delete {len(plan.gone)} of {plan.stored} documents"
            f" ({shown}, ...), more than the share of {max_deleted_share} that it may;"
            f" if they are really gone, pass max_deleted_share=1.0{hint}"
        )
        raise DataError(msg)


def carry_out(
    plan: Plan,
    store: Store,
    version: Version,
    embedder: Embedder,
    progress: ProgressOption,
) -> SyncReport:
    """Write and delete what the plan says."""
    started = time.monotonic()
    embedded = 0
    total = len(plan.pending) + len(plan.gone)
    with track(f"syncing {version.index}", total, progress) as bar:
        for batch in _batches(plan.pending, version.dimension):
            embedded += _write(batch, store, version, embedder)
            bar.advance(len(batch))
        _delete(plan.gone, store, version, bar)
    if store.is_lite:  # a server does it by itself, and better
        with store.writing(OPERATION) as client:
            client.flush(version.collection, OPERATION)
    return SyncReport(
        added=plan.added,
        changed=len(plan.pending) - plan.added,
        unchanged=plan.unchanged,
        deleted=len(plan.gone),
        embedded=embedded,
        seconds=time.monotonic() - started,
    )


def repair(store: Store, version: Version) -> None:
    """Put right what the end of another process may have left in Milvus Lite.

    Killed at the end of a flush, it keeps rows both in its log and in its files, and
    then shows them twice, for good. Rows that are only in the log are found slowly.
    """
    rewrite(store, version, _scan(store, version)[1])
    with store.writing(OPERATION) as client:
        client.flush(version.collection, OPERATION)


def rewrite(store: Store, version: Version, doc_ids: Sequence[str]) -> None:
    """Write rows again as they are; a new row takes the place of all older ones."""
    for first in range(0, len(doc_ids), _TWINS_AT_ONCE):
        for condition in among(doc_ids[first : first + _TWINS_AT_ONCE]):
            with store.writing(OPERATION) as client:
                rows = client.query(version.collection, condition, FIELDS, OPERATION)
                client.upsert(version.collection, rows, OPERATION)
    if doc_ids:
        _LOG.info("%d documents of %r stood twice", len(doc_ids), version.index)


def _scan(store: Store, version: Version) -> tuple[dict[str, bytes], list[str]]:
    """Return the hash of each document, and the ids of those that stand twice."""
    hashes: dict[str, bytes] = {}
    twins: dict[str, None] = {}
    last = ""
    while True:
        with store.reading(OPERATION) as client:
            rows = client.page(version.collection, last, [HASH_FIELD], OPERATION)
        for row in rows:
            if row[ID_FIELD] in hashes:
                twins[row[ID_FIELD]] = None
            hashes[row[ID_FIELD]] = bytes.fromhex(row[HASH_FIELD])
        if not rows:
            return hashes, list(twins)
        last = rows[-1][ID_FIELD]


def _batches(pending: Sequence[Pending], dimension: int) -> Iterator[list[Pending]]:
    batch: list[Pending] = []
    size = 0
    for one in pending:
        bytes_here = row_bytes(one.document, dimension)
        if batch and (len(batch) == ROWS_AT_ONCE or size + bytes_here > _BYTES_AT_ONCE):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += bytes_here
    if batch:
        yield batch


def _write(
    batch: Sequence[Pending], store: Store, version: Version, embedder: Embedder
) -> int:
    kept = _kept_vectors([one for one in batch if one.is_embedded], store, version)
    new = [one.document for one in batch if one.document.doc_id not in kept]
    fresh = embed(new, embedder, version.dimension)
    vectors = kept | {
        document.doc_id: row for document, row in zip(new, fresh, strict=True)
    }
    rows = [
        to_row(one.document, one.digest, vectors[one.document.doc_id]) for one in batch
    ]
    with store.writing(OPERATION) as client:
        client.upsert(version.collection, rows, OPERATION)
    return len(new)


def embed(
    documents: Sequence[Document], embedder: Embedder, dimension: int
) -> FloatMatrix:
    """Return checked rows for *documents*."""
    if not documents:
        return np.zeros((0, dimension), dtype=np.float32)
    rows = embedder.embed_documents(documents)
    check_rows(rows, len(documents), dimension, embedder.name)
    return np.asarray(rows, dtype=np.float32)


def _kept_vectors(
    batch: Sequence[Pending], store: Store, version: Version
) -> dict[str, FloatMatrix]:
    vectors = {}
    for condition in among(one.document.doc_id for one in batch):
        with store.reading(OPERATION) as client:
            rows = client.query(
                version.collection, condition, [ID_FIELD, VECTOR_FIELD], OPERATION
            )
        for row in rows:
            vectors[row[ID_FIELD]] = np.asarray(row[VECTOR_FIELD], dtype=np.float32)
    return vectors


def _delete(gone: Sequence[str], store: Store, version: Version, bar: Progress) -> None:
    for first in range(0, len(gone), ROWS_AT_ONCE):
        some = gone[first : first + ROWS_AT_ONCE]
        for condition in among(some):
            with store.writing(OPERATION) as client:
                client.delete(version.collection, condition, OPERATION)
        bar.advance(len(some))
