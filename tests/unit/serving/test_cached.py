"""The cache of an embedder: what is kept, for whom, and what survives."""

from __future__ import annotations

import logging
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from embedtune.datasets.values import Document
from embedtune.errors import (
    BackendError,
    ConfigurationError,
    DataError,
    DimensionMismatchError,
    InvalidRequestError,
    UnavailableError,
)
from embedtune.serving.base import query_fingerprint
from embedtune.serving.cached import CachedEmbedder
from embedtune.serving.local import LocalEmbedder
from embedtune.types import FloatMatrix

TEXTS = ["the cat sat", "reset my password", "", "the dog", "card charged twice"]


class Recorder:
    """An embedder that remembers what it was asked for."""

    def __init__(self, embedder: LocalEmbedder, name: str = "recorder") -> None:
        self.embedder = embedder
        self.name = name
        self.dimension = embedder.dimension
        self.fingerprint = embedder.fingerprint
        self.asked: list[object] = []

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """Return the local rows."""
        self.asked += texts
        return self.embedder.embed_queries(texts)

    def embed_documents(self, documents: Sequence[Document | str]) -> FloatMatrix:
        """Return the local rows."""
        self.asked += documents
        return self.embedder.embed_documents(documents)


class Adapted(Recorder):
    """An embedder with the document space of another one and its own query side."""

    query_fingerprint = "turned"

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """Return the opposite of the local rows."""
        return -super().embed_queries(texts)


@pytest.fixture
def local(write_model: Callable[..., Path]) -> LocalEmbedder:
    """Give a small local embedder."""
    return LocalEmbedder(write_model())


def document(title: str, text: str) -> Document:
    """Return a document whose id says nothing."""
    return Document(doc_id="d", title=title, text=text)


def test_only_misses_are_embedded(local: LocalEmbedder, tmp_path: Path) -> None:
    """Each text goes to the wrapped embedder once, in its order, over many calls."""
    recorder = Recorder(local)
    with CachedEmbedder(recorder, tmp_path / "c.db") as cached:
        first = cached.embed_queries(TEXTS[:3])
        second = cached.embed_queries([TEXTS[3], TEXTS[1], TEXTS[4], TEXTS[3]])
        counted = (cached.hits, cached.misses)

    assert TEXTS == recorder.asked
    assert (2, 5) == counted
    assert np.array_equal(
        local.embed_queries(TEXTS)[[0, 1, 2, 3, 1, 4, 3]], np.vstack([first, second])
    )


def test_rows_are_kept_exactly(local: LocalEmbedder, tmp_path: Path) -> None:
    """After reopening the rows are those of the wrapped embedder, to the last bit."""
    recorder = Recorder(local)
    documents = [document("on cats", "the cat sat"), "the dog"]
    with CachedEmbedder(local, tmp_path / "c.db") as cached:
        cached.embed_queries(TEXTS)
        cached.embed_documents(documents)
    with CachedEmbedder(recorder, tmp_path / "c.db") as cached:
        queries = cached.embed_queries(TEXTS)
        rows = cached.embed_documents(documents)

    assert [] == recorder.asked
    assert local.embed_queries(TEXTS).tobytes() == queries.tobytes()
    assert local.embed_documents(documents).tobytes() == rows.tobytes()


def test_what_makes_a_key(local: LocalEmbedder, tmp_path: Path) -> None:
    """Verb, title and text make a row's key; the border between them is clear."""
    recorder = Recorder(local)
    documents: list[Document | str] = [
        "the cat",
        document("the", "cat"),
        document("the cat", ""),
        document("", "the cat"),
        document("the c", "at"),
    ]
    with CachedEmbedder(recorder, tmp_path / "c.db") as cached:
        cached.embed_queries(["the cat"])
        cached.embed_documents(documents)

    expected = ["the cat", "the cat", documents[1], documents[2], documents[4]]
    assert expected == recorder.asked


def test_embedders_share_a_file(
    local: LocalEmbedder, write_model: Callable[..., Path], tmp_path: Path
) -> None:
    """Two models in one file never get each other's rows."""
    table = np.random.default_rng(9).standard_normal((15, 3), dtype=np.float32)
    other = LocalEmbedder(write_model("other", embeddings=table))
    with (
        CachedEmbedder(local, tmp_path / "c.db") as first,
        CachedEmbedder(other, tmp_path / "c.db") as second,
    ):
        rows = [e.embed_queries(TEXTS) for e in (first, second, first, second)]

    assert [(5, 8), (5, 3), (5, 8), (5, 3)] == [part.shape for part in rows]
    assert np.array_equal(other.embed_queries(TEXTS), rows[3])
    assert np.array_equal(local.embed_queries(TEXTS), rows[2])


def test_query_side_of_its_own(local: LocalEmbedder, tmp_path: Path) -> None:
    """A shared document space shares documents; queries go by the query fingerprint."""
    adapted = Adapted(local)
    with (
        CachedEmbedder(local, tmp_path / "c.db") as plain,
        CachedEmbedder(adapted, tmp_path / "c.db") as other,
    ):
        plain.embed_documents(TEXTS)
        documents = other.embed_documents(TEXTS)
        asked_for_documents = list(adapted.asked)
        queries = [plain.embed_queries(TEXTS), other.embed_queries(TEXTS)]
        fingerprints = (other.fingerprint, query_fingerprint(other))

    assert [] == asked_for_documents
    assert np.array_equal(local.embed_documents(TEXTS), documents)
    assert np.array_equal(-queries[0], queries[1])
    assert (local.fingerprint, "turned") == fingerprints


def test_query_fingerprint_follows_from_the_space(local: LocalEmbedder) -> None:
    """Without a query fingerprint of its own, the document space's one serves."""
    assert local.fingerprint == query_fingerprint(Recorder(local))
    assert local.fingerprint == query_fingerprint(local)


def test_passes_the_wrapped_embedder_through(
    local: LocalEmbedder, tmp_path: Path
) -> None:
    """Name, dimension and fingerprint are the wrapped embedder's."""
    with CachedEmbedder(local, tmp_path / "c.db") as cached:
        assert (local.name, local.dimension) == (cached.name, cached.dimension)
        assert local.fingerprint == cached.fingerprint
        assert "CachedEmbedder(LocalEmbedder('tiny'))" == repr(cached)


def test_more_texts_than_one_block(local: LocalEmbedder, tmp_path: Path) -> None:
    """Thousands of texts, many of them twice, come back in their order."""
    generator = np.random.default_rng(1)
    texts = [f"cat {number}" * 2 for number in generator.integers(0, 4_000, 5_000)]
    recorder = Recorder(local)
    with CachedEmbedder(recorder, tmp_path / "c.db") as cached:
        cached.embed_queries(texts[:1_000])
        rows = cached.embed_queries(texts)

    assert np.array_equal(local.embed_queries(texts), rows)
    assert list(dict.fromkeys(texts)) == recorder.asked


def test_close(local: LocalEmbedder, tmp_path: Path) -> None:
    """Closing twice is fine; asking a closed cache is an error that says so."""
    cached = CachedEmbedder(local, tmp_path / "c.db")
    cached.close()
    cached.close()

    with pytest.raises(
        InvalidRequestError, match=r"cache .*c\.db' is closed; open it again"
    ) as info:
        cached.embed_queries(["a"])
    assert "cache.read" == info.value.operation


def test_files_left_behind(local: LocalEmbedder, tmp_path: Path) -> None:
    """A closed cache is one file."""
    with CachedEmbedder(local, str(tmp_path / "sub.db")) as cached:
        cached.embed_queries(TEXTS)

    assert ["sub.db", "tiny"] == sorted(path.name for path in tmp_path.iterdir())


@pytest.mark.parametrize("damage", ["short", "nan", "scaled"])
def test_damaged_rows_are_made_anew(
    local: LocalEmbedder,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    damage: str,
) -> None:
    """A row that is no unit row of the right length is replaced, with a warning."""
    with CachedEmbedder(local, tmp_path / "c.db") as cached:
        expected = cached.embed_queries(TEXTS)
    data = {
        "short": b"abc",
        "nan": np.full(8, np.nan, np.float32).tobytes(),
        "scaled": (expected[0] * 2).tobytes(),
    }
    connection = sqlite3.connect(tmp_path / "c.db")
    with connection:
        connection.execute(
            "UPDATE rows SET row = ? WHERE rowid IN (2, 4)", [data[damage]]
        )
    connection.close()

    with CachedEmbedder(local, tmp_path / "c.db") as cached:
        with caplog.at_level(logging.WARNING):
            repaired = cached.embed_queries(TEXTS)
        again = cached.embed_queries(TEXTS)
        counted = (cached.hits, cached.misses)

    assert np.array_equal(expected, repaired)
    assert np.array_equal(expected, again)
    assert (8, 2) == counted
    assert ["2 rows of the cache"] == [r.getMessage()[:19] for r in caplog.records]
    assert not any(text in caplog.text for text in TEXTS if text)


def foreign_file(path: Path, kind: str) -> None:
    """Write something that is no cache of this version."""
    if kind == "text":
        path.write_text("reset my password\n" * 100)
        return
    connection = sqlite3.connect(path)
    if kind == "another program's":
        connection.execute("CREATE TABLE customers (name TEXT)")
    else:
        connection.execute("CREATE TABLE rows (key BLOB PRIMARY KEY, row BLOB)")
        connection.execute(f"PRAGMA application_id = {0x656D6274}")
        connection.execute("PRAGMA user_version = 9")
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("text", "is no cache or a damaged one"),
        ("another program's", "is another program's database"),
        ("newer", "has format 9, this version of the library reads 1"),
    ],
)
def test_other_files_are_left_alone(
    local: LocalEmbedder, tmp_path: Path, kind: str, message: str
) -> None:
    """A file that is no cache of this version is refused and not changed by a byte."""
    path = tmp_path / "c.db"
    foreign_file(path, kind)
    before = path.read_bytes()

    with pytest.raises(DataError, match=message):
        CachedEmbedder(local, path)

    assert before == path.read_bytes()


def test_damaged_database(local: LocalEmbedder, tmp_path: Path) -> None:
    """A cache whose pages are overwritten is refused, and kept."""
    path = tmp_path / "c.db"
    with CachedEmbedder(local, path) as cached:
        cached.embed_queries(TEXTS)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 8192)

    with (
        CachedEmbedder(local, path) as cached,
        pytest.raises(DataError, match="no cache or a damaged one"),
    ):
        cached.embed_queries(TEXTS)
    assert path.exists()


@pytest.mark.parametrize("name", ["missing/c.db", "tiny"])
def test_no_place_for_a_file(local: LocalEmbedder, tmp_path: Path, name: str) -> None:
    """A folder that is missing, or stands where the file should be, is named."""
    with pytest.raises(ConfigurationError, match=name.split("/", 1)[0]):
        CachedEmbedder(local, tmp_path / name)


def test_what_is_wrapped_must_be_an_embedder(tmp_path: Path) -> None:
    """Anything else is refused before a file is made."""
    with pytest.raises(TypeError, match=r"must be an embedder \(got str\)"):
        CachedEmbedder("wordllama-256", tmp_path / "c.db")  # type: ignore[arg-type]

    assert not (tmp_path / "c.db").exists()


def test_locked_by_another_process(local: LocalEmbedder, tmp_path: Path) -> None:
    """Writing while somebody else holds the file is unavailable, and works later."""
    with CachedEmbedder(local, tmp_path / "c.db", timeout=0.05) as cached:
        other = sqlite3.connect(tmp_path / "c.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError, match="locked") as info:
            cached.embed_queries(TEXTS)
        other.execute("ROLLBACK")
        other.close()
        rows = cached.embed_queries(TEXTS)

    assert ("cache.write", True) == (info.value.operation, info.value.retryable)
    assert np.array_equal(local.embed_queries(TEXTS), rows)


def test_locked_while_opening(local: LocalEmbedder, tmp_path: Path) -> None:
    """Opening a new file that somebody else holds waits no longer than it should."""
    other = sqlite3.connect(tmp_path / "c.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    with pytest.raises(UnavailableError, match="locked") as info:
        CachedEmbedder(local, tmp_path / "c.db", timeout=0.05)
    other.close()

    assert "cache.open" == info.value.operation


def test_opened_by_many_at_once(local: LocalEmbedder, tmp_path: Path) -> None:
    """Of many that make one new file at the same instant none fails."""
    for attempt in range(20):
        path = tmp_path / f"{attempt}.db"
        barrier = threading.Barrier(6)

        def make(path: Path = path, barrier: threading.Barrier = barrier) -> int:
            barrier.wait()
            with CachedEmbedder(local, path) as cached:
                return len(cached.embed_queries(TEXTS))

        with ThreadPoolExecutor(6) as threads:
            futures = [threads.submit(make) for _ in range(6)]

        assert [5] * 6 == [future.result() for future in futures]


@pytest.mark.parametrize("begin", ["BEGIN", "BEGIN IMMEDIATE"])
def test_waits_for_others_while_opening(
    local: LocalEmbedder, tmp_path: Path, begin: str
) -> None:
    """Who uses the file keeps it from its write-ahead log: wait, but not for ever."""
    path = tmp_path / "c.db"
    CachedEmbedder(local, path).close()
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("PRAGMA journal_mode = DELETE")
    other.execute(begin)
    other.execute("SELECT * FROM rows").fetchall()

    with pytest.raises(UnavailableError, match="locked"):
        CachedEmbedder(local, path, timeout=0.05)
    timer = threading.Timer(0.05, other.close)
    timer.start()
    with CachedEmbedder(local, path) as cached:
        rows = cached.embed_queries(TEXTS)
    timer.join()

    assert np.array_equal(local.embed_queries(TEXTS), rows)


def test_failing_disk(local: LocalEmbedder, tmp_path: Path) -> None:
    """What SQLite cannot write is a BackendError, and the cache works on after it."""
    with CachedEmbedder(local, tmp_path / "c.db") as cached:
        cached.embed_queries(TEXTS[:1])
        connection = cached._store._connection  # noqa: SLF001 -- the limit is its own
        assert connection is not None
        connection.execute("PRAGMA max_page_count = 1")  # as a full disk
        many = [f"cat {number}" for number in range(2_000)]
        with pytest.raises(BackendError, match="full") as info:
            cached.embed_queries(many)
        connection.execute("PRAGMA max_page_count = 1000000")
        rows = cached.embed_queries(many)

    assert "cache.write" == info.value.operation
    assert np.array_equal(local.embed_queries(many), rows)


class Broken(Recorder):
    """An embedder whose rows are wrong in a way of choice."""

    def __init__(
        self, embedder: LocalEmbedder, spoil: Callable[[FloatMatrix], object]
    ) -> None:
        super().__init__(embedder)
        self.spoil = spoil

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """Return the local rows, spoilt."""
        return self.spoil(self.embedder.embed_queries(texts))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (lambda rows: rows.tolist(), DataError, "returned list instead of a float32"),
        (lambda rows: rows.astype(np.float64), DataError, "float64 instead of"),
        (lambda rows: rows[:-1], DataError, r"shape \(4, 8\) for 5 texts"),
        (lambda rows: rows[0], DataError, r"shape \(8,\) for 5 texts"),
        (lambda rows: rows[:, :7], DimensionMismatchError, "length 7 instead of 8"),
        (
            lambda rows: rows * np.float32(np.nan),
            DataError,
            "5 of 5 rows that are not finite",
        ),
        (lambda rows: rows * np.float32(1.01), DataError, "or not of norm 1"),
    ],
)
def test_wrong_rows_are_not_kept(
    local: LocalEmbedder,
    tmp_path: Path,
    spoil: Callable[[FloatMatrix], object],
    error: type[DataError],
    message: str,
) -> None:
    """What breaks the contract of embedders is an error, and nothing of it is kept."""
    with CachedEmbedder(Broken(local, spoil), tmp_path / "c.db") as cached:
        with pytest.raises(error, match=message):
            cached.embed_queries(TEXTS)
        misses = cached.misses
    with CachedEmbedder(local, tmp_path / "c.db") as cached:
        rows = cached.embed_queries(TEXTS)
        counted = (cached.hits, cached.misses)

    assert 0 == misses
    assert (0, 5) == counted
    assert np.array_equal(local.embed_queries(TEXTS), rows)


def test_threads(local: LocalEmbedder, tmp_path: Path) -> None:
    """Eight threads that ask for overlapping texts all get the right rows."""
    texts = [f"cat {number} dog" * (number % 7) for number in range(300)]
    expected = local.embed_queries(texts)
    wrong: list[int] = []

    def ask(seed: int) -> None:
        generator = np.random.default_rng(seed)
        for _ in range(10):
            chosen = generator.integers(0, len(texts), 40)
            rows = cached.embed_queries([texts[i] for i in chosen])
            if not np.array_equal(expected[chosen], rows):
                wrong.append(seed)

    with CachedEmbedder(local, tmp_path / "c.db") as cached:
        threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        counted = cached.hits + cached.misses

    assert [] == wrong
    assert 8 * 10 * 40 == counted


CHILD = """
import sys
from embedtune.serving.cached import CachedEmbedder
from embedtune.serving.local import LocalEmbedder
model, path, first, last = sys.argv[1:]
with CachedEmbedder(LocalEmbedder(model), path) as cached:
    for number in range(int(first), int(last)):
        cached.embed_queries([f"cat {number}", f"dog {number}"])
        print(number, flush=True)
"""


def start_child(
    model: Path, path: Path, first: int, last: int
) -> subprocess.Popen[str]:
    """Start a process that fills the cache and reports each number it has written."""
    command = [sys.executable, "-c", CHILD, model, path, str(first), str(last)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is a matter of POSIX")
def test_killed_while_writing(write_model: Callable[..., Path], tmp_path: Path) -> None:
    """What a killed process had written is there, exactly; the file works on."""
    model, path = write_model(), tmp_path / "c.db"
    local = LocalEmbedder(model)
    first = 0
    for lines in (1, 17, 40):  # killed at the first write, and after some
        with start_child(model, path, first, 1_000_000) as child:
            assert child.stdout is not None
            for _ in range(lines):
                written = int(child.stdout.readline())
            child.send_signal(signal.SIGKILL)
        assert -signal.SIGKILL == child.returncode
        first = written + 1
    texts = [f"{word} {number}" for number in range(first) for word in ("cat", "dog")]
    with CachedEmbedder(local, path) as cached:
        rows = cached.embed_queries(texts)
        counted = (cached.hits, cached.misses)
    connection = sqlite3.connect(path)
    (integrity,) = connection.execute("PRAGMA integrity_check").fetchone()
    connection.close()

    assert (len(texts), 0) == counted
    assert np.array_equal(local.embed_queries(texts), rows)
    assert "ok" == integrity


def test_several_processes(write_model: Callable[..., Path], tmp_path: Path) -> None:
    """Processes that make and fill one new file at the same time all succeed."""
    model, path = write_model(), tmp_path / "c.db"
    children = [start_child(model, path, 10 * n, 10 * n + 40) for n in range(4)]
    for child in children:
        child.communicate()
    texts = [f"{word} {number}" for number in range(70) for word in ("cat", "dog")]
    with CachedEmbedder(LocalEmbedder(model), path) as cached:
        cached.embed_queries(texts)
        counted = (cached.hits, cached.misses)

    assert [0, 0, 0, 0] == [child.returncode for child in children]
    assert (140, 0) == counted
