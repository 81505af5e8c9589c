"""What the parts of a dataset must look like, checked when one is made."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from embedtune.datasets.problems import raise_integrity_error, shown
from embedtune.datasets.relevance import MAX_RELEVANCE
from embedtune.datasets.values import Document, Query
from embedtune.types import Qrels, Split

_DEEPEST = 100
_JSON_SCALARS = (str, bool, type(None))


def frozen_documents(value: Mapping[str, Document | str]) -> Mapping[str, Document]:
    """Return a copy with every string made a document, nothing refused yet."""
    return MappingProxyType(
        {
            key: Document(doc_id=key, text=item) if _is_text(key, item) else item
            for key, item in _mapping("corpus", value).items()
        }
    )


def frozen_queries(value: Mapping[str, Query | str]) -> Mapping[str, Query]:
    """Return a copy with every string made a query, nothing refused yet."""
    return MappingProxyType(
        {
            key: Query(query_id=key, text=item) if _is_text(key, item) else item
            for key, item in _mapping("queries", value).items()
        }
    )


def frozen_labels(value: Qrels) -> Qrels:
    """Return a copy without queries that have no label, nothing refused yet."""
    return MappingProxyType(
        {
            key: _frozen_row(labels) if isinstance(labels, Mapping) else labels
            for key, labels in _mapping("labels", value).items()
            if not isinstance(labels, Mapping) or labels
        }
    )


def refuse_wrong_shapes(
    corpus: Mapping[str, Document],
    queries: Mapping[str, Query],
    labels: Mapping[Split, Qrels],
) -> None:
    """Raise one error that names everything of a wrong shape.

    Raises:
        DatasetIntegrityError: If a key is not its value's id, a value is of another
            type, a relevance is no integer >= 0, or metadata is no JSON.
    """
    problems = [
        *_record_problems("document", corpus, Document, "doc_id"),
        *_record_problems("query", queries, Query, "query_id"),
    ]
    for split, qrels in labels.items():
        problems.extend(f"{split}: {problem}" for problem in _label_problems(qrels))
    raise_integrity_error("the parts of the dataset are not as they must be", problems)


def json_problem(value: Any, *, depth: int = 0) -> str | None:
    """Return why *value* would not come back from a JSON file as it is, or `None`."""
    kind = type(value)
    problem: str | None = None
    if kind is int:
        if not -(2**63) <= value < 2**64:
            problem = "an integer of more than 64 bits"
    elif kind is float:
        if not math.isfinite(value):
            problem = f"the number {value}"
    elif kind is list or kind is dict:
        if depth == _DEEPEST:
            problem = f"values nested deeper than {_DEEPEST}"
        elif kind is dict and not all(type(key) is str for key in value):
            problem = "a key that is no string"
        else:
            parts = value if kind is list else value.values()
            found = (json_problem(part, depth=depth + 1) for part in parts)
            problem = next((what for what in found if what), None)
    elif kind not in _JSON_SCALARS:
        problem = f"a {kind.__name__}"
    return problem


def _is_text(key: object, item: object) -> bool:
    return isinstance(item, str) and isinstance(key, str) and bool(key)


def _mapping(name: str, value: object) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        msg = f"{name!r} must be a mapping by id (got {type(value).__name__})"
        raise TypeError(msg)
    return value


def _frozen_row(labels: Mapping[str, int]) -> Mapping[str, int]:
    return MappingProxyType({key: _integer(value) for key, value in labels.items()})


def _integer(value: Any) -> Any:
    """Return NumPy's integers as Python's, and everything else as it is."""
    if type(value) is int or isinstance(value, (bool, float)):
        return value
    try:
        return operator.index(value)
    except TypeError:
        return value


def _record_problems(
    what: str, records: Mapping[Any, Any], kind: type[Any], name: str
) -> Iterator[str]:
    for key, record in records.items():
        if not isinstance(record, kind):
            if not isinstance(key, str) or not key:
                yield f"{what} {shown(key)}: an id must be a string, not empty"
            else:
                yield (
                    f"{what} {shown(key)} is a {type(record).__name__}; "
                    f"give a {kind.__name__} or its text"
                )
            continue
        if getattr(record, name) != key:
            yield (
                f"{what} {shown(key)} has the {name} {shown(getattr(record, name))}; "
                "key and id must be equal"
            )
        problem = json_problem(dict(record.metadata)) if record.metadata else None
        if problem:
            yield (
                f"{what} {shown(key)} has metadata with {problem}; metadata must be "
                "JSON (strings, numbers, true, false, null, lists, dicts)"
            )


def _label_problems(labels: Mapping[Any, Any]) -> Iterator[str]:
    for query_id, documents in labels.items():
        if not isinstance(query_id, str) or not query_id:
            yield f"query id {shown(query_id)} must be a string, not empty"
        if not isinstance(documents, Mapping):
            yield (
                f"query {shown(query_id)} has a {type(documents).__name__} for "
                "labels; give {doc_id: relevance}"
            )
            continue
        for doc_id, relevance in documents.items():
            if not isinstance(doc_id, str) or not doc_id:
                yield f"document id {shown(doc_id)} must be a string, not empty"
            if type(relevance) is not int or not 0 <= relevance <= MAX_RELEVANCE:
                yield (
                    f"query {shown(query_id)} and document {shown(doc_id)} have "
                    f"relevance {shown(relevance)}; it must be an integer >= 0 and "
                    f"<= {MAX_RELEVANCE}"
                )
