"""The recipe of all tuners here: many candidates, a safe choice among them, a refit.

What is learned, and from what, is a :class:`Task`; the recipe knows candidates, their
measures on held-out queries, and nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

import attrs
import numpy as np

from embedtune.errors import ConfigurationError
from embedtune.tuning.candidates import START, Candidate, Schedule
from embedtune.tuning.choose import (
    SURE_ENOUGH,
    SURE_ENOUGH_WITH_FEW,
    Goal,
    Measured,
    OptimizeFor,
    choose,
)
from embedtune.tuning.holdout import FEW, Fold, folds
from embedtune.tuning.labels import Labels

BLENDS = (0.15, 0.3, 0.5, 0.7)
"""Shares of the last state of the run that are mixed with its start."""

PATIENCE = 60
"""So many steps without a better score end the run."""

Report = Callable[[Mapping[str, float]], None]
"""Takes the numbers of one step, by name."""

_log = logging.getLogger(__name__)

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
    def warm_starts(self) -> Sequence[Candidate]:
        """The candidates that need no gradient run."""
        ...

    def learner(self, labels: Labels, schedule: Schedule, seed: int) -> Learner[P]:
        """Return what learns from some labels; a label of relevance 0 hides a pair."""
        ...

    def examination(self, fold: Fold, generator: np.random.Generator) -> Examination[P]:
        """Return what measures parameters on the queries of a hold-out."""
        ...


@attrs.frozen(kw_only=True)
class Plan:
    """The settings of one run of the recipe.

    Attributes:
        schedule: The gradient run; it may end before.
        optimize_for: What the model shall be best at.
        seed: Equal seeds give equal models.
    """

    schedule: Schedule
    optimize_for: OptimizeFor
    seed: int


@attrs.frozen(kw_only=True, eq=False)
class Outcome(Generic[P]):
    """What came out.

    Attributes:
        parameters: The tuned parameters; `None` stands for the base.
        candidate: What was chosen, in a few words.
        reason: Why, in a few words.
        metrics: The numbers of the choice.
    """

    parameters: P | None
    candidate: str
    reason: str
    metrics: Mapping[str, float]


def tune(task: Task[P], plan: Plan, report: Report) -> Outcome[P]:
    """Return what is surely better than the base model, or the base model.

    What was chosen on a part of the labels is made again from all of them, with as many
    passes over the queries.

    Args:
        task: What is learned, and from what.
        plan: The settings.
        report: Called after every step.
    """
    goal = Goal.of(plan.optimize_for, seen_share=task.seen_share)
    hold_outs = _HoldOuts(task, plan)
    base, measured = _examine(hold_outs, task.warm_starts, plan, goal, report)
    candidates = list(measured)
    generator = np.random.default_rng([plan.seed, 2])
    needed = SURE_ENOUGH_WITH_FEW if len(task.train) < FEW else SURE_ENOUGH
    choice = choose(base, list(measured.values()), goal, generator, needed=needed)
    chosen = None if choice.position is None else candidates[choice.position]
    _log.info("chosen: %s; %s", chosen or "the base", choice.reason)
    parameters, words = None, "the base"
    if chosen is not None:
        refit = _for_more(chosen, len(task.train) / hold_outs.queries, plan)
        parameters, words = _refit(task, plan, refit, report), str(refit)
    return Outcome(
        parameters=parameters,
        candidate=words,
        reason=choice.reason,
        metrics={
            "train_queries": float(len(task.train)),
            "seen_share": task.seen_share,
            "confidence": choice.confidence,
            **({} if chosen is None else {"chosen_step": float(chosen.steps)}),
            **{f"base_{key}": value for key, value in _means(goal, base).items()},
            **_means(goal, base if chosen is None else measured[chosen]),
        },
    )


def checkpoints(steps: int) -> frozenset[int]:
    """Return the steps of a run after which it is measured, more of them early."""
    early = [step for step in (5, 10, 15, 20, 30, 40, 50, 60) if step < steps]
    return frozenset([*early, *range(80, steps, 20), steps])


class _HoldOuts(Generic[P]):
    """Learners that know a part of the labels each, and are examined on the rest."""

    def __init__(self, task: Task[P], plan: Plan) -> None:
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
        return Measured.joined(
            [
                examination.measure(learner.parameters(candidate))
                for learner, examination in zip(
                    self._learners, self._examinations, strict=True
                )
            ]
        )


def _examine(
    hold_outs: _HoldOuts[P],
    warm_starts: Sequence[Candidate],
    plan: Plan,
    goal: Goal,
    report: Report,
) -> tuple[Measured, dict[Candidate, Measured]]:
    base = hold_outs.measure(None)
    measured = {warm: hold_outs.measure(warm) for warm in warm_starts}
    steps = plan.schedule.steps
    is_measured = checkpoints(steps)
    best, last = START, START
    for step in range(1, steps + 1):
        numbers = {"step": step, "loss": hold_outs.step()}
        if not hold_outs.is_sound:
            _log.warning(
                "the run diverged at step %d; a smaller learning rate may help", step
            )
            return base, measured
        if step in is_measured:
            last = Candidate(steps=step)
            measured[last] = hold_outs.measure(last)
            numbers |= _means(goal, measured[last])
            if goal.score(measured[last]) > goal.score(measured[best]):
                best = last
        report(numbers | {"done": step, "total": 2 * steps})
        if last.steps - best.steps >= PATIENCE:
            break
    for share in BLENDS:
        blend = attrs.evolve(last, share=share)
        measured[blend] = hold_outs.measure(blend)
    return base, measured


def _for_more(chosen: Candidate, times: float, plan: Plan) -> Candidate:
    # With more queries it takes more steps to see each of them as often.
    steps = min(round(chosen.steps * times), plan.schedule.steps)
    return attrs.evolve(chosen, steps=steps)


def _refit(task: Task[P], plan: Plan, chosen: Candidate, report: Report) -> P:
    learner = task.learner(task.train, plan.schedule, plan.seed)
    steps = plan.schedule.steps
    for step in range(1, chosen.steps + 1):
        numbers = {"step": step, "loss": learner.step()}
        done = steps + steps * step // chosen.steps
        report(numbers | {"done": done, "total": 2 * steps})
        if not learner.is_sound:
            msg = f"the run diverged at step {step}; lower 'learning_rate_multiplier'"
            raise ConfigurationError(msg)
    return learner.parameters(chosen)


def _means(goal: Goal, measured: Measured) -> dict[str, float]:
    means = {"score": goal.score(measured)}
    if len(measured.seen):
        means["seen"] = float(measured.seen.mean())
    if len(measured.unseen):
        means["unseen"] = float(measured.unseen.mean())
    return means
