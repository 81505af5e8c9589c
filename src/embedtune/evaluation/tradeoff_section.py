"""The section on what the task gains and what other queries lose."""

from __future__ import annotations

from collections.abc import Sequence

from embedtune.evaluation.chart import Line, Mark, chart, number
from embedtune.evaluation.markup import Markup, element
from embedtune.evaluation.tables import percent
from embedtune.evaluation.tradeoff import TradeoffPoint

_DECIMALS = 3
_PROBE_KINDS = 4  # colours and dashes; more probes share them


def tradeoff_section(points: Sequence[TradeoffPoint], measure: str) -> list[Markup]:
    """Return gain and changes over the share of the tuned model."""
    if not points:
        return []
    measure = points[0].measure or measure
    chosen = chosen_point(points)
    mark = (
        Mark(x=chosen.share, name=f"chosen: {percent(chosen.share)}")
        if chosen is not None
        else None
    )
    return [
        element("h2", "Gain on the task, and change elsewhere"),
        chart(
            tradeoff_lines(points),
            label=f"change in {measure} by share of the tuned model",
            across="share of the tuned model: 0 is the base, 1 is tuned",
            mark=mark,
            is_change=True,
        ),
        element("p", _note(points, chosen, measure), class_="note"),
    ]


def tradeoff_lines(points: Sequence[TradeoffPoint]) -> list[Line]:
    """Return a line for the task and one for each probe."""
    task = [(point.share, point.gain) for point in points]
    probes = [
        Line(
            name=name,
            kind=f"probe-{number % _PROBE_KINDS}",
            points=[(point.share, point.changes[name]) for point in points],
        )
        for number, name in enumerate(points[0].changes)
    ]
    return [Line(name="the task", kind="task", points=task), *probes]


def chosen_point(points: Sequence[TradeoffPoint]) -> TradeoffPoint | None:
    """Return the point that was taken, if one was."""
    return next((point for point in points if point.is_chosen), None)


def _note(
    points: Sequence[TradeoffPoint], chosen: TradeoffPoint | None, measure: str
) -> str:
    last = points[-1]
    words = []
    if chosen is not None:
        words.append(f"Chosen: {_in_words(chosen, measure)}")
    if chosen is not last:
        words.append(f"The last point: {_in_words(last, measure)}")
    words.append(
        "A line below 0 loses what the base could do. Take the point whose gain you "
        "need and whose losses you can bear."
    )
    return " ".join(words)


def _in_words(point: TradeoffPoint, measure: str) -> str:
    changes = {"the task": point.gain, **point.changes}
    shown = [
        f"{name} {number(value, _DECIMALS, is_change=True)}"
        for name, value in changes.items()
    ]
    return (
        f"{percent(point.share)} of the tuned model, {measure} of {', '.join(shown)}."
    )
