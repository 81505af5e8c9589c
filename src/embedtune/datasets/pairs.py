"""Datasets from queries and documents that stand side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from embedtune.datasets.bulk import (
    NO_METADATA,
    paused_gc,
    trusted_dataset,
    trusted_document,
    trusted_query,
)
from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.origin import LineNumbers, Origin, Place
from embedtune.datasets.problems import RecordError, raise_numbered_error, shown
from embedtune.datasets.relevance import LabelCollector, relevance_of
from embedtune.datasets.shapes import json_problem
from embedtune.datasets.text import content_id
from embedtune.datasets.values import Document, Query
from embedtune.types import Qrels, Split

Pair: TypeAlias = (
    tuple[str | Query, str | Document] | tuple[str | Query, str | Document, int]
)
"""A query, a document that answers it and, if not 1, how well."""

_SIZES = (2, 3)


def read_pairs(pairs: Iterable[Pair]) -> TuningDataset:
    """Read pairs; see :meth:`~embedtune.datasets.dataset.TuningDataset.from_pairs`."""
    if isinstance(pairs, (str, bytes, Mapping)) or not isinstance(pairs, Iterable):
        msg = (
            "'pairs' must be an iterable of (query, document) tuples "
            f"(got {type(pairs).__name__})"
        )
        raise TypeError(msg)
    builder = SideBySide(first_line=0)
    problems: list[tuple[int, str]] = []
    with paused_gc():
        for number, pair in enumerate(pairs):
            try:
                builder.add_pair(pair, number)
            except RecordError as e:
                problems.append((number, str(e)))
        problems = sorted([*problems, *builder.conflicts("pair")])
        raise_numbered_error("the list has", "pair", problems)
        return builder.dataset("pair ")


class SideBySide:
    """A dataset in the making, from rows with a query and a document each.

    Texts without an id get one that follows from their content, so that equal texts
    are one query or one document.
    """

    def __init__(self, *, first_line: int) -> None:
        self._first_line = first_line
        self._corpus: dict[str, Document] = {}
        self._queries: dict[str, Query] = {}
        self._doc_ids: dict[str | tuple[str, str], str] = {}
        self._query_ids: dict[str, str] = {}
        self._doc_lines = LineNumbers(first_line)
        self._query_lines = LineNumbers(first_line)
        self._labels = LabelCollector()

    def add_pair(self, pair: object, line: int) -> None:
        """Add one pair of texts or values.

        Raises:
            RecordError: If it cannot be used.
        """
        if not isinstance(pair, (tuple, list)) or len(pair) not in _SIZES:
            size = f" of {len(pair)}" if isinstance(pair, (tuple, list)) else ""
            msg = (
                f"is a {type(pair).__name__}{size}; give (query, document) or "
                "(query, document, relevance)"
            )
            raise RecordError(msg)
        query = _query_of(pair[0], self)
        document = _document_of(pair[1], self)
        relevance = _relevance_of(pair[2]) if len(pair) > _SIZES[0] else 1
        self.add(query, document, relevance, line)

    def add(self, query: Query, document: Document, relevance: int, line: int) -> None:
        """Add one label with its query and its document.

        Raises:
            RecordError: If an id has other content already.
        """
        known_query = self._queries.get(query.query_id)
        if known_query is None:
            self._query_lines.add(len(self._queries), line)
            self._queries[query.query_id] = known_query = query
        elif known_query != query:
            raise _other_content("query", query.query_id)
        known_document = self._corpus.get(document.doc_id)
        if known_document is None:
            self._doc_lines.add(len(self._corpus), line)
            self._corpus[document.doc_id] = known_document = document
        elif known_document != document:
            raise _other_content("document", document.doc_id)
        self._labels.add(known_query.query_id, known_document.doc_id, relevance, line)

    def document(
        self, text: str, title: str = "", metadata: Mapping[str, object] = NO_METADATA
    ) -> Document:
        """Return a document whose id follows from its title and text."""
        key = (title, text) if title else text
        doc_id = self._doc_ids.get(key)
        if doc_id is None:
            doc_id = self._doc_ids[key] = content_id("d", title, text)
        return trusted_document(doc_id, text, title, metadata)

    def query(self, text: str) -> Query:
        """Return a query whose id follows from its text."""
        query_id = self._query_ids.get(text)
        if query_id is None:
            query_id = self._query_ids[text] = content_id("q", text)
        return trusted_query(query_id, text)

    def conflicts(self, unit: str) -> list[tuple[int, str]]:
        """Return line and problem of each label that contradicts another."""
        return self._labels.conflicts(unit)

    def dataset(self, prefix: str) -> TuningDataset:
        """Return the dataset; *prefix* stands before a line to make a place."""
        lines = self._labels.lines(self._first_line)
        origin = Origin(
            corpus=Place(prefix, self._doc_lines),
            queries=Place(prefix, self._query_lines),
            labels={"train": Place(prefix, lines)},
        )
        labels: dict[Split, Qrels] = {"train": self._labels.labels()}
        return trusted_dataset(self._corpus, self._queries, labels, origin)


def _query_of(value: object, builder: SideBySide) -> Query:
    if isinstance(value, str):
        return builder.query(_filled("query", value))
    if isinstance(value, Query):
        _filled("query", value.text)
        _refuse_metadata(value.metadata)
        return value
    raise _wrong_type("query", value)


def _document_of(value: object, builder: SideBySide) -> Document:
    if isinstance(value, str):
        return builder.document(_filled("document", value))
    if isinstance(value, Document):
        _filled("document", value.text)
        _refuse_metadata(value.metadata)
        return value
    raise _wrong_type("document", value)


def _relevance_of(value: object) -> int:
    if isinstance(value, str):
        msg = (
            "its third part is a text, not a relevance; for a negative, give "
            "(query, document, 0)"
        )
        raise RecordError(msg)
    return relevance_of(value)


def _filled(what: str, text: str) -> str:
    if not text or text.isspace():
        msg = f"its {what} is empty; leave the pair out"
        raise RecordError(msg)
    return text


def _refuse_metadata(metadata: Mapping[str, object]) -> None:
    problem = json_problem(dict(metadata)) if metadata else None
    if problem:
        msg = f"its metadata has {problem}; metadata must be JSON"
        raise RecordError(msg)


def _wrong_type(what: str, value: object) -> RecordError:
    kind = type(value).__name__
    return RecordError(f"its {what} is a {kind}; give a text or a {what.capitalize()}")


def _other_content(what: str, key: str) -> RecordError:
    return RecordError(
        f"{what} {shown(key)} has other content in an earlier place; "
        "give every content an id of its own"
    )
