"""The examples run as a user runs them: a process of their own, its output piped."""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from html import unescape
from pathlib import Path
from typing import TypeAlias

import attrs
import pytest

import embedtune as et

EXAMPLES = Path(__file__).parents[2] / "examples"
TABLE = EXAMPLES / "data" / "tidewheel_support.csv"
TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial" / "quickstart.md"
LONGEST = 300.0

_NUMBER = r"([+-]\d\.\d{3})"
_ROW = re.compile(
    rf"^  (\w+) +[\d,]+  .*\]  {_NUMBER} \[{_NUMBER}, {_NUMBER}\]$", re.MULTILINE
)
_SEARCH = re.compile(
    r"^\d\. (?P<query>.*)\n   before: (?P<place>.*?)  +after, .*\n(?P<hits>(?:    ?.*\n){3})",
    re.MULTILINE,
)


@attrs.frozen(kw_only=True)
class Ran:
    """What a program did, and what it took."""

    code: int
    out: str
    err: str
    seconds: float
    megabytes: float

    def section(self, title: str) -> str:
        """Return what was printed under one heading."""
        return self.out.split(f"{title}\n{'-' * len(title)}\n")[1].split("\n---")[0]


Run: TypeAlias = Callable[..., Ran]


@attrs.frozen(kw_only=True)
class Quickstart:
    """The quickstart, run twice with one folder for its results."""

    folder: Path
    first: Ran
    second: Ran


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs a Python program in a folder; byte code is kept, as users have it."""
    compiled = {"PYTHONPYCACHEPREFIX": str(tmp_path_factory.mktemp("compiled"))}
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return functools.partial(_run, env=kept | compiled)


@pytest.fixture(scope="session")
def quickstart(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Quickstart:
    """Both runs; they are shared, as the first is long."""
    folder = tmp_path_factory.mktemp("quickstart")
    first, second = (run(folder, EXAMPLES / "quickstart.py") for _ in range(2))
    return Quickstart(folder=folder / "runs" / "quickstart", first=first, second=second)


def test_quickstart_ends_well(quickstart: Quickstart) -> None:
    """It succeeds, and prints no log line, no bar, and nothing that ASCII lacks."""
    for ran in (quickstart.first, quickstart.second):
        assert (0, "") == (ran.code, ran.err)
        assert ran.out.isascii()
        assert "\r" not in ran.out


def test_quickstart_gains(quickstart: Quickstart) -> None:
    """Tuning surely helps on the standard library, for new documents, too."""
    printed = quickstart.first.section("4. The gain")
    rows = _ROW.findall(printed)

    assert ["all", "seen", "unseen"] * 2 == [row[0] for row in rows]
    for _, gain, low, high in rows:
        assert 0.0 < float(low) < float(gain) < float(high)
        assert float(gain) > 0.05
    assert "Verdict: tuning helped." in printed


def test_quickstart_searches(quickstart: Quickstart) -> None:
    """Five searches find their answer in Milvus now, and did not before."""
    printed = quickstart.first.section("6. Searches before and after")
    searches = [match.groupdict() for match in _SEARCH.finditer(printed + "\n")]

    assert 5 == len(searches)
    for search in searches:
        assert int(search["place"].split()[-1]) > 10
        sides = [(line[3:44], line[46:]) for line in search["hits"].splitlines()]
        assert 0 == sum(before.startswith("*") for before, _ in sides)
        assert 1 == sum(after.startswith("*") for _, after in sides)


def test_quickstart_index(quickstart: Quickstart) -> None:
    """The index that it leaves finds what it printed, from another process."""
    printed = quickstart.first.section("6. Searches before and after")
    (job,) = et.LocalTuner(quickstart.folder / "jobs").jobs()
    name = f"docs_{job.name.replace('-', '_')}"
    tuned = job.result().embedder()
    with et.MilvusIndex(quickstart.folder / "milvus.db", name, tuned) as index:
        assert index.count() > 2_000
        for search in _SEARCH.finditer(printed + "\n"):
            if search["query"].endswith("..."):
                continue
            hits = index.search(search["query"], limit=3)

            for hit, line in zip(hits, search["hits"].splitlines(), strict=True):
                assert line[49:].removesuffix("...") in hit.title


def test_quickstart_report(quickstart: Quickstart) -> None:
    """The report is one file that loads nothing, with the searches in it."""
    page = (quickstart.folder / "report.html").read_text("utf-8")
    searches = quickstart.first.section("6. Searches before and after")

    assert [] == re.findall(r"<(?:script|link|img|iframe|object)\b", page)
    assert [] == re.findall(r"(?:\b(?:src|href)=|url\(|@import)", page)
    assert len(page) < 200_000
    for search in _SEARCH.finditer(searches + "\n"):
        assert search["query"].removesuffix("...") in unescape(page)


def test_quickstart_reuses(quickstart: Quickstart) -> None:
    """A second run says what it reuses, gives the same figures, and takes less."""
    reused = [
        line.split(":")[0] + ":" + line.split(":")[1][:5]
        for line in quickstart.second.out.splitlines()
        if line.startswith("reused")
    ]

    assert "reused" not in quickstart.first.out
    assert ["reused: runs", "reused: job ", "reused: all "] == reused
    for title in ("4. The gain", "6. Searches before and after"):
        assert quickstart.first.section(title) == quickstart.second.section(title)
    assert _tuning_seconds(quickstart.second) < _tuning_seconds(quickstart.first) / 3


def test_tutorial_shows_the_quickstart(quickstart: Quickstart) -> None:
    """The tutorial explains every part that the quickstart prints, in its order."""
    page = TUTORIAL.read_text("utf-8")
    headings = re.findall(r"^(.+)\n-+$", quickstart.first.out, re.MULTILINE)
    places = [page.find(f"{heading}\n---") for heading in headings]

    assert 8 == len(headings)
    assert -1 not in places
    assert sorted(places) == places


def test_quickstart_memory(quickstart: Quickstart) -> None:
    """It and the process that tunes stay under 1 GB together."""
    printed = quickstart.first.section("What it took")
    own, tuning = map(int, re.findall(r"(\d+) MB", printed))

    assert 100 < own < quickstart.first.megabytes + 50  # which may be the parent's
    assert own + tuning < 1_000


def test_quickstart_with_a_folder(run: Run, tmp_path: Path) -> None:
    """A folder without a test split is split; the program for its owner runs."""
    _table().to_beir(tmp_path / "mine")
    ran = run(
        tmp_path,
        EXAMPLES / "quickstart.py",
        *("--data", "mine", "--split-by", "document", "--out", "results"),
        encoding="ascii",
    )

    assert (0, "") == (ran.code, ran.err)
    assert "split by document: 25% of the queries to test" in ran.out
    assert "Training had queries for none of the documents" in _unwrapped(ran.out)
    assert re.search(
        r"^Verdict: (undecided|no gain|tuning helped)", ran.out, re.MULTILINE
    )
    assert (tmp_path / "results" / "report.html").is_file()

    program = tmp_path / "program.py"
    program.write_text(ran.out.split("---------------------------\n")[-1], "utf-8")
    again = run(tmp_path, program)

    assert (0, "") == (again.code, again.err)
    assert "Hit(doc_id=" in again.out


def test_quickstart_with_wrong_column(run: Run, tmp_path: Path) -> None:
    """A wrong column ends in one line that names the columns there are."""
    ran = run(
        tmp_path, EXAMPLES / "quickstart.py", "--data", TABLE, "--query", "subject"
    )

    assert 1 == ran.code
    assert ran.err.startswith("error: ")
    assert 1 == len(ran.err.splitlines())
    assert "'subject'" in ran.err
    assert "'question'" in ran.err


def test_own_data(run: Run, tmp_path: Path) -> None:
    """The table goes in, judgements and searches come out."""
    ran = run(tmp_path, EXAMPLES / "own_data.py")

    assert (0, "") == (ran.code, ran.err)
    for what in ("new answers", "new questions"):
        assert re.search(
            rf"^{what}: (better|worse|undecided|not sure)", ran.out, re.MULTILINE
        )
    hits = re.findall(r"^  -?\d\.\d\d  (.+)  \((\w+)\)$", ran.out, re.MULTILINE)
    assert 9 == len(hits)
    assert ("Battery life and which batteries", "power") in hits[:3]
    assert 3 == len(et.LocalTuner(tmp_path / "runs" / "own_data" / "jobs").jobs())


def _run(
    folder: Path,
    *command: str | Path,
    env: Mapping[str, str],
    encoding: str = "utf-8",
) -> Ran:
    out, err = folder / "stdout.txt", folder / "stderr.txt"
    started = time.monotonic()
    with out.open("wb") as to_out, err.open("wb") as to_err:
        process = subprocess.Popen(
            [sys.executable, *map(str, command)],
            cwd=folder,
            env={**env, "PYTHONIOENCODING": encoding},
            stdin=subprocess.DEVNULL,
            stdout=to_out,
            stderr=to_err,
        )
        watchdog = threading.Timer(LONGEST, process.kill)
        watchdog.start()
        _, status, usage = os.wait4(process.pid, 0)
        watchdog.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    return Ran(
        code=process.returncode,
        out=out.read_text("utf-8"),
        err=err.read_text("utf-8"),
        seconds=time.monotonic() - started,
        megabytes=usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6,
    )


def _unwrapped(text: str) -> str:
    return " ".join(text.split())


def _tuning_seconds(ran: Ran) -> float:
    match = re.search(r"tuning (\d+\.\d)", ran.section("What it took"))
    assert match

    return float(match[1])


def _table() -> et.TuningDataset:
    return et.TuningDataset.from_table(
        TABLE, query="question", document="answer", title="answer_title"
    )
