"""One method on one task with one seed: measured, and kept as a JSON file."""

from __future__ import annotations

import json
import os
import resource
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Self

from _methods import MINILM, Method, Work
from _tasks import limited, task

import embedtune as et

MEASURES = ("nDCG@10", "R@10")
ALL = "all"

_PACKAGES = (
    "embedtune",
    "llama-index-finetuning",
    "sentence-transformers",
    "torch",
)
_MEGABYTE_OF_KILOBYTES = 1024
_DIGITS = 6


@dataclass(frozen=True)
class Result:
    """What one method did.

    Attributes:
        task: What it was tried on.
        method: Its name.
        seed: Of the split, of the labels drawn and of the method.
        train_queries: How many it learned from.
        groups: The test queries by group; a group without queries is left out.
        values: By measure, then by query.
        is_base: Whether the base came back.
        seconds: What tuning took, all packages loaded.
        cpu_seconds: What of that was work, in this process and its children.
        megabytes: The peak of that process and its children before the test.
        embedded: How many texts the transformer embedded, or had for the cache.
        embedding_seconds: What that took.
        versions: The packages that took part.
    """

    task: str
    method: str
    seed: int
    train_queries: int
    groups: dict[str, list[str]]
    values: dict[str, dict[str, float]]
    is_base: bool
    seconds: float
    cpu_seconds: float
    megabytes: float
    embedded: int
    embedding_seconds: float
    versions: dict[str, str]


class Store:
    """Results in a folder, one file each, so that a run that was stopped goes on."""

    def __init__(self, folder: Path) -> None:
        """Make the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def get(self, task_name: str, method: str, seed: int) -> Result | None:
        """Return the result, if it was measured."""
        path = self._path(task_name, method, seed)
        return Result(**json.loads(path.read_text())) if path.exists() else None

    def put(self, result: Result) -> None:
        """Keep the result."""
        path = self._path(result.task, result.method, result.seed)
        part = path.with_suffix(".part")
        part.write_text(json.dumps(asdict(result)))
        part.replace(path)

    def _path(self, task_name: str, method: str, seed: int) -> Path:
        return self._folder / f"{task_name}+{method}+{seed}.json"


def measured(
    method: Method, task_name: str, seed: int, *, data: Path, cache: Path, most: int
) -> Result:
    """Do the work, then test it.

    Args:
        method: What to do.
        task_name: What to do it on.
        seed: See `Result`.
        data: A folder of BEIR folders.
        cache: The file of the transformer's rows on this task.
        most: The training queries of a slow method.
    """
    dataset = task(task_name, seed, data)
    if method.is_slow:
        dataset = limited(dataset, most, seed)
    with tempfile.TemporaryDirectory() as folder, _Base(method, cache) as base:
        for module in method.needs:
            import_module(module)
        start, cpu_start = time.perf_counter(), _cpu_seconds()
        made = method.make(Work(dataset, base.embedder, Path(folder), seed))
        seconds = time.perf_counter() - start
        if method.is_ours:
            _let_workers_end()
        cpu_seconds = _cpu_seconds() - cpu_start
        megabytes = _peak_megabytes()
        report = et.evaluate(made.embedder, dataset, measures=MEASURES)
    return Result(
        task=task_name,
        method=method.name,
        seed=seed,
        train_queries=len(dataset.train),
        groups=_groups(dataset),
        values={measure: _rounded(report.per_query[measure]) for measure in MEASURES},
        is_base=made.is_base,
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        megabytes=megabytes,
        embedded=base.texts,
        embedding_seconds=base.seconds,
        versions=_versions(),
    )


class _Base:
    """The base of a method; a transformer's rows are cached, and their price noted."""

    def __init__(self, method: Method, cache: Path) -> None:
        self.embedder: et.Embedder
        self.texts, self.seconds = 0, 0.0
        self._cached: et.CachedEmbedder | None = None
        self._ledger = cache.with_suffix(".json")
        if method.base != MINILM:
            self.embedder = et.LocalEmbedder()
            return
        from _minilm import MiniLM

        self.embedder = self._model = MiniLM()
        if method.sees_cache:
            cache.parent.mkdir(parents=True, exist_ok=True)
            self.embedder = self._cached = et.CachedEmbedder(self._model, cache)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._cached is None:
            return
        self._cached.close()
        before = {"texts": 0, "seconds": 0.0}
        if self._ledger.exists():
            before = json.loads(self._ledger.read_text())
        self.texts = before["texts"] + self._model.texts
        self.seconds = before["seconds"] + self._model.seconds
        content = {"texts": self.texts, "seconds": self.seconds}
        self._ledger.write_text(json.dumps(content))


def _groups(dataset: et.TuningDataset) -> dict[str, list[str]]:
    groups = {ALL: tuple(dataset.test), **et.seen_and_unseen(dataset)}
    return {name: list(ids) for name, ids in groups.items() if ids}


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {query_id: round(value, _DIGITS) for query_id, value in values.items()}


def _let_workers_end() -> None:
    # The system tells what a child took once it has ended, just after its result.
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


def _cpu_seconds() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _peak_megabytes() -> float:
    peaks = [
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    return max(peaks) / _MEGABYTE_OF_KILOBYTES


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
