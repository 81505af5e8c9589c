"""What the recipe asks of a tuner: a task that learns and examines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

import attrs
import numpy as np

from embedtune.tuning.candidates import Candidate, Schedule
from embedtune.tuning.choose import SURE_ENOUGH_WITH_FEW, Measured, OptimizeFor
from embedtune.tuning.holdout import Fold
from embedtune.tuning.labels import Labels

P = TypeVar("P")
P_co = TypeVar("P_co", covariant=True)
P_contra = TypeVar("P_contra", contravariant=True)


class Learner(Protocol[P_co]):
    """Learns from one set of training labels, step by step."""

    @property
    def queries(self) -> int:
        """How many queries it learns from."""
        ...

    @property
    def is_sound(self) -> bool:
        """Whether the run has not left the range of numbers so far."""
        ...

    def step(self) -> float:
        """Take the next step of the gradient run and return its loss."""
        ...

    def parameters(self, candidate: Candidate | None) -> P_co:
        """Return the parameters of a candidate; `None` stands for the base.

        Args:
            candidate: Its steps are those taken so far, or 0.
        """
        ...


class Examination(Protocol[P_contra]):
    """The queries of one hold-out, and what they search."""

    def measure(self, parameters: P_contra) -> Measured:
        """Return the measure of every query under some parameters."""
        ...


class Task(Protocol[P]):
    """What a tuner learns, and from what."""

    @property
    def train(self) -> Labels:
        """The training labels."""
        ...

    @property
    def validation(self) -> Labels:
        """The validation labels, without queries that are trained on."""
        ...

    @property
    def documents(self) -> int:
        """The number of documents."""
        ...

    @property
    def seen_share(self) -> float:
        """What share of future queries looks for a document with a training label."""
        ...

    @property
    def size(self) -> int:
        """How many numbers its parameters have."""
        ...

    @property
    def warm_starts(self) -> Sequence[Candidate]:
        """The candidates that need no gradient run."""
        ...

    def learner(self, labels: Labels, schedule: Schedule, seed: int) -> Learner[P]:
        """Return what learns from some labels; a label of relevance 0 hides a pair."""
        ...

    def examination(self, fold: Fold, generator: np.random.Generator) -> Examination[P]:
        """Return what measures parameters on the queries of a hold-out."""
        ...

    def toward(self, parameters: P, share: float) -> P:
        """Return the parameters that are a *share* of the way from the base."""
        ...


@attrs.frozen(kw_only=True)
class Plan:
    """The settings of one run of the recipe.

    Attributes:
        schedule: The gradient run; it may end before.
        optimize_for: What the model shall be best at.
        seed: Equal seeds give equal models.
        needed_with_few: The confidence below which the base is taken, where training
            queries are few.
    """

    schedule: Schedule
    optimize_for: OptimizeFor
    seed: int
    needed_with_few: float = SURE_ENOUGH_WITH_FEW

    @classmethod
    def of(
        cls, config: Mapping[str, Any], *, needed_with_few: float = SURE_ENOUGH_WITH_FEW
    ) -> Plan:
        """Return the plan of a job's configuration."""
        spec = config["spec"]
        return cls(
            schedule=Schedule(
                steps=spec["train_steps"],
                batch_size=spec["batch_size"],
                rate=spec["learning_rate_multiplier"],
            ),
            optimize_for=OptimizeFor(config["optimize_for"]),
            seed=config["seed"],
            needed_with_few=needed_with_few,
        )
