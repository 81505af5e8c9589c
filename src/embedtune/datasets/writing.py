"""Writing a folder of data files, complete before it replaces an older one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from embedtune.datasets.problems import raise_integrity_error, shown
from embedtune.files import new_folder, replace_file, sync_folder
from embedtune.types import SPLITS

if TYPE_CHECKING:
    from embedtune.datasets.dataset import TuningDataset

_CHUNK = 1 << 18


def json_lines(records: Iterable[Mapping[str, object]]) -> Iterator[bytes]:
    """Yield the lines of a JSON Lines file in pieces of a size that disks like."""
    lines: list[bytes] = []
    size = 0
    for record in records:
        line = orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
        lines.append(line)
        size += len(line)
        if size >= _CHUNK:
            yield b"".join(lines)
            lines.clear()
            size = 0
    yield b"".join(lines)


def publish(
    dataset: TuningDataset,
    folder: Path,
    files: Mapping[str, Iterable[bytes]],
    *,
    stale: Iterable[str],
) -> None:
    """Write *files* by relative name; nothing changes until all are complete.

    Args:
        dataset: What the files are made of, to explain what cannot be written.
        folder: Made if it is not there.
        files: The content of each file, in pieces.
        stale: Names that an earlier call may have left, to be removed.

    Raises:
        DatasetIntegrityError: If a text cannot be encoded; it names all of them.
    """
    try:
        _publish(folder, files, stale)
    except (orjson.JSONEncodeError, UnicodeEncodeError):
        _refuse_surrogates(dataset)
        raise


def _publish(
    folder: Path, files: Mapping[str, Iterable[bytes]], stale: Iterable[str]
) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    if not folder.exists():
        with new_folder(folder) as staged:
            _write(staged, files)
        return
    with tempfile.TemporaryDirectory(dir=folder, prefix=".incoming.") as name:
        staged = Path(name)
        _write(staged, files)
        for file in files:
            target = folder / file
            target.parent.mkdir(exist_ok=True)
            (staged / file).replace(target)
        for file in stale:
            (folder / file).unlink(missing_ok=True)
        for changed in {(folder / file).parent for file in files}:
            sync_folder(changed)


def _refuse_surrogates(dataset: TuningDataset) -> None:
    raise_integrity_error(
        "the dataset cannot be written as UTF-8",
        [
            f"{what} has a lone surrogate; decode the original text with its encoding"
            for what in _unwritable(dataset)
        ],
    )


def _write(folder: Path, files: Mapping[str, Iterable[bytes]]) -> None:
    for name, pieces in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        replace_file(path, pieces)


def _unwritable(dataset: TuningDataset) -> Iterator[str]:
    for document in dataset.corpus.values():
        texts = (document.doc_id, document.text, document.title)
        if not _is_utf8(*texts) or not _is_json(document.metadata):
            yield f"document {shown(document.doc_id)}"
    for query in dataset.queries.values():
        if not _is_utf8(query.query_id, query.text) or not _is_json(query.metadata):
            yield f"query {shown(query.query_id)}"
    for split in SPLITS:
        for query_id, row in dataset.labels(split).items():
            if not _is_utf8(query_id, *row):
                yield f"{split}: a label of query {shown(query_id)}"


def _is_utf8(*texts: str) -> bool:
    try:
        for text in texts:
            if not text.isascii():
                text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_json(metadata: Mapping[str, object]) -> bool:
    if not metadata:
        return True
    try:
        orjson.dumps(dict(metadata))
    except orjson.JSONEncodeError:
        return False
    return True
