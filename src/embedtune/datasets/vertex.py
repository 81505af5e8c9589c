"""The files that Vertex AI tunes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from embedtune.datasets.labels import label_lines, needs_quotes
from embedtune.datasets.problems import raise_integrity_error, shown
from embedtune.datasets.values import Document
from embedtune.datasets.writing import json_lines, publish
from embedtune.errors import DataError
from embedtune.types import SPLITS, Split

if TYPE_CHECKING:
    from embedtune.datasets.dataset import TuningDataset

_CORPUS = "corpus.jsonl"
_QUERIES = "queries.jsonl"
_LABELS: Mapping[Split, str] = {split: f"{split}.tsv" for split in SPLITS}


def write_vertex(dataset: TuningDataset, folder: str | Path) -> None:
    """Write a folder; see :meth:`~embedtune.datasets.dataset.TuningDataset.to_vertex`."""
    root = Path(folder)
    own = {_CORPUS, _QUERIES, *_LABELS.values()}
    _refuse_others(root, own)
    _refuse_ids(dataset)
    queries = dataset.queries.values()
    files: dict[str, Iterable[bytes]] = {
        _CORPUS: json_lines(map(_document_row, dataset.corpus.values())),
        _QUERIES: json_lines({"_id": q.query_id, "text": q.text} for q in queries),
    }
    for split, name in _LABELS.items():
        labels = dataset.labels(split)
        if labels or split == "train":
            files[name] = label_lines(labels)
    publish(dataset, root, files, stale=own - set(files))


def unfit_ids(dataset: TuningDataset) -> Iterator[str]:
    """Yield the kind and the id of whatever these files cannot hold as it is."""
    doc_ids = dict.fromkeys(dataset.corpus)
    query_ids = dict.fromkeys(dataset.queries)
    for split in SPLITS:
        for query_id, row in dataset.labels(split).items():
            query_ids[query_id] = None
            doc_ids.update(dict.fromkeys(row))
    for doc_id in filter(needs_quotes, doc_ids):
        yield f"document {shown(doc_id)}"
    for query_id in filter(needs_quotes, query_ids):
        yield f"query {shown(query_id)}"


def _document_row(document: Document) -> dict[str, object]:
    row: dict[str, object] = {"_id": document.doc_id, "text": document.text}
    if document.title:
        row["title"] = document.title
    return row


def _refuse_ids(dataset: TuningDataset) -> None:
    raise_integrity_error(
        "Vertex AI reads ids from tab-separated files; rename these",
        [
            f"{what} has a tab, a line break or a quote in its id"
            for what in sorted(unfit_ids(dataset))
        ],
    )


def _refuse_others(root: Path, own: set[str]) -> None:
    if not root.is_dir():
        return
    others = sorted(path.name for path in root.iterdir() if path.name not in own)
    if others:
        msg = (
            f"{str(root)!r} holds {len(others)} other files "
            f"({', '.join(map(repr, others[:5]))}); choose a folder of its own"
        )
        raise DataError(msg)
