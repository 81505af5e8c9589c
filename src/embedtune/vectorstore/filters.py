"""Filters that name documents, with their ids safely inside.

A filter is one string that the server parses, and one drives deletion as well.
pymilvus puts the ids that it is given into that string as they are, so an id with a
quote in it names other rows; that is why its `ids` arguments are never used here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

ID_FIELD = "doc_id"
"""The primary key."""

_AT_ONCE = 1_000
_BYTES_AT_ONCE = 256 * 1024
_ESCAPES = str.maketrans(
    {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
)


def literal(value: str) -> str:
    r"""Return *value* as a string literal that every version parses alike.

    Example:
        >>> print(literal("o'brien \"x\""))
        "o'brien \"x\""
    """
    return f'"{value.translate(_ESCAPES)}"'


def after(doc_id: str) -> str:
    """Return the filter for all ids that come after *doc_id*."""
    return f"{ID_FIELD} > {literal(doc_id)}"


def among(doc_ids: Iterable[str]) -> Iterator[str]:
    """Return filters, each for some of *doc_ids*, together for all of them."""
    literals: list[str] = []
    size = 0
    for doc_id in doc_ids:
        literals.append(literal(doc_id))
        size += len(literals[-1])
        if len(literals) == _AT_ONCE or size >= _BYTES_AT_ONCE:
            yield f"{ID_FIELD} in [{', '.join(literals)}]"
            literals, size = [], 0
    if literals:
        yield f"{ID_FIELD} in [{', '.join(literals)}]"
