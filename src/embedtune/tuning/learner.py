"""All candidates that one set of training labels can give."""

from __future__ import annotations

import attrs
import numpy as np

from embedtune.tuning.bags import Floats
from embedtune.tuning.batches import POSITIVES
from embedtune.tuning.candidates import START, Candidate, Schedule
from embedtune.tuning.encoder import Parameters, encode
from embedtune.tuning.gradient import gradient_run
from embedtune.tuning.labels import Labels
from embedtune.tuning.material import Material
from embedtune.tuning.whitening import whitening

_LARGEST_WEIGHT = 30.0  # of logarithms; beyond, squares leave the range of float32


class Learner:
    """Learns from one set of training labels, step by step."""

    def __init__(
        self, material: Material, labels: Labels, schedule: Schedule, *, seed: int
    ) -> None:
        """Prepare the gradient run.

        Args:
            material: The texts and the hard negatives.
            labels: What to learn; a label of relevance 0 hides its pair.
            schedule: Its batches get no larger than a third of the labelled queries.
            seed: Decides about the batches.
        """
        self._queries = len(labels)
        size = max(1, min(schedule.batch_size, self._queries // 3))
        self._base = Parameters.base(material.texts.table)
        self._differences = _differences(material, labels)
        self._start = self._warm(START.shrinkage, START.power)
        self._now = self._start
        self._run = gradient_run(
            material.texts,
            labels,
            material.hard,
            start=self._start,
            schedule=attrs.evolve(schedule, batch_size=size),
            generator=np.random.default_rng([seed, 1]),
        )
        self._steps = 0

    def step(self) -> float:
        """Take the next step of the gradient run and return its loss."""
        loss, self._now = next(self._run)
        self._steps += 1
        return loss

    @property
    def queries(self) -> int:
        """How many queries it learns from."""
        return self._queries

    @property
    def is_sound(self) -> bool:
        """Whether the run has not left the range of numbers so far."""
        weights = np.abs(self._now.log_weights).max()
        return bool(np.isfinite(self._now.matrix).all() and weights < _LARGEST_WEIGHT)

    def parameters(self, candidate: Candidate | None) -> Parameters:
        """Return the parameters of a candidate.

        Args:
            candidate: Its steps must be those taken so far, or 0; `None` for the base.
        """
        if candidate is None:
            return self._base
        if not candidate.steps:
            return self._warm(candidate.shrinkage, candidate.power)
        if candidate.steps != self._steps:
            msg = f"'steps' must be {self._steps} now (got {candidate.steps})"
            raise ValueError(msg)
        return self._start.mixed(self._now, candidate.share)

    def _warm(self, shrinkage: float, power: float) -> Parameters:
        matrix = whitening(self._differences, shrinkage=shrinkage, power=power)
        return attrs.evolve(self._base, matrix=matrix)


def _differences(material: Material, labels: Labels) -> Floats:
    owners = labels.owners
    rank = np.arange(len(owners)) - labels.starts[owners]
    chosen = np.flatnonzero((labels.relevance > 0) & (rank < POSITIVES))
    texts = material.texts
    base = Parameters.base(texts.table)
    documents, place = np.unique(labels.documents[chosen], return_inverse=True)
    queries = encode(texts.table, base, texts.queries.take(labels.queries)).units
    positives = encode(texts.table, base, texts.documents.take(documents)).units
    return queries[owners[chosen]] - positives[place]
