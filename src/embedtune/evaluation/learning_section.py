"""The section on how the tuned model was learned."""

from __future__ import annotations

from embedtune.evaluation.chart import Line, Mark, chart
from embedtune.evaluation.learning import LearningCurve
from embedtune.evaluation.markup import Markup, element

SCORE_NAMES = {
    "score": "validation score",
    "seen": "seen documents",
    "unseen": "unseen documents",
}
"""What the validation numbers are called."""

LOSS_NAMES = ("loss", "loss of the run on all labels", "loss of a later run")
"""What the losses of the first run and of the others are called."""


def learning_section(curve: LearningCurve | None) -> list[Markup]:
    """Return the loss and the validation scores over the steps."""
    if curve is None:
        return []
    parts = [element("h2", "Learning curve")]
    mark, span = mark_of(curve), (curve.first, curve.last)
    if curve.scores:
        lines = [
            Line(name=SCORE_NAMES[name], kind=f"line-{name}", points=points)
            for name, points in curve.scores.items()
        ]
        parts.append(
            chart(
                lines,
                label="validation score by step",
                across="step",
                mark=mark,
                span=span,
            )
        )
    if curve.losses:
        lines = [
            Line(name=loss_name(place), kind=f"loss-{min(place, 1)}", points=points)
            for place, points in enumerate(curve.losses)
        ]
        parts.append(
            chart(lines, label="loss by step", across="step", mark=mark, span=span)
        )
    parts.append(element("p", _note(curve), class_="note"))
    return parts


def mark_of(curve: LearningCurve) -> Mark | None:
    """Return what is pointed out: the chosen step, or else the best."""
    if curve.chosen is not None:
        return Mark(x=curve.chosen, name=f"chosen: step {curve.chosen:,.6g}")
    if curve.best is not None:
        return Mark(x=curve.best, name=f"best score: step {curve.best:,.6g}")
    return None


def loss_name(place: int) -> str:
    """Return what the loss of a run is called, by its place among the runs."""
    return LOSS_NAMES[min(place, len(LOSS_NAMES) - 1)]


def _note(curve: LearningCurve) -> str:
    if not curve.scores:
        return (
            "The loss is measured on the training labels alone: that it falls does not "
            "say that searches get better."
        )
    steps = [step for points in curve.scores.values() for step, _ in points]
    is_early = curve.best is not None and curve.best < max(steps)
    end = (
        "Here the score peaked before the end, so more steps would hardly help."
        if is_early
        else "Here the score was still at its best at the end, so more steps may help."
    )
    return (
        "The score is measured on labels that were held out, none of them a test "
        f"label; the loss on the training labels alone. {end} A loss that falls while "
        "the score falls, too, is learning by heart."
    )
