"""The tuner that needs no cloud: a static model, tuned in a process of this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import attrs

from embedtune import catalog
from embedtune.catalog import TuningWay
from embedtune.datasets.dataset import TuningDataset
from embedtune.errors import ConfigurationError
from embedtune.serving import bundled
from embedtune.serving.static import StaticModel
from embedtune.tuning.choose import OptimizeFor
from embedtune.tuning.folder import JobFolder
from embedtune.tuning.jobs import LocalJob
from embedtune.tuning.launch import check_python
from embedtune.tuning.options import checked_goal, checked_seed
from embedtune.tuning.probes import Watch
from embedtune.tuning.runs import Runs
from embedtune.tuning.spec import TuningSpec
from embedtune.tuning.training_data import training_data
from embedtune.types import TaskType

KIND = "local"

RECIPE = 1
"""The version of the recipe: models of another one are other models."""

_WAYS = {
    TuningWay.MANAGED: "by Vertex AI's tuning service",
    TuningWay.ADAPTER: "by an adapter over its embeddings",
    TuningWay.FULL: "by training its open weights",
    TuningWay.LOCAL_LINEAR: f"under the name {bundled.NAME!r}",
}


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
        probes: Mapping[str, TuningDataset] | None = None,
        general_probe: bool = True,
        max_forgetting: float | None = None,
    ) -> None:
        """Name the folder and the goal; nothing is written yet.

        Args:
            runs: The folder of all jobs, on a disk of this machine.
            optimize_for: `"all"`, `"seen"` or `"unseen"` documents, see
                :class:`~embedtune.tuning.choose.OptimizeFor`.
            seed: Equal seeds give equal models on one machine.
            probes: Queries that tuning must not break, by a name of yours: datasets, all
                of whose labels count. A tuned model is measured on them, too.
            general_probe: Whether it is measured on a part of the standard-library
                task as well, see :func:`~embedtune.stdlib_dataset`.
            max_forgetting: How much of nDCG@10 no probe may lose: of the way from base
                to tuned, so much is taken as keeps to that. `None` takes the tuned
                model, and reports.

        Raises:
            ConfigurationError: If a setting is wrong.
            DatasetIntegrityError: If the labels of a probe name what is not there.
        """
        self._optimize_for = checked_goal(optimize_for)
        self._seed = checked_seed(seed)
        self._watch = Watch.of(
            probes, has_general=general_probe, max_forgetting=max_forgetting
        )
        self._runs = Runs(
            path=Path(runs).absolute(), kind=KIND, owner=type(self).__name__
        )

    def __repr__(self) -> str:
        """Name the folder."""
        return f"LocalTuner({str(self._runs.path)!r})"

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

        def fill(new: JobFolder) -> None:
            data.to_beir(new.dataset)
            self._watch.write(new)

        return LocalJob(self._runs.start(config, fill))

    def job(self, name: str) -> LocalJob:
        """Return the job of that name, whoever submitted it.

        Raises:
            NotFoundError: If there is none in this tuner's folder.
        """
        return LocalJob(self._runs.find(name))

    def jobs(self) -> tuple[LocalJob, ...]:
        """Return all jobs in this tuner's folder, the latest first."""
        return tuple(LocalJob(folder) for folder in self._runs.all())

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
            **self._watch.to_config(),
        }


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
