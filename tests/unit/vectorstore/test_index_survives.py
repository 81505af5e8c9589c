"""An index survives what ends or hinders a process: kill -9, a write that fails.

A process is forked from a server that has imported everything, so that a round costs
little; it syncs, and is killed or hindered while it does.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from embedtune.datasets.values import Document
from embedtune.serving.local import LocalEmbedder
from embedtune.vectorstore import lite
from embedtune.vectorstore.index import MilvusIndex

sys.path.insert(0, str(Path(__file__).parent))  # the other processes find it there

import index_worker as worker

if sys.platform == "win32":
    pytest.skip("there is no kill -9", allow_module_level=True)

_ROUNDS = int(os.environ.get("EMBEDTUNE_KILLS", "4"))


@pytest.fixture(scope="module")
def forks() -> ForkServerContext:
    """Give a server to fork from."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([worker.__name__, "milvus_lite.adapter.grpc.server"])
    return context


@pytest.fixture
def killed(forks: ForkServerContext) -> Callable[..., list[tuple[str, int]]]:
    """Give what runs a process for a while, kills it, and returns what it told."""

    def run(path: Path, version: int, seconds: float) -> list[tuple[str, int]]:
        ours, theirs = forks.Pipe()
        process = forks.Process(
            target=worker.sync_for_ever, args=(path, version, theirs)
        )
        process.start()
        theirs.close()
        assert ours.poll(60)
        time.sleep(seconds)
        assert process.pid
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert -signal.SIGKILL == process.exitcode
        return list(_received(ours))

    return run


def _received(events: Connection) -> Iterator[tuple[str, int]]:
    try:
        while True:
            yield events.recv()
    except EOFError:
        events.close()


def check_acknowledged(
    index: MilvusIndex,
    before: dict[str, Document],
    after: dict[str, Document],
    done: int,
) -> None:
    """What the killed process was told is written, is there; and nothing is twice."""
    written = [one for one in after.values() if one != before.get(one.doc_id)]
    found = index.get(worker.IDS)
    hits = index.search("text", limit=3 * worker.COUNT)

    for one in written[:done]:
        assert one == found[one.doc_id]
    for doc_id, one in found.items():
        assert one in (before.get(doc_id), after.get(doc_id))
    assert len(found) == index.count() == len(hits)
    assert found.keys() == {hit.doc_id for hit in hits}


def test_killed_at_any_instant(
    tmp_path: Path,
    embedder: LocalEmbedder,
    killed: Callable[..., list[tuple[str, int]]],
) -> None:
    """After kill -9 all that was acknowledged is there; the next sync completes it."""
    chance = random.Random(11)  # noqa: S311 -- it only has to be repeatable
    path = tmp_path / "kb.db"
    before: dict[str, Document] = {}
    for number in range(_ROUNDS):
        if number % 4 == 1:  # the very first steps as well
            shutil.rmtree(path)
            before = {}
        first = 1_000 * number
        events = killed(path, first, seconds=chance.random() ** 2)
        for version in [version for kind, version in events if kind == "whole"]:
            before, first = worker.corpus(version), version + 1
        with MilvusIndex(path, "kb", embedder) as index:
            if "done" == events[-1][0]:
                check_acknowledged(index, before, worker.corpus(first), events[-1][1])
            before = worker.corpus(first + 1)
            report = index.sync(before, max_deleted_share=1.0)

            assert len(before) == index.count() == report.documents
            assert before == index.get(worker.IDS)
            again = index.sync(before)
            assert (len(before), 0) == (again.unchanged, again.embedded)


@pytest.mark.parametrize("is_seen_at_opening", [True, False])
def test_killed_at_the_end_of_a_flush(
    tmp_path: Path,
    embedder: LocalEmbedder,
    forks: ForkServerContext,
    mocker: MockerFixture,
    *,
    is_seen_at_opening: bool,
) -> None:
    """Rows that Milvus Lite would show twice are repaired, at once or by a sync."""
    path = tmp_path / "kb.db"
    process = forks.Process(target=worker.die_before_the_log_is_deleted, args=(path,))
    process.start()
    process.join()
    assert -signal.SIGKILL == process.exitcode
    mocker.patch("embedtune.vectorstore.milvus.PAGE", 51)  # pairs fall on its border
    engine = lite.acquire(path)
    assert engine.was_killed
    engine.was_killed = is_seen_at_opening
    wanted = worker.corpus(0)

    with MilvusIndex(path, "kb", embedder) as index:
        if not is_seen_at_opening:
            report = index.sync(wanted)
            assert (len(wanted), 0) == (report.unchanged, report.embedded)
        hits = index.search("text", limit=3 * worker.COUNT)

        assert len(wanted) == index.count() == len(hits)
        assert wanted.keys() == {hit.doc_id for hit in hits}
        assert wanted == index.get(worker.IDS)
    lite.release(engine)


@pytest.fixture(params=["limit", "disk"])
def full(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give a way in which a write fails: a limit on files, or a full disk."""
    if request.param == "limit":
        yield "limit"
        return
    folder = tmp_path / "small"
    folder.mkdir()
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if not mount or subprocess.run([mount, *options], check=False).returncode:
        pytest.skip("mounting a small disk is not allowed here")
    yield "disk"
    subprocess.run([str(shutil.which("umount")), str(folder)], check=True)


def test_nothing_is_written_after_a_failed_write(
    tmp_path: Path, forks: ForkServerContext, full: str
) -> None:
    """A failed write is the last; nothing acknowledged is lost; a rerun completes."""
    folder = tmp_path / "small"
    folder.mkdir(exist_ok=True)
    ours, theirs = forks.Pipe()
    process = forks.Process(
        target=worker.write_until_it_fails,
        args=(folder / "kb.db", theirs),
        kwargs={"full": full},
    )
    process.start()
    theirs.close()
    failure, *refusals, counts, is_equal = _received(ours)
    process.join()
    acknowledged, kept, unchanged, added = counts

    assert "a write to" in failure
    assert "nothing more was written" in failure
    assert "(is the disk full?), then open the index and sync again" in failure
    for refusal in refusals:
        assert "was closed after a failed write" in refusal
    assert 0 < acknowledged <= kept == unchanged < worker.BIG_COUNT == kept + added
    assert is_equal
