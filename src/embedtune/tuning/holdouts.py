"""Learners that know a part of the labels each, and are examined on the rest."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Generic, TypeVar

import numpy as np

from embedtune.tuning.candidates import Candidate
from embedtune.tuning.choose import Measured
from embedtune.tuning.holdout import Fold, folds
from embedtune.tuning.task import Examination, Learner, Plan, Task

KEPT_SIZE = 1_200_000
"""Parameters of more numbers are made again where they are needed again."""

_log = logging.getLogger(__name__)

P = TypeVar("P")


class HoldOuts(Generic[P]):
    """Learners that know a part of the labels each, and are examined on the rest."""

    def __init__(self, task: Task[P], plan: Plan, *, keep: bool) -> None:
        """Divide the labels and prepare the learners.

        Args:
            task: What is learned, and from what.
            plan: The settings.
            keep: Whether parameters that were measured shall stay in memory, where
                they are small, for :meth:`on_the_way`.
        """
        self._task = task
        self._plan = plan
        self._keeps = keep
        self._kept: dict[Candidate, list[P]] = {}
        self._folds: list[Fold] = []
        generator = np.random.default_rng([plan.seed, 0])
        self._learners: list[Learner[P]] = []
        self._examinations: list[Examination[P]] = []
        for fold in folds(
            task.train,
            task.validation,
            size=task.documents,
            generator=generator,
        ):
            _log.info(
                "a hold-out: %d queries to learn from, %d of seen documents and"
                " %d of unseen ones to choose by",
                len(fold.train),
                len(fold.seen),
                len(fold.unseen),
            )
            self._folds.append(fold)
            self._learners.append(task.learner(fold.train, plan.schedule, plan.seed))
            self._examinations.append(task.examination(fold, generator))

    @property
    def queries(self) -> float:
        """How many queries a learner learns from, in the mean."""
        return float(np.mean([learner.queries for learner in self._learners]))

    def step(self) -> float:
        """Let every learner take a step; return the mean of their losses."""
        return float(np.mean([learner.step() for learner in self._learners]))

    @property
    def is_sound(self) -> bool:
        """Whether no learner's run has left the range of numbers so far."""
        return all(learner.is_sound for learner in self._learners)

    def measure(self, candidate: Candidate | None) -> Measured:
        """Return the measures of a candidate, or of the base, over all hold-outs."""
        states = [learner.parameters(candidate) for learner in self._learners]
        if candidate is not None and self._keeps and self._task.size <= KEPT_SIZE:
            self._kept[candidate] = states
        return self._measured(states)

    def on_the_way(
        self, candidate: Candidate, shares: Sequence[float]
    ) -> list[Measured]:
        """Return the measures of models between the base and a candidate.

        Args:
            candidate: One that was measured.
            shares: How far they are on the way from the base.
        """
        states = self._kept.get(candidate) or self._again(candidate)
        return [
            self._measured([self._task.toward(state, share) for state in states])
            for share in shares
        ]

    def _again(self, candidate: Candidate) -> list[P]:
        # Equal labels and seeds give equal runs.
        plan = self._plan
        states = []
        for fold in self._folds:
            learner = self._task.learner(fold.train, plan.schedule, plan.seed)
            for _ in range(candidate.steps):
                learner.step()
            states.append(learner.parameters(candidate))
        return states

    def _measured(self, states: Sequence[P]) -> Measured:
        return Measured.joined(
            [
                examination.measure(state)
                for state, examination in zip(states, self._examinations, strict=True)
            ]
        )
