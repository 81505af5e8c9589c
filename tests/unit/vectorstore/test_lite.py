"""Engines of Milvus Lite: shared in a process, locked against others, given back."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pymilvus
import pytest

from embedtune.datasets.values import Document
from embedtune.errors import BackendError, ConfigurationError
from embedtune.serving.local import LocalEmbedder
from embedtune.vectorstore import lite
from embedtune.vectorstore.index import MilvusIndex

OTHER_PROCESS = """
import sys
from pathlib import Path
from embedtune.errors import EmbedtuneError
from embedtune.vectorstore import lite

try:
    lite.release(lite.acquire(Path(sys.argv[1])))
except EmbedtuneError as e:
    print(type(e).__name__, e)
else:
    print("open")
"""


def other_process(path: Path) -> str:
    """Return what another process gets when it opens the folder."""
    run = subprocess.run(
        [sys.executable, "-c", OTHER_PROCESS, str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "" == run.stderr
    return run.stdout.strip()


def is_free(path: Path) -> bool:
    """Tell whether nobody holds the folder's lock, this process included."""
    fcntl = pytest.importorskip("fcntl")
    with (path / "LOCK").open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_a_folder_belongs_to_one_process(tmp_path: Path) -> None:
    """Another process is told who has the folder; the last user frees it."""
    path = tmp_path / "kb.db"
    one = lite.acquire(path)
    two = lite.acquire(path)
    assert one is two

    assert not is_free(path)
    lite.release(one)
    answer = other_process(path)
    assert answer.startswith("UnavailableError")
    for fact in [str(path), "in use by another process", "milvus-lite server"]:
        assert fact in answer

    lite.release(two)
    assert is_free(path)


@pytest.mark.parametrize("parent", ["typo", "typo/more", "file"])
def test_the_folder_above_must_exist(
    tmp_path: Path, embedder: LocalEmbedder, parent: str
) -> None:
    """A path that was mistyped makes nothing, and the missing folder is named."""
    (tmp_path / "file").touch()

    with pytest.raises(
        ConfigurationError,
        match=rf"folder '.*{parent}' does not exist; make it first.*'kb\.db'",
    ):
        MilvusIndex(tmp_path / parent / "kb.db", "kb", embedder)
    assert ["file"] == [entry.name for entry in tmp_path.iterdir()]


def test_a_folder_that_cannot_be_opened(tmp_path: Path) -> None:
    """The reason that Milvus Lite keeps in its log is in the error."""
    path = tmp_path / "kb.db"
    (path / "collections").mkdir(parents=True)
    (path / "LOCK").mkdir()

    with pytest.raises(BackendError, match=r"cannot be opened: .*(directory|denied)"):
        lite.acquire(path)


def test_many_threads_open_one_folder(tmp_path: Path) -> None:
    """Threads that open one folder at once share one engine."""
    path = tmp_path / "kb.db"
    with ThreadPoolExecutor(8) as pool:
        engines = list(pool.map(lambda _: lite.acquire(path), range(8)))
    assert 1 == len({id(engine) for engine in engines})
    assert 8 == engines[0].users

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lite.release, engines))
    assert is_free(path)


def test_many_threads_open_and_close_indexes(
    tmp_path: Path, embedder: LocalEmbedder
) -> None:
    """Opening and closing from many threads neither fails nor leaves a lock."""
    path = tmp_path / "kb.db"

    def work(number: int) -> int:
        with MilvusIndex(path, f"kb{number % 3}", embedder) as index:
            index.sync([Document(doc_id="a", text="b")])
            return len(index.search("b"))

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(work, range(12)))

    assert [1] * 12 == found
    assert is_free(path)


def test_a_failed_opening_frees_the_folder(
    tmp_path: Path, embedder: LocalEmbedder
) -> None:
    """An index that is refused holds nothing."""
    path = tmp_path / "kb.db"
    client = pymilvus.MilvusClient(str(path))
    client.create_collection("kb", dimension=8)
    with pytest.raises(ConfigurationError, match="is no index"):
        MilvusIndex(path, "kb", embedder)
    client.close()

    assert is_free(path)


def test_a_clean_end_leaves_no_trace_of_a_killing(
    tmp_path: Path, embedder: LocalEmbedder
) -> None:
    """Only a folder that was not closed is looked at more closely."""
    path = tmp_path / "kb.db"
    with MilvusIndex(path, "kb", embedder) as index:
        index.sync([Document(doc_id="a", text="b")])
        index.sync([Document(doc_id="c", text="d")], max_deleted_share=1.0)
    engine = lite.acquire(path)
    lite.release(engine)

    assert not engine.was_killed


def test_a_failed_engine_is_given_up(tmp_path: Path, embedder: LocalEmbedder) -> None:
    """After a failure all its users are told, and a new one can be had."""
    path = tmp_path / "kb.db"
    with (
        MilvusIndex(path, "kb", embedder) as one,
        MilvusIndex(path, "kb", embedder) as two,
    ):
        one.sync([Document(doc_id="a", text="b")])
        engine = lite.acquire(path)
        with engine.gate.writing():
            lite.fail(engine, "no reason")
            lite.fail(engine, "another")
        for index in (one, two):
            with pytest.raises(
                BackendError, match=r"failed write \(no reason\).*again"
            ):
                index.search("b")
        with MilvusIndex(path, "kb", embedder) as new:
            assert 1 == new.count()
        lite.release(engine)

    assert is_free(path)
