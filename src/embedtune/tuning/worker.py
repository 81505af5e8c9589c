"""The process that does the work of one tuning job.

`python -m embedtune.tuning.worker JOB_FOLDER` works on a job that was prepared; it is
what a tuner starts. A job may be started again as often as one likes: it begins anew,
and equal jobs give equal models.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import NoReturn

import attrs

from embedtune.errors import EmbedtuneError
from embedtune.tuning.folder import JobFolder
from embedtune.tuning.locks import FileLock
from embedtune.tuning.processes import birth_of
from embedtune.types import JobState

Report = Callable[[Mapping[str, float]], None]
"""Takes the numbers of one step, by name; raises if the job shall stop."""

_WORK = {
    "adapter": "embedtune.tuning.adapter_work",
    "local": "embedtune.tuning.local_work",
}
"""Where the work of each kind of job is; it has a function `work`."""

_TERMINATED = (
    "the system told its worker to end; submit the job again to start it once more"
)

_log = logging.getLogger("embedtune.tuning.worker")


class Cancelled(BaseException):
    """Somebody asked the job to stop."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Work on a job; return 0 if it gave a model."""
    parser = argparse.ArgumentParser(prog="python -m embedtune.tuning.worker")
    parser.add_argument("folder", type=Path, help="the job's folder")
    parser.add_argument("--lock", type=int, help="the job's lock, open and inherited")
    options = parser.parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    folder = JobFolder(options.folder.absolute())
    lock = (
        FileLock.acquire(folder.lock)
        if options.lock is None
        else FileLock.inherited(options.lock)
    )
    if lock is None:
        _log.error("another process works on %s", folder.name)
        return 1
    with lock:
        return 0 if run(folder) is JobState.SUCCEEDED else 1


def run(folder: JobFolder) -> JobState:
    """Work on a job whose lock this process holds; return how it ended."""
    signal.signal(signal.SIGTERM, _cancel)
    record = attrs.evolve(
        folder.status(),
        state=JobState.RUNNING,
        pid=os.getpid(),
        birth=birth_of(os.getpid()),
    )
    metrics: Mapping[str, float] = {}
    reason = ""
    try:
        folder.write(attrs.evolve(record, changed=time.time()))
        metrics = _work(folder)
        state = JobState.SUCCEEDED
    except Cancelled:
        state = JobState.CANCELLED
        if not folder.cancel.exists():
            state, reason = JobState.FAILED, _TERMINATED
        _log.info("stopped")
    except Exception as e:  # noqa: BLE001 -- whatever it is, the job must say it
        state, reason = JobState.FAILED, _words(e)
        _log.exception("failed")
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the end is not to be torn
    folder.write(
        attrs.evolve(
            record, state=state, changed=time.time(), reason=reason, metrics=metrics
        )
    )
    return state


def _work(folder: JobFolder) -> Mapping[str, float]:
    started = time.monotonic()

    def report(numbers: Mapping[str, float]) -> None:
        if folder.cancel.exists():
            raise Cancelled
        seconds = round(time.monotonic() - started, 3)
        folder.append_metrics({**numbers, "seconds": seconds})

    report({})
    module = import_module(_WORK[folder.config["kind"]])
    metrics: Mapping[str, float] = module.work(folder, report)
    return {**metrics, "seconds": round(time.monotonic() - started, 3)}


def _words(error: Exception) -> str:
    # Messages of ours name no text of a document; those of others might.
    if isinstance(error, EmbedtuneError | OSError | MemoryError):
        return f"{type(error).__name__}: {error}"
    return f"{type(error).__name__}; the log says where"


def _cancel(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Cancelled


if __name__ == "__main__":
    sys.exit(main())
