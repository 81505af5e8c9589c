"""The gate: readers together, writers alone, and nobody waits for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from embedtune.vectorstore.gate import Gate

PATIENCE = 30.0  # seconds; only a failing test waits that long


def start(work: Callable[[], object]) -> threading.Thread:
    """Run in a thread that ends with the tests."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_readers_are_in_together() -> None:
    """Four readers meet inside the gate."""
    gate = Gate()
    meeting = threading.Barrier(4)

    def read() -> int:
        with gate.reading():
            return meeting.wait(PATIENCE)

    with ThreadPoolExecutor(4) as pool:
        places = [pool.submit(read) for _ in range(4)]

    assert {0, 1, 2, 3} == {place.result() for place in places}


def test_a_writer_is_alone() -> None:
    """Nobody ever sees a writer's work half done."""
    gate = Gate()
    pair = [0, 0]

    def write() -> None:
        for _ in range(200):
            with gate.writing():
                pair[0] += 1
                pair[1] += 1

    def read() -> None:
        for _ in range(200):
            with gate.reading():
                assert pair[0] == pair[1]

    with ThreadPoolExecutor(6) as pool:
        work = [pool.submit(write) for _ in range(3)]
        work += [pool.submit(read) for _ in range(3)]
    for one in work:
        one.result()

    assert [600, 600] == pair


def test_a_waiting_writer_goes_before_later_readers() -> None:
    """Readers that keep coming do not hold a writer off."""
    gate = Gate()
    order: list[str] = []
    with gate.reading():
        writer = start(lambda: _note(gate.writing, order, "writer"))
        _until(lambda: gate.waiting_writers == 1)
        reader = start(lambda: _note(gate.reading, order, "reader"))
        _until(lambda: gate.waiting_readers == 1)
    writer.join(PATIENCE)
    reader.join(PATIENCE)

    assert ["writer", "reader"] == order


def test_waiting_readers_go_before_the_next_writer() -> None:
    """Writers that keep coming do not hold readers off."""
    gate = Gate()
    order: list[str] = []
    with gate.writing():
        readers = [start(lambda: _note(gate.reading, order, "reader"))]
        _until(lambda: gate.waiting_readers == 1)
        readers += [start(lambda: _note(gate.writing, order, "writer"))]
        _until(lambda: gate.waiting_writers == 1)
    for one in readers:
        one.join(PATIENCE)

    assert ["reader", "writer"] == order


def test_an_error_inside_opens_the_gate() -> None:
    """A reader or writer that fails is gone."""
    gate = Gate()
    for side in (gate.reading, gate.writing):
        with pytest.raises(ZeroDivisionError), side():
            _ = 1 / 0

    with gate.writing():
        pass
    with gate.reading():
        pass


def _note(side: Callable, order: list[str], name: str) -> None:  # type: ignore[type-arg]
    with side():
        order.append(name)


def _until(is_so: Callable[[], bool]) -> None:
    ready = threading.Event()
    for _ in range(int(PATIENCE / 0.001)):
        if is_so():
            return
        ready.wait(0.001)
    msg = "it never came to that"
    raise TimeoutError(msg)
