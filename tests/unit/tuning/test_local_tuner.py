"""The life of a job of the local tuner: started, found, waited for, stopped."""

from __future__ import annotations

import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from pytest_mock import MockerFixture

from embedtune.datasets.dataset import TuningDataset
from embedtune.errors import (
    ConfigurationError,
    DataError,
    JobFailedError,
    JobTimeoutError,
    NotFoundError,
    UnavailableError,
)
from embedtune.progress import ProgressEvent
from embedtune.tuning.jobs import LocalJob
from embedtune.tuning.local import LocalTuner
from embedtune.tuning.processes import birth_of
from embedtune.tuning.spec import TuningSpec
from embedtune.types import JobState

PATIENCE = 60.0  # seconds for what takes one or two
STARTED = "training queries"  # in the log, once for every run

MakeTask = Callable[..., TuningDataset]

# Python runs this in every process that finds it; it holds workers back.
GATE = """
import os, re, sys, time

def hold(event, args):
    if event == "open" and re.search({at!r}, str(args[0])):
        end = time.monotonic() + 60
        open({reached!r}, "w").close()
        while not os.path.exists({open!r}) and time.monotonic() < end:
            time.sleep(0.01)

if "embedtune.tuning.worker" in sys.orig_argv:
    sys.addaudithook(hold)
"""


class Gate:
    """Holds every worker back, just before it opens a certain file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.at(r"/corpus\.jsonl$")

    def at(self, path: str) -> None:
        """Choose the file by a regular expression."""
        marks = {name: str(self._folder / name) for name in ("reached", "open")}
        text = GATE.format(at=path, **marks)
        (self._folder / "sitecustomize.py").write_text(text)

    def wait(self) -> None:
        """Return when a worker stands before the gate that did not before."""
        reached = self._folder / "reached"
        until(reached.exists)
        reached.unlink()

    def open(self) -> None:
        """Let workers through."""
        (self._folder / "open").touch()


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gate:
    """Hold the workers of this test back."""
    folder = tmp_path / "gate"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
    return Gate(folder)


@pytest.fixture
def tuner(tmp_path: Path) -> Iterator[LocalTuner]:
    """Give a tuner without jobs; at the end, none of them runs."""
    tuner = LocalTuner(tmp_path / "runs")
    yield tuner
    for job in tuner.jobs():
        job.cancel()


@pytest.fixture(scope="module")
def dataset(make_task: MakeTask) -> TuningDataset:
    """Make a task with something to learn."""
    return make_task()


@pytest.fixture(scope="module")
def spec(base_folder: Path) -> TuningSpec:
    """Ask for a short run."""
    return TuningSpec(base_model=str(base_folder), train_steps=30, batch_size=32)


@pytest.fixture(scope="module")
def done(
    dataset: TuningDataset, spec: TuningSpec, tmp_path_factory: pytest.TempPathFactory
) -> LocalJob:
    """Run a job that nothing disturbs."""
    tuner = LocalTuner(tmp_path_factory.mktemp("done") / "runs")
    return tuner.submit(dataset, spec).wait(PATIENCE, progress=False)


def until(is_true: Callable[[], bool]) -> None:
    """Return as soon as something is true."""
    end = time.monotonic() + PATIENCE
    while not is_true():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.01)


def record_of(job: LocalJob) -> dict[str, Any]:
    """Return what the job's folder says of its state."""
    return orjson.loads((job.folder / "state.json").read_bytes())


def write_record(job: LocalJob, **fields: object) -> None:
    """Change what the job's folder says of its state."""
    changed = orjson.dumps(record_of(job) | fields)
    (job.folder / "state.json").write_bytes(changed)


def cancel_and_open(job: LocalJob, gate: Gate) -> None:
    """Cancel a job, and let its worker through when it was asked to stop."""

    def release() -> None:
        until((job.folder / "cancel").exists)
        gate.open()

    thread = threading.Thread(target=release)
    thread.start()
    job.cancel()
    thread.join()


def log_of(job: LocalJob) -> str:
    """Return what the workers said."""
    return (job.folder / "log.txt").read_text()


def model_of(job: LocalJob) -> dict[str, bytes]:
    """Return the files of the model."""
    return {path.name: path.read_bytes() for path in job.result().folder.iterdir()}


def test_submit_returns_while_the_worker_works(
    tuner: LocalTuner, dataset: TuningDataset, spec: TuningSpec, gate: Gate
) -> None:
    """A job that was just submitted is on its way, and its worker is alive."""
    job = tuner.submit(dataset, spec)

    assert job.state in {JobState.PENDING, JobState.RUNNING}
    assert job.reason == ""
    gate.wait()
    assert JobState.RUNNING is job.state
    assert record_of(job)["pid"] not in {0, os.getpid()}
    assert f"LocalJob('{job.name}', RUNNING)" == repr(job)
    assert not (job.folder / "model").exists()


def test_waiting_ends_and_the_job_goes_on(
    tuner: LocalTuner, dataset: TuningDataset, spec: TuningSpec, gate: Gate
) -> None:
    """A wait that is over in time raises, brings the job along, and stops nothing."""
    job = tuner.submit(dataset, spec)
    gate.wait()

    with pytest.raises(JobTimeoutError, match=r"RUNNING after 0\.05 s; it") as e:
        job.wait(0.05, progress=False)

    assert job == e.value.job
    assert isinstance(e.value, TimeoutError)
    assert str(e.value) == str(pickle.loads(pickle.dumps(e.value)))  # noqa: S301
    gate.open()
    assert JobState.SUCCEEDED is job.wait(PATIENCE, progress=False).state


def test_a_callback_that_raises_stops_no_job(
    tuner: LocalTuner, dataset: TuningDataset, spec: TuningSpec, gate: Gate
) -> None:
    """What a progress callback raises ends the wait, and not the job."""

    def refuse(_: ProgressEvent) -> None:
        msg = "enough"
        raise RuntimeError(msg)

    job = tuner.submit(dataset, spec)
    gate.wait()
    with pytest.raises(RuntimeError, match="enough"):
        job.wait(PATIENCE, progress=refuse)

    assert JobState.RUNNING is job.state


@pytest.mark.parametrize("timeout", [-1.0, float("nan")])
def test_wrong_timeout(done: LocalJob, timeout: float) -> None:
    """Less than no time is a ValueError that names the argument."""
    with pytest.raises(ValueError, match="'timeout' must be >= 0 or None"):
        done.wait(timeout)


def test_the_same_again_while_it_runs(
    tuner: LocalTuner, dataset: TuningDataset, spec: TuningSpec, gate: Gate
) -> None:
    """The same input finds the job that runs; test labels and order are not input."""
    job = tuner.submit(dataset, spec)
    gate.wait()
    before = record_of(job)
    turned = TuningDataset(
        corpus=dict(reversed(dataset.corpus.items())),
        queries=dict(reversed(dataset.queries.items())),
        train=dict(reversed(dataset.train.items())),
    )
    again = tuner.submit(turned, spec)

    assert job == again
    assert before == record_of(job)
    assert [job] == list(tuner.jobs())


SUBMIT = """
import sys, time
from pathlib import Path
from embedtune.datasets.dataset import TuningDataset
from embedtune.tuning.local import LocalTuner
from embedtune.tuning.spec import TuningSpec

runs, data, base, me, others = sys.argv[1:]
dataset = TuningDataset.from_beir(data)
tuner = LocalTuner(runs)
spec = TuningSpec(base_model=base, train_steps=30, batch_size=32)
Path(data, f"ready.{me}").touch()
end = time.monotonic() + 60
while len(list(Path(data).glob("ready.*"))) < int(others) and time.monotonic() < end:
    time.sleep(0.001)
print(tuner.submit(dataset, spec).name)
"""


def test_processes_that_submit_at_once(
    tuner: LocalTuner,
    dataset: TuningDataset,
    spec: TuningSpec,
    gate: Gate,
    tmp_path: Path,
) -> None:
    """Of processes that submit the same at the same time, one starts the job."""
    dataset.to_beir(tmp_path / "data")
    runs = tmp_path / "runs"
    submit = [sys.executable, "-W", "ignore::ResourceWarning", "-c", SUBMIT, str(runs)]
    submit += [str(tmp_path / "data"), spec.base_model]
    processes = [
        subprocess.Popen([*submit, str(i), "3"], stdout=subprocess.PIPE, text=True)
        for i in range(3)
    ]
    names = [process.communicate(timeout=PATIENCE)[0].strip() for process in processes]
    gate.open()
    job = tuner.submit(dataset, spec).wait(PATIENCE, progress=False)

    assert [job.name] * 3 == names
    assert 1 == log_of(job).count(STARTED)
    assert [job.name] == [path.name for path in runs.iterdir()]


def test_a_job_that_succeeded_is_not_run_again(
    done: LocalJob, dataset: TuningDataset, spec: TuningSpec
) -> None:
    """The same input finds the result, and nothing is written."""
    files = {p: p.stat().st_mtime_ns for p in done.folder.rglob("*")}
    again = LocalTuner(done.folder.parent).submit(dataset, spec)

    assert JobState.SUCCEEDED is again.state
    assert done == again.wait(0)
    assert files == {p: p.stat().st_mtime_ns for p in done.folder.rglob("*")}
    assert 1 == log_of(done).count(STARTED)


def test_a_result_that_was_removed_is_made_again(
    done: LocalJob, dataset: TuningDataset, spec: TuningSpec
) -> None:
    """Who removes the model of a job, to have the space, gets it by submitting."""
    expected = model_of(done)
    for path in done.result().folder.iterdir():
        path.unlink()
    (done.folder / "model").rmdir()
    with pytest.raises(NotFoundError, match="there is no model in"):
        done.result()
    again = LocalTuner(done.folder.parent).submit(dataset, spec)

    assert expected == model_of(again)


def test_other_input_is_another_job(
    dataset: TuningDataset, spec: TuningSpec, tuner: LocalTuner, gate: Gate
) -> None:
    """Another seed, goal, spec or label is another job; 1 and 1.0 are the same."""
    folder = tuner.submit(dataset, spec).folder
    runs = folder.parent
    labels = dict(dataset.train)
    labels.popitem()
    fewer = TuningDataset(corpus=dataset.corpus, queries=dataset.queries, train=labels)
    whole = TuningSpec(
        base_model=spec.base_model,
        train_steps=30,
        batch_size=32,
        learning_rate_multiplier=1,
    )
    names = [
        folder.name,
        LocalTuner(runs, seed=1).submit(dataset, spec).name,
        LocalTuner(runs, optimize_for="unseen").submit(dataset, spec).name,
        tuner.submit(fewer, spec).name,
    ]

    assert 4 == len(set(names))
    assert folder.name == tuner.submit(dataset, whole).name
    assert list(reversed(names)) == [job.name for job in tuner.jobs()]


def test_cancel(
    tuner: LocalTuner,
    dataset: TuningDataset,
    spec: TuningSpec,
    gate: Gate,
    done: LocalJob,
) -> None:
    """A cancelled job has ended, says so, and gives the same model when restarted."""
    job = tuner.submit(dataset, spec)
    gate.wait()
    pid = record_of(job)["pid"]
    job.cancel()

    assert JobState.CANCELLED is job.state
    with pytest.raises(JobFailedError, match="was cancelled; submit it again") as e:
        job.result()
    assert job == e.value.job
    job.cancel()
    assert JobState.CANCELLED is job.state
    until(lambda: not Path(f"/proc/{pid}").exists())

    gate.open()
    again = tuner.submit(dataset, spec)
    assert job == again
    assert model_of(done) == model_of(again)


def test_a_restart_makes_a_damaged_dataset_whole(
    tuner: LocalTuner, dataset: TuningDataset, spec: TuningSpec, done: LocalJob
) -> None:
    """What was damaged in a job's folder does not make it fail for ever."""
    job = tuner.submit(dataset, spec)
    job.cancel()
    (job.folder / "dataset" / "corpus.jsonl").write_bytes(b"{")
    again = tuner.submit(dataset, spec)

    assert job == again
    assert model_of(done) == model_of(again)


def test_cancel_before_the_worker_says_who_it_is(
    tuner: LocalTuner, dataset: TuningDataset, spec: TuningSpec
) -> None:
    """A job can be cancelled in the moment in which it was submitted."""
    job = tuner.submit(dataset, spec)
    job.cancel()

    assert JobState.CANCELLED is job.state
    assert not (job.folder / "model").exists()


def test_cancel_of_a_job_that_succeeded(done: LocalJob) -> None:
    """A job that has its model keeps it."""
    done.cancel()

    assert JobState.SUCCEEDED is done.state
    assert not (done.folder / "cancel").exists()


def test_a_worker_that_does_not_listen_is_killed(
    tuner: LocalTuner,
    dataset: TuningDataset,
    spec: TuningSpec,
    gate: Gate,
    mocker: MockerFixture,
) -> None:
    """A worker that stands still is cancelled all the same."""
    mocker.patch("embedtune.tuning.processes._POLITE", 0.1)
    job = tuner.submit(dataset, spec)
    gate.wait()
    os.kill(record_of(job)["pid"], signal.SIGSTOP)

    assert JobState.RUNNING is job.state
    job.cancel()
    assert JobState.CANCELLED is job.state


def test_a_worker_that_cannot_be_stopped(
    tuner: LocalTuner,
    dataset: TuningDataset,
    spec: TuningSpec,
    gate: Gate,
    mocker: MockerFixture,
) -> None:
    """A cancel that does not work in time says so, and does not say CANCELLED."""
    job = tuner.submit(dataset, spec)
    gate.wait()
    os.kill(record_of(job)["pid"], signal.SIGSTOP)
    mocker.patch("embedtune.tuning.jobs._PATIENCE", 0.05)
    with pytest.raises(JobTimeoutError, match=r"did not stop within 0\.05 s"):
        job.cancel()

    assert JobState.RUNNING is job.state
    mocker.stopall()
    mocker.patch("embedtune.tuning.processes._POLITE", 0.0)
    job.cancel()


def test_a_later_process_of_the_same_id_is_left_alone(
    tuner: LocalTuner, dataset: TuningDataset, spec: TuningSpec, gate: Gate
) -> None:
    """Who has the worker's process id, and is not the worker, gets no signal."""
    job = tuner.submit(dataset, spec)
    gate.wait()
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True
    ) as other:
        write_record(job, pid=other.pid)
        cancel_and_open(job, gate)

        assert other.poll() is None
        other.communicate(b"\n")
    assert 0 == other.returncode
    assert JobState.CANCELLED is job.state


def test_a_worker_that_cannot_be_found(
    tuner: LocalTuner, dataset: TuningDataset, spec: TuningSpec, gate: Gate
) -> None:
    """A worker that no signal reaches sees by itself that it shall stop."""
    job = tuner.submit(dataset, spec)
    gate.wait()
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    assert "" == birth_of(gone.pid)
    write_record(job, pid=gone.pid, birth="")  # as where there is no /proc
    cancel_and_open(job, gate)

    assert JobState.CANCELLED is job.state


def test_a_worker_started_by_hand_is_stopped(
    tuner: LocalTuner, dataset: TuningDataset, spec: TuningSpec, gate: Gate
) -> None:
    """A worker in the process group of others is stopped, and they are not."""
    job = tuner.submit(dataset, spec)
    gate.wait()
    os.kill(record_of(job)["pid"], signal.SIGKILL)
    until(lambda: job.state.is_final)
    command = [sys.executable, "-m", "embedtune.tuning.worker", str(job.folder)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as worker:
        # Not while it imports: there a signal may get lost, and takes the polite time.
        gate.wait()
        assert worker.pid == record_of(job)["pid"]
        job.cancel()

        assert JobState.CANCELLED is job.state
    assert 1 == worker.returncode


def test_a_worker_that_the_system_ends(
    tuner: LocalTuner, dataset: TuningDataset, spec: TuningSpec, gate: Gate
) -> None:
    """A worker told to end, not by cancel(), leaves a failed job that says so."""
    job = tuner.submit(dataset, spec)
    gate.wait()
    os.kill(record_of(job)["pid"], signal.SIGTERM)
    with pytest.raises(JobFailedError, match="told its worker to end; submit the job"):
        job.wait(PATIENCE, progress=False)

    assert JobState.FAILED is job.state


def test_progress(dataset: TuningDataset, spec: TuningSpec, tuner: LocalTuner) -> None:
    """A callback sees the work begin, go on and end; the history has every step."""
    events: list[ProgressEvent] = []
    job = tuner.submit(dataset, spec).wait(PATIENCE, progress=events.append)

    assert {"tuning"} == {event.description for event in events}
    assert {60} == {event.total for event in events}
    assert 0 == events[0].done
    assert 60 == events[-1].done
    assert sorted(event.done for event in events) == [event.done for event in events]
    steps = [numbers["done"] for numbers in job.history if "done" in numbers]
    assert list(range(1, 31)) == steps[:30]
    assert {"score", "base_score", "confidence"} <= job.metrics.keys()


def test_metrics_while_it_runs(
    tuner: LocalTuner, dataset: TuningDataset, spec: TuningSpec, gate: Gate
) -> None:
    """Until the end, the metrics are of the latest step, NaN or not; no torn line."""
    gate.at(r"/\.model\.safetensors\.")
    job = tuner.submit(dataset, spec)
    gate.wait()
    assert {"step", "loss", "seconds"} <= job.metrics.keys()
    path = job.folder / "metrics.jsonl"
    with path.open("ab") as file:
        file.write(b'{"step": 99, "loss": null, "done": 60, "total": 60}\n')
    events: list[ProgressEvent] = []
    with pytest.raises(JobTimeoutError):
        job.wait(0, progress=events.append)
    assert 60 == events[-1].done
    job.cancel()
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"step": 7, "lo')

    assert orjson.loads(whole.splitlines()[-1]) == job.metrics
    assert len(whole.splitlines()) == len(job.history) + 1  # the start is no step
    path.unlink()
    assert {} == job.metrics
    assert () == job.history


def test_a_failure_is_told(
    tuner: LocalTuner, dataset: TuningDataset, spec: TuningSpec, gate: Gate
) -> None:
    """The reason of a failure is in the error; where it was, and no text, in the log."""
    job = tuner.submit(dataset, spec)
    gate.wait()
    corpus = job.folder / "dataset" / "corpus.jsonl"
    corpus.write_bytes(corpus.read_bytes()[:-30])
    gate.open()
    with pytest.raises(JobFailedError, match="failed: DatasetFormatError: ") as e:
        job.wait(PATIENCE, progress=False)

    assert job == e.value.job
    assert repr(str(job.folder / "log.txt")) in str(e.value)
    assert job.reason in str(e.value)
    assert "Traceback" in log_of(job)
    assert "Traceback" not in str(e.value)
    said = log_of(job) + str(e.value) + (job.folder / "state.json").read_text()
    words = {word for text in dataset.corpus.values() for word in text.text.split()}
    words -= {"about", "time", "make", "where", "which", "again", "using"}  # of prose
    assert set() == {word for word in words if re.search(rf"\b{word}\b", said)}


def test_a_failure_that_nobody_foresaw(
    tuner: LocalTuner, dataset: TuningDataset, spec: TuningSpec, gate: Gate
) -> None:
    """An error that is not of the library is named; its text stays in the log."""
    gate.at(r"/config\.json$")
    job = tuner.submit(dataset, spec)
    gate.wait()
    config = orjson.loads((job.folder / "config.json").read_bytes())
    changed = orjson.dumps(config | {"kind": "a secret"})
    (job.folder / "config.json").write_bytes(changed)
    gate.open()
    with pytest.raises(JobFailedError, match="failed: KeyError; the log says where"):
        job.wait(PATIENCE, progress=False)

    assert "KeyError: 'a secret'" in log_of(job)
    assert "a secret" not in job.reason


def test_a_worker_that_does_not_end(
    tuner: LocalTuner,
    dataset: TuningDataset,
    spec: TuningSpec,
    gate: Gate,
    mocker: MockerFixture,
) -> None:
    """A failed job does not start again beside its last worker; one waits, not long."""
    mocker.patch("embedtune.tuning.runs._PATIENCE", 0.05)
    job = tuner.submit(dataset, spec)
    gate.wait()
    record = record_of(job)
    failed = orjson.dumps(record | {"state": "FAILED"})
    (job.folder / "state.json").write_bytes(failed)
    with pytest.raises(UnavailableError, match=r"last worker of .* does not end") as e:
        tuner.submit(dataset, spec)

    assert e.value.retryable
    assert failed == (job.folder / "state.json").read_bytes()
    (job.folder / "state.json").write_bytes(orjson.dumps(record))


def test_a_job_that_just_failed_starts_again(
    tuner: LocalTuner, dataset: TuningDataset, spec: TuningSpec, gate: Gate
) -> None:
    """Who submits while the last worker is about to end waits for it, and starts."""
    job = tuner.submit(dataset, spec)
    gate.wait()
    first = record_of(job)
    failed = orjson.dumps(first | {"state": "CANCELLED"})
    (job.folder / "state.json").write_bytes(failed)
    end = threading.Timer(0.2, os.kill, (first["pid"], signal.SIGKILL))
    end.start()
    again = tuner.submit(dataset, spec)
    end.join()

    assert job == again
    assert first["attempt"] != record_of(again)["attempt"]
    assert again.state in {JobState.PENDING, JobState.RUNNING}


def test_a_job_that_failed_starts_again(
    tuner: LocalTuner,
    dataset: TuningDataset,
    spec: TuningSpec,
    gate: Gate,
    done: LocalJob,
    base_folder: Path,
) -> None:
    """When the reason of a failure is gone, the same job gives the same model."""
    gate.at(r"/tokenizer\.json$")
    job = tuner.submit(dataset, spec)
    gate.wait()
    away = base_folder.with_name("away")
    base_folder.rename(away)
    try:
        gate.open()
        with pytest.raises(JobFailedError, match="failed: "):
            job.wait(PATIENCE, progress=False)
    finally:
        away.rename(base_folder)
    first = record_of(job)["attempt"]
    again = tuner.submit(dataset, spec)

    assert job == again
    assert model_of(done) == model_of(again)
    assert first != record_of(job)["attempt"]
    assert "" == job.reason


def test_a_base_model_that_changes(
    tuner: LocalTuner,
    dataset: TuningDataset,
    spec: TuningSpec,
    gate: Gate,
    done: LocalJob,
    base_folder: Path,
    tmp_path: Path,
) -> None:
    """The worker refuses a base that is not the one submitted; a new job takes it."""
    gate.at(r"/config\.json$")
    base = tmp_path / "base"
    base.mkdir()
    for path in base_folder.iterdir():
        (base / path.name).write_bytes(path.read_bytes())
    local = TuningSpec(base_model=str(base), train_steps=30, batch_size=32)
    job = tuner.submit(dataset, local)
    gate.wait()
    (base / "model.safetensors").write_bytes(model_of(done)["model.safetensors"])
    gate.open()
    with pytest.raises(JobFailedError, match="has changed since the job was submitted"):
        job.wait(PATIENCE, progress=False)

    assert job != tuner.submit(dataset, local)


def test_no_process_to_be_had(
    tuner: LocalTuner,
    dataset: TuningDataset,
    spec: TuningSpec,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Without a process to work in, submit raises, and the job is FAILED."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    with pytest.raises(UnavailableError, match="no worker process could be") as e:
        tuner.submit(dataset, spec)

    assert "tuning.submit" == e.value.operation
    [job] = tuner.jobs()
    assert JobState.FAILED is job.state
    assert "no worker process could be started" in job.reason


def test_python_inside_another_program(
    tuner: LocalTuner,
    dataset: TuningDataset,
    spec: TuningSpec,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a Python to start, nothing is written, and the message says what to set."""
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(ConfigurationError, match="set it to the Python that shall run"):
        tuner.submit(dataset, spec)

    assert () == tuner.jobs()


def test_jobs_are_found_by_name(done: LocalJob) -> None:
    """Another tuner, in another process too, finds a job and its result."""
    found = LocalTuner(done.folder.parent).job(done.name)
    text = (
        "from embedtune.tuning.local import LocalTuner;"
        f"job = LocalTuner({str(done.folder.parent)!r}).job({done.name!r});"
        "print(job.state, job.result().embedder().fingerprint)"
    )
    output = subprocess.check_output([sys.executable, "-c", text], text=True)

    assert done == found
    assert done.submitted == found.submitted
    assert f"SUCCEEDED {done.result().embedder().fingerprint}\n" == output


@pytest.mark.parametrize(
    "name", ["ghost", "", ".", "..", "local-0123456789abcdef", "done\n", "\x00"]
)
def test_unknown_job(done: LocalJob, name: str) -> None:
    """A name that no job has is a NotFoundError that repeats it."""
    with pytest.raises(NotFoundError, match=re.escape(repr(name))) as e:
        LocalTuner(done.folder.parent).job(name)

    assert "tuning.job" == e.value.operation


@pytest.mark.parametrize(
    "form", ["../runs/{}", "./{}", "{}/", "{}/.", "{}\n", "{}/../{}"]
)
def test_names_are_no_paths(done: LocalJob, form: str) -> None:
    """A path that leads to a job, or past it, is no name."""
    name = form.format(done.name, done.name)
    with pytest.raises(NotFoundError):
        LocalTuner(done.folder.parent).job(name)
    with pytest.raises(NotFoundError):
        LocalTuner(done.folder.parent).job(str(done.folder))


def test_what_else_lies_in_the_folder(done: LocalJob) -> None:
    """Files and folders that are no jobs are not listed."""
    runs = done.folder.parent
    for name in ("notes", ".local-0123456789abcdef.0", "local-0123456789ABCDEF"):
        (runs / name).mkdir(exist_ok=True)
    (runs / "local-0123456789abcdef").write_text("a file")
    try:
        assert [done] == list(LocalTuner(runs).jobs())
    finally:
        (runs / "local-0123456789abcdef").unlink()


def test_no_jobs(tmp_path: Path) -> None:
    """A tuner whose folder does not exist has no jobs, and makes no folder."""
    tuner = LocalTuner(tmp_path / "runs")

    assert () == tuner.jobs()
    assert not (tmp_path / "runs").exists()
    assert f"LocalTuner('{tmp_path / 'runs'}')" == repr(tuner)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("state.json", b""),
        ("state.json", b'{"state": "RUNN'),
        ("state.json", b"[]"),
        ("state.json", b'{"state": "BUSY", "attempt": "1"}'),
        ("state.json", b'{"state": "RUNNING"}'),
        ("config.json", b"{"),
    ],
)
def test_damaged_files(
    done: LocalJob,
    dataset: TuningDataset,
    spec: TuningSpec,
    file: str,
    content: bytes,
) -> None:
    """A job whose files somebody damaged says which, and what to do."""
    path = done.folder / file
    whole = path.read_bytes()
    path.write_bytes(content)
    tuner = LocalTuner(done.folder.parent)
    before = len(list(Path("/proc/self/fd").iterdir()))
    try:
        message = rf"{file}' is damaged; remove the job's folder"
        with pytest.raises(DataError, match=message):
            tuner.job(done.name).wait(0)
        if file == "state.json":
            with pytest.raises(DataError, match=message):
                tuner.submit(dataset, spec)
    finally:
        path.write_bytes(whole)
    assert before == len(list(Path("/proc/self/fd").iterdir()))


def test_a_worker_by_hand(
    tuner: LocalTuner,
    dataset: TuningDataset,
    spec: TuningSpec,
    gate: Gate,
    done: LocalJob,
) -> None:
    """A worker started by hand leaves others alone, and does not redo what is done."""
    job = tuner.submit(dataset, spec)
    gate.wait()
    before = record_of(job)
    command = [sys.executable, "-m", "embedtune.tuning.worker"]
    second = subprocess.run(
        [*command, str(job.folder)], capture_output=True, text=True, check=False
    )

    assert 1 == second.returncode
    assert f"another process works on {job.name}" in second.stderr
    assert before == record_of(job)
    expected = model_of(done)
    subprocess.run([*command, str(done.folder)], capture_output=True, check=True)
    assert JobState.SUCCEEDED is done.state
    assert expected == model_of(done)
