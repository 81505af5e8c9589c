"""What an index gives back: a hit, and the report of a sync."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import attrs


def _frozen(value: Mapping[str, object]) -> Mapping[str, object]:
    return MappingProxyType(dict(value))


@attrs.frozen(kw_only=True)
class Hit:
    """One search result.

    Attributes:
        doc_id: The document found.
        score: Larger is better: the cosine of query and document, from -1 to 1.
        text: The document's text.
        title: Its title; empty if it has none.
        metadata: Its metadata, as JSON keeps it.
    """

    doc_id: str
    score: float
    text: str = attrs.field(repr=False)
    title: str = ""
    metadata: Mapping[str, object] = attrs.field(
        factory=dict, converter=_frozen, hash=False
    )

    def __reduce__(self) -> tuple[object, tuple[dict[str, object]]]:
        """Pickle through a plain dictionary; a mapping proxy does not pickle."""
        facts = {name: getattr(self, name) for name in ("doc_id", "score", "text")}
        facts |= {"title": self.title, "metadata": dict(self.metadata)}
        return _rebuild_hit, (facts,)


@attrs.frozen(kw_only=True)
class SyncReport:
    """What a sync did.

    Attributes:
        added: Documents that the index did not have.
        changed: Documents that it had with another text, title or metadata.
        unchanged: Documents that it had exactly so; nothing was done for them.
        deleted: Documents that it had and that are gone.
        embedded: Texts that the embedder was asked for. A document of which only the
            metadata changed keeps its embedding.
        seconds: How long it took.
    """

    added: int
    changed: int
    unchanged: int
    deleted: int
    embedded: int
    seconds: float

    @property
    def documents(self) -> int:
        """How many documents the index holds now."""
        return self.added + self.changed + self.unchanged


def _rebuild_hit(facts: dict[str, object]) -> Hit:
    return Hit(**facts)  # type: ignore[arg-type]  # what `__reduce__` took apart
