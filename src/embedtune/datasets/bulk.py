"""Making very many values quickly."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final, TypeVar

from embedtune.datasets.certificate import SplitCertificate
from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.origin import Origin
from embedtune.datasets.values import Document, Query
from embedtune.types import SPLITS, Qrels, Split

T = TypeVar("T")

NO_METADATA: Final = Query(query_id="-", text="").metadata
"""What documents and queries without metadata share."""


@contextmanager
def paused_gc() -> Iterator[None]:
    """Keep the cyclic garbage collector from walking values that hold no cycles.

    It is switched on again afterwards if it was on before, whatever happens.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def trusted_document(
    doc_id: str,
    text: str,
    title: str = "",
    metadata: Mapping[str, object] = NO_METADATA,
) -> Document:
    """Return a document whose parts were checked by the caller.

    It skips the validators and does not copy *metadata*, which the caller gives
    away: a dictionary that nobody else holds.
    """
    document = _new_document(Document)
    _set_doc_id(document, doc_id)
    _set_document_text(document, text)
    _set_title(document, title)
    if metadata is not NO_METADATA:
        metadata = _proxy(metadata) if metadata else NO_METADATA
    _set_document_metadata(document, metadata)
    return document


def trusted_query(
    query_id: str, text: str, metadata: Mapping[str, object] = NO_METADATA
) -> Query:
    """Return a query whose parts were checked by the caller, as documents above."""
    query = _new_query(Query)
    _set_query_id(query, query_id)
    _set_query_text(query, text)
    if metadata is not NO_METADATA:
        metadata = _proxy(metadata) if metadata else NO_METADATA
    _set_query_metadata(query, metadata)
    return query


def trusted_dataset(
    corpus: Mapping[str, Document],
    queries: Mapping[str, Query],
    labels: Mapping[Split, Qrels],
    origin: Origin | None = None,
    certificate: SplitCertificate | None = None,
) -> TuningDataset:
    """Return a dataset of parts that the caller checked and gives away, uncopied."""
    dataset = TuningDataset.__new__(TuningDataset)
    parts: dict[str, object] = {
        "corpus": _proxy(corpus),
        "queries": _proxy(queries),
        "origin": origin,
        "certificate": certificate,
    }
    for split in SPLITS:
        rows = labels.get(split, {})
        parts[split] = MappingProxyType({key: _proxy(rows[key]) for key in rows})
    for name, value in parts.items():
        object.__setattr__(dataset, name, value)
    return dataset


def _proxy(value: Mapping[str, T]) -> Mapping[str, T]:
    return value if isinstance(value, MappingProxyType) else MappingProxyType(value)


# A frozen attrs class refuses assignment; the slots themselves do not.
_new_document = Document.__new__
_set_doc_id = vars(Document)["doc_id"].__set__
_set_document_text = vars(Document)["text"].__set__
_set_title = vars(Document)["title"].__set__
_set_document_metadata = vars(Document)["metadata"].__set__
_new_query = Query.__new__
_set_query_id = vars(Query)["query_id"].__set__
_set_query_text = vars(Query)["text"].__set__
_set_query_metadata = vars(Query)["metadata"].__set__
