"""Which tuner costs nothing for an embedder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

from embedtune.advice.trials import Submit
from embedtune.datasets.dataset import TuningDataset
from embedtune.serving import bundled
from embedtune.serving.base import Embedder
from embedtune.serving.cached import CachedEmbedder
from embedtune.serving.local import LocalEmbedder
from embedtune.serving.static import StaticModel
from embedtune.tuning.adapter import CACHE_FILE, AdapterTuner
from embedtune.tuning.base import TuningJob
from embedtune.tuning.local import LocalTuner


@attrs.frozen(kw_only=True)
class FreeTuner:
    """A tuner that costs nothing but time.

    Attributes:
        name: What it is, in words.
        embedder: What it tunes; it embeds each text once.
        submit: Starts a job of it.
    """

    name: str
    embedder: Embedder
    submit: Submit


@contextmanager
def free_tuner(embedder: Embedder, runs: Path) -> Iterator[FreeTuner]:
    """Yield the tuner for an embedder.

    Args:
        embedder: The base.
        runs: The folder of the jobs, and of what they need of the base.
    """
    runs.mkdir(parents=True, exist_ok=True)
    if isinstance(embedder, LocalEmbedder):
        submit = _local(embedder.model, runs)
        yield FreeTuner(name="the local tuner", embedder=embedder, submit=submit)
    elif isinstance(embedder, CachedEmbedder):
        yield _adapter(embedder, runs)
    else:
        with CachedEmbedder(embedder, runs / CACHE_FILE) as cached:
            yield _adapter(cached, runs)


def _adapter(embedder: CachedEmbedder, runs: Path) -> FreeTuner:
    def submit(dataset: TuningDataset, seed: int) -> TuningJob:
        tuner = AdapterTuner(embedder, runs, seed=seed, progress=False)
        return tuner.submit(dataset)

    return FreeTuner(
        name="an adapter of the query side", embedder=embedder, submit=submit
    )


def _local(model: StaticModel, runs: Path) -> Submit:
    spec = attrs.evolve(LocalTuner.DEFAULTS, base_model=_source(model, runs))

    def submit(dataset: TuningDataset, seed: int) -> TuningJob:
        tuner = LocalTuner(runs, seed=seed, general_probe=False)
        return tuner.submit(dataset, spec)

    return submit


def _source(model: StaticModel, runs: Path) -> str:
    # The worker opens the base by itself, from a folder if it is not the bundled one.
    if model.fingerprint == StaticModel.open().fingerprint:
        return bundled.NAME
    folder = runs / f"base-{model.fingerprint[:16]}"
    if not folder.is_dir():
        model.save(folder, facts={"name": model.name})
    return str(folder)
