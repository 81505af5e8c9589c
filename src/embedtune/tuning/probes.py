"""Probes: queries that tuning must not break, measured before and after it.

A probe is a dataset of its own. Nothing is learned from it, and unless a limit is set,
nothing is chosen by it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from numbers import Real
from pathlib import Path
from typing import Any

import attrs

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.problems import raise_integrity_error
from embedtune.datasets.stdlib import stdlib_sample
from embedtune.errors import ConfigurationError
from embedtune.evaluation.judgements import Judgements
from embedtune.evaluation.scoring import unknown_ids
from embedtune.evaluation.search import top_k
from embedtune.tuning.bags import Floats
from embedtune.tuning.folder import JobFolder
from embedtune.tuning.heldout import MEASURE
from embedtune.types import SPLITS

GENERAL = "general"
"""The name of the probe that every machine has: a part of Python's documentation."""

GENERAL_DOCUMENTS = 1000
GENERAL_QUERIES = 300


@attrs.frozen(kw_only=True)
class Watch:
    """What is watched while a model is tuned.

    Attributes:
        probes: By name; all labels of each are in `test`.
        has_general: Whether the general probe is watched, too.
        max_forgetting: How much of nDCG@10 a probe may lose; `None` for no limit.
    """

    probes: Mapping[str, TuningDataset] = attrs.field(factory=dict, hash=False)
    has_general: bool = False
    max_forgetting: float | None = None

    @classmethod
    def of(
        cls,
        probes: Mapping[str, TuningDataset] | None,
        *,
        has_general: bool,
        max_forgetting: float | None,
    ) -> Watch:
        """Check what a caller wants to be watched.

        Raises:
            TypeError: If *probes* are no datasets by name.
            ConfigurationError: If a name or the limit is wrong, or the limit is one on
                nothing; it names every problem.
            DatasetIntegrityError: If the labels of a probe name what is not there.
        """
        given = _checked_datasets({} if probes is None else probes)
        problems = [_wrong_name(name) for name in given if not _is_name(name)]
        limit = max_forgetting
        if limit is not None:
            is_number = isinstance(limit, Real) and not isinstance(limit, bool)
            if not is_number or not 0 <= limit < math.inf:
                problems.append(
                    f"'max_forgetting' must be a finite number >= 0 or None"
                    f" (got {limit!r})"
                )
            if not given and not has_general:
                problems.append(
                    "'max_forgetting' needs a probe to limit; give 'probes'"
                )
        if problems:
            raise ConfigurationError("; ".join(problems))
        return cls(
            probes={name: _pooled(name, dataset) for name, dataset in given.items()},
            has_general=has_general,
            max_forgetting=None if limit is None else float(limit),
        )

    @property
    def is_any(self) -> bool:
        """Whether there is a probe at all."""
        return bool(self.probes) or self.has_general

    def with_general(self) -> Watch:
        """Return the same with the general probe among the others, by its content."""
        if not self.has_general:
            return self
        probes = {**self.probes, GENERAL: general_probe()}
        return attrs.evolve(self, probes=probes, has_general=False)

    def to_config(self) -> Mapping[str, object]:
        """Return what tells one watch from another, as JSON values."""
        return {
            "probes": {
                name: dataset.fingerprint for name, dataset in self.probes.items()
            },
            "general_probe": self.has_general,
            "max_forgetting": self.max_forgetting,
        }

    def write(self, folder: JobFolder) -> None:
        """Write the datasets of the probes into a job's folder."""
        for place, dataset in enumerate(self.probes.values()):
            dataset.to_beir(probe_folder(folder, place))

    @classmethod
    def read(cls, folder: JobFolder) -> Watch:
        """Return what is watched in a job."""
        config: Mapping[str, Any] = folder.config
        return cls(
            probes={
                name: TuningDataset.from_beir(probe_folder(folder, place))
                for place, name in enumerate(config["probes"])
            },
            has_general=config["general_probe"],
            max_forgetting=config["max_forgetting"],
        )


@attrs.frozen(kw_only=True, eq=False)
class ProbeLabels:
    """The labels of a probe as arrays.

    Attributes:
        name: The probe's name.
        query_ids: Its queries, a row each.
        doc_ids: Its documents, a row each.
        judgements: Its labels.
    """

    name: str
    query_ids: Sequence[str]
    doc_ids: Sequence[str]
    judgements: Judgements

    @classmethod
    def of(cls, name: str, dataset: TuningDataset) -> ProbeLabels:
        """Return the labels of a probe's dataset; rows go by id."""
        doc_ids = sorted(dataset.corpus)
        labels = {query_id: dataset.test[query_id] for query_id in sorted(dataset.test)}
        numbers = {doc_id: row for row, doc_id in enumerate(doc_ids)}
        return cls(
            name=name,
            query_ids=tuple(labels),
            doc_ids=doc_ids,
            judgements=Judgements.of(labels, numbers),
        )

    def mean(self, queries: Floats, documents: Floats) -> float:
        """Return the mean nDCG@10 of unit rows."""
        cutoff = MEASURE.cutoff or 0
        found, _ = top_k(queries, documents, cutoff)
        ranked, ideal = self.judgements.ranked(found), self.judgements.ideal(cutoff)
        return float(MEASURE.values(ranked, ideal).mean())


def general_probe() -> TuningDataset:
    """Return some queries over a part of the standard-library task.

    They are drawn by name, the same on every machine with the same Python. They come
    from some of its modules: to read all would take longer than to measure the probe.
    """
    whole = stdlib_sample(GENERAL_DOCUMENTS)
    chosen = sorted(sorted(whole.train, key=_lot)[:GENERAL_QUERIES])
    return TuningDataset(
        corpus=whole.corpus,
        queries={query_id: whole.queries[query_id] for query_id in chosen},
        train={},
        test={query_id: whole.train[query_id] for query_id in chosen},
    )


def probe_folder(folder: JobFolder, place: int) -> Path:
    """Return where the dataset of a probe is."""
    return folder.path / "probes" / str(place)


def _lot(query_id: str) -> bytes:
    return blake2b(query_id.encode(), digest_size=8).digest()


def _checked_datasets(probes: Any) -> dict[Any, TuningDataset]:
    if not isinstance(probes, Mapping):
        wrong = type(probes).__name__
    else:
        others = {n: d for n, d in probes.items() if not isinstance(d, TuningDataset)}
        if not others:
            return dict(probes)
        wrong = ", ".join(f"{type(d).__name__} for {n!r}" for n, d in others.items())
    msg = (
        "'probes' must be TuningDatasets by name, as in"
        f" {{'must not break': dataset}} (got {wrong})"
    )
    raise TypeError(msg)


def _is_name(name: object) -> bool:
    return isinstance(name, str) and bool(name) and name != GENERAL


def _wrong_name(name: object) -> str:
    if name == GENERAL:
        return f"a probe must not be called {GENERAL!r}, as the built-in one is"
    return f"the name of a probe must be a string that is not empty (got {name!r})"


def _pooled(name: str, dataset: TuningDataset) -> TuningDataset:
    labels = {
        query_id: row
        for split in SPLITS
        for query_id, row in dataset.labels(split).items()
        if any(row.values())
    }
    problems = unknown_ids(dataset, labels)
    if not labels:
        problems = ["no query has a relevant document"]
    raise_integrity_error(f"the probe {name!r} cannot be measured", problems)
    return TuningDataset(
        corpus={
            doc_id: attrs.evolve(document, metadata={})
            for doc_id, document in dataset.corpus.items()
        },
        queries={
            query_id: attrs.evolve(dataset.queries[query_id], metadata={})
            for query_id in labels
        },
        train={},
        test=labels,
    )
