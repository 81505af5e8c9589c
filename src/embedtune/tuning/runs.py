"""A folder of jobs: starting a job once, whoever asks how often, and finding it."""

from __future__ import annotations

import contextlib
import hashlib
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import attrs
import orjson

from embedtune.errors import ConfigurationError, NotFoundError, UnavailableError
from embedtune.files import new_folder
from embedtune.tuning.folder import JobFolder, remove_unfinished
from embedtune.tuning.launch import new_record, start_worker
from embedtune.tuning.locks import FileLock
from embedtune.types import JobState

Fill = Callable[[JobFolder], None]
"""Writes what a worker needs into a job's folder, whatever is there already."""

_PAUSE, _PATIENCE = 0.01, 10.0  # seconds for a worker that said how it ended


@attrs.frozen(kw_only=True)
class Runs:
    """A folder of jobs of one kind.

    Attributes:
        path: The folder; it need not exist.
        kind: What the names of its jobs start with.
        owner: The tuner's class, for messages.
    """

    path: Path
    kind: str
    owner: str

    def start(self, config: Mapping[str, object], fill: Fill) -> JobFolder:
        """Start the job of a configuration, or find it.

        Args:
            config: JSON values; equal ones are the same job.
            fill: Called if the job is new, or ended without a model.

        Raises:
            ConfigurationError: If the folder cannot be made.
            UnavailableError: If the system gives no process to work in, or the last
                worker of a failed job does not end.
        """
        folder = JobFolder(self.path / self._name(config))
        self._make()
        remove_unfinished(self.path)
        lock = _create(folder, config, fill)
        if lock is None:
            lock = _take_over(folder, fill)
        if lock is not None:
            start_worker(folder, lock)
        return folder

    def find(self, name: str) -> JobFolder:
        """Return the folder of a job.

        Raises:
            NotFoundError: If there is none.
        """
        folder = JobFolder(self.path / name) if self._is_name(name) else None
        if folder is None or not folder.path.is_dir():
            where = "" if self.path.is_dir() else ", which is no folder"
            msg = f"there is no tuning job {name!r} in {str(self.path)!r}{where}"
            raise NotFoundError(msg, operation="tuning.job")
        folder.status()
        return folder

    def all(self) -> tuple[JobFolder, ...]:
        """Return the folders of all jobs, the latest first."""
        if not self.path.is_dir():
            return ()
        names = [p.name for p in self.path.iterdir() if self._is_name(p.name)]
        found: list[tuple[float, str, JobFolder]] = []
        for name in names:
            folder = JobFolder(self.path / name)
            with contextlib.suppress(NotFoundError):  # somebody just removed it
                found.append((-folder.status().submitted, name, folder))
        return tuple(folder for *_, folder in sorted(found, key=lambda each: each[:2]))

    def _name(self, config: Mapping[str, object]) -> str:
        content = orjson.dumps(config, option=orjson.OPT_SORT_KEYS)
        return f"{self.kind}-{hashlib.sha256(content).hexdigest()[:16]}"

    def _is_name(self, name: str) -> bool:
        return re.fullmatch(rf"{self.kind}-[0-9a-f]{{16}}", name) is not None

    def _make(self) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as e:
            msg = (
                f"the folder of the jobs, {str(self.path)!r}, cannot be made"
                f" ({e.strerror}); give {self.owner} a path that can be a folder"
            )
            raise ConfigurationError(msg) from e


def _create(
    folder: JobFolder, config: Mapping[str, object], fill: Fill
) -> FileLock | None:
    # The lock of the new folder, or `None` if there is one already.
    if folder.path.exists():
        return None
    lock: FileLock | None = None
    try:
        with new_folder(folder.path) as path:
            new = JobFolder(path)
            lock = FileLock.acquire(new.lock)
            fill(new)
            new.prepare(config, new_record())
    except FileExistsError:  # another process was faster
        if lock is not None:
            lock.release()
        return None
    except BaseException:
        if lock is not None:
            lock.release()
        raise
    return lock


def _take_over(folder: JobFolder, fill: Fill) -> FileLock | None:
    # The lock of a job that shall start once more; `None` if it runs or is done.
    end = time.monotonic() + _PATIENCE
    while (lock := FileLock.acquire(folder.lock)) is None:
        if folder.status().state not in {JobState.FAILED, JobState.CANCELLED}:
            return None
        # Its worker wrote its last words and is about to end.
        if time.monotonic() > end:
            msg = f"the last worker of tuning job {folder.name!r} does not end"
            raise UnavailableError(msg, operation="tuning.submit")
        time.sleep(_PAUSE)
    try:
        if folder.status().state is JobState.SUCCEEDED and folder.model.is_dir():
            lock.release()
            return None
        fill(folder)  # whole again, whatever made the job fail
        folder.restart(new_record())
    except BaseException:
        lock.release()
        raise
    return lock
