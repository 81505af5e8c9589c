"""Progress: a bar on a terminal, silence in a pipe, events for a callback."""

from __future__ import annotations

import os
import subprocess
import sys
import termios
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from embedtune.progress import ProgressEvent, ProgressOption, track

if TYPE_CHECKING:
    from pytest_mock import MockerFixture

WORK = """
import sys, time
from embedtune.progress import track

with track("counting sheep", 4, PROGRESS) as progress:
    progress.note("warm")
    progress.advance(1)
    time.sleep(PAUSE)
    progress.advance(3)
    END

print("tqdm" in sys.modules)
"""


def work(*, progress: str = "True", pause: float = 0.3, end: str = "pass") -> str:
    """Return a program that counts to four."""
    return (
        WORK.replace("PROGRESS", progress)
        .replace("PAUSE", str(pause))
        .replace("END", end)
    )


def environment(**changes: str) -> dict[str, str]:
    """Return this process' environment without what says that nobody watches."""
    kept = {k: v for k, v in os.environ.items() if k not in {"CI", "TERM"}}
    return {**kept, "TERM": "xterm", **changes}


def run_on_terminal(
    program: str, *, columns: int = 100, **changes: str
) -> tuple[int, str, str]:
    """Run *program* with a terminal as stderr; its code, stdout and stderr."""
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (columns // 4, columns))
    child = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=environment(**changes),
    )
    os.close(theirs)
    shown = _read_all(ours)
    stdout, _ = child.communicate(timeout=30)
    return child.returncode, stdout.decode(), shown


@pytest.mark.parametrize("columns", [100, 0])
def test_terminal_shows_a_bar(columns: int) -> None:
    """Work that takes a moment shows its name, its progress and its note.

    A terminal that does not know its own size, as in a container, shows them, too.
    """
    code, stdout, shown = run_on_terminal(work(), columns=columns)

    assert 0 == code
    assert "True\n" == stdout
    assert "counting sheep" in shown
    assert "4/4" in shown
    assert "warm" in shown


def test_short_work_shows_no_bar() -> None:
    """Work that is over before a person could look leaves no line behind."""
    _, _, shown = run_on_terminal(work(pause=0.0))

    assert "" == shown.strip()


def test_false_is_silent_on_a_terminal() -> None:
    """Without progress nothing is drawn, and the bar's library is not loaded."""
    result = run_on_terminal(work(progress="False"))

    assert (0, "False\n", "") == result


@pytest.mark.parametrize("changes", [{"CI": "true"}, {"TERM": "dumb"}])
def test_terminals_nobody_watches_are_silent(changes: dict[str, str]) -> None:
    """A terminal of a CI job or of an editor's buffer gets no bar."""
    result = run_on_terminal(work(), **changes)

    assert (0, "False\n", "") == result


def test_pipe_is_silent() -> None:
    """Output that goes to a file or another program holds no bar."""
    done = subprocess.run(
        [sys.executable, "-c", work()],
        check=True,
        capture_output=True,
        env=environment(),
    )

    assert (b"False\n", b"") == (done.stdout, done.stderr)


def test_missing_stderr_is_silent(mocker: MockerFixture) -> None:
    """A program without a console can do long work, too."""
    mocker.patch("sys.stderr", None)

    with track("counting", 1, progress=True) as progress:
        progress.note("in silence")
        progress.advance()


def test_exception_closes_the_bar() -> None:
    """A failure leaves the bar where it stood, above its traceback."""
    code, _, shown = run_on_terminal(work(end="raise SystemError('enough')"))

    assert 1 == code
    assert shown.index("4/4") < shown.index("\nTraceback")


def test_callback_gets_events() -> None:
    """One event at the start, then one for every call, with what is known so far."""
    events: list[ProgressEvent] = []

    with track("embedding", 10, events.append) as progress:
        progress.advance(4)
        progress.note("half-way")
        progress.advance()

    assert [(0, ""), (4, ""), (4, "half-way"), (5, "half-way")] == [
        (event.done, event.note) for event in events
    ]
    assert {("embedding", 10)} == {(event.description, event.total) for event in events}
    seconds = [event.seconds for event in events]
    assert sorted(seconds) == seconds
    assert seconds[0] >= 0


def test_callback_of_endless_work() -> None:
    """Work of unknown length says so."""
    events: list[ProgressEvent] = []

    with track("waiting", None, events.append):
        pass

    assert [None] == [event.total for event in events]


def test_callback_can_stop_the_work() -> None:
    """What the callback raises comes through the call that reported."""

    def stop(event: ProgressEvent) -> None:
        if event.done:
            raise InterruptedError(event.description)

    with (
        pytest.raises(InterruptedError, match="indexing"),
        track("indexing", 3, stop) as progress,
    ):
        progress.advance()


def test_callback_may_report_itself() -> None:
    """A callback may add a note to the work that it watches."""
    notes: list[str] = []

    def remark(event: ProgressEvent) -> None:
        notes.append(event.note)
        if event.done and not event.note:
            progress.note("seen")

    with track("indexing", 1, remark) as progress:
        progress.advance()

    assert ["", "", "seen"] == notes


def test_threads_advance_together() -> None:
    """No unit is lost between threads, and events come in order."""
    done: list[int] = []
    barrier = threading.Barrier(4)

    with track("embedding", 4000, lambda event: done.append(event.done)) as progress:

        def advance() -> None:
            barrier.wait()
            for _ in range(1000):
                progress.advance()

        with ThreadPoolExecutor(4) as pool:
            for future in [pool.submit(advance) for _ in range(4)]:
                future.result()

    assert list(range(4001)) == done


@pytest.mark.parametrize("progress", [None, "yes", 1])
def test_wrong_option(progress: ProgressOption) -> None:
    """Only a truth value or a callable says what to show."""
    with (
        pytest.raises(TypeError, match=f"'progress' must be .*{progress!r}"),
        track("counting", 1, progress),
    ):
        pytest.fail("the block ran")


@pytest.mark.parametrize("progress", [False, lambda _: None])
def test_no_step_back(progress: ProgressOption) -> None:
    """Progress never goes back, whoever is watching."""
    with (
        track("counting", 1, progress) as steps,
        pytest.raises(ValueError, match="'n' must be >= 0"),
    ):
        steps.advance(-1)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ZMQInteractiveShell", True),  # Jupyter
        ("Shell", True),  # Colab's, derived from Jupyter's
        ("TerminalInteractiveShell", False),  # ipython on a terminal
        ("NoneType", False),  # a program that only imports IPython
    ],
)
def test_notebook_is_known_by_its_shell(
    mocker: MockerFixture, tmp_path: Path, name: str, *, expected: bool
) -> None:
    """A kernel gets a bar although its stderr is no terminal; other shells do not."""
    bases = (type("ZMQInteractiveShell", (), {}),) if expected else ()
    ipython = mocker.Mock()
    ipython.get_ipython.return_value = type(name, bases, {})()
    mocker.patch.dict(sys.modules, {"IPython": ipython})
    mocker.patch("embedtune.progress._Bar._DELAY", 0.0)
    path = tmp_path / "stderr"

    with path.open("w") as file:
        mocker.patch("sys.stderr", file)
        with track("counting sheep", 2, progress=True) as progress:
            progress.advance(2)

    assert expected is ("counting sheep: 100%" in path.read_text())


def _read_all(terminal: int) -> str:
    pieces = []
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # how Linux says that the other side is closed
            piece = b""
        if not piece:
            break
        pieces.append(piece)
    os.close(terminal)
    return b"".join(pieces).decode()
