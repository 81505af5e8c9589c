"""What the adapter tuner learns by the recipe: one or two maps of frozen rows."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from embedtune.serving.adapter import Adapter, AdapterMode
from embedtune.serving.linear import Floats
from embedtune.tuning.adapter_gradient import gradient_run
from embedtune.tuning.batches import POSITIVES
from embedtune.tuning.candidates import START, Candidate, Schedule, warm_starts
from embedtune.tuning.choose import Measured
from embedtune.tuning.contrast import to_unit
from embedtune.tuning.frozen import FrozenMaterial
from embedtune.tuning.heldout import HeldOut
from embedtune.tuning.holdout import Fold
from embedtune.tuning.labels import Labels
from embedtune.tuning.measuring import MOST_DOCUMENTS
from embedtune.tuning.spectrum import Spectrum

POWERS = (0.25, 0.5)


@attrs.frozen(kw_only=True)
class AdapterTask:
    """See :class:`~embedtune.tuning.task.Task`.

    Attributes:
        material: The data.
        mode: What is mapped.
        rank: Of the maps' difference from the identity; `None` for any.
    """

    material: FrozenMaterial
    mode: AdapterMode
    rank: int | None

    @property
    def train(self) -> Labels:
        """The training labels."""
        return self.material.train

    @property
    def validation(self) -> Labels:
        """The validation labels."""
        return self.material.validation

    @property
    def documents(self) -> int:
        """The number of documents."""
        return len(self.material.documents)

    @property
    def seen_share(self) -> float:
        """What share of future queries looks for a document with a training label."""
        return self.material.seen_share

    @property
    def size(self) -> int:
        """How many numbers an adapter has."""
        dimension = self.material.documents.shape[1]
        maps = 2 if self.mode is AdapterMode.BOTH else 1
        return int(maps * dimension * (2 * self.rank if self.rank else dimension))

    @property
    def warm_starts(self) -> Sequence[Candidate]:
        """The candidates that need no gradient run."""
        return warm_starts(POWERS)

    def learner(self, labels: Labels, schedule: Schedule, seed: int) -> AdapterLearner:
        """Return what learns from some labels."""
        return AdapterLearner(self, labels, schedule, seed=seed)

    def examination(
        self, fold: Fold, generator: np.random.Generator
    ) -> AdapterExamination:
        """Return what measures adapters on the queries of a hold-out."""
        return AdapterExamination.of(fold, self.material, generator)

    def toward(self, parameters: Adapter, share: float) -> Adapter:
        """Return the adapter that is a *share* of the way from the base."""
        maps = tuple(linear.shrunk(share) for linear in parameters.maps)
        return attrs.evolve(parameters, maps=maps)


class AdapterLearner:
    """Learns from one set of training labels, step by step."""

    def __init__(
        self, task: AdapterTask, labels: Labels, schedule: Schedule, *, seed: int
    ) -> None:
        """Prepare the gradient run.

        Args:
            task: The data, and what is mapped.
            labels: What to learn; a label of relevance 0 hides its pair.
            schedule: Its batches get no larger than a third of the labelled queries.
            seed: Decides about the batches.
        """
        self._task = task
        self._queries = len(labels)
        size = max(1, min(schedule.batch_size, self._queries // 3))
        self._spectrum = Spectrum.of(_differences(task.material, labels))
        self._start = self._warm(START)
        self._now = self._start
        self._run = gradient_run(
            task.material,
            labels,
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
        return all(
            np.isfinite(factor).all()
            for linear in self._now.maps
            for factor in linear.factors
        )

    def parameters(self, candidate: Candidate | None) -> Adapter:
        """Return the adapter of a candidate.

        Args:
            candidate: Its steps must be those taken so far, or 0; `None` for the base.
        """
        if candidate is None:
            return Adapter.identity(self._task.mode)
        if not candidate.steps:
            return self._warm(candidate)
        if candidate.steps != self._steps:
            msg = f"'steps' must be {self._steps} now (got {candidate.steps})"
            raise ValueError(msg)
        if candidate.share == 1:
            return self._now
        pairs = zip(self._start.maps, self._now.maps, strict=True)
        maps = tuple(start.mixed(now, candidate.share) for start, now in pairs)
        return attrs.evolve(self._now, maps=maps)

    def _warm(self, candidate: Candidate) -> Adapter:
        # For (q M) · (p M) = (q M Mᵀ) · p, the map of queries alone is M twice.
        mode = self._task.mode
        linear = self._spectrum.map(
            shrinkage=candidate.shrinkage,
            power=candidate.power * (2 if mode is AdapterMode.QUERY else 1),
            rank=self._task.rank,
        )
        return Adapter(
            mode=mode, maps=(linear,) * (2 if mode is AdapterMode.BOTH else 1)
        )


@attrs.frozen(kw_only=True, eq=False)
class AdapterExamination:
    """The queries of one hold-out, and the documents that they search.

    Attributes:
        queries: Their rows.
        documents: Their rows.
        held_out: Which they are, and their labels.
    """

    queries: Floats
    documents: Floats
    held_out: HeldOut

    @classmethod
    def of(
        cls, fold: Fold, material: FrozenMaterial, generator: np.random.Generator
    ) -> AdapterExamination:
        """Prepare the queries of a fold."""
        size = len(material.documents)
        held_out = HeldOut.of(fold, size, material.hard, generator, most=MOST_DOCUMENTS)
        is_whole = len(held_out.documents) == size
        return cls(
            queries=material.queries[held_out.queries],
            documents=material.documents
            if is_whole
            else material.documents[held_out.documents],
            held_out=held_out,
        )

    def measure(self, parameters: Adapter) -> Measured:
        """Return the measure of every query under an adapter."""
        queries = to_unit(parameters.queries.apply(self.queries))[0]
        documents = self.documents
        if not parameters.documents.is_identity:
            documents = to_unit(parameters.documents.apply(documents))[0]
        return self.held_out.measured(queries, documents)


def _differences(material: FrozenMaterial, labels: Labels) -> Floats:
    owners = labels.owners
    rank = np.arange(len(owners)) - labels.starts[owners]
    chosen = np.flatnonzero((labels.relevance > 0) & (rank < POSITIVES))
    queries = material.queries[labels.queries[owners[chosen]]]
    return queries - material.documents[labels.documents[chosen]]
