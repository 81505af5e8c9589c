"""A tuning job as a folder: who may write what, and what its state really is.

```
<job>/
  config.json     what was asked for; never changes
  dataset/        corpus.jsonl, queries.jsonl, qrels/; written anew at a restart
  lock            held by whoever works on the job, for as long as they live
  state.json      where the job is; replaced as a whole
  metrics.jsonl   one line a step
  log.txt         what the workers said
  cancel          there if the job is asked to stop
  model/          the result; appears whole or not at all
```

A job is PENDING or RUNNING only while its lock is held. A record that says so without a
living holder is read as FAILED, or as CANCELLED where that was asked for; readers write
nothing. The lock is taken before the record changes, and a new folder gets its name
when its lock is held already, so that there is no moment in which a job seems dead.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import orjson

from embedtune.errors import DataError, NotFoundError
from embedtune.files import replace_file
from embedtune.tuning.locks import IS_INHERITABLE, is_locked
from embedtune.types import JobState

_LOST = (
    "its worker ended without a result (killed, or out of memory?);"
    " submit the job again to start it once more"
)
_GRACE = 0.0 if IS_INHERITABLE else 60.0  # seconds in which nobody may hold the lock
_STALE = 60.0  # seconds after which an unfinished folder belongs to nobody
_UNFINISHED = re.compile(r"\.[a-z]+-[0-9a-f]{16}\.[0-9a-f]{12}")  # see new_folder
_TAIL = 4096


@attrs.frozen(kw_only=True)
class JobRecord:
    """The content of `state.json`.

    Attributes:
        state: Where the job is.
        attempt: Tells one start of the job from the next.
        submitted: When the attempt began, in seconds since 1970.
        changed: When this was written, in seconds since 1970.
        pid: The worker's process; 0 before it runs.
        birth: Tells that process from later ones of the same id.
        reason: Why the job ended as it did; may be empty.
        metrics: The numbers of the result.
    """

    state: JobState
    attempt: str
    submitted: float
    changed: float
    pid: int = 0
    birth: str = ""
    reason: str = ""
    metrics: Mapping[str, float] = attrs.field(factory=dict)


@attrs.frozen
class JobFolder:
    """The files of one job."""

    path: Path

    @property
    def name(self) -> str:
        """The job's name."""
        return self.path.name

    @property
    def dataset(self) -> Path:
        """The folder of the labels to learn and to choose by."""
        return self.path / "dataset"

    @property
    def lock(self) -> Path:
        """The file that whoever works on the job has locked."""
        return self.path / "lock"

    @property
    def log(self) -> Path:
        """What the workers said."""
        return self.path / "log.txt"

    @property
    def cancel(self) -> Path:
        """There if the job is asked to stop."""
        return self.path / "cancel"

    @property
    def model(self) -> Path:
        """The folder of the result."""
        return self.path / "model"

    @property
    def config(self) -> Mapping[str, Any]:
        """What was asked for.

        Raises:
            NotFoundError: If there is no job.
            DataError: If somebody damaged the file.
        """
        return self._read("config.json")

    def prepare(self, config: Mapping[str, object], record: JobRecord) -> None:
        """Write the files that a new job starts with, but for its dataset."""
        replace_file(self.path / "config.json", _json(config))
        self.write(record)

    def write(self, record: JobRecord) -> None:
        """Replace the record; only for who holds the lock."""
        replace_file(self.path / "state.json", _json(attrs.asdict(record)))

    def restart(self, record: JobRecord) -> None:
        """Forget an attempt that ended; only for who holds the lock."""
        for path in self.path.glob(".*"):  # what a killed worker did not finish
            _remove(path)
        # The record comes last: whoever sees the new attempt may ask it to stop.
        self.cancel.unlink(missing_ok=True)
        self._metrics.unlink(missing_ok=True)
        self.write(record)

    def status(self) -> JobRecord:
        """Return the record as it is true now.

        Raises:
            NotFoundError: If there is no job.
            DataError: If somebody damaged the record.
        """
        while True:
            before = self._record()
            if before.state.is_final or is_locked(self.lock):
                return before
            # Nobody worked on this attempt just now; did it end in between?
            after = self._record()
            if after.state.is_final or 0 <= time.time() - after.changed < _GRACE:
                return after
            if after.attempt == before.attempt:
                return self._lost(after)

    def append_metrics(self, numbers: Mapping[str, float]) -> None:
        """Add a line to the metrics; only for who holds the lock."""
        with self._metrics.open("ab") as file:
            file.write(_json(numbers, indent=False) + b"\n")

    def metrics(self) -> Iterator[Mapping[str, float]]:
        """Yield the numbers of each step of the latest attempt."""
        try:
            lines = self._metrics.read_bytes().split(b"\n")
        except FileNotFoundError:
            return
        for line in lines[:-1]:  # what follows the last line end is not whole
            yield orjson.loads(line)

    def latest_metrics(self) -> Mapping[str, float]:
        """Return the numbers of the latest step; empty if there is none."""
        try:
            with self._metrics.open("rb") as file:
                size = file.seek(0, 2)
                file.seek(max(0, size - _TAIL))
                lines = file.read().split(b"\n")
        except FileNotFoundError:
            return {}
        return orjson.loads(lines[-2]) if len(lines) > 1 else {}

    @property
    def _metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    def _lost(self, record: JobRecord) -> JobRecord:
        if self.cancel.exists():
            return attrs.evolve(record, state=JobState.CANCELLED)
        return attrs.evolve(record, state=JobState.FAILED, reason=_LOST)

    def _record(self) -> JobRecord:
        fields = self._read("state.json")
        try:
            return JobRecord(**{**fields, "state": JobState(fields["state"])})
        except (KeyError, TypeError, ValueError) as e:
            raise self._damaged("state.json") from e

    def _read(self, name: str) -> dict[str, Any]:
        try:
            value = orjson.loads((self.path / name).read_bytes())
        except (FileNotFoundError, NotADirectoryError) as e:
            msg = f"there is no tuning job {self.name!r} in {str(self.path.parent)!r}"
            raise NotFoundError(msg, operation="tuning.job") from e
        except orjson.JSONDecodeError as e:
            raise self._damaged(name) from e
        if not isinstance(value, dict):
            raise self._damaged(name)
        return value

    def _damaged(self, name: str) -> DataError:
        path = str(self.path / name)
        return DataError(f"{path!r} is damaged; remove the job's folder")


def remove_unfinished(runs: Path) -> None:
    """Remove what processes left that were killed while they made a job's folder."""
    for path in runs.iterdir():
        if not _UNFINISHED.fullmatch(path.name):
            continue
        with contextlib.suppress(FileNotFoundError):  # another process was faster
            is_old = time.time() - path.stat().st_mtime > _STALE
            if is_old and not is_locked(path / "lock"):
                _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _json(value: object, *, indent: bool = True) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 if indent else None)
