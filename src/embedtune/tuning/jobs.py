"""Tuning jobs that live in a folder: look at them, wait for them, stop them."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

import attrs

from embedtune.errors import JobFailedError, JobTimeoutError
from embedtune.progress import Progress, ProgressOption, track
from embedtune.tuning.folder import JobFolder, JobRecord
from embedtune.tuning.local_model import LocalModel
from embedtune.tuning.processes import stop_worker
from embedtune.types import JobState

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.25
_PATIENCE = 30.0  # seconds for a worker to stop


@attrs.frozen(repr=False)
class FolderJob:
    """A tuning job on this machine, whatever it makes.

    It keeps nothing but its folder: what it says was read when it was asked.
    """

    _folder: JobFolder

    def __repr__(self) -> str:
        """Show name and state."""
        return f"{type(self).__name__}({self.name!r}, {self.state})"

    @property
    def name(self) -> str:
        """What the tuner finds the job by."""
        return self._folder.name

    @property
    def folder(self) -> Path:
        """Where the job's files are."""
        return self._folder.path

    @property
    def submitted(self) -> float:
        """When it was started last, in seconds since 1970."""
        return self._folder.status().submitted

    @property
    def state(self) -> JobState:
        """Where the job is now."""
        return self._folder.status().state

    @property
    def reason(self) -> str:
        """Why the job ended as it did; empty before."""
        return self._folder.status().reason

    @property
    def metrics(self) -> Mapping[str, float]:
        """The numbers of the result, or else of the latest step.

        `seen` and `unseen` are means of nDCG@10 over validation queries, of documents
        that have a training label and of those that have none; `score` weights them.
        The same with `base_` are those of the base model.
        """
        record = self._folder.status()
        if record.state is JobState.SUCCEEDED:
            return record.metrics
        return self._folder.latest_metrics()

    @property
    def config(self) -> Mapping[str, object]:
        """The spec, the seed, the fingerprints and all else that was asked for.

        They are JSON values. A report takes it as one of its `facts`.
        """
        return self._folder.config

    @property
    def history(self) -> tuple[Mapping[str, float], ...]:
        """The numbers of every step of the latest start, in order.

        Where the result is known to be that of a measured step, the step has `chosen`.
        A report draws the learning curve of it.
        """
        chosen = self._folder.status().metrics.get("chosen_step")
        return tuple(
            {**line, "chosen": 1.0}
            if "score" in line and line["step"] == chosen
            else line
            for line in self._folder.metrics()
            if "step" in line
        )

    def wait(
        self, timeout: float | None = None, *, progress: ProgressOption = True
    ) -> Self:
        """Return when the job has succeeded.

        Args:
            timeout: Seconds to wait at most; `None` for as long as it takes.
            progress: See :mod:`embedtune.progress`.

        Raises:
            JobFailedError: If it ended without a model; the message gives the reason.
            JobTimeoutError: If it did not end in time; it goes on.
        """
        if timeout is not None and not timeout >= 0:
            msg = f"'timeout' must be >= 0 or None (got {timeout!r})"
            raise ValueError(msg)
        total = 2 * int(self._folder.config["spec"]["train_steps"])
        with track("tuning", total, progress) as bar:
            done = 0
            for record in self._records(timeout):
                if record.state is JobState.SUCCEEDED:
                    bar.advance(total - done)
                    return self
                done += _show(self._folder.latest_metrics(), done, bar)
        raise AssertionError  # pragma: no cover -- the records end by an error

    def cancel(self) -> None:
        """Stop the job and return when it has ended; one that has ended stays so.

        Raises:
            PermissionDeniedError: If the worker belongs to another user.
            JobTimeoutError: If the worker cannot be stopped.
        """
        record = self._folder.status()
        if record.state.is_final:
            return
        attempt = record.attempt
        self._folder.cancel.touch()
        stop_worker(self._folder, attempt, patience=_PATIENCE)
        record = self._folder.status()
        if not record.state.is_final and record.attempt == attempt:
            msg = f"tuning job {self.name!r} did not stop within {_PATIENCE:g} s"
            raise JobTimeoutError(msg, job=self)

    def _records(self, timeout: float | None) -> Iterator[JobRecord]:
        # The record now and then, until it is that of a failed job or time is up.
        end = math.inf if timeout is None else time.monotonic() + timeout
        pause = _FIRST_PAUSE
        while True:
            record = self._folder.status()
            if record.state in {JobState.FAILED, JobState.CANCELLED}:
                raise JobFailedError(self._failure(record), job=self)
            yield record
            left = end - time.monotonic()
            if left <= 0:
                msg = (
                    f"tuning job {self.name!r} is {record.state} after {timeout:g} s;"
                    " it goes on, wait for it again"
                )
                raise JobTimeoutError(msg, job=self)
            time.sleep(min(pause, left))
            pause = min(1.5 * pause, _LONGEST_PAUSE)

    def _failure(self, record: JobRecord) -> str:
        if record.state is JobState.CANCELLED:
            return (
                f"tuning job {self.name!r} was cancelled;"
                " submit it again to start it once more"
            )
        return (
            f"tuning job {self.name!r} failed: {record.reason};"
            f" its log is {str(self._folder.log)!r}"
        )


class LocalJob(FolderJob):
    """A local tuning job; see :class:`~embedtune.tuning.base.TuningJob`."""

    def result(self) -> LocalModel:
        """Wait until the job has ended, however long, and return the tuned model.

        Raises:
            JobFailedError: If it ended without a model; the message gives the reason.
        """
        self.wait(progress=False)
        return LocalModel.open(self._folder.model)


def _show(latest: Mapping[str, float], done: int, bar: Progress) -> int:
    new = max(0, int(latest.get("done", 0)) - done)
    if new:
        bar.advance(new)
        if (loss := latest["loss"]) is not None:  # JSON knows no NaN
            bar.note(f"loss {loss:.3f}")
    return new
