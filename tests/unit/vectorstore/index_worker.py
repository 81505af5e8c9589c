"""What runs in processes that are killed or hindered; see `test_index_survives`."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
from multiprocessing.connection import Connection
from pathlib import Path

from milvus_lite.engine import collection
from milvus_lite.storage import wal

from embedtune.datasets.values import Document
from embedtune.errors import BackendError
from embedtune.progress import ProgressEvent
from embedtune.serving.local import LocalEmbedder
from embedtune.vectorstore import sync
from embedtune.vectorstore.index import MilvusIndex

COUNT = 700
BIG_COUNT = 1_500
KEPT = 0.9  # share of the documents in one version
LIMIT = 100_000  # bytes of memory after which Milvus Lite flushes by itself
IDS = [f"o'b\"{number}\\" for number in range(COUNT)]


def corpus(version: int) -> dict[str, Document]:
    """Return a version of the documents: most stay, some change, come and go."""
    kept = random.Random(version)  # noqa: S311 -- it only has to be repeatable
    return {
        doc_id: Document(
            doc_id=doc_id,
            text=f"text {number} {version if number % 3 == 0 else 'for ever'}",
            metadata={"version": version if number % 5 == 0 else 0},
        )
        for number, doc_id in enumerate(IDS)
        if kept.random() < KEPT
    }


def sync_for_ever(path: Path, version: int, events: Connection) -> None:
    """Sync one version after another in small steps, and tell how far it has come."""
    collection.MEMTABLE_MEMORY_LIMIT = LIMIT
    sync.ROWS_AT_ONCE = 100
    events.send(("start", 0))
    index = MilvusIndex(path, "kb", LocalEmbedder())
    while True:
        events.send(("version", version))
        index.sync(
            corpus(version),
            max_deleted_share=1.0,
            progress=lambda event: events.send(("done", event.done)),
        )
        events.send(("whole", version))
        version += 1


def die_before_the_log_is_deleted(path: Path) -> None:
    """Sync, and be killed when rows are in their file and still in the log."""
    index = MilvusIndex(path, "kb", LocalEmbedder())
    wal.WAL.close_and_delete = lambda _: os.kill(os.getpid(), signal.SIGKILL)
    index.sync(corpus(0))


def write_until_it_fails(path: Path, results: Connection, *, full: str) -> None:
    """Sync into a store that cannot grow, then go on once it can."""
    import resource

    done: list[int] = []

    def hinder(event: ProgressEvent) -> None:
        done.append(event.done)
        if event.done and full == "limit":
            size = max(one.stat().st_size for one in path.rglob("*") if one.is_file())
            _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20_000, hard))

    index = MilvusIndex(path, "kb", LocalEmbedder())
    try:
        index.sync(big_corpus(), progress=hinder)
    except BackendError as e:
        results.send(str(e))
    else:
        results.send("it did not fail")
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    if full == "disk":
        mount = str(shutil.which("mount"))
        options = ["-o", "remount,size=200m", str(path.parent)]
        subprocess.run([mount, *options], check=True)
    for call in (lambda: index.sync(big_corpus()), lambda: index.search("x")):
        try:
            call()
        except BackendError as e:
            results.send(str(e))
        else:
            results.send("it went on")
    index.close()
    with MilvusIndex(path, "kb", LocalEmbedder()) as again:
        kept = again.count()
        report = again.sync(big_corpus())
        results.send((done[-1], kept, report.unchanged, report.added))
        found = again.get([one.doc_id for one in big_corpus()])
        results.send(list(found.values()) == big_corpus())


def big_corpus() -> list[Document]:
    """Return documents that fill a small disk."""
    return [
        Document(doc_id=f"d{n}", text=f"{n} " + "word " * 240) for n in range(BIG_COUNT)
    ]
