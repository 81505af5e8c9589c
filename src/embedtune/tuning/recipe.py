"""The recipe of all tuners here: many candidates, a safe choice among them, a refit.

What is learned, and from what, is a :class:`~embedtune.tuning.task.Task`; the recipe
knows candidates, their measures on held-out queries, and nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

import attrs
import numpy as np

from embedtune.errors import ConfigurationError
from embedtune.tuning.candidates import START, Candidate
from embedtune.tuning.choose import (
    SURE_ENOUGH,
    Goal,
    Measured,
    choose,
)
from embedtune.tuning.forgetting import Tradeoff, Watched, trade_off
from embedtune.tuning.holdout import FEW
from embedtune.tuning.holdouts import HoldOuts
from embedtune.tuning.task import Plan, Task

BLENDS = (0.15, 0.3, 0.5, 0.7)
"""Shares of the last state of the run that are mixed with its start."""

PATIENCE = 60
"""So many steps without a better score end the run."""

Report = Callable[[Mapping[str, float]], None]
"""Takes the numbers of one step, by name."""

_log = logging.getLogger(__name__)

P = TypeVar("P")


@attrs.frozen(kw_only=True, eq=False)
class Outcome(Generic[P]):
    """What came out.

    Attributes:
        parameters: The tuned parameters; `None` stands for the base.
        candidate: What was chosen, in a few words.
        reason: Why, in a few words.
        metrics: The numbers of the choice.
        tradeoff: What probes gained and lost; `None` if nothing was watched, or the
            base was chosen at once.
    """

    parameters: P | None
    candidate: str
    reason: str
    metrics: Mapping[str, float]
    tradeoff: Tradeoff | None = None


def tune(
    task: Task[P], plan: Plan, report: Report, watched: Watched[P] | None = None
) -> Outcome[P]:
    """Return what is surely better than the base model, or the base model.

    What was chosen on a part of the labels is made again from all of them, with as many
    passes over the queries.

    Args:
        task: What is learned, and from what.
        plan: The settings.
        report: Called after every step.
        watched: Probes that the result is measured on, too.
    """
    goal = Goal.of(plan.optimize_for, seen_share=task.seen_share)
    hold_outs = HoldOuts(task, plan, keep=watched is not None)
    base, measured = _examine(hold_outs, task.warm_starts, plan, goal, report)
    candidates = list(measured)
    generator = np.random.default_rng([plan.seed, 2])
    needed = plan.needed_with_few if len(task.train) < FEW else SURE_ENOUGH
    choice = choose(base, list(measured.values()), goal, generator, needed=needed)
    chosen = None if choice.position is None else candidates[choice.position]
    _log.info("chosen: %s; %s", chosen or "the base", choice.reason)
    parameters, words = None, "the base"
    if chosen is not None:
        refit = _for_more(chosen, len(task.train) / hold_outs.queries, plan)
        parameters, words = _refit(task, plan, refit, report), str(refit)
    outcome = Outcome(
        parameters=parameters,
        candidate=words,
        reason=choice.reason,
        metrics={
            "train_queries": float(len(task.train)),
            "seen_share": task.seen_share,
            "confidence": choice.confidence,
            **({} if chosen is None else {"chosen_step": float(chosen.steps)}),
            **{f"base_{key}": value for key, value in goal.means(base).items()},
            **goal.means(base if chosen is None else measured[chosen]),
        },
    )
    if chosen is None or watched is None:
        return outcome
    on_the_way = hold_outs.on_the_way(chosen, watched.shares)
    return _weighed(outcome, on_the_way, goal, task, watched)


def _weighed(
    outcome: Outcome[P],
    on_the_way: Sequence[Measured],
    goal: Goal,
    task: Task[P],
    watched: Watched[P],
) -> Outcome[P]:
    if outcome.parameters is None:
        return outcome
    base, *_ = scores = [goal.score(measured) for measured in on_the_way]
    models = [task.toward(outcome.parameters, share) for share in watched.shares]
    found = trade_off(watched, models, [score - base for score in scores])
    outcome = attrs.evolve(
        outcome,
        metrics={**outcome.metrics, **found.to_metrics()},
        tradeoff=found,
    )
    if found.share == 1:
        return outcome
    place = watched.shares.index(found.share)
    return attrs.evolve(
        outcome,
        parameters=models[place] if found.share else None,
        candidate=f"{outcome.candidate}, {found.share:.0%} of the way from the base"
        if found.share
        else "the base",
        reason=f"{outcome.reason}; {_about(found, watched.max_forgetting)}",
        metrics={**outcome.metrics, **goal.means(on_the_way[place])},
    )


def _about(found: Tradeoff, limit: float | None) -> str:
    if not found.share:
        return (
            "the base is kept, for nothing that gains keeps the loss of every probe"
            f" within {limit:g}"
        )
    return (
        f"{found.share:.0%} of the way from the base is the farthest at which no probe"
        f" loses more than {limit:g}"
    )


def checkpoints(steps: int) -> frozenset[int]:
    """Return the steps of a run after which it is measured, more of them early."""
    early = [step for step in (5, 10, 15, 20, 30, 40, 50, 60) if step < steps]
    return frozenset([*early, *range(80, steps, 20), steps])


def _examine(
    hold_outs: HoldOuts[P],
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
            numbers |= goal.means(measured[last])
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
