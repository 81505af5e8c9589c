"""A store: one connection for many, closed in order, given up after a failure."""

from __future__ import annotations

import logging
import shutil
import threading
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from embedtune.datasets.values import Document
from embedtune.errors import BackendError, InvalidRequestError, UnavailableError
from embedtune.retry import RetryPolicy
from embedtune.serving.local import LocalEmbedder
from embedtune.vectorstore import lite
from embedtune.vectorstore.address import parse_address
from embedtune.vectorstore.index import MilvusIndex
from embedtune.vectorstore.store import Store


def open_store(address: str | Path, *, timeout: float = 5.0) -> Store:
    """Open a store with no second tries."""
    return Store(
        parse_address(address),
        token="",
        timeout=timeout,
        retry=RetryPolicy(attempts=1),
    )


def corpus(count: int) -> list[Document]:
    """Make a few documents."""
    return [
        Document(doc_id=f"d{number}", text=f"t {number}") for number in range(count)
    ]


def test_a_failed_write_is_the_last(tmp_path: Path, embedder: LocalEmbedder) -> None:
    """All indexes in the folder are told; what was written before is there."""
    path = tmp_path / "kb.db"
    with (
        MilvusIndex(path, "kb", embedder) as one,
        MilvusIndex(path, "kb", embedder) as two,
    ):
        one.sync(corpus(5))
        shutil.rmtree(path / "collections" / "kb__1" / "wal")  # the log cannot be made
        with pytest.raises(BackendError, match="nothing more was written") as info:
            one.sync(corpus(9))
        assert "index.sync" == info.value.operation
        assert not info.value.retryable
        for call in (one.count, two.count, lambda: two.sync(corpus(9))):
            with pytest.raises(BackendError, match="closed after a failed write"):
                call()
        with MilvusIndex(path, "kb", embedder) as again:
            assert 5 == again.count()
            assert 4 == again.sync(corpus(9)).added


def test_an_interrupted_write_is_the_last(tmp_path: Path) -> None:
    """Nobody knows how a write ended that was interrupted; so no other follows."""
    store = open_store(tmp_path / "kb.db")
    with pytest.raises(KeyboardInterrupt), store.writing("index.sync"):
        raise KeyboardInterrupt

    with (
        pytest.raises(BackendError, match="interrupted by KeyboardInterrupt"),
        store.reading("index.search"),
    ):
        pass
    store.close()
    lite.release(lite.acquire(tmp_path / "kb.db"))


def test_an_interrupted_read_is_not(tmp_path: Path) -> None:
    """Reading changes nothing, so its end is no reason to stop."""
    store = open_store(tmp_path / "kb.db")
    with pytest.raises(KeyboardInterrupt), store.reading("index.search"):
        raise KeyboardInterrupt
    with store.reading("index.search") as client:
        assert [] == client.collections("index.search")
    store.close()


def test_closing_waits_for_calls_under_way(tmp_path: Path) -> None:
    """A call ends before the connection does; later ones are refused."""
    store = open_store(tmp_path / "kb.db")
    with store.reading("index.search") as client:
        closing = threading.Thread(target=store.close)
        closing.start()
        closing.join(0.1)
        assert closing.is_alive()
        assert [] == client.collections("index.search")
    closing.join(30)

    assert not closing.is_alive()
    with pytest.raises(InvalidRequestError, match="is closed"), store.reading("x"):
        pass


def test_a_client_that_cannot_connect_frees_the_folder(
    tmp_path: Path, mocker: MockerFixture
) -> None:
    """An opening that fails half-way leaves no lock behind."""
    mocker.patch("pymilvus.MilvusClient", side_effect=KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        open_store(tmp_path / "kb.db")
    mocker.stopall()

    engine = lite.acquire(tmp_path / "kb.db")
    assert 1 == engine.users
    lite.release(engine)


def test_no_server() -> None:
    """A server that does not answer is told as such."""
    with pytest.raises(UnavailableError):
        open_store("http://127.0.0.1:9", timeout=0.3)


def test_a_served_lite_that_failed(tmp_path: Path, embedder: LocalEmbedder) -> None:
    """Where Milvus Lite runs elsewhere, that server must be restarted."""
    engine = lite.acquire(tmp_path / "kb.db")
    with MilvusIndex(engine.uri, "kb", embedder) as index:
        index.sync(corpus(5))
        shutil.rmtree(tmp_path / "kb.db" / "collections" / "kb__1" / "wal")
        with pytest.raises(BackendError, match=r"and restart that server"):
            index.sync(corpus(9))
        with pytest.raises(BackendError, match=r"closed after a failed write"):
            index.sync(corpus(9))
    lite.release(engine)


def test_as_a_server_does_it(
    tmp_path: Path, embedder: LocalEmbedder, mocker: MockerFixture
) -> None:
    """What is no Milvus Lite gets an index, may be written to again, and is right."""
    mocker.patch("pymilvus.MilvusClient.get_server_version", return_value="v2.6.0")
    engine = lite.acquire(tmp_path / "kb.db")
    for added in (9, 0):
        with MilvusIndex(engine.uri, "kb", embedder) as index:
            assert added == index.sync(corpus(9)).added
            assert "d3" == index.search("t 3", limit=1)[0].doc_id
            assert 9 == index.count()
    path = tmp_path / "kb.db" / "collections" / "kb__1" / "manifest.json"
    assert '"metric_type": "IP"' in path.read_text()
    lite.release(engine)


def test_the_log_of_milvus_lite_is_kept_for_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Only the reason of a failed start is taken out of the log."""
    with caplog.at_level(logging.INFO, "milvus_lite.server_manager"):
        lite.release(lite.acquire(tmp_path / "kb.db"))

    assert any("started" in record.message for record in caplog.records)
