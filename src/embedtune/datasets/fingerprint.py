"""The identity of a dataset's content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from embedtune.datasets.text import encoded
from embedtune.types import SPLITS

if TYPE_CHECKING:
    from embedtune.datasets.dataset import TuningDataset

_FORMAT = b"embedtune dataset 1\n"
_BLOCK = 512


def fingerprint_of(dataset: TuningDataset) -> str:
    """Return a SHA-256 over ids, texts, titles, metadata and labels by split.

    Every field is preceded by its length, so that no two contents are written the
    same; records are sorted by id, so that their order does not matter.
    """
    digest = hashlib.sha256(_FORMAT)
    block: list[bytes] = []
    for field in _fields(dataset):
        block.append(b"%d:" % len(field))
        block.append(field)
        if len(block) >= _BLOCK:
            digest.update(b"".join(block))
            block.clear()
    digest.update(b"".join(block))
    return digest.hexdigest()


def _fields(dataset: TuningDataset) -> Iterator[bytes]:
    yield b"corpus %d" % len(dataset.corpus)
    for key in sorted(dataset.corpus):
        document = dataset.corpus[key]
        yield encoded(key)
        yield encoded(document.title)
        yield encoded(document.text)
        yield _metadata(document.metadata)
    yield b"queries %d" % len(dataset.queries)
    for key in sorted(dataset.queries):
        query = dataset.queries[key]
        yield encoded(key)
        yield encoded(query.text)
        yield _metadata(query.metadata)
    for split in SPLITS:
        labels = dataset.labels(split)
        yield b"%s %d" % (split.encode(), len(labels))
        for key in sorted(labels):
            row = labels[key]
            yield encoded(key)
            yield b"%d" % len(row)
            for doc_id in sorted(row):
                yield encoded(doc_id)
                yield b"%d" % row[doc_id]


def _metadata(metadata: Mapping[str, object]) -> bytes:
    if not metadata:
        return b""
    return json.dumps(dict(metadata), sort_keys=True, separators=(",", ":")).encode()
