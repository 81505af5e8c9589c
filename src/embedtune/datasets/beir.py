"""Folders in the form of the BEIR benchmark, read and written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn, TypeVar

from embedtune.datasets.bulk import (
    NO_METADATA,
    paused_gc,
    trusted_dataset,
    trusted_document,
    trusted_query,
)
from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.files import JsonObject, read_records
from embedtune.datasets.labels import label_lines, read_labels
from embedtune.datasets.origin import LineNumbers, Origin, Place
from embedtune.datasets.problems import FileProblems, RecordError, shown
from embedtune.datasets.strays import described, nearest, stray_names
from embedtune.datasets.values import Document, Query
from embedtune.datasets.writing import json_lines, publish
from embedtune.errors import DataError
from embedtune.types import SPLITS, Qrels, Split

T = TypeVar("T")

_CORPUS = ("corpus.jsonl", "corpus.jsonl.gz")
_DOCUMENT_KEYS = ("_id", "text", "title")
_QUERY_KEYS = ("_id", "text")
_QUERIES = ("queries.jsonl", "queries.jsonl.gz")
_LABELS: Mapping[Split, tuple[str, ...]] = {
    "train": ("qrels/train.tsv", "train.tsv"),
    "validation": (
        "qrels/dev.tsv",
        "qrels/validation.tsv",
        "dev.tsv",
        "validation.tsv",
    ),
    "test": ("qrels/test.tsv", "test.tsv"),
}
_QRELS = "qrels"
_LABEL_NAMES = ("train.tsv", "dev.tsv", "validation.tsv", "test.tsv")


def read_beir(folder: str | Path) -> TuningDataset:
    """Read a folder; see :meth:`~embedtune.datasets.dataset.TuningDataset.from_beir`."""
    root = Path(folder)
    problems = FileProblems(root)
    if not root.is_dir():
        problems.add(root, None, "is no folder; give one with corpus.jsonl in it")
        problems.raise_if_any()
    with paused_gc():
        corpus, corpus_place = _records(root, _CORPUS, document_from, problems)
        queries, queries_place = _records(root, _QUERIES, query_from, problems)
        strays = stray_names(root, _LABEL_NAMES)
        labels, places = _all_labels(root, strays, problems)
        problems.raise_if_any()
        origin = Origin(
            corpus=corpus_place,
            queries=queries_place,
            labels=places,
            ignored=tuple(described(name, _LABEL_NAMES) for name in strays),
        )
        return trusted_dataset(corpus, queries, labels, origin)


def write_beir(dataset: TuningDataset, folder: str | Path) -> None:
    """Write a folder; see :meth:`~embedtune.datasets.dataset.TuningDataset.to_beir`."""
    root = Path(folder)
    own = [_CORPUS[0], _QUERIES[0], *(names[0] for names in _LABELS.values())]
    _refuse_others(root, own)
    files: dict[str, Iterable[bytes]] = {
        _CORPUS[0]: json_lines(map(_document_row, dataset.corpus.values())),
        _QUERIES[0]: json_lines(map(_query_row, dataset.queries.values())),
    }
    for split in SPLITS:
        labels = dataset.labels(split)
        if labels or split == "train":
            files[_LABELS[split][0]] = label_lines(labels)
    stale = [name for name in own if name not in files]
    publish(dataset, root, files, stale=stale)


def document_from(item: JsonObject) -> tuple[str, Document]:
    """Return id and document of one line of a corpus file.

    Raises:
        RecordError: If the line is no document.
    """
    key = item.get("_id")
    text = item.get("text")
    title = item.get("title", "")
    if type(key) is not str or not key:
        key = _id_of(item)
    if type(text) is not str:
        _refuse_text(item)
    if type(title) is not str:
        title = _title_of(title)
    if len(item) == (3 if "title" in item else 2):
        return key, trusted_document(key, text, title)
    metadata = _metadata_of(item, _DOCUMENT_KEYS)
    return key, trusted_document(key, text, title, metadata)


def query_from(item: JsonObject) -> tuple[str, Query]:
    """Return id and query of one line of a queries file.

    Raises:
        RecordError: If the line is no query.
    """
    key = item.get("_id")
    text = item.get("text")
    if type(key) is not str or not key:
        key = _id_of(item)
    if type(text) is not str:
        _refuse_text(item)
    if len(item) == len(_QUERY_KEYS):
        return key, trusted_query(key, text)
    return key, trusted_query(key, text, _metadata_of(item, _QUERY_KEYS))


def _records(
    root: Path,
    names: Sequence[str],
    make: Callable[[JsonObject], tuple[str, T]],
    problems: FileProblems,
) -> tuple[dict[str, T], Place]:
    path = _only(root, names, problems)
    if path is None:
        if not any((root / name).is_file() for name in names):
            problems.add(root / names[0], None, "is missing")
        return {}, Place(f"{names[0]}:", LineNumbers())
    records, lines = read_records(path, make, problems)
    return records, Place(f"{path.name}:", lines)


def _all_labels(
    root: Path, strays: Sequence[str], problems: FileProblems
) -> tuple[dict[Split, Qrels], dict[Split, Place]]:
    labels: dict[Split, Qrels] = {}
    places: dict[Split, Place] = {}
    for split, names in _LABELS.items():
        path = _only(root, names, problems)
        if path is None:
            continue
        labels[split], lines = read_labels(path, problems)
        places[split] = Place(f"{path.relative_to(root).as_posix()}:", lines)
    if not any((root / name).is_file() for names in _LABELS.values() for name in names):
        problems.add(root / "train.tsv", None, _no_labels(strays))
    for name in stray_names(root / _QRELS, _LABEL_NAMES):
        problems.add(root / _QRELS / name, None, _no_split(name))
    return labels, places


def _no_labels(strays: Sequence[str]) -> str:
    what = "is missing; give train.tsv, validation.tsv or test.tsv, here or in qrels"
    if not strays:
        return what
    found = ", ".join(described(name, _LABEL_NAMES) for name in strays)
    return f"{what}; there is {found}"


def _no_split(name: str) -> str:
    near = nearest(name, _LABEL_NAMES)
    return (
        f"names no split; known names are {', '.join(_LABEL_NAMES)}"
        f"; {near or 'rename it or move it away'}"
    )


def _only(root: Path, names: Sequence[str], problems: FileProblems) -> Path | None:
    """Return the one file of these names that is there."""
    found = [root / name for name in names if (root / name).is_file()]
    if len(found) > 1:
        others = found[1].relative_to(root).as_posix()
        what = f"stands beside {others!r}, which means the same; remove one of them"
        problems.add(found[0], None, what)
        return None
    return found[0] if found else None


def _refuse_others(root: Path, own: Sequence[str]) -> None:
    """Raise an error if a file would be read along with the ones to be written."""
    names = [name for names in (_CORPUS, _QUERIES, *_LABELS.values()) for name in names]
    others = [name for name in names if name not in own and (root / name).exists()]
    strays = stray_names(root / _QRELS, _LABEL_NAMES)
    others += [f"{_QRELS}/{name}" for name in strays]
    if others:
        msg = (
            f"{str(root)!r} holds {', '.join(map(repr, others))}, which from_beir() "
            "would take for labels; remove them or choose another folder"
        )
        raise DataError(msg)


def _document_row(document: Document) -> dict[str, object]:
    row: dict[str, object] = {
        "_id": document.doc_id,
        "title": document.title,
        "text": document.text,
    }
    if document.metadata:
        row["metadata"] = dict(document.metadata)
    return row


def _query_row(query: Query) -> dict[str, object]:
    row: dict[str, object] = {"_id": query.query_id, "text": query.text}
    if query.metadata:
        row["metadata"] = dict(query.metadata)
    return row


def _id_of(item: JsonObject) -> str:
    key = _value(item, "_id")
    if type(key) is int:
        return str(key)
    if key == "":
        msg = "'_id' is empty; give every line an id of its own"
        raise RecordError(msg)
    msg = f"'_id' must be a string (got {shown(key)})"
    raise RecordError(msg)


def _refuse_text(item: JsonObject) -> NoReturn:
    kind = type(_value(item, "text")).__name__
    msg = f"'text' must be a string (got {kind})"
    raise RecordError(msg)


def _title_of(title: object) -> str:
    if title is None:
        return ""
    msg = f"'title' must be a string (got {type(title).__name__})"
    raise RecordError(msg)


def _value(item: JsonObject, name: str) -> object:
    if name not in item:
        msg = f"has no {name!r}; its keys are {shown(sorted(item))}"
        raise RecordError(msg)
    return item[name]


def _metadata_of(item: JsonObject, known: Sequence[str]) -> Mapping[str, object]:
    """Return `metadata` together with the keys that the format does not know."""
    value = item.get("metadata")
    metadata: dict[str, object] = {}
    if isinstance(value, dict):
        metadata.update(value)
    elif value is not None:
        metadata["metadata"] = value
    for name, extra in item.items():
        if name in known or name == "metadata":
            continue
        if name in metadata:
            msg = f"has {name!r} beside and inside 'metadata'; keep one of them"
            raise RecordError(msg)
        metadata[name] = extra
    return metadata or NO_METADATA
