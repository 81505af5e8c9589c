"""Whoever is killed, and when: nothing is lost, and no job seems to live on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import orjson
import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.errors import JobFailedError, NotFoundError
from embedtune.serving.static import StaticModel
from embedtune.tuning.folder import remove_unfinished
from embedtune.tuning.jobs import LocalJob
from embedtune.tuning.local import LocalTuner
from embedtune.tuning.locks import is_locked
from embedtune.tuning.spec import TuningSpec
from embedtune.types import JobState

PATIENCE = 60.0  # seconds for what takes one or two
LOST = "its worker ended without a result .*; submit the job again to start it once"

MakeTask = Callable[..., TuningDataset]

# Forks a child for each moment, which kills itself then: before it opens, locks,
# renames or starts something for the n-th time, or after a part of the time it takes.
SUBMIT = """
import json, os, random, signal, sys, time
from pathlib import Path
from embedtune.datasets.dataset import TuningDataset
from embedtune.serving.static import StaticModel
from embedtune.tuning import folder, jobs, launch
from embedtune.tuning.local import LocalTuner
from embedtune.tuning.spec import TuningSpec

root, data, base = sys.argv[1:]
dataset = TuningDataset.from_beir(data)
spec = TuningSpec(base_model=base, train_steps=30, batch_size=32)
WATCHED = {"open", "os.mkdir", "os.rename", "fcntl.flock", "subprocess.Popen"}
WATCHED |= {"_thread.start_new_thread"}

def submit(runs, n):
    count = 0
    def watch(event, args):
        nonlocal count
        if event not in WATCHED or event == "open" and not str(args[0]).startswith(root):
            return
        with os.fdopen(os.dup(log), "w") as file:
            file.write(f"{event} {args[0] if event == 'open' else ''}\\n")
        if count == n:
            os.kill(os.getpid(), signal.SIGKILL)
        count += 1
    log = os.open(runs + ".events", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    if n is not None:
        sys.addaudithook(watch)
    LocalTuner(runs).submit(dataset, spec)

def child(runs, n, delay=None):
    pid = os.fork()
    if not pid:
        try:
            submit(runs, n)
        finally:
            os._exit(0)
    if delay is not None:
        time.sleep(delay)
        os.kill(pid, signal.SIGKILL)
    return os.waitpid(pid, 0)[1] == signal.SIGKILL

n = 0
while child(f"{root}/event-{n:03}", n):
    n += 1
started = time.monotonic()
child(f"{root}/whole", None)
seconds = time.monotonic() - started
moments = random.Random(5)
for i in range(8):
    child(f"{root}/moment-{i}", None, moments.uniform(0.3, 1) * seconds)
"""

WAIT = """
import sys
from embedtune.datasets.dataset import TuningDataset
from embedtune.tuning.local import LocalTuner
from embedtune.tuning.spec import TuningSpec

runs, data, base = sys.argv[1:]
spec = TuningSpec(base_model=base, train_steps=30, batch_size=32)
job = LocalTuner(runs).submit(TuningDataset.from_beir(data), spec)
print(job.name, flush=True)
job.wait(progress=lambda event: print(event.done, flush=True))
"""

# Python runs this in every worker: it dies when the last of some events is seen.
DEATH = """
import os, re, signal, sys

expected = {patterns!r}

def watch(event, args):
    line = " ".join(map(str, (event, *args[:2])))
    if expected and event in ("open", "os.rename") and re.search(expected[0], line):
        del expected[0]
        if not expected:
            os.kill(os.getpid(), signal.SIGKILL)

if "embedtune.tuning.worker" in sys.orig_argv:
    sys.addaudithook(watch)
"""

STATE = r"os\.rename .*/state\.json$"
MODEL = r"os\.rename .*/model$"
DEATHS: Mapping[str, list[str]] = {
    "before it says that it runs": [r"open .*/\.state\.json\."],
    "while it says so": [STATE],
    "reading the dataset": [STATE, r"open .*/corpus\.jsonl"],
    "at the first step": [r"open .*/metrics\.jsonl"] * 2,
    "at a later step": [r"open .*/metrics\.jsonl"] * 25,
    "in the middle of the model": [r"open .*/\.model\.\w+/\.tokenizer\.json"],
    "before the model has its name": [MODEL],
    "before it says that it is done": [MODEL, STATE],
}


@attrs.frozen
class Task:
    """What is submitted, and what comes out of it if nobody is killed.

    Attributes:
        dataset: The data.
        spec: The settings.
        folder: The data as files.
        name: Of the job, in every folder of jobs.
        model: The files of its model.
    """

    dataset: TuningDataset
    spec: TuningSpec
    folder: Path
    name: str
    model: Mapping[str, bytes]

    def arguments(self, runs: Path) -> list[str]:
        """Return what the scripts want to know."""
        return [str(runs), str(self.folder), self.spec.base_model]

    def submit(self, runs: Path) -> LocalJob:
        """Submit the job."""
        return LocalTuner(runs).submit(self.dataset, self.spec)


@pytest.fixture(scope="module")
def task(
    make_task: MakeTask, base_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Task:
    """Run the job once, undisturbed."""
    root = tmp_path_factory.mktemp("undisturbed")
    dataset = make_task()
    dataset.to_beir(root / "data")
    spec = TuningSpec(base_model=str(base_folder), train_steps=30, batch_size=32)
    job = LocalTuner(root / "runs").submit(dataset, spec).wait(PATIENCE)
    assert not job.result().is_base
    return Task(dataset, spec, root / "data", job.name, model_of(job))


def until(is_true: Callable[[], bool]) -> None:
    """Return as soon as something is true."""
    end = time.monotonic() + PATIENCE
    while not is_true():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.005)


def model_of(job: LocalJob) -> Mapping[str, bytes]:
    """Return the files of the model."""
    return {path.name: path.read_bytes() for path in job.result().folder.iterdir()}


def record_of(job: LocalJob) -> dict[str, Any]:
    """Return what the job's folder says of its state."""
    return orjson.loads((job.folder / "state.json").read_bytes())


def names_in(folder: Path) -> set[str]:
    """Return the names of all that is in a folder."""
    return {path.name for path in folder.iterdir()}


def check_whole(job: LocalJob) -> None:
    """Check that the job's folder has all that a worker needs, and no half model."""
    assert {"config.json", "dataset", "lock", "state.json"} <= names_in(job.folder)
    TuningDataset.from_beir(job.folder / "dataset")
    if (job.folder / "model").exists():
        StaticModel.open(job.folder / "model")


def check_lost(job: LocalJob) -> None:
    """Check that a job without a worker says so, and what to do."""
    assert JobState.FAILED is job.state
    with pytest.raises(JobFailedError, match=LOST):
        job.wait(0)
    check_whole(job)


def unfinished(folder: Path) -> list[str]:
    """Return what killed processes left."""
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def make_old(folder: Path) -> None:
    """Let what killed processes left be of an hour ago."""
    long_ago = time.time() - 3600
    for name in unfinished(folder):
        os.utime(folder / name, (long_ago, long_ago))


@pytest.fixture(scope="module")
def killed(task: Task, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Kill a process that submits, at every event and at some moments."""
    root = tmp_path_factory.mktemp("killed")
    threads = {"OPENBLAS_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    subprocess.run(
        [sys.executable, "-c", SUBMIT, *task.arguments(root)],
        check=True,
        env=os.environ | threads,
        timeout=PATIENCE,
    )
    return root


def test_killed_while_it_submits(task: Task, killed: Path) -> None:
    """Wherever the submitting process dies, the job is there whole or unknown."""
    places = sorted(path for path in killed.iterdir() if path.suffix != ".events")
    found = {"unknown": 0, "lost": 0, "going on": 0}
    for runs in places:
        tuner = LocalTuner(runs)
        try:
            job = tuner.job(task.name)
        except NotFoundError:
            assert () == tuner.jobs()
            found["unknown"] += 1
            continue
        assert (job,) == tuner.jobs()
        if job.state is JobState.FAILED:
            check_lost(job)
            found["lost"] += 1
        else:
            assert task.model == model_of(job)
            found["going on"] += 1
        assert [] == unfinished(job.folder)

    assert found["unknown"] >= 10
    assert found["lost"] >= 1
    assert found["going on"] >= 1
    events = [
        len(path.read_text().splitlines()) for path in killed.glob("event-*.events")
    ]
    assert list(range(1, len(events))) == sorted(events)[:-1]


def test_what_killed_submitters_leave(task: Task, killed: Path) -> None:
    """Unfinished folders stay while they may be at work, and go when they are old."""
    for runs in killed.glob("event-*/"):
        before = unfinished(runs)
        remove_unfinished(runs)
        assert before == unfinished(runs)
        make_old(runs)
        remove_unfinished(runs)
        assert [] == unfinished(runs)


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    """Hidden folders of other programs are not touched, however old they are."""
    for name in (".git", ".cache.0123456789ab", ".local-0123456789abcdef"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "lock").touch()
    before = sorted(unfinished(tmp_path))
    make_old(tmp_path)
    remove_unfinished(tmp_path)

    assert before == sorted(unfinished(tmp_path))


def test_submitted_again_after_a_kill(task: Task, killed: Path) -> None:
    """The second try succeeds, gives the undisturbed model, and tidies up."""
    states: dict[str, list[Path]] = {}
    for runs in sorted(killed.glob("event-*/")):
        kind = "unfinished" if unfinished(runs) else "empty"
        kind = "lost" if (runs / task.name).exists() else kind
        states.setdefault(kind, []).append(runs)
    generator = np.random.default_rng(3)
    chosen = [generator.choice(states[kind]) for kind in sorted(states)]
    for runs in chosen:
        make_old(runs)
        job = task.submit(runs)

        assert task.model == model_of(job)
        assert {task.name} == names_in(runs)


@pytest.mark.parametrize("is_group", [False, True], ids=["alone", "group"])
def test_killed_while_it_waits(task: Task, tmp_path: Path, *, is_group: bool) -> None:
    """The job goes on when who submitted it dies, with all others of its terminal."""
    runs = tmp_path / "runs"
    with subprocess.Popen(
        [sys.executable, "-c", WAIT, *task.arguments(runs)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert f"{task.name}\n" == process.stdout.readline()
        assert "0\n" == process.stdout.readline()
        if is_group:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    job = LocalTuner(runs).job(task.name)

    assert -signal.SIGKILL == process.returncode
    assert task.model == model_of(job)
    assert 1 == (job.folder / "log.txt").read_text().count("training queries")


def test_killed_while_it_works(
    task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job whose worker died is FAILED, however often, and succeeds in the end."""
    runs, hooks = tmp_path / "runs", tmp_path / "hooks"
    hooks.mkdir()
    attempts = set()
    with monkeypatch.context() as patch:
        patch.setenv("PYTHONPATH", str(hooks), prepend=os.pathsep)
        for when, patterns in DEATHS.items():
            script = DEATH.format(patterns=patterns)
            (hooks / "sitecustomize.py").write_text(script)
            job = task.submit(runs)
            until(lambda job=job: job.state.is_final)

            check_lost(job)
            has_model = (job.folder / "model").exists()
            assert (when == "before it says that it is done") == has_model
            assert len(unfinished(job.folder)) <= 1
            attempts.add(record_of(job)["attempt"])
    log = (job.folder / "log.txt").read_text()
    again = task.submit(runs)

    assert len(DEATHS) == len(attempts)
    assert task.model == model_of(again)
    assert [] == unfinished(job.folder)
    assert {task.name} == names_in(runs)
    assert log == (job.folder / "log.txt").read_text()  # the model was there already


def test_killed_at_any_moment(task: Task, tmp_path: Path) -> None:
    """Whatever the moment of a kill, the job has ended, or goes on, and says which."""
    moments = np.random.default_rng(11)
    for _ in range(4):
        job = task.submit(tmp_path)
        until(lambda job=job: bool(record_of(job)["pid"]) or job.state.is_final)
        time.sleep(moments.uniform(0, 0.8))
        try:
            os.killpg(record_of(job)["pid"], signal.SIGKILL)
        except ProcessLookupError:
            assert JobState.SUCCEEDED is job.state
        until(lambda job=job: job.state.is_final)

        if job.state is JobState.FAILED:
            check_lost(job)
        else:
            assert task.model == model_of(job)

    again = task.submit(tmp_path)
    assert task.model == model_of(again)
    assert [] == unfinished(again.folder)


def test_a_clock_that_ran_ahead(task: Task, tmp_path: Path) -> None:
    """A record from the future does not keep a dead job alive."""
    job = task.submit(tmp_path)
    job.cancel()
    until(lambda: not is_locked(job.folder / "lock"))
    (job.folder / "cancel").unlink()
    ahead = record_of(job) | {"state": "RUNNING", "changed": time.time() + 3600}
    (job.folder / "state.json").write_bytes(orjson.dumps(ahead))

    check_lost(job)
