"""What a tuner is, wherever it trains.

- `submit` checks settings and data, starts the work elsewhere and returns. What is
  wrong with them is a `ConfigurationError` or a `DataError`, raised before anything is
  written or sent.
- The same data and settings are the same job: `submit` finds it again, whether it runs
  or is done, and starts it once more only if it failed or was cancelled.
- Nobody looks at test labels: they are not part of the job, and neither are the queries
  that have no other labels.
- A job outlives the process that submitted it. Any process finds it by its name.
- The state of a job is honest: it is RUNNING only as long as somebody works on it.
- The result is the base model, and says so, unless another model is surely better on
  labels that were held out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, Self, runtime_checkable

from embedtune.datasets.dataset import TuningDataset
from embedtune.progress import ProgressOption
from embedtune.tuning.model import TunedModel
from embedtune.tuning.spec import TuningSpec
from embedtune.types import JobState


@runtime_checkable
class TuningJob(Protocol):
    """The work on one tuned model."""

    @property
    def name(self) -> str:
        """What the tuner finds the job by."""
        ...

    @property
    def state(self) -> JobState:
        """Where the job is now."""
        ...

    @property
    def metrics(self) -> Mapping[str, float]:
        """The latest numbers of the job; empty before there are any."""
        ...

    def wait(
        self, timeout: float | None = None, *, progress: ProgressOption = True
    ) -> Self:
        """Return when the job has succeeded.

        Args:
            timeout: Seconds to wait at most; `None` for as long as it takes.
            progress: See :mod:`embedtune.progress`.

        Returns:
            The job itself.

        Raises:
            JobFailedError: If it ended without a model; the message gives the reason.
            JobTimeoutError: If it did not end in time; it goes on.
        """
        ...

    def cancel(self) -> None:
        """Stop the job; one that has ended stays as it is.

        On this machine the job has ended when the call returns; a service may take
        longer.
        """
        ...

    def result(self) -> TunedModel:
        """Wait until the job has ended, however long, and return the tuned model.

        Raises:
            JobFailedError: If it ended without a model; the message gives the reason.
        """
        ...


@runtime_checkable
class Tuner(Protocol):
    """Starts tuning jobs and finds them again."""

    def submit(
        self, dataset: TuningDataset, spec: TuningSpec | None = None
    ) -> TuningJob:
        """Start the job for *dataset* and *spec*, or find it.

        Args:
            dataset: Its training labels are learned, its validation labels chosen by.
            spec: `None` for the tuner's own defaults.

        Raises:
            ConfigurationError: If this tuner cannot do what *spec* asks for.
            DataError: If the dataset cannot be tuned on; it names every problem.
        """
        ...

    def job(self, name: str) -> TuningJob:
        """Return the job of that name.

        Raises:
            NotFoundError: If there is none.
        """
        ...

    def jobs(self) -> Sequence[TuningJob]:
        """Return all jobs of this tuner, the latest first."""
        ...
