"""Which tuner costs nothing for an embedder."""

from __future__ import annotations

from pathlib import Path

import attrs

from embedtune.advice.trials import Submit
from embedtune.datasets.dataset import TuningDataset
from embedtune.serving import bundled
from embedtune.serving.base import Embedder
from embedtune.serving.local import LocalEmbedder
from embedtune.serving.static import StaticModel
from embedtune.tuning.base import TuningJob
from embedtune.tuning.local import LocalTuner


def free_tuner(embedder: Embedder, runs: Path) -> tuple[str, Submit | None]:
    """Return what tunes in words, and what starts a job of it.

    Args:
        embedder: The base.
        runs: The folder of the jobs; the base may be written there.
    """
    if isinstance(embedder, LocalEmbedder):
        return "the local tuner", _local(embedder.model, runs)
    return "", None


def _local(model: StaticModel, runs: Path) -> Submit:
    spec = attrs.evolve(LocalTuner.DEFAULTS, base_model=_source(model, runs))

    def submit(dataset: TuningDataset, seed: int) -> TuningJob:
        return LocalTuner(runs, seed=seed).submit(dataset, spec)

    return submit


def _source(model: StaticModel, runs: Path) -> str:
    # The worker opens the base by itself, from a folder if it is not the bundled one.
    if model.fingerprint == StaticModel.open().fingerprint:
        return bundled.NAME
    folder = runs / f"base-{model.fingerprint[:16]}"
    if not folder.is_dir():
        runs.mkdir(parents=True, exist_ok=True)
        model.save(folder, facts={"base_of": "an advice"})
    return str(folder)
