"""Documents and queries: what they take, and that they never change."""

from __future__ import annotations

import pickle

import attrs
import pytest

from embedtune.datasets.values import Document, Query


@pytest.mark.parametrize(
    ("kind", "arguments", "error", "message"),
    [
        (Document, {"doc_id": "", "text": "x"}, ValueError, "'doc_id' must not be"),
        (Document, {"doc_id": 7, "text": "x"}, TypeError, "'doc_id' must be a string"),
        (Document, {"doc_id": "d", "text": None}, TypeError, "'text'"),
        (Document, {"doc_id": "d", "text": "x", "title": 1}, TypeError, "'title'"),
        (
            Document,
            {"doc_id": "d", "text": "x", "metadata": [1]},
            TypeError,
            r"'metadata' must be a mapping \(got list\)",
        ),
        (Query, {"query_id": "", "text": "x"}, ValueError, "'query_id' must not be"),
        (Query, {"query_id": "q", "text": b"x"}, TypeError, "'text'"),
        (Query, {"query_id": "q", "text": "x", "metadata": 5}, TypeError, "got int"),
    ],
)
def test_wrong_parts_are_refused(
    kind: type, arguments: dict[str, object], error: type[Exception], message: str
) -> None:
    """Ids are strings that are not empty, texts are strings, metadata a mapping."""
    with pytest.raises(error, match=message):
        kind(**arguments)


def test_embedding_text() -> None:
    """Models without a title of their own see it before the text."""
    assert "T. x" == Document(doc_id="d", text="x", title="T").embedding_text
    assert "x" == Document(doc_id="d", text="x").embedding_text


def test_values_are_frozen_and_travel() -> None:
    """Neither fields nor metadata change, and pickling keeps all of it."""
    metadata = {"a": [1]}
    document = Document(doc_id="d", text="x", title="T", metadata=metadata)
    query = Query(query_id="q", text="x", metadata={"b": None})
    metadata["c"] = [2]

    assert {"a": [1]} == document.metadata
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        document.text = "y"
    with pytest.raises(TypeError):
        query.metadata["b"] = 1
    assert (document, query) == pickle.loads(  # noqa: S301 -- our own bytes
        pickle.dumps((document, query))
    )
    assert hash(document) == hash(attrs.evolve(document, metadata={}))
