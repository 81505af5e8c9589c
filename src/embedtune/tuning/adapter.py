"""The tuner for models that cannot be changed: an adapter over their embeddings."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from embedtune.datasets.dataset import TuningDataset
from embedtune.errors import ConfigurationError
from embedtune.evaluation.embedding import embedded_documents, embedded_queries
from embedtune.files import replace_file
from embedtune.progress import Progress, ProgressOption, track
from embedtune.serving.adapter import AdapterMode
from embedtune.serving.base import Embedder, query_fingerprint
from embedtune.serving.cached import CachedEmbedder
from embedtune.serving.inputs import check_embedder
from embedtune.tuning.adapter_model import AdapterModel
from embedtune.tuning.adapter_work import DOCUMENTS_FILE, QUERIES_FILE
from embedtune.tuning.choose import OptimizeFor
from embedtune.tuning.folder import JobFolder
from embedtune.tuning.jobs import FolderJob
from embedtune.tuning.launch import check_python
from embedtune.tuning.options import checked_goal, checked_seed
from embedtune.tuning.probes import Watch, probe_folder
from embedtune.tuning.runs import Runs
from embedtune.tuning.spec import TuningSpec
from embedtune.tuning.training_data import training_data
from embedtune.types import FloatMatrix, TaskType

KIND = "adapter"

RECIPE = 2
"""The version of the recipe: models of another one are other models."""

CACHE_FILE = "embeddings.db"
"""Where rows are kept in the folder of the jobs, unless another file is named."""

_TEXTS_AT_ONCE = 256
_UNNAMED = TuningSpec().base_model


@attrs.frozen(repr=False)
class AdapterJob(FolderJob):
    """An adapter's tuning job; see :class:`~embedtune.tuning.base.TuningJob`."""

    _embedder: Embedder = attrs.field(eq=False)

    def result(self) -> AdapterModel:
        """Wait until the job has ended, however long, and return the tuned model.

        Raises:
            JobFailedError: If it ended without a model; the message gives the reason.
            ConfigurationError: If the job was submitted with another embedder.
        """
        self.wait(progress=False)
        return AdapterModel.open(self._folder.model, self._embedder)


class AdapterTuner:
    """Tunes an adapter over any embedder; see :class:`~embedtune.tuning.base.Tuner`.

    Each text is embedded once, by :meth:`submit`, in the calling process; the rows stay
    in a cache, so that a call that was stopped, or a job with other settings, goes on
    from there. The tuning itself is done by a process of its own, without the embedder.

    Example:
        >>> tuner = AdapterTuner(embedder, "runs")  # doctest: +SKIP
        >>> job = tuner.submit(dataset)  # doctest: +SKIP
        >>> adapted = job.wait().result().embedder()  # doctest: +SKIP
    """

    DEFAULTS = TuningSpec(train_steps=450, batch_size=64)
    """What is done without a spec; the base model is the embedder."""

    def __init__(  # noqa: PLR0913 -- one keyword a decision is what callers write
        self,
        embedder: Embedder,
        runs: str | Path,
        *,
        mode: AdapterMode | str = AdapterMode.QUERY,
        rank: int | None = None,
        optimize_for: OptimizeFor | str = OptimizeFor.ALL,
        seed: int = 0,
        cache: str | Path | None = None,
        progress: ProgressOption = True,
        probes: Mapping[str, TuningDataset] | None = None,
        general_probe: bool = False,
        max_forgetting: float | None = None,
    ) -> None:
        """Name the embedder, the folder and the goal; nothing is written yet.

        Args:
            embedder: What an adapter is tuned for.
            runs: The folder of all jobs, on a disk of this machine.
            mode: `"query"`, `"shared"` or `"both"`, see
                :class:`~embedtune.serving.adapter.AdapterMode`.
            rank: How many directions the adapter may change; `None` for all.
            optimize_for: `"all"`, `"seen"` or `"unseen"` documents, see
                :class:`~embedtune.tuning.choose.OptimizeFor`.
            seed: Equal seeds give equal models on one machine.
            cache: The file that keeps the rows, see
                :class:`~embedtune.CachedEmbedder`; `None` for one in *runs*.
            progress: Of the embedding, see :mod:`embedtune.progress`.
            probes: Queries that tuning must not break, by a name of yours: datasets, all
                of whose labels count. A tuned model is measured on them, too.
            general_probe: Whether it is measured on a part of the standard-library
                task as well, see :func:`~embedtune.stdlib_dataset`. Off, because
                1,300 more texts are embedded for it, once.
            max_forgetting: How much of nDCG@10 no probe may lose: of the way from base
                to tuned, so much is taken as keeps to that. `None` takes the tuned
                model, and reports.

        Raises:
            TypeError: If *embedder* is none; the message names what it lacks.
            ConfigurationError: If a setting is wrong.
            DatasetIntegrityError: If the labels of a probe name what is not there.
        """
        check_embedder(embedder)
        self._embedder = embedder
        self._runs = Runs(
            path=Path(runs).absolute(), kind=KIND, owner=type(self).__name__
        )
        self._mode = _checked_mode(mode)
        self._rank = _checked_rank(rank, embedder.dimension)
        self._optimize_for = checked_goal(optimize_for)
        self._seed = checked_seed(seed)
        self._cache = None if cache is None else Path(cache).absolute()
        self._progress: ProgressOption = progress
        self._watch = Watch.of(
            probes, has_general=general_probe, max_forgetting=max_forgetting
        ).with_general()

    def __repr__(self) -> str:
        """Name embedder, folder and mode."""
        return (
            f"AdapterTuner({self._embedder!r}, {str(self._runs.path)!r},"
            f" mode={str(self._mode)!r})"
        )

    def submit(
        self, dataset: TuningDataset, spec: TuningSpec | None = None
    ) -> AdapterJob:
        """Embed the texts and start the job for *dataset* and *spec*, or find it.

        A job that is found embeds nothing.

        Args:
            dataset: Its training labels are learned, its validation labels chosen by.
                At least 9 training queries and 3 relevant documents are needed.
            spec: `None` for `DEFAULTS`. Its *base_model* is the embedder's name, or
                left as it is.

        Raises:
            ConfigurationError: If *spec* asks for what cannot be done here, or the
                folder of the jobs cannot be made.
            DataError: If the dataset cannot be tuned on, or the embedder breaks the
                contract of embedders; it names every problem.
            UnavailableError: If the system gives no process to work in, or the last
                worker of a failed job does not end.
        """
        spec = self._checked_spec(self.DEFAULTS if spec is None else spec)
        check_python()
        data = training_data(dataset)
        folder = self._runs.start(
            self._config(data, spec), lambda new: self._fill(new, data)
        )
        return AdapterJob(folder, self._embedder)

    def job(self, name: str) -> AdapterJob:
        """Return the job of that name, whoever submitted it.

        Raises:
            NotFoundError: If there is none in this tuner's folder.
        """
        return AdapterJob(self._runs.find(name), self._embedder)

    def jobs(self) -> tuple[AdapterJob, ...]:
        """Return all jobs of adapters in this tuner's folder, the latest first."""
        return tuple(AdapterJob(folder, self._embedder) for folder in self._runs.all())

    def _checked_spec(self, spec: TuningSpec) -> TuningSpec:
        name, dimension = self._embedder.name, self._embedder.dimension
        problems = []
        if spec.base_model not in {name, _UNNAMED}:
            problems.append(
                f"'base_model' must be {name!r}, the name of the embedder, or be left"
                f" out (got {spec.base_model!r})"
            )
        if spec.output_dimensionality not in {None, dimension}:
            problems.append(
                f"'output_dimensionality' must be None or {dimension}, the dimension of"
                f" {name!r} (got {spec.output_dimensionality!r})"
            )
        if spec.task_type != TaskType.DEFAULT:
            problems.append(
                f"'task_type' must be 'DEFAULT', for the embedder decides about it"
                f" (got {str(spec.task_type)!r})"
            )
        if problems:
            msg = f"AdapterTuner cannot do this: {'; '.join(problems)}"
            raise ConfigurationError(msg)
        return attrs.evolve(spec, base_model=name)

    def _config(self, data: TuningDataset, spec: TuningSpec) -> Mapping[str, object]:
        return {
            "kind": KIND,
            "recipe": RECIPE,
            "spec": attrs.asdict(spec),
            "base": {
                "name": self._embedder.name,
                "fingerprint": self._embedder.fingerprint,
                "query_fingerprint": query_fingerprint(self._embedder),
                "dimension": self._embedder.dimension,
            },
            "mode": str(self._mode),
            "rank": self._rank,
            "dataset_fingerprint": data.fingerprint,
            "optimize_for": str(self._optimize_for),
            "seed": self._seed,
            **self._watch.to_config(),
        }

    def _fill(self, folder: JobFolder, data: TuningDataset) -> None:
        data.to_beir(folder.dataset)
        self._watch.write(folder)
        embedded = [(folder.path, data)]
        embedded += [
            (probe_folder(folder, place), dataset)
            for place, dataset in enumerate(self._watch.probes.values())
        ]
        total = sum(len(each.queries) + len(each.corpus) for _, each in embedded)
        with (
            self._caching() as embedder,
            track("embedding", total, self._progress) as bar,
        ):
            for path, dataset in embedded:
                _write_rows(embedder, dataset, path, bar)

    @contextmanager
    def _caching(self) -> Iterator[Embedder]:
        if isinstance(self._embedder, CachedEmbedder) and self._cache is None:
            yield self._embedder  # it remembers by itself
            return
        path = self._cache or self._runs.path / CACHE_FILE
        with CachedEmbedder(self._embedder, path) as embedder:
            yield embedder


def _write_rows(
    embedder: Embedder, data: TuningDataset, path: Path, bar: Progress
) -> None:
    shape = (len(data.queries), embedder.dimension)
    queries = _query_rows(embedder, data, bar)
    replace_file(path / QUERIES_FILE, _npy(shape, queries))
    documents = embedded_documents(
        embedder,
        [data.corpus[doc_id] for doc_id in sorted(data.corpus)],
        _TEXTS_AT_ONCE,
        bar,
    )
    shape = (len(data.corpus), embedder.dimension)
    replace_file(path / DOCUMENTS_FILE, _npy(shape, documents))


def _query_rows(
    embedder: Embedder, data: TuningDataset, bar: Progress
) -> Iterator[FloatMatrix]:
    texts = [data.queries[query_id].text for query_id in sorted(data.queries)]
    for first in range(0, len(texts), _TEXTS_AT_ONCE):
        block = texts[first : first + _TEXTS_AT_ONCE]
        yield embedded_queries(embedder, block, len(block), bar)


def _npy(shape: tuple[int, int], blocks: Iterable[FloatMatrix]) -> Iterator[bytes]:
    # The content of a .npy file, of which no more than a block is in memory.
    header = io.BytesIO()
    facts = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, facts)
    yield header.getvalue()
    for block in blocks:
        yield np.ascontiguousarray(block, dtype="<f4").tobytes()


def _checked_mode(mode: AdapterMode | str) -> AdapterMode:
    modes = list(AdapterMode)
    if mode not in modes:
        known = ", ".join(repr(str(each)) for each in modes)
        msg = f"'mode' must be one of {known} (got {mode!r})"
        raise ConfigurationError(msg)
    return AdapterMode(mode)


def _checked_rank(rank: Any, dimension: int) -> int | None:
    if rank is None:
        return None
    is_integer = isinstance(rank, int) and not isinstance(rank, bool)
    if not is_integer or not 1 <= rank <= dimension:
        msg = (
            f"'rank' must be None or an integer from 1 to {dimension}, the dimension"
            f" (got {rank!r})"
        )
        raise ConfigurationError(msg)
    return int(rank)
