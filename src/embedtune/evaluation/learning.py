"""The learning curve of a tuning job, from plain numbers of its steps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import TypeAlias

import attrs

from embedtune.errors import ConfigurationError

History: TypeAlias = Sequence[Mapping[str, float]]
"""The numbers of each step of a tuning job, in order.

Each has a `step`, and as far as they are known a `loss`, a validation `score`, its
parts `seen` and `unseen`, and `chosen`, 1 at the step that was chosen. Where the step
falls back, another run begins: the one on all labels.
"""

Curve: TypeAlias = tuple[tuple[float, float], ...]
"""Pairs of a step and a value."""

SCORES = ("score", "seen", "unseen")
"""The validation numbers that are drawn; the first is what tuners choose by."""

_MOST_POINTS = 400  # drawn for one line, however many steps there are


@attrs.frozen(kw_only=True)
class LearningCurve:
    """What a tuning job reported of its steps.

    Attributes:
        losses: The loss of each run, the first one first; long runs in means.
        scores: The validation numbers by name, of the runs' steps that have any.
        chosen: The step that was chosen, if it is known.
        best: The step with the best score, the earliest of equals, if there is any.
    """

    losses: tuple[Curve, ...]
    scores: Mapping[str, Curve] = attrs.field(hash=False)
    chosen: float | None
    best: float | None

    @classmethod
    def of(cls, history: History) -> LearningCurve:
        """Return the curve of a job's history.

        Raises:
            TypeError: If it is no sequence.
            ConfigurationError: If it is empty, or a row has no step or no number to
                draw; it names the rows.
        """
        runs = list(_runs(_checked(history)))
        losses = [_curve(run, "loss") for run in runs]
        rows = [row for run in runs for row in run]
        scores = {name: _curve(_measured(runs, name), name) for name in SCORES}
        drawn = scores["score"]
        marked = [row["step"] for row in rows if row.get("chosen")]
        return cls(
            losses=tuple(_thinned(curve) for curve in losses if curve),
            scores={name: curve for name, curve in scores.items() if curve},
            chosen=marked[0] if marked else None,
            best=max(drawn, key=lambda point: point[1])[0] if drawn else None,
        )

    @property
    def last(self) -> float:
        """The last step of the longest run."""
        curves = [*self.losses, *self.scores.values()]
        return max(curve[-1][0] for curve in curves)

    @property
    def first(self) -> float:
        """The first step of all runs."""
        curves = [*self.losses, *self.scores.values()]
        return min(curve[0][0] for curve in curves)


def _checked(history: History) -> History:
    if not isinstance(history, Sequence):
        msg = (
            "'history' must be the rows of the steps"
            f" (got {type(history).__name__}); a job has them as .history"
        )
        raise TypeError(msg)
    if not history:
        msg = "'history' has no steps; leave it out, or wait for the job"
        raise ConfigurationError(msg)
    wrong = [
        number for number, row in enumerate(history) if not _is_number(row.get("step"))
    ]
    if wrong:
        shown = ", ".join(map(str, wrong[:5])) + (", ..." if len(wrong) > 5 else "")  # noqa: PLR2004 -- as many as are shown
        msg = f"'history' needs a 'step' in every row; {len(wrong)} have none: {shown}"
        raise ConfigurationError(msg)
    names = ("loss", *SCORES)
    if not any(_is_number(row.get(name)) for row in history for name in names):
        msg = "'history' has nothing to draw; rows need a 'loss' or a 'score'"
        raise ConfigurationError(msg)
    return history


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and math.isfinite(value)


def _runs(history: History) -> Iterable[History]:
    start = 0
    for place in range(1, len(history)):
        if history[place]["step"] <= history[place - 1]["step"]:
            yield history[start:place]
            start = place
    yield history[start:]


def _measured(runs: Sequence[History], name: str) -> History:
    """Return the first run that has any such number."""
    having = [run for run in runs if any(_is_number(row.get(name)) for row in run)]
    return having[0] if having else ()


def _curve(rows: History, name: str) -> Curve:
    return tuple(
        (float(row["step"]), float(row[name]))
        for row in rows
        if _is_number(row.get(name))  # a run that left the range of numbers has none
    )


def _thinned(curve: Curve) -> Curve:
    size = -(-len(curve) // _MOST_POINTS)
    parts = [curve[start : start + size] for start in range(0, len(curve), size)]
    return tuple(
        (part[-1][0], math.fsum(value for _, value in part) / len(part))
        for part in parts
    )
