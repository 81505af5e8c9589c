"""A document, a query: the values that every layer passes around."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import attrs
from attrs.validators import instance_of

if TYPE_CHECKING:
    from typing import Any

_NO_METADATA: Mapping[str, object] = MappingProxyType({})


def _is_id(_: object, attribute: attrs.Attribute[str], value: object) -> None:
    if not isinstance(value, str):
        msg = f"{attribute.name!r} must be a string (got {value!r})"
        raise TypeError(msg)
    if not value:
        msg = f"{attribute.name!r} must not be empty"
        raise ValueError(msg)


def _frozen_metadata(value: Mapping[str, object]) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        msg = f"'metadata' must be a mapping (got {type(value).__name__})"
        raise TypeError(msg)
    return MappingProxyType(dict(value)) if value else _NO_METADATA


@attrs.frozen(kw_only=True)
class Document:
    """One text of the corpus.

    Attributes:
        doc_id: Not empty, unique in its corpus.
        text: What is embedded and found.
        title: Empty if the document has none; never part of *text*.
        metadata: JSON values by name, kept beside the text and never embedded.
    """

    doc_id: str = attrs.field(validator=_is_id)
    text: str = attrs.field(validator=instance_of(str))
    title: str = attrs.field(default="", validator=instance_of(str))
    metadata: Mapping[str, object] = attrs.field(
        default=_NO_METADATA, converter=_frozen_metadata, hash=False
    )

    @property
    def embedding_text(self) -> str:
        """Title and text as one string, for models without a title of their own."""
        return f"{self.title}. {self.text}" if self.title else self.text

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        """Pickle through a plain dictionary; a mapping proxy does not pickle."""
        facts = (self.doc_id, self.text, self.title, dict(self.metadata))
        return _rebuild_document, facts


@attrs.frozen(kw_only=True)
class Query:
    """One text that people search for.

    Attributes:
        query_id: Not empty, unique among the queries of its dataset.
        text: What is embedded.
        metadata: JSON values by name, for example a topic to group results by.
    """

    query_id: str = attrs.field(validator=_is_id)
    text: str = attrs.field(validator=instance_of(str))
    metadata: Mapping[str, object] = attrs.field(
        default=_NO_METADATA, converter=_frozen_metadata, hash=False
    )

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        """Pickle through a plain dictionary; a mapping proxy does not pickle."""
        return _rebuild_query, (self.query_id, self.text, dict(self.metadata))


def _rebuild_document(
    doc_id: str, text: str, title: str, metadata: dict[str, Any]
) -> Document:
    return Document(doc_id=doc_id, text=text, title=title, metadata=metadata)


def _rebuild_query(query_id: str, text: str, metadata: dict[str, Any]) -> Query:
    return Query(query_id=query_id, text=text, metadata=metadata)
