"""The work of an adapter's tuning job, from its folder to its model."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from embedtune._version import __version__
from embedtune.datasets.dataset import TuningDataset
from embedtune.errors import DataError
from embedtune.serving.adapter import Adapter, AdapterMode, save_adapter
from embedtune.tuning.adapter_model import AdapterModel
from embedtune.tuning.adapter_probes import AdapterProbe
from embedtune.tuning.adapter_recipe import AdapterTask
from embedtune.tuning.choose import SURE_ENOUGH
from embedtune.tuning.folder import JobFolder
from embedtune.tuning.forgetting import Watched
from embedtune.tuning.frozen import gather
from embedtune.tuning.probes import ProbeLabels, Watch, probe_folder
from embedtune.tuning.recipe import Outcome, tune
from embedtune.tuning.task import Plan
from embedtune.types import FloatMatrix

QUERIES_FILE = "queries.npy"
DOCUMENTS_FILE = "documents.npy"

_log = logging.getLogger(__name__)


def work(
    folder: JobFolder, report: Callable[[Mapping[str, float]], None]
) -> Mapping[str, float]:
    """Make the model, unless an earlier attempt did, and return its metrics.

    Raises:
        DataError: If somebody damaged the rows.
    """
    if not folder.model.is_dir():
        _make(folder, report)
    return AdapterModel.open(folder.model).metrics


def _make(folder: JobFolder, report: Callable[[Mapping[str, float]], None]) -> None:
    config = folder.config
    mode = AdapterMode(config["mode"])
    dataset = TuningDataset.from_beir(folder.dataset)
    dimension = config["base"]["dimension"]
    material = gather(
        dataset,
        _rows(folder.path / QUERIES_FILE, (len(dataset.queries), dimension)),
        _rows(folder.path / DOCUMENTS_FILE, (len(dataset.corpus), dimension)),
        np.random.default_rng([config["seed"], 3]),
    )
    _log.info(
        "%d documents, %d training queries, %d validation queries",
        len(material.documents),
        len(material.train),
        len(material.validation),
    )
    # A whole matrix learns wrong labels, too.
    plan = Plan.of(config, needed_with_few=SURE_ENOUGH)
    task = AdapterTask(material=material, mode=mode, rank=config["rank"])
    watch = Watch.read(folder)
    watched = None
    if watch.is_any:
        watched = Watched(
            probes=lambda: _probes(folder, watch, dimension),
            max_forgetting=watch.max_forgetting,
        )
    outcome = tune(task, plan, report, watched)
    adapter = outcome.parameters or Adapter.identity(mode)
    save_adapter(adapter, folder.model, _facts(folder.name, config, outcome))


def _facts(
    name: str, config: Mapping[str, Any], outcome: Outcome[Adapter]
) -> Mapping[str, object]:
    base = config["base"]
    is_base = outcome.parameters is None
    number = name.rpartition("-")[2]
    return {
        "name": base["name"] if is_base else f"{base['name']}-{number}",
        "base_name": base["name"],
        "base_fingerprint": base["fingerprint"],
        "base_query_fingerprint": base["query_fingerprint"],
        "dimension": base["dimension"],
        "is_base": is_base,
        "candidate": outcome.candidate,
        "reason": outcome.reason,
        "metrics": outcome.metrics,
        **(outcome.tradeoff.to_facts() if outcome.tradeoff else {}),
        "job": config,
        "version": __version__,
    }


def _probes(folder: JobFolder, watch: Watch, dimension: int) -> list[AdapterProbe]:
    found = []
    for place, (name, dataset) in enumerate(watch.probes.items()):
        path = probe_folder(folder, place)
        queries, documents = len(dataset.queries), len(dataset.corpus)
        found.append(
            AdapterProbe(
                labels=ProbeLabels.of(name, dataset),
                query_rows=_rows(path / QUERIES_FILE, (queries, dimension)),
                document_rows=_rows(path / DOCUMENTS_FILE, (documents, dimension)),
            )
        )
    return found


def _rows(path: Path, shape: tuple[int, int]) -> FloatMatrix:
    # Not in memory as a whole: what a step needs is read from the file.
    try:
        rows: FloatMatrix = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as e:
        msg = f"{str(path)!r} cannot be read ({e}); submit the job again"
        raise DataError(msg) from e
    if rows.shape != shape or rows.dtype != np.float32:
        msg = (
            f"{str(path)!r} must hold float32 of shape {shape}"
            f" (got {rows.dtype} of {rows.shape}); submit the job again"
        )
        raise DataError(msg)
    return rows
