"""Checks before anything is sent: names, limits, documents, embeddings.

The rules are those of a Milvus server. Milvus Lite would take nearly anything, and
keep what no server can hold.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

import numpy as np

from embedtune.datasets.values import Document
from embedtune.errors import (
    ConfigurationError,
    DataError,
    DatasetIntegrityError,
    DimensionMismatchError,
)
from embedtune.types import FloatMatrix
from embedtune.vectorstore.rows import (
    LONGEST_ID,
    LONGEST_METADATA,
    LONGEST_TEXT,
    metadata_json,
)

LARGEST_LIMIT = 16_384
"""The most hits that one search can give."""

_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
_LONGEST_NAME = 240  # 255, less the number of a version
_VERSION_LIKE = re.compile(r"__\d+$")
_LARGEST_DIMENSION = 32_768
_SHOWN = 5
_DEEPEST = 64


def check_name(name: str) -> None:
    """Refuse what no server takes as the name of an index.

    Raises:
        ConfigurationError: If *name* breaks a rule; the message says which.
    """
    if not isinstance(name, str):
        msg = f"'name' must be a string (got {name!r})"
        raise TypeError(msg)
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        msg = (
            "'name' must start with a letter or '_', go on with letters, digits and"
            f" '_', all ASCII, and have at most {_LONGEST_NAME} characters"
            f" (got {name!r})"
        )
        raise ConfigurationError(msg)
    if _VERSION_LIKE.search(name):
        msg = (
            "'name' must not end in '__' and digits, which mark the versions of an"
            f" index (got {name!r})"
        )
        raise ConfigurationError(msg)


def check_dimension(dimension: int) -> None:
    """Refuse an embedder whose rows no server holds.

    Raises:
        ConfigurationError: If *dimension* is out of range.
    """
    if not 2 <= dimension <= _LARGEST_DIMENSION:  # noqa: PLR2004 -- Milvus' minimum
        msg = (
            f"the embedder's dimension must be from 2 to {_LARGEST_DIMENSION}"
            f" (got {dimension!r})"
        )
        raise ConfigurationError(msg)


def check_limit(limit: int) -> None:
    """Refuse a number of hits that no search can give.

    Raises:
        ValueError: If *limit* is out of range.
    """
    if isinstance(limit, bool) or not isinstance(limit, int):
        msg = f"'limit' must be an integer (got {limit!r})"
        raise TypeError(msg)
    if not 1 <= limit <= LARGEST_LIMIT:
        msg = f"'limit' must be from 1 to {LARGEST_LIMIT} (got {limit!r})"
        raise ValueError(msg)


def checked_texts(text: str | Iterable[str]) -> list[str]:
    """Return what is searched for as a list.

    Raises:
        TypeError: If *text* is neither a string nor several.
    """
    if isinstance(text, str):
        return [text]
    if not isinstance(text, Iterable):
        kind = type(text).__name__
        msg = f"'text' must be a string or several strings in a list (got {kind})"
        raise TypeError(msg)
    texts = list(text)
    for index, one in enumerate(texts):
        if not isinstance(one, str):
            kind = type(one).__name__
            msg = f"'text' must be a string or several (got {kind} at {index})"
            raise TypeError(msg)
    return texts


def check_documents(
    documents: Iterable[Document] | Mapping[str, Document],
) -> list[Document]:
    """Return *documents* as a list, if an index can hold every one of them.

    Raises:
        DatasetIntegrityError: If some cannot be held; all of them are named.
    """
    if isinstance(documents, Document | str):
        kind = type(documents).__name__
        msg = f"'documents' must be several documents (got one {kind})"
        raise TypeError(msg)
    keys: list[object] = []
    if isinstance(documents, Mapping):
        keys = list(documents)
        listed = list(documents.values())
    else:
        listed = list(documents)
    for document in listed:
        if not isinstance(document, Document):
            msg = f"'documents' must be Document values (got {type(document).__name__})"
            raise TypeError(msg)
    problems = [
        *_key_problems(keys, listed),
        *_duplicates(listed),
        *_row_problems(listed),
    ]
    if problems:
        shown = "; ".join(problems[:_SHOWN])
        more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        msg = f"{count} in the documents, and nothing was written: {shown}{more}"
        raise DatasetIntegrityError(msg, problems=problems)
    return listed


def check_rows(rows: FloatMatrix, count: int, dimension: int, name: str) -> None:
    """Refuse what is no matrix of unit rows.

    Raises:
        DimensionMismatchError: If the rows are of another length than *dimension*.
        DataError: If they are of another number than *count*, or not finite, or not
            of norm 1.
    """
    shape = np.shape(rows)
    if len(shape) == 2 and shape[1] != dimension:  # noqa: PLR2004 -- a matrix
        msg = (
            f"embedder {name!r} gave rows of length {shape[1]}, where it says that"
            f" its dimension is {dimension}"
        )
        raise DimensionMismatchError(msg, expected=dimension, actual=shape[1])
    if shape != (count, dimension):
        msg = f"embedder {name!r} gave shape {shape} for {count} texts"
        raise DataError(msg)
    norms = np.linalg.norm(rows.astype(np.float64, copy=False), axis=1)
    wrong = np.flatnonzero(~(np.abs(norms - 1) <= 1e-3))  # noqa: PLR2004 -- float16
    if len(wrong):
        msg = (
            f"embedder {name!r} gave {len(wrong)} of {count} rows that are not of"
            f" norm 1 (the first: {norms[wrong[0]]:.6g})"
        )
        raise DataError(msg)


def _key_problems(
    keys: Sequence[object], documents: Sequence[Document]
) -> Iterator[str]:
    for key, document in zip(keys, documents, strict=False):  # only mappings have keys
        if key != document.doc_id:
            yield f"key {key!r} holds document {document.doc_id!r}"


def _duplicates(documents: Sequence[Document]) -> Iterator[str]:
    counts: dict[str, int] = {}
    for document in documents:
        counts[document.doc_id] = counts.get(document.doc_id, 0) + 1
    for doc_id, count in counts.items():
        if count > 1:
            yield f"{count} documents have the id {doc_id!r}; ids must be unique"


def _row_problems(documents: Sequence[Document]) -> Iterator[str]:
    for document in documents:
        doc_id = document.doc_id
        shown = doc_id if len(doc_id) <= _DEEPEST else doc_id[:_DEEPEST] + "..."
        for problem in _string_problems("id", doc_id, LONGEST_ID, "use a shorter one"):
            yield f"document {shown!r}: {problem}"
        for name, value in (("text", document.text), ("title", document.title)):
            for problem in _string_problems(name, value, LONGEST_TEXT, _SPLIT[name]):
                yield f"document {shown!r}: {problem}"
        for problem in _metadata_problems(document.metadata):
            yield f"document {shown!r}: {problem}"


_SPLIT = {
    "text": "divide it into several documents",
    "title": "move a part of it into the text",
}


def _string_problems(name: str, value: str, longest: int, hint: str) -> Iterator[str]:
    if "\0" in value:
        yield f"the {name} has a NUL character; remove it"
    try:
        size = len(value.encode())
    except UnicodeEncodeError as e:
        yield (
            f"the {name} has half a surrogate pair at character {e.start}, which is no"
            " text; repair it"
        )
        return
    if size > longest:
        yield f"the {name} has {size} bytes, the most is {longest}; {hint}"


def _metadata_problems(metadata: Mapping[str, object]) -> Iterator[str]:
    problem = _json_problem(dict(metadata), "metadata", 0)
    if problem:
        yield problem
        return
    size = len(metadata_json(metadata))
    if size > LONGEST_METADATA:
        yield f"the metadata has {size} bytes of JSON, the most is {LONGEST_METADATA}"


def _json_problem(value: object, path: str, depth: int) -> str:
    """Return what keeps *value* from being JSON; empty if nothing does."""
    problem = ""
    if depth > _DEEPEST:
        problem = f"{path} is nested deeper than {_DEEPEST} levels"
    elif isinstance(value, str):
        problem = _first(_string_problems(path, value, LONGEST_METADATA, "shorten it"))
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        problem = f"{path} is an integer of more than 64 bits"
    elif isinstance(value, float) and not math.isfinite(value):
        problem = f"{path} is {value!r}, which is no JSON"
    elif isinstance(value, list | tuple):
        problem = _first(
            _json_problem(one, f"{path}[{i}]", depth + 1) for i, one in enumerate(value)
        )
    elif isinstance(value, dict):
        keys = (_key_problem(key, path) for key in value)
        values = (
            _json_problem(one, f"{path}[{key!r}]", depth + 1)
            for key, one in value.items()
        )
        problem = _first(chain(keys, values))
    elif value is not None and not isinstance(value, int | float):  # bool is an int
        problem = f"{path} is of type {type(value).__name__}, which is no JSON"
    return problem


def _key_problem(key: object, path: str) -> str:
    if not isinstance(key, str):
        return f"{path} has the key {key!r}, which is no string"
    hint = "shorten it"
    return _first(_string_problems(f"a key of {path}", key, LONGEST_METADATA, hint))


def _first(problems: Iterator[str]) -> str:
    return next((problem for problem in problems if problem), "")
