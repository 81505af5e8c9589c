"""Rows: what is kept of a document, and what counts as a change."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedtune.datasets.values import Document
from embedtune.vectorstore.rows import (
    HASH_LENGTH,
    content_hash,
    has_same_embedding,
    row_bytes,
    to_document,
    to_hit,
    to_row,
)
from embedtune.vectorstore.values import Hit, SyncReport

texts = st.text(st.characters(codec="utf-8"), max_size=6)
metadata = st.dictionaries(texts, st.none() | st.booleans() | st.integers(-9, 9))
documents = st.builds(
    Document, doc_id=st.just("a"), text=texts, title=texts, metadata=metadata
)


@given(one=documents, other=documents)
def test_equal_hashes_mean_equal_documents(one: Document, other: Document) -> None:
    """Hashes differ whenever text, title or metadata do, and only then."""
    hashes = [content_hash(one), content_hash(other)]
    is_same_json = repr(sorted(one.metadata.items())) == repr(
        sorted(other.metadata.items())
    )
    is_same_text = (one.title, one.text) == (other.title, other.text)

    assert [HASH_LENGTH] * 2 == [len(digest) for digest in hashes]
    assert (is_same_text and is_same_json) == (hashes[0] == hashes[1])
    assert is_same_text == has_same_embedding(*hashes)


def test_hashes_are_the_same_everywhere() -> None:
    """A hash that is written today is understood by later versions."""
    document = Document(doc_id="x", title="é", text="b", metadata={"k": [1, None]})

    assert (
        "ed3538ec010487136e84fc5d893749f29a44a73baa6a9886b37986bf9adda4e2"
        == content_hash(document)
    )


def test_the_order_of_metadata_is_no_change() -> None:
    """Objects are equal whatever the order of their keys."""
    one = Document(doc_id="a", text="", metadata={"x": {"p": 1, "q": 2}, "y": 1})
    other = Document(doc_id="a", text="", metadata={"y": 1, "x": {"q": 2, "p": 1}})

    assert content_hash(one) == content_hash(other)


@given(document=documents)
def test_documents_survive_rows(document: Document) -> None:
    """A document comes back from its row, as document and as hit."""
    row = to_row(document, content_hash(document), np.zeros(2, np.float32))

    assert document == to_document(row)
    hit = to_hit(row, 0.5)
    assert (document.text, document.title, 0.5) == (hit.text, hit.title, hit.score)
    assert document.metadata == hit.metadata


def test_odd_numbers_and_tuples_become_json() -> None:
    """What counts as JSON is kept as JSON keeps it."""
    odd = {"x": (1, np.float64(0.5)), "y": True}
    row = to_row(Document(doc_id="a", text="", metadata=odd), "", np.zeros(2))

    assert {"x": [1, 0.5], "y": True} == row["metadata"]
    assert float is type(row["metadata"]["x"][1])


def test_the_estimate_of_a_row_is_from_above() -> None:
    """Vector and characters count as they may at most weigh."""
    document = Document(doc_id="日" * 10, text="日" * 100, title="日")

    assert row_bytes(document, 8) >= 4 * 8 + 3 * 111


def test_hits_are_values() -> None:
    """A hit is frozen, hashable, and pickles; its repr shows no text."""
    hit = Hit(doc_id="a", score=0.5, text="secret", title="t", metadata={"k": [1]})

    assert hit == pickle.loads(pickle.dumps(hit))  # noqa: S301 -- our own bytes
    assert {hit} == {hit, pickle.loads(pickle.dumps(hit))}  # noqa: S301
    assert "secret" not in repr(hit)
    with pytest.raises(TypeError):
        hit.metadata["k"] = 1  # type: ignore[index]


def test_reports_add_up() -> None:
    """What the index holds is what was added, changed and left."""
    report = SyncReport(
        added=1, changed=2, unchanged=3, deleted=4, embedded=2, seconds=0.1
    )

    assert 6 == report.documents
