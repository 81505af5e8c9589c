"""The recipe of the local tuner: many candidates, a safe choice among them, a refit."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

import attrs
import numpy as np

from embedtune.errors import ConfigurationError
from embedtune.tuning.choose import (
    SURE_ENOUGH,
    SURE_ENOUGH_WITH_FEW,
    Goal,
    Measured,
    OptimizeFor,
    choose,
)
from embedtune.tuning.encoder import Parameters
from embedtune.tuning.gradient import Schedule
from embedtune.tuning.holdout import FEW, folds
from embedtune.tuning.learner import Candidate, Learner
from embedtune.tuning.material import Material
from embedtune.tuning.measuring import Examination

SHRINKAGES = (0.1, 0.3, 0.6, 0.9)
POWERS = (0.25, 0.5)

BLENDS = (0.15, 0.3, 0.5, 0.7)
"""Shares of the last state of the run that are mixed with its start."""

PATIENCE = 60
"""So many steps without a better score end the run."""

Report = Callable[[Mapping[str, float]], None]
"""Takes the numbers of one step, by name."""

_log = logging.getLogger(__name__)


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
class Outcome:
    """What came out.

    Attributes:
        parameters: The tuned parameters; `None` stands for the base.
        candidate: What was chosen, in a few words.
        reason: Why, in a few words.
        metrics: The numbers of the choice.
    """

    parameters: Parameters | None
    candidate: str
    reason: str
    metrics: Mapping[str, float]


def tune(material: Material, plan: Plan, report: Report) -> Outcome:
    """Return what is surely better than the base model, or the base model.

    What was chosen on a part of the labels is made again from all of them, with as many
    passes over the queries.

    Args:
        material: The data.
        plan: The settings.
        report: Called after every step.
    """
    goal = Goal.of(plan.optimize_for, seen_share=material.seen_share)
    hold_outs = _HoldOuts(material, plan)
    base, measured = _examine(hold_outs, plan, goal, report)
    candidates = list(measured)
    generator = np.random.default_rng([plan.seed, 2])
    needed = SURE_ENOUGH_WITH_FEW if len(material.train) < FEW else SURE_ENOUGH
    choice = choose(base, list(measured.values()), goal, generator, needed=needed)
    chosen = None if choice.position is None else candidates[choice.position]
    _log.info("chosen: %s; %s", chosen or "the base", choice.reason)
    parameters, words = None, "the base"
    if chosen is not None:
        refit = _for_more(chosen, len(material.train) / hold_outs.queries, plan)
        parameters, words = _refit(material, plan, refit, report), str(refit)
    return Outcome(
        parameters=parameters,
        candidate=words,
        reason=choice.reason,
        metrics={
            "train_queries": float(len(material.train)),
            "seen_share": material.seen_share,
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


class _HoldOuts:
    """Learners that know a part of the labels each, and are examined on the rest."""

    def __init__(self, material: Material, plan: Plan) -> None:
        generator = np.random.default_rng([plan.seed, 0])
        self._learners: list[Learner] = []
        self._examinations: list[Examination] = []
        for fold in folds(
            material.train,
            material.validation,
            size=len(material.texts.documents),
            generator=generator,
        ):
            _log.info(
                "a hold-out: %d queries to learn from, %d of seen documents and"
                " %d of unseen ones to choose by",
                len(fold.train),
                len(fold.seen),
                len(fold.unseen),
            )
            self._learners.append(
                Learner(material, fold.train, plan.schedule, seed=plan.seed)
            )
            self._examinations.append(
                Examination.of(fold, material.texts, material.hard, generator)
            )

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
    hold_outs: _HoldOuts, plan: Plan, goal: Goal, report: Report
) -> tuple[Measured, dict[Candidate, Measured]]:
    base = hold_outs.measure(None)
    measured = {
        warm: hold_outs.measure(warm)
        for warm in (
            Candidate(shrinkage=shrinkage, power=power)
            for shrinkage in SHRINKAGES
            for power in POWERS
        )
    }
    steps = plan.schedule.steps
    is_measured = checkpoints(steps)
    best, last = Candidate(), Candidate()
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


def _refit(
    material: Material, plan: Plan, chosen: Candidate, report: Report
) -> Parameters:
    learner = Learner(material, material.train, plan.schedule, seed=plan.seed)
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
