"""The tuner that needs no cloud: a static model, tuned in a process of this machine."""

from __future__ import annotations

import contextlib
import hashlib
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import orjson

from embedtune import catalog
from embedtune.catalog import TuningWay
from embedtune.datasets.dataset import TuningDataset
from embedtune.errors import ConfigurationError, NotFoundError, UnavailableError
from embedtune.files import new_folder
from embedtune.serving import bundled
from embedtune.serving.static import StaticModel
from embedtune.tuning.choose import OptimizeFor
from embedtune.tuning.folder import JobFolder, remove_unfinished
from embedtune.tuning.jobs import LocalJob
from embedtune.tuning.launch import check_python, new_record, start_worker
from embedtune.tuning.locks import FileLock
from embedtune.tuning.spec import TuningSpec
from embedtune.tuning.training_data import training_data
from embedtune.types import JobState, TaskType

KIND = "local"

RECIPE = 1
"""The version of the recipe: models of another one are other models."""

_WAYS = {
    TuningWay.MANAGED: "by Vertex AI's tuning service",
    TuningWay.ADAPTER: "by an adapter over its embeddings",
    TuningWay.FULL: "by training its open weights",
    TuningWay.LOCAL_LINEAR: f"under the name {bundled.NAME!r}",
}
_PAUSE, _PATIENCE = 0.01, 10.0  # seconds for a worker that said how it ended
_LARGEST_SEED = 2**63 - 1  # of what JSON files hold
_NAME = re.compile(rf"{KIND}-[0-9a-f]{{16}}")


class LocalTuner:
    """Tunes a static model on this machine; see :class:`~embedtune.tuning.base.Tuner`.

    Each job is a folder in *runs*; :mod:`embedtune.tuning.folder` describes it.
    The work is done by a process of its own, which goes on when this one ends.

    Example:
        >>> tuner = LocalTuner("runs")  # doctest: +SKIP
        >>> job = tuner.submit(dataset)  # doctest: +SKIP
        >>> embedder = job.wait().result().embedder()  # doctest: +SKIP
    """

    DEFAULTS = TuningSpec(base_model=bundled.NAME, train_steps=450, batch_size=64)
    """What is done without a spec."""

    def __init__(
        self,
        runs: str | Path,
        *,
        optimize_for: OptimizeFor | str = OptimizeFor.ALL,
        seed: int = 0,
    ) -> None:
        """Name the folder and the goal; nothing is written yet.

        Args:
            runs: The folder of all jobs, on a disk of this machine.
            optimize_for: `"all"`, `"seen"` or `"unseen"` documents, see
                :class:`~embedtune.tuning.choose.OptimizeFor`.
            seed: Equal seeds give equal models on one machine.

        Raises:
            ConfigurationError: If a setting is wrong.
        """
        goals = list(OptimizeFor)
        if optimize_for not in goals:
            known = ", ".join(repr(str(goal)) for goal in goals)
            msg = f"'optimize_for' must be one of {known} (got {optimize_for!r})"
            raise ConfigurationError(msg)
        _check_seed(seed)
        self._runs = Path(runs).absolute()
        self._optimize_for = OptimizeFor(optimize_for)
        self._seed = seed

    def __repr__(self) -> str:
        """Name the folder."""
        return f"LocalTuner({str(self._runs)!r})"

    def submit(
        self, dataset: TuningDataset, spec: TuningSpec | None = None
    ) -> LocalJob:
        """Start the job for *dataset* and *spec*, or find it.

        Args:
            dataset: Its training labels are learned, its validation labels chosen by.
                At least 9 training queries and 3 relevant documents are needed.
            spec: `None` for `DEFAULTS`. Its *base_model* is `"wordllama-256"` or the
                path of a folder in the model2vec format.

        Raises:
            ConfigurationError: If *spec* asks for what cannot be done here, or the
                folder of the jobs cannot be made.
            DataError: If the dataset cannot be tuned on; it names every problem.
            UnavailableError: If the system gives no process to work in, or the last
                worker of a failed job does not end.
        """
        spec = self.DEFAULTS if spec is None else spec
        base = _open_base(spec)
        check_python()
        data = training_data(dataset)
        config = self._config(data, spec, base)
        folder = JobFolder(self._runs / _name_of(config))
        _make_folder(self._runs)
        remove_unfinished(self._runs)
        lock = _create(folder, config, data)
        if lock is None:
            lock = _take_over(folder, data)
        if lock is not None:
            start_worker(folder, lock)
        return LocalJob(folder)

    def job(self, name: str) -> LocalJob:
        """Return the job of that name, whoever submitted it.

        Raises:
            NotFoundError: If there is none in this tuner's folder.
        """
        folder = JobFolder(self._runs / name) if _NAME.fullmatch(name) else None
        if folder is None or not folder.path.is_dir():
            where = "" if self._runs.is_dir() else ", which is no folder"
            msg = f"there is no tuning job {name!r} in {str(self._runs)!r}{where}"
            raise NotFoundError(msg, operation="tuning.job")
        folder.status()
        return LocalJob(folder)

    def jobs(self) -> tuple[LocalJob, ...]:
        """Return all jobs in this tuner's folder, the latest first."""
        if not self._runs.is_dir():
            return ()
        names = [p.name for p in self._runs.iterdir() if _NAME.fullmatch(p.name)]
        jobs: list[tuple[float, str, LocalJob]] = []
        for name in names:
            job = LocalJob(JobFolder(self._runs / name))
            with contextlib.suppress(NotFoundError):  # somebody just removed it
                jobs.append((-job.submitted, name, job))
        return tuple(job for *_, job in sorted(jobs, key=lambda each: each[:2]))

    def _config(
        self, data: TuningDataset, spec: TuningSpec, base: StaticModel
    ) -> Mapping[str, object]:
        return {
            "kind": KIND,
            "recipe": RECIPE,
            "spec": attrs.asdict(spec) | {"base_model": _absolute(spec.base_model)},
            "base_fingerprint": base.fingerprint,
            "dataset_fingerprint": data.fingerprint,
            "optimize_for": str(self._optimize_for),
            "seed": self._seed,
        }


def _make_folder(runs: Path) -> None:
    try:
        runs.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        msg = (
            f"the folder of the jobs, {str(runs)!r}, cannot be made"
            f" ({e.strerror}); give LocalTuner a path that can be a folder"
        )
        raise ConfigurationError(msg) from e


def _check_seed(seed: Any) -> None:
    is_integer = isinstance(seed, int) and not isinstance(seed, bool)
    if not is_integer or not 0 <= seed <= _LARGEST_SEED:
        msg = f"'seed' must be an integer from 0 to {_LARGEST_SEED} (got {seed!r})"
        raise ConfigurationError(msg)


def _open_base(spec: TuningSpec) -> StaticModel:
    if spec.base_model != bundled.NAME and not Path(spec.base_model).is_dir():
        raise ConfigurationError(_refusal(spec.base_model))
    base = StaticModel.open(spec.base_model)
    problems = []
    if spec.output_dimensionality not in {None, base.dimension}:
        problems.append(
            f"'output_dimensionality' must be None or {base.dimension}, the dimension"
            f" of {base.name!r} (got {spec.output_dimensionality!r})"
        )
    if spec.task_type != TaskType.DEFAULT:
        problems.append(
            f"'task_type' must be 'DEFAULT', a static model knows no other"
            f" (got {str(spec.task_type)!r})"
        )
    if problems:
        msg = f"LocalTuner cannot do this: {'; '.join(problems)}"
        raise ConfigurationError(msg)
    return base


def _refusal(model_id: str) -> str:
    here = (
        f"LocalTuner tunes base_model={bundled.NAME!r},"
        " or the path of a folder in the model2vec format"
    )
    try:
        model = catalog.get(model_id)
    except ConfigurationError:
        return (
            f"{model_id!r} is neither a base model of the catalog nor a folder; {here}"
        )
    if not model.tuning:
        return f"{model.model_id!r} cannot be tuned any more; {here}"
    ways = " or ".join(_WAYS[way] for way in model.tuning)
    return f"{model.model_id!r} is not tuned on this machine but {ways}; {here}"


def _absolute(base_model: str) -> str:
    # The worker runs in another folder.
    return (
        base_model if base_model == bundled.NAME else str(Path(base_model).absolute())
    )


def _name_of(config: Mapping[str, object]) -> str:
    content = orjson.dumps(config, option=orjson.OPT_SORT_KEYS)
    return f"{KIND}-{hashlib.sha256(content).hexdigest()[:16]}"


def _create(
    folder: JobFolder, config: Mapping[str, object], data: TuningDataset
) -> FileLock | None:
    # The lock of the new folder, or `None` if there is one already.
    if folder.path.exists():
        return None
    lock: FileLock | None = None
    try:
        with new_folder(folder.path) as path:
            new = JobFolder(path)
            lock = FileLock.acquire(new.lock)
            data.to_beir(new.dataset)
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


def _take_over(folder: JobFolder, data: TuningDataset) -> FileLock | None:
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
        data.to_beir(folder.dataset)  # whole again, whatever made the job fail
        folder.restart(new_record())
    except BaseException:
        lock.release()
        raise
    return lock
