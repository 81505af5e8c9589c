"""The work of a local tuning job, from its folder to its model."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from embedtune._version import __version__
from embedtune.datasets.dataset import TuningDataset
from embedtune.errors import DataError
from embedtune.serving.static import StaticModel
from embedtune.tuning.bags import Floats
from embedtune.tuning.encoder import Parameters
from embedtune.tuning.folder import JobFolder
from embedtune.tuning.forgetting import Watched
from embedtune.tuning.local_model import LocalModel
from embedtune.tuning.local_probes import local_probes
from embedtune.tuning.local_recipe import tune
from embedtune.tuning.material import gather
from embedtune.tuning.probes import Watch
from embedtune.tuning.recipe import Outcome
from embedtune.tuning.task import Plan
from embedtune.types import FloatMatrix

_log = logging.getLogger(__name__)


def work(
    folder: JobFolder, report: Callable[[Mapping[str, float]], None]
) -> Mapping[str, float]:
    """Make the model, unless an earlier attempt did, and return its metrics.

    Raises:
        DataError: If the base model is not the one that the job was submitted with.
    """
    if not folder.model.is_dir():
        _make(folder, report)
    return LocalModel.open(folder.model).metrics


def _make(folder: JobFolder, report: Callable[[Mapping[str, float]], None]) -> None:
    config = folder.config
    spec = config["spec"]
    base = StaticModel.open(spec["base_model"])
    if base.fingerprint != config["base_fingerprint"]:
        msg = (
            f"the base model {spec['base_model']!r} has changed since the job was"
            " submitted; submit a new job"
        )
        raise DataError(msg)
    plan = Plan.of(config)
    dataset = TuningDataset.from_beir(folder.dataset)
    material = gather(dataset, base, np.random.default_rng([config["seed"], 3]))
    _log.info(
        "%d documents, %d training queries, %d validation queries",
        len(material.texts.documents),
        len(material.train),
        len(material.validation),
    )
    watch = Watch.read(folder)
    watched = None
    if watch.is_any:
        watched = Watched(
            probes=lambda: local_probes(watch, base),
            max_forgetting=watch.max_forgetting,
        )
    outcome = tune(material, plan, report, watched)
    facts = _facts(config, outcome)
    if outcome.parameters is None:
        _save(base, folder, facts)
        return
    table = _rounded(outcome.parameters.folded(base.table))
    name = f"{base.name}-{folder.name.rpartition('-')[2]}"
    _save(base.with_table(table, name=name), folder, facts)


def _facts(
    config: Mapping[str, Any], outcome: Outcome[Parameters]
) -> Mapping[str, object]:
    return {
        "base_model": config["spec"]["base_model"],
        "is_base": outcome.parameters is None,
        "candidate": outcome.candidate,
        "reason": outcome.reason,
        "metrics": outcome.metrics,
        **(outcome.tradeoff.to_facts() if outcome.tradeoff else {}),
        "job": config,
        "version": __version__,
    }


def _rounded(table: Floats) -> FloatMatrix:
    # Only directions count, so the scale is free: the one that suits 16 bits best.
    scale = np.sqrt(np.mean(np.square(table, dtype=np.float64)))
    rounded: FloatMatrix = (table / scale).astype(np.float16).astype(np.float32)
    return rounded


def _save(model: StaticModel, folder: JobFolder, facts: Mapping[str, object]) -> None:
    with np.errstate(over="ignore"):
        fits = np.array_equal(model.table.astype(np.float16), model.table)
    model.save(folder.model, facts=facts, dtype="float16" if fits else "float32")
