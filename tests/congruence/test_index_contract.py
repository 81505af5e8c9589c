"""The contract of an index: one body, Milvus Lite in this process and in another.

A server of one's own joins in if `EMBEDTUNE_MILVUS` has its address.
"""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import numpy as np
import pymilvus
import pytest

from embedtune.datasets.values import Document
from embedtune.errors import (
    ConfigurationError,
    DataError,
    DatasetIntegrityError,
    DimensionMismatchError,
    InvalidRequestError,
    NotFoundError,
)
from embedtune.progress import ProgressEvent
from embedtune.serving.base import Embedder
from embedtune.serving.local import LocalEmbedder
from embedtune.types import FloatMatrix
from embedtune.vectorstore.index import MilvusIndex
from embedtune.vectorstore.values import Hit

HOSTILE = [
    "o'brien",
    'say "hi"',
    "back\\slash",
    "\\",
    "\\'",
    '\\"',
    "'",
    '"',
    "x'] or doc_id in ['plain",
    'x"] or doc_id in ["plain',
    "x' or doc_id != '",
    "' or 1 == 1 or doc_id == '",
    "new\nline",
    "carriage\rreturn\ttab",
    "%",
    "_",
    "pl%",
    "{doc_id}",
    "$meta",
    "doc_id",
    "true",
    " ",
    " padded ",
    "a,b",
    "[1]",
    "#",
    "--",
    "/* */",
    ";",
    "日本語",
    "é",
    "e\u0301",
    "\U0001f600",
    "\u2028",
    "\x1b",
    "\x7f",
    "\ufeff",
    "x" * 1_024,
]
BACKENDS = [
    "folder",
    "server",
    *(["milvus"] if "EMBEDTUNE_MILVUS" in os.environ else []),
]
_names = (f"kb{os.getpid()}_{number}" for number in itertools.count())


class Counting:
    """An embedder around another that keeps what it was asked for."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.name = embedder.name
        self.dimension = embedder.dimension
        self.fingerprint = embedder.fingerprint
        self.asked: list[str] = []

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """Pass on."""
        return self._embedder.embed_queries(texts)

    def embed_documents(self, documents: Sequence[Document | str]) -> FloatMatrix:
        """Pass on, and remember the texts."""
        self.asked += [
            document if isinstance(document, str) else document.text
            for document in documents
        ]
        return self._embedder.embed_documents(documents)


@pytest.fixture(scope="module")
def embedder() -> LocalEmbedder:
    """Open the bundled model."""
    return LocalEmbedder()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Name a folder that a whole module's indexes share."""
    return tmp_path_factory.mktemp("milvus") / "kb.db"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run Milvus Lite as a server in a process of its own, on the loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = "from milvus_lite.cmdline import main; main()"
    data = str(tmp_path_factory.mktemp("served") / "data")
    options = ["--data-dir", data, "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, "-c", program, "server", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=10)


@pytest.fixture(scope="module")
def milvus() -> str:
    """Give the address of a server that is there."""
    return os.environ["EMBEDTUNE_MILVUS"]


@pytest.fixture(params=BACKENDS)
def address(request: pytest.FixtureRequest) -> str | Path:
    """Give the place of one backend."""
    value = request.getfixturevalue(request.param)
    assert isinstance(value, str | Path)
    return value


@pytest.fixture
def name() -> str:
    """Give a name that no other test has."""
    return next(_names)


@pytest.fixture
def index(
    address: str | Path, name: str, embedder: LocalEmbedder
) -> Iterator[MilvusIndex]:
    """Open a new index."""
    with MilvusIndex(address, name, embedder) as opened:
        yield opened


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    msg = "the server did not start"
    raise TimeoutError(msg)


def documents(count: int, *, prefix: str = "d") -> list[Document]:
    """Make documents of which each has words of its own."""
    return [
        Document(
            doc_id=f"{prefix}{number}",
            title=f"Case {number}" if number % 2 else "",
            text=f"{_WORDS[number % len(_WORDS)]} number {number}",
            metadata={"number": number},
        )
        for number in range(count)
    ]


_WORDS = [
    "refund",
    "password",
    "card",
    "charge",
    "login",
    "invoice",
    "parcel",
    "delay",
    "battery",
    "screen",
    "printer",
    "router",
    "heater",
    "garden",
    "window",
    "recipe",
    "bicycle",
    "ticket",
    "museum",
    "guitar",
]


def contents(index: MilvusIndex, doc_ids: Sequence[str]) -> list[Document]:
    """Return what an index holds of these, in their order."""
    return list(index.get(doc_ids).values())


def test_sync_makes_the_index_equal_to_the_documents(index: MilvusIndex) -> None:
    """New, changed, unchanged and gone documents are told apart and dealt with."""
    first = documents(20)
    changed = Document(doc_id="d3", text="something else")
    second = [*first[:3], changed, *first[4:15], *documents(2, prefix="new")]

    one = index.sync(first)
    two = index.sync(second)

    assert (20, 0, 0, 0) == (one.added, one.changed, one.unchanged, one.deleted)
    assert (2, 1, 14, 5) == (two.added, two.changed, two.unchanged, two.deleted)
    assert len(second) == two.documents == index.count()
    assert second == contents(index, [one.doc_id for one in second])
    assert {} == index.get([f"d{number}" for number in range(15, 20)])


def test_unchanged_documents_are_neither_embedded_nor_written(
    address: str | Path, name: str, embedder: LocalEmbedder
) -> None:
    """A second sync of the same documents asks the embedder for nothing."""
    counting = Counting(embedder)
    with MilvusIndex(address, name, counting) as index:
        index.sync(documents(30))
        counting.asked.clear()
        report = index.sync(reversed(documents(30)))

    assert [] == counting.asked
    assert (0, 0, 30, 0) == (
        report.added,
        report.changed,
        report.unchanged,
        report.embedded,
    )


def test_new_metadata_needs_no_new_embedding(
    address: str | Path, name: str, embedder: LocalEmbedder
) -> None:
    """A change of metadata alone is written with the embedding that is there."""
    counting = Counting(embedder)
    old = documents(5)
    new = [
        Document(doc_id=one.doc_id, title=one.title, text=one.text, metadata={"v": 2})
        for one in old
    ]
    with MilvusIndex(address, name, counting) as index:
        index.sync(old)
        before = index.search(old[2].text, limit=5)
        counting.asked.clear()
        report = index.sync(new)
        after = index.search(old[2].text, limit=5)

        assert new == contents(index, [one.doc_id for one in new])

    assert [] == counting.asked
    assert (5, 0) == (report.changed, report.embedded)
    assert [hit.doc_id for hit in before] == [hit.doc_id for hit in after]
    assert [hit.score for hit in before] == pytest.approx([hit.score for hit in after])


def test_a_title_is_embedded_and_compared(index: MilvusIndex) -> None:
    """A text that moves into the title is a change."""
    index.sync([Document(doc_id="a", title="", text="b. c")])
    report = index.sync([Document(doc_id="a", title="b", text="c")])

    assert (1, 1) == (report.changed, report.embedded)


def test_search_finds_what_exact_search_finds(
    index: MilvusIndex, embedder: LocalEmbedder
) -> None:
    """Scores are cosines, best first; ids above the lowest score are the same."""
    corpus = documents(300)
    index.sync(corpus)
    texts = ["parcel delay", "guitar number 19", "", "completely unrelated words"]
    exact = embedder.embed_queries(texts) @ embedder.embed_documents(corpus).T

    for row, hits in zip(exact, index.search(texts, limit=25), strict=True):
        best = np.argsort(-row, kind="stable")[:25]
        scores = [hit.score for hit in hits]

        assert np.allclose(row[best], scores, atol=1e-5)
        assert scores == sorted(scores, reverse=True)
        assert _above(row[best], [corpus[i].doc_id for i in best]) == _above(
            scores, [hit.doc_id for hit in hits]
        )


def _above(scores: Sequence[float] | FloatMatrix, doc_ids: list[str]) -> set[str]:
    pairs = zip(scores, doc_ids, strict=True)
    return {doc_id for score, doc_id in pairs if score > scores[-1] + 1e-4}


def test_a_hit_shows_the_whole_document(index: MilvusIndex) -> None:
    """Text, title and metadata come back as they were given."""
    metadata = {"tags": ["a", "ü"], "deep": {"none": None, "yes": True, "x": 0.1}}
    document = Document(
        doc_id="a", title="A title", text="line one\nline \u2028 two", metadata=metadata
    )
    index.sync([document])

    (hit,) = index.search(document.embedding_text)

    assert (
        Hit(
            doc_id="a",
            score=pytest.approx(1.0, abs=1e-5),
            text=document.text,
            title="A title",
            metadata=metadata,
        )
        == hit
    )
    assert {"a": document} == index.get(["a"])


def test_one_text_or_several(index: MilvusIndex) -> None:
    """A text gives hits, several give a list for each, in their order."""
    index.sync(documents(20))
    texts = [f"{word} number" for word in _WORDS] * 20  # more than go at once

    many = index.search(texts, limit=3)

    assert [3] * len(texts) == [len(hits) for hits in many]
    for hits in (
        index.search(texts[7], limit=3),
        index.search((texts[7],), limit=3)[0],
    ):
        assert [hit.doc_id for hit in many[7]] == [hit.doc_id for hit in hits]
        assert many[7][0].score == pytest.approx(hits[0].score, abs=1e-5)
    assert [] == index.search([])


def test_largest_limit(index: MilvusIndex) -> None:
    """A limit above the number of documents gives all of them, once each."""
    index.sync(documents(50))

    hits = index.search("number", limit=16_384)

    assert 50 == len(hits) == len({hit.doc_id for hit in hits})


@pytest.mark.parametrize("limit", [0, -1, 16_385])
def test_limit_out_of_range(index: MilvusIndex, limit: int) -> None:
    """A limit that no server accepts is refused before anything is sent."""
    with pytest.raises(ValueError, match=rf"'limit' must be from 1 to 16384 .*{limit}"):
        index.search("x", limit=limit)


@pytest.mark.parametrize("limit", [True, 1.0, "3"])
def test_limit_of_another_type(index: MilvusIndex, limit: object) -> None:
    """Only integers are limits."""
    with pytest.raises(TypeError, match="'limit' must be an integer"):
        index.search("x", limit=limit)  # type: ignore[call-overload]


def test_wrong_kinds_of_arguments(index: MilvusIndex) -> None:
    """One string is not several ids, and one document not several."""
    with pytest.raises(TypeError, match="'doc_ids' must be several ids"):
        index.get("d1")
    with pytest.raises(TypeError, match="'doc_ids' must be strings"):
        index.get([1])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="several documents"):
        index.sync(documents(1)[0])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"Document values \(got str\)"):
        index.sync(["text"])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="'text' must be a string or several"):
        index.search([1])  # type: ignore[list-item]
    with pytest.raises(TypeError, match=r"'text' must be a string .*\(got NoneType\)"):
        index.search(None)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="'max_deleted_share' must be from 0 to 1"):
        index.sync([], max_deleted_share=1.5)


def test_hostile_ids_name_their_own_rows_only(index: MilvusIndex) -> None:
    """Whatever an id looks like, reading and deleting it touches no other row."""
    corpus = [
        Document(doc_id=one, text=f"text of {n}") for n, one in enumerate(HOSTILE)
    ]
    plain = Document(doc_id="plain", text="a plain one")
    index.sync([*corpus, plain])

    assert [*corpus, plain] == contents(index, [*HOSTILE, "plain"])
    for document in corpus:
        assert {document.doc_id: document} == index.get([document.doc_id])

    report = index.sync([plain, *corpus[::2]])

    assert len(corpus[1::2]) == report.deleted
    assert {one.doc_id for one in corpus[::2]} == set(index.get(HOSTILE))
    assert {"plain": plain} == index.get(["plain"])


def test_ids_that_look_like_filters_find_nothing(index: MilvusIndex) -> None:
    """An id that would widen a filter, if it were not escaped, is just not there."""
    index.sync(documents(10))
    attacks = ["x'] or doc_id in ['d1", 'x"] or doc_id in ["d1', '" or doc_id != "']

    assert {} == index.get(attacks)
    assert {} == index.get(["d1\x00", "\ud800", "x" * 70_000, ""])
    assert {} == index.get([])


def test_many_ids_at_once(index: MilvusIndex) -> None:
    """More ids than go into one filter come back in the order asked for."""
    corpus = documents(2_500)
    index.sync(corpus)
    wanted = [one.doc_id for one in reversed(corpus)]

    found = index.get([*wanted, "nothing"])

    assert wanted == list(found)
    assert 2_500 == index.count()


def test_never_filled(index: MilvusIndex, name: str) -> None:
    """Until the first sync there is no index, and the message says what to do."""
    message = rf"collection '{name}' does not exist; fill it with sync\(\) first"
    calls = {
        "index.search": lambda: index.search("x"),
        "index.count": index.count,
        "index.get": lambda: index.get(["x"]),
    }

    for operation, call in calls.items():
        with pytest.raises(NotFoundError, match=message) as info:
            call()

        assert operation == info.value.operation


def test_empty_index(index: MilvusIndex) -> None:
    """No documents are an index, too, in which nothing is found."""
    report = index.sync([])

    assert 0 == report.documents == index.count()
    assert [] == index.search("x")
    assert [[], []] == index.search(["x", "y"])
    assert {} == index.get(["x"])


def test_mappings_and_generators(index: MilvusIndex) -> None:
    """Documents come in any collection; a mapping's keys must be their ids."""
    corpus = documents(4)
    index.sync({one.doc_id: one for one in corpus})

    assert 4 == index.sync(one for one in corpus).unchanged
    with pytest.raises(DatasetIntegrityError, match="key 'x' holds document 'd0'"):
        index.sync({"x": corpus[0]})


def test_all_problems_are_named_before_anything_is_written(
    index: MilvusIndex,
) -> None:
    """Every document that no server can hold is named at once, with the way out."""
    index.sync(documents(2))
    long = "é" * 40_000  # 40,000 characters, 80,000 bytes
    bad = [
        Document(doc_id="x" * 1_025, text="a"),
        Document(doc_id="long", text=long, title=long),
        Document(doc_id="nul", text="a\0b"),
        Document(doc_id="half", text="\ud800"),
        Document(doc_id="nan", text="a", metadata={"x": [float("nan")]}),
        Document(doc_id="big", text="a", metadata={"x": "y" * 70_000}),
        Document(doc_id="d0", text="a"),
        Document(doc_id="d0", text="b"),
    ]

    with pytest.raises(DatasetIntegrityError, match="8 problems") as info:
        index.sync([*documents(2)[1:], *bad])

    problems = "\n".join(info.value.problems)
    for fact in [
        "2 documents have the id 'd0'",
        "the id has 1025 bytes, the most is 1024; use a shorter one",
        "document 'long': the text has 80000 bytes, the most is 65535; divide",
        "document 'long': the title has 80000 bytes",
        "document 'nul': the text has a NUL character",
        "document 'half': the text has half a surrogate pair at character 0",
        "document 'nan': metadata['x'][0] is nan, which is no JSON",
        "document 'big'",
    ]:
        assert fact in problems
    assert long not in str(info.value)
    assert documents(2) == contents(index, ["d0", "d1", "long", "nan"])


def test_texts_at_their_limits(index: MilvusIndex) -> None:
    """The longest id, text, title and metadata that are allowed are kept whole."""
    document = Document(
        doc_id="é" * 512,
        text="日" * 21_845,
        title="t" * 65_535,
        metadata={"x": "y" * 65_528},
    )
    index.sync([document])

    assert {document.doc_id: document} == index.get([document.doc_id])


def test_deletions_are_guarded(index: MilvusIndex) -> None:
    """A list that was cut short deletes nothing, unless one says so."""
    corpus = documents(10)
    index.sync(corpus)

    with pytest.raises(DataError, match=r"delete 6 of 10 .*max_deleted_share=1\.0"):
        index.sync(corpus[:4])
    assert 10 == index.count()

    assert 5 == index.sync(corpus[:5]).deleted
    with pytest.raises(DataError, match=r"delete 1 of 5 .*max_deleted_share=1\.0$"):
        index.sync(corpus[:4], max_deleted_share=0.0)
    assert 5 == index.sync([], max_deleted_share=1.0).deleted
    assert 0 == index.count()


def test_new_ids_for_old_documents(index: MilvusIndex) -> None:
    """Where nearly all ids are new, the refusal says where such ids come from."""
    corpus = documents(20)
    index.sync(corpus)
    renamed = [attrs.evolve(one, doc_id=f"new-{one.doc_id}") for one in corpus[1:]]

    with pytest.raises(
        DataError, match=r"19 of 20 given ids are new: .*'document_id' of from_table"
    ):
        index.sync([corpus[0], *renamed])
    assert 20 == index.count()


def test_reopened(address: str | Path, name: str, embedder: LocalEmbedder) -> None:
    """What was written is there, and searchable, when the index is opened again."""
    corpus = documents(40)
    with MilvusIndex(address, name, embedder) as index:
        index.sync(corpus)
        hits = index.search("museum", limit=4)
    with MilvusIndex(address, name, embedder) as index:
        assert hits == index.search("museum", limit=4)
        assert 40 == index.count() == index.sync(corpus).unchanged


def test_another_space_is_refused(
    address: str | Path, name: str, embedder: LocalEmbedder
) -> None:
    """An embedder whose rows are not comparable is told whose rows are there."""
    table = embedder.model.table
    other = LocalEmbedder(embedder.model.with_table(table * 2 + 1, name="other"))
    shorter = LocalEmbedder(embedder.model.with_table(table[:, :8], name="shorter"))
    with MilvusIndex(address, name, embedder) as index:
        with MilvusIndex(address, name, other) as early:
            index.sync(documents(3))
            for call in (lambda: early.search("x"), lambda: early.sync([])):
                with pytest.raises(ConfigurationError, match="'wordllama-256'"):
                    call()
        with pytest.raises(
            ConfigurationError, match=f"{embedder.fingerprint}.*'other'.*another name"
        ):
            MilvusIndex(address, name, other)
        with pytest.raises(
            DimensionMismatchError, match=r"256.*'shorter' has 8"
        ) as info:
            MilvusIndex(address, name, shorter)

        assert (256, 8) == (info.value.expected, info.value.actual)
        assert 3 == index.count()


def test_two_indexes_in_one_place(
    address: str | Path, index: MilvusIndex, embedder: LocalEmbedder
) -> None:
    """Indexes of other names do not see each other, and one outlives another."""
    with MilvusIndex(address, next(_names), embedder) as other:
        index.sync(documents(3))
        other.sync(documents(5))

        assert (3, 5) == (index.count(), other.count())

    assert 3 == index.count()


def test_closed(address: str | Path, name: str, embedder: LocalEmbedder) -> None:
    """A closed index says so; closing again does nothing."""
    index = MilvusIndex(address, name, embedder)
    index.sync(documents(2))
    index.close()
    index.close()

    for call in (lambda: index.search("x"), index.count, lambda: index.sync([])):
        with pytest.raises(InvalidRequestError, match="closed; open it again"):
            call()


def test_a_collection_of_somebody_else(
    address: str | Path, index: MilvusIndex, name: str, embedder: LocalEmbedder
) -> None:
    """A collection that is no index is left alone."""
    client = pymilvus.MilvusClient(str(address))
    client.create_collection(name, dimension=8)
    try:
        with pytest.raises(ConfigurationError, match=f"'{name}' exists and is no"):
            index.sync(documents(1))
        with pytest.raises(ConfigurationError, match="choose another name"):
            MilvusIndex(address, name, embedder)

        assert [name] == [n for n in client.list_collections() if n.startswith(name)]
    finally:
        client.drop_collection(name)
        client.close()


def test_progress_counts_what_is_acknowledged(index: MilvusIndex) -> None:
    """Events end at the number of rows written and deleted."""
    events: list[ProgressEvent] = []
    index.sync(documents(1_500))
    index.sync(documents(900) + documents(600, prefix="n"), progress=events.append)

    assert 0 == events[0].done
    assert 1_200 == events[-1].done == events[-1].total
    assert 1_500 == index.count()


def test_stopped_between_batches(index: MilvusIndex) -> None:
    """A callback may stop a sync; the next one finishes it."""

    def stop(event: ProgressEvent) -> None:
        if event.done:
            raise KeyboardInterrupt

    corpus = documents(2_000)
    with pytest.raises(KeyboardInterrupt):
        index.sync(corpus, progress=stop)
    kept = index.count()
    report = index.sync(corpus)

    assert 0 < kept < 2_000
    assert (kept, 2_000 - kept) == (report.unchanged, report.added)
    assert corpus == contents(index, [one.doc_id for one in corpus])


class Broken:
    """An embedder that breaks its contract in a way of one's choice."""

    name = "broken"
    fingerprint = "broken"
    dimension = 4

    def __init__(self, rows: Callable[[int], FloatMatrix]) -> None:
        self._rows = rows

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """Return something."""
        return self._rows(len(texts))

    def embed_documents(self, documents: Sequence[Document | str]) -> FloatMatrix:
        """Return something."""
        return self._rows(len(documents))


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        (
            lambda n: np.eye(4, dtype=np.float32)[[0] * (n + 1)],
            DataError,
            "for 2 texts",
        ),
        (lambda n: np.eye(5, dtype=np.float32)[[0] * n], DimensionMismatchError, "5"),
        (lambda n: np.ones((n, 4), np.float32), DataError, "2 of 2 rows .* norm 1"),
        (lambda n: np.full((n, 4), np.nan, np.float32), DataError, "not of norm 1"),
        (lambda n: np.zeros(4 * n, np.float32), DataError, "shape"),
    ],
)
def test_broken_embedders(
    address: str | Path,
    name: str,
    rows: Callable[[int], FloatMatrix],
    error: type[DataError],
    message: str,
) -> None:
    """Rows that are not what they should be are not written and not searched for."""
    with MilvusIndex(address, name, Broken(rows)) as index:
        with pytest.raises(error, match=message):
            index.sync(documents(2))

        assert 0 == index.count()
        with pytest.raises(error, match=message):
            index.search(["a", "b"])


def test_searches_go_on_during_a_sync(index: MilvusIndex) -> None:
    """Threads that search meanwhile see old or new rows, never errors or less."""
    index.sync(documents(200))
    is_over = threading.Event()

    def search(seed: int) -> int:
        rounds = 0
        while not is_over.is_set():
            hits = index.search(_WORDS[seed], limit=200)
            assert 200 == len({hit.doc_id for hit in hits})
            rounds += 1
        return rounds

    with ThreadPoolExecutor(8) as pool:
        searches = [pool.submit(search, seed) for seed in range(8)]
        try:
            for version in range(3):
                changed = [
                    Document(doc_id=one.doc_id, text=f"{one.text} {version}")
                    for one in documents(200)
                ]
                new = documents(300, prefix=f"v{version}-")
                index.sync([*changed, *new], max_deleted_share=1.0)
        finally:
            is_over.set()

    assert all(one.result() > 0 for one in searches)
    assert 500 == index.count()


def test_syncs_take_turns(index: MilvusIndex) -> None:
    """Syncs from several threads at once leave the documents of one of them."""
    candidates = [documents(200, prefix=letter) for letter in "abcd"]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda c: index.sync(c, max_deleted_share=1.0), candidates))

    assert 200 == index.count()
    (winner,) = (c for c in candidates if index.get([c[0].doc_id]))
    assert winner == contents(index, [one.doc_id for one in winner])


def test_silence(index: MilvusIndex, capfd: pytest.CaptureFixture[str]) -> None:
    """Expected failures are told by errors, not by somebody's log as well."""
    with pytest.raises(NotFoundError):
        index.count()
    index.sync(documents(2))

    assert ("", "") == tuple(capfd.readouterr())
