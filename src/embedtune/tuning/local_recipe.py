"""What the local tuner learns by the recipe: token weights and one matrix."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from embedtune.tuning.candidates import Candidate, Schedule, warm_starts
from embedtune.tuning.encoder import Parameters
from embedtune.tuning.forgetting import Watched
from embedtune.tuning.holdout import Fold
from embedtune.tuning.labels import Labels
from embedtune.tuning.learner import Learner
from embedtune.tuning.material import Material
from embedtune.tuning.measuring import Examination
from embedtune.tuning.recipe import Outcome, Report
from embedtune.tuning.recipe import tune as tune_task
from embedtune.tuning.task import Plan

POWERS = (0.25, 0.5)


def tune(
    material: Material,
    plan: Plan,
    report: Report,
    watched: Watched[Parameters] | None = None,
) -> Outcome[Parameters]:
    """Return what is surely better than the base model, or the base model.

    Args:
        material: The data.
        plan: The settings.
        report: Called after every step.
        watched: Probes that the result is measured on, too.
    """
    return tune_task(LocalTask(material), plan, report, watched)


@attrs.frozen
class LocalTask:
    """See :class:`~embedtune.tuning.task.Task`."""

    _material: Material

    @property
    def train(self) -> Labels:
        """The training labels."""
        return self._material.train

    @property
    def validation(self) -> Labels:
        """The validation labels."""
        return self._material.validation

    @property
    def documents(self) -> int:
        """The number of documents."""
        return len(self._material.texts.documents)

    @property
    def seen_share(self) -> float:
        """What share of future queries looks for a document with a training label."""
        return self._material.seen_share

    @property
    def size(self) -> int:
        """How many numbers its parameters have."""
        rows, dimension = self._material.texts.table.shape
        return int(rows + dimension**2)

    @property
    def warm_starts(self) -> Sequence[Candidate]:
        """The candidates that need no gradient run."""
        return warm_starts(POWERS)

    def learner(self, labels: Labels, schedule: Schedule, seed: int) -> Learner:
        """Return what learns from some labels."""
        return Learner(self._material, labels, schedule, seed=seed)

    def examination(self, fold: Fold, generator: np.random.Generator) -> Examination:
        """Return what measures parameters on the queries of a hold-out."""
        material = self._material
        return Examination.of(fold, material.texts, material.hard, generator)

    def toward(self, parameters: Parameters, share: float) -> Parameters:
        """Return the parameters that are a *share* of the way from the base."""
        return Parameters.base(self._material.texts.table).mixed(parameters, share)
