"""What embedders accept, and what is accepted as one: checks that all share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from embedtune.datasets.values import Document

T = TypeVar("T")

_FACTS = ("name", "dimension", "fingerprint")
_VERBS = ("embed_queries", "embed_documents")


def check_embedder(embedder: object) -> None:
    """Refuse what lacks a part of :class:`~embedtune.Embedder`.

    Raises:
        TypeError: If *embedder* is a class, or lacks a member; all of them are named.
    """
    if isinstance(embedder, type):
        name = embedder.__name__
        msg = (
            f"'embedder' must be an embedder (got the class {name});"
            f" pass an instance, {name}()"
        )
        raise TypeError(msg)
    lacking = [name for name in _FACTS if not hasattr(embedder, name)]
    lacking += [name for name in _VERBS if not callable(getattr(embedder, name, None))]
    if lacking:
        listed = ", ".join(map(repr, lacking))
        msg = (
            f"'embedder' must be an embedder (got {type(embedder).__name__});"
            f" it lacks {listed}, see embedtune.Embedder"
        )
        raise TypeError(msg)


def checked_texts(texts: Sequence[str]) -> list[str]:
    """Return *texts* as a list, or refuse what is no sequence of strings.

    Raises:
        TypeError: If *texts* is one string, or something in it is no string.
    """
    values = _as_list(texts, "texts", "strings")
    for index, value in enumerate(values):
        if not isinstance(value, str):
            msg = f"'texts' must hold strings (got {type(value).__name__} at {index})"
            raise TypeError(msg)
    return values


def checked_documents(documents: Sequence[Document | str]) -> list[Document | str]:
    """Return *documents* as a list, or refuse what cannot be embedded.

    Raises:
        TypeError: If *documents* is one document or string, or something in it is
            neither.
    """
    values = _as_list(documents, "documents", "documents or strings")
    for index, value in enumerate(values):
        if not isinstance(value, (str, Document)):
            msg = (
                "'documents' must hold documents or strings"
                f" (got {type(value).__name__} at {index})"
            )
            raise TypeError(msg)
    return values


def _as_list(values: Sequence[T], name: str, content: str) -> list[T]:
    # A set or a mapping would be embedded in an order that nobody sees; an array or a
    # series of strings has an order, although it is no Sequence.
    is_ordered = hasattr(values, "__getitem__") and hasattr(values, "__len__")
    if isinstance(values, (str, bytes, Mapping)) or not is_ordered:
        msg = (
            f"{name!r} must be a sequence of {content}"
            f" (got {type(values).__name__}); put a single one into a list"
        )
        raise TypeError(msg)
    return list(values)
