"""A document as a row of a collection, and back; what makes two rows equal."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import orjson

from embedtune.datasets.values import Document
from embedtune.vectorstore.filters import ID_FIELD
from embedtune.vectorstore.values import Hit

VECTOR_FIELD = "vector"
HASH_FIELD = "content_hash"
PAYLOAD_FIELDS = ("text", "title", "metadata")
"""What a search gives back beside the id."""

FIELDS = (ID_FIELD, VECTOR_FIELD, *PAYLOAD_FIELDS, HASH_FIELD)
"""All fields of a row."""

LONGEST_ID = 1_024
"""Bytes of UTF-8."""
LONGEST_TEXT = 65_535
"""Bytes of UTF-8, for a text and for a title: the longest VARCHAR there is."""
LONGEST_METADATA = 65_536
"""Bytes of JSON."""

HASH_LENGTH = 64
_HALF = HASH_LENGTH // 2

Row: TypeAlias = dict[str, Any]


def content_hash(document: Document) -> str:
    """Return what tells a changed document from an unchanged one.

    The first half stands for what is embedded, the second for the rest.
    """
    embedded = hashlib.blake2b(digest_size=_HALF // 2)
    for part in (document.title, document.text):
        data = part.encode()
        embedded.update(len(data).to_bytes(8, "little"))
        embedded.update(data)
    kept = hashlib.blake2b(metadata_json(document.metadata), digest_size=_HALF // 2)
    return embedded.hexdigest() + kept.hexdigest()


def has_same_embedding(one: str, other: str) -> bool:
    """Tell whether two content hashes stand for the same embedded text."""
    return one[:_HALF] == other[:_HALF]


def metadata_json(metadata: Mapping[str, object]) -> bytes:
    """Return the canonical JSON of checked metadata."""
    options = orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY  # for numpy.float64
    return orjson.dumps(dict(metadata), option=options)


def to_row(document: Document, digest: str, vector: npt.NDArray[np.float32]) -> Row:
    """Return the row that holds *document*."""
    return {
        ID_FIELD: document.doc_id,
        VECTOR_FIELD: vector,
        "text": document.text,
        "title": document.title,
        "metadata": orjson.loads(metadata_json(document.metadata)),
        HASH_FIELD: digest,
    }


def row_bytes(document: Document, dimension: int) -> int:
    """Estimate the size of a row in a request, from above."""
    characters = len(document.doc_id) + len(document.text) + len(document.title)
    return 4 * dimension + 4 * characters + 512


def to_hit(row: Mapping[str, Any], score: float) -> Hit:
    """Return what a search shows of a row."""
    return Hit(
        doc_id=row[ID_FIELD],
        score=score,
        text=row["text"],
        title=row["title"],
        metadata=row["metadata"],
    )


def to_document(row: Mapping[str, Any]) -> Document:
    """Return the document that a row holds."""
    return Document(
        doc_id=row[ID_FIELD],
        text=row["text"],
        title=row["title"],
        metadata=row["metadata"],
    )
