"""Whether tuning is worth it: measure, try, and recommend."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import attrs

from embedtune import catalog
from embedtune.advice.advice import Advice
from embedtune.advice.headroom import DEPTH, headroom_of
from embedtune.advice.hints import hints_on
from embedtune.advice.law import forecasts
from embedtune.advice.problems import can_be_measured, is_fit_for_service, weighed
from embedtune.advice.rules import FEWEST, recommend
from embedtune.advice.trials import Task, planned, run_trials, usable_queries
from embedtune.advice.tuners import free_tuner
from embedtune.advice.values import (
    MEASURE,
    Evidence,
    GainCurve,
    GainPoint,
    Headroom,
    Trial,
    Weight,
    mean_differences,
)
from embedtune.catalog import BaseModel, TuningWay
from embedtune.datasets.dataset import TuningDataset
from embedtune.errors import ConfigurationError
from embedtune.evaluation.bootstrap import mean_interval
from embedtune.evaluation.evaluate import evaluate
from embedtune.evaluation.report import EvaluationReport
from embedtune.evaluation.tables import counted
from embedtune.evaluation.verdict import detectable_difference, deviation_of
from embedtune.progress import ProgressOption, track
from embedtune.serving.base import Embedder
from embedtune.serving.inputs import check_embedder
from embedtune.serving.local import LocalEmbedder

SECONDS = 120.0
"""How long trial runs may take, unless a caller says otherwise."""

TIMES = (2, 4)
"""For so many times the training queries there is a forecast."""

HELD_OUT = 0.25
"""What is held out of the labelled queries to measure by, where there is no test."""

_MEASURES = (MEASURE, "R@10", f"R@{DEPTH}")
_USUAL_SPREAD = 0.3  # of differences by query, where no trial gave any


def advise(
    dataset: TuningDataset,
    embedder: Embedder,
    *,
    model: str | None = None,
    seconds: float = SECONDS,
    runs: str | Path | None = None,
    seed: int = 0,
    progress: ProgressOption = True,
) -> Advice:
    """Say whether to tune at all, how, and what to expect of it.

    The base is measured on the test labels; where there are none, on a quarter of the
    labelled queries, which no trial run learns from. Then the tuner that costs nothing
    for *embedder* is tried on an eighth, a quarter, a half and all of the training
    queries.

    Args:
        dataset: What would be tuned on.
        embedder: What would be tuned. It embeds the corpus, and the queries.
        model: Its name in the catalog, which says how it can be tuned; `None` to look
            for the embedder's own name.
        seconds: How long the trial runs may take together, 0 for none. Measuring the
            base is not counted.
        runs: The folder of the trial jobs, where a later call finds them again; `None`
            for a folder that is removed.
        seed: Equal seeds give equal trials.
        progress: See :mod:`embedtune.progress`.

    Raises:
        ConfigurationError: If the catalog has no *model*, or *seconds* is below 0.
        TypeError: If *embedder* is none.
    """
    check_embedder(embedder)
    _refuse_seconds(seconds)
    base = _base_model(model, embedder)
    is_managed = base is not None and TuningWay.MANAGED in base.tuning
    check = dataset.check(base.model_id if base is not None and is_managed else None)
    problems = weighed(check, dataset)
    measured = _Measured(train_queries=_queries_to_learn_from(dataset))
    if can_be_measured(check) and _has_enough(dataset):
        with _folder(runs) as folder:
            measured = _measured(
                dataset, embedder, _Effort(seconds, folder, seed), progress
            )
    evidence = Evidence(
        blocking=tuple(
            each.problem.rule for each in problems if each.weight is Weight.BLOCKS
        ),
        train_queries=measured.train_queries,
        test_queries=measured.headroom.queries if measured.headroom else 0,
        room=measured.headroom.room if measured.headroom else None,
        point=measured.curve.points[-1] if measured.curve.points else None,
        forecast=measured.curve.forecasts[-1] if measured.curve.forecasts else None,
        detectable=measured.detectable,
        ways=_ways(base, embedder),
        is_fit_for_service=is_fit_for_service(check),
    )
    recommendation, reasons = recommend(evidence)
    return Advice(
        recommendation=recommendation,
        reasons=reasons,
        hints=hints_on(evidence, measured.headroom, base, datetime.now(UTC).date()),
        embedder=embedder.name,
        dataset_fingerprint=dataset.fingerprint,
        base=measured.base,
        is_held_out=measured.is_held_out,
        headroom=measured.headroom,
        curve=measured.curve,
        problems=problems,
        evidence=evidence,
    )


def _refuse_seconds(seconds: object) -> None:
    if not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
        msg = f"'seconds' must be a finite number >= 0 (got {seconds!r})"
        raise ConfigurationError(msg)


@attrs.frozen
class _Effort:
    """What trial runs may take.

    Attributes:
        seconds: How long, together.
        folder: Where their jobs are.
        seed: Decides about their parts of the data.
    """

    seconds: float
    folder: Path
    seed: int


@attrs.frozen(kw_only=True)
class _Measured:
    """What was found out by measuring; nothing, if that was impossible."""

    base: EvaluationReport | None = None
    headroom: Headroom | None = None
    is_held_out: bool = False
    train_queries: int
    curve: GainCurve = attrs.field(factory=GainCurve)
    detectable: float | None = None


def _measured(
    dataset: TuningDataset,
    embedder: Embedder,
    effort: _Effort,
    progress: ProgressOption,
) -> _Measured:
    divided = dataset if dataset.test else _held_out(dataset, effort.seed)
    queries = len(usable_queries(divided))
    steps = 1 + (len(planned(queries)) if queries and effort.seconds else 0)
    with (
        free_tuner(embedder, effort.folder) as tuner,
        track("advising", steps, progress) as bar,
    ):
        bar.note("the base")
        base = evaluate(tuner.embedder, divided, measures=_MEASURES, depth=DEPTH)
        bar.advance()
        task = Task(
            dataset=divided,
            base=base.of(MEASURE),
            submit=tuner.submit,
            seed=effort.seed,
        )
        trials = list(run_trials(task, effort.seconds, bar))
    trials.sort(key=lambda each: (each.queries, -each.draw))
    headroom = headroom_of(base, divided.test)
    spreads = (deviation_of(each.differences) for each in reversed(trials))
    spread = next(filter(None, spreads), _USUAL_SPREAD)
    return _Measured(
        base=base,
        headroom=headroom,
        is_held_out=divided is not dataset,
        train_queries=_queries_to_learn_from(divided),
        curve=_curve(trials, tuner.name, queries, headroom, effort),
        detectable=detectable_difference(spread, headroom.queries),
    )


def _curve(
    trials: Sequence[Trial],
    tuner: str,
    queries: int,
    headroom: Headroom,
    effort: _Effort,
) -> GainCurve:
    if not trials:
        note = "no trial run came to an end in the time allowed"
        if not effort.seconds:
            note = "no trial run was asked for"
        elif not queries:
            note = "there are too few training queries for a trial run"
        return GainCurve(tuner=tuner, note=note)
    sizes = sorted({trial.queries for trial in trials})
    expected, note = forecasts(
        trials,
        [times * queries for times in TIMES],
        ceiling=headroom.room,
        seed=effort.seed,
    )
    notes = [note]
    left_out = len(planned(queries)) - len(trials)
    if left_out:
        notes.append(
            f"{counted(left_out, 'trial run')} did not fit into"
            f" {effort.seconds:g} seconds; give more of them"
        )
    return GainCurve(
        tuner=tuner,
        points=tuple(
            _point(size, [each for each in trials if each.queries == size])
            for size in sizes
        ),
        forecasts=expected,
        note="; ".join(filter(None, notes)),
        seconds=sum(trial.seconds for trial in trials),
    )


def _point(size: int, trials: list[Trial]) -> GainPoint:
    mean = mean_differences(trials)
    return GainPoint(
        queries=size,
        gain=float(mean.mean()),
        interval=mean_interval(mean),
        draws=len(trials),
        bases=sum(trial.is_base for trial in trials),
    )


def _base_model(name: str | None, embedder: Embedder) -> BaseModel | None:
    if name is not None:
        return catalog.get(name)
    try:
        return catalog.get(embedder.name)
    except ConfigurationError:  # an embedder of one's own
        return None


def _ways(base: BaseModel | None, embedder: Embedder) -> tuple[TuningWay, ...]:
    if base is not None:
        return base.tuning
    if isinstance(embedder, LocalEmbedder):
        return (TuningWay.LOCAL_LINEAR, TuningWay.ADAPTER)
    return (TuningWay.ADAPTER,)


def _has_enough(dataset: TuningDataset) -> bool:
    labelled = {*dataset.train, *dataset.validation}
    return bool(dataset.test) or len(labelled) >= FEWEST


def _queries_to_learn_from(dataset: TuningDataset) -> int:
    return sum(1 for row in dataset.train.values() if any(row.values()))


def _held_out(dataset: TuningDataset, seed: int) -> TuningDataset:
    return dataset.split(test=HELD_OUT, seed=seed)


@contextmanager
def _folder(runs: str | Path | None) -> Iterator[Path]:
    if runs is not None:
        yield Path(runs)
        return
    with tempfile.TemporaryDirectory(prefix="embedtune-") as folder:
        yield Path(folder)
