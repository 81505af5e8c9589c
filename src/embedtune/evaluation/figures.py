"""The report's plots as matplotlib figures; this is the door of matplotlib."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from embedtune.evaluation.learning import LearningCurve
from embedtune.evaluation.learning_section import SCORE_NAMES, loss_name, mark_of
from embedtune.evaluation.margins import Margins
from embedtune.evaluation.tables import percent
from embedtune.evaluation.tradeoff import TradeoffPoint
from embedtune.evaluation.tradeoff_section import chosen_point, tradeoff_lines
from embedtune.evaluation.verdict import Difference
from embedtune.extras import needs

with needs("matplotlib", extra="plots"):
    from matplotlib.axes import Axes  # noqa: TID251 -- this is the door
    from matplotlib.figure import Figure  # noqa: TID251 -- this is the door

_BASE, _TUNED, _EVEN = "#8794a3", "#2563c9", "#6b7684"
_GOOD, _BAD = "#137a4b", "#b3451b"
_OUTCOMES = {"better": _GOOD, "worse": _BAD, "undecided": _EVEN}
_STYLES = ("-", "--", ":", "-.")
_WIDTH, _HEIGHT = 7.0, 3.2
_ROW = 0.32  # inches for one interval


class Plot(Figure):
    """A matplotlib figure that shows itself in a notebook, whatever its backend."""

    def _repr_png_(self) -> bytes:
        with io.BytesIO() as file:
            self.savefig(file, format="png", dpi=120)
            return file.getvalue()


def intervals(groups: Mapping[str, Mapping[str, Difference]]) -> Plot:
    """Draw the difference and its interval, for each measure of each group."""
    rows = [
        (f"{name}: {found.measure}", found)
        for name, group in groups.items()
        for found in group.values()
    ]
    plot, axes = _empty(height=0.9 + _ROW * len(rows))
    for place, (_, found) in enumerate(rows):
        colour = _OUTCOMES[found.verdict().outcome.value]
        span = [found.interval.low, found.interval.high]
        axes.plot(span, [place, place], color=colour, linewidth=2.5)
        axes.plot([found.difference], [place], "o", color=colour)
    axes.axvline(0, color=_EVEN, linestyle=":", linewidth=1)
    axes.set_yticks(range(len(rows)), [_plain(label) for label, _ in rows])
    axes.invert_yaxis()
    confidence = rows[0][1].interval.confidence
    axes.set_xlabel(f"tuned minus base, with {percent(confidence)} interval")
    return plot


def queries(differences: npt.NDArray[np.float64], measure: str) -> Plot:
    """Draw what each query gained or lost, from the largest loss to the largest gain."""
    ordered = np.sort(differences)
    places = np.arange(len(ordered) + 1)
    plot, axes = _empty()
    for colour, values in (
        (_BAD, np.minimum(ordered, 0)),
        (_GOOD, np.maximum(ordered, 0)),
    ):
        axes.stairs(values, places, baseline=0, fill=True, color=colour)
    axes.axhline(0, color=_EVEN, linewidth=0.8)
    axes.set_xlabel("queries, from the most lost to the most won")
    axes.set_ylabel(f"{measure}, tuned minus base")
    return plot


def margins(base: Margins, tuned: Margins) -> Plot:
    """Draw the margins of both sides, each on the scale of its own scores."""
    plot = Plot(figsize=(_WIDTH, _HEIGHT), layout="constrained")
    pair = plot.subplots(1, 2)
    for axes, name, side in zip(pair, ("base", "tuned"), (base, tuned), strict=True):
        half, counts = side.histogram()
        edges = np.linspace(-half, half, len(counts) + 1)
        middle = len(counts) // 2
        axes.stairs(counts[:middle], edges[: middle + 1], fill=True, color=_BAD)
        axes.stairs(counts[middle:], edges[middle:], fill=True, color=_GOOD)
        axes.axvline(0, color=_EVEN, linestyle=":", linewidth=1)
        axes.set_title(
            f"{name}: {side.first:,} first, {side.behind:,} behind, "
            f"{side.missed:,} not found",
            fontsize="small",
        )
        axes.set_xlabel("score of best relevant - best other hit")
        _tidy(axes)
    pair[0].set_ylabel("queries")
    return plot


def learning(curve: LearningCurve) -> Plot:
    """Draw losses and validation scores over the steps."""
    panels = [name for name in ("scores", "losses") if getattr(curve, name)]
    plot = Plot(figsize=(_WIDTH, 0.6 + 2.4 * len(panels)), layout="constrained")
    grid = plot.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for axes, panel in zip(grid, panels, strict=True):
        if panel == "scores":
            lines = {SCORE_NAMES[name]: points for name, points in curve.scores.items()}
        else:
            lines = {loss_name(n): points for n, points in enumerate(curve.losses)}
        _draw(axes, lines)
        mark = mark_of(curve)
        if mark is not None:
            axes.axvline(mark.x, color=_EVEN, linestyle=":", label=mark.name)
        axes.legend(frameon=False, fontsize="small")
        _tidy(axes)
    grid[-1].set_xlabel("step")
    return plot


def tradeoff(points: Sequence[TradeoffPoint], measure: str) -> Plot:
    """Draw the gain on the task and the change of each probe."""
    plot, axes = _empty()
    _draw(axes, {line.name: line.points for line in tradeoff_lines(points)})
    axes.axhline(0, color=_EVEN, linewidth=0.8)
    chosen = chosen_point(points)
    if chosen is not None:
        name = f"chosen: {percent(chosen.share)}"
        axes.axvline(chosen.share, color=_EVEN, linestyle=":", label=name)
    axes.legend(frameon=False, fontsize="small")
    axes.set_xlabel("share of the tuned model: 0 is the base, 1 is tuned")
    axes.set_ylabel(f"change in {points[0].measure or measure}")
    return plot


def _draw(axes: Axes, lines: Mapping[str, Sequence[tuple[float, float]]]) -> None:
    colours = (_TUNED, _BASE, _BAD, _GOOD)
    for place, (name, points) in enumerate(lines.items()):
        xs, ys = zip(*points, strict=True)
        axes.plot(
            xs,
            ys,
            color=colours[place % len(colours)],
            linestyle=_STYLES[place % len(_STYLES)],
            marker="o" if len(points) == 1 else "",
            label=_plain(name),
        )


def _empty(height: float = _HEIGHT) -> tuple[Plot, Axes]:
    plot = Plot(figsize=(_WIDTH, height), layout="constrained")
    axes = plot.subplots()
    _tidy(axes)
    return plot, axes


def _tidy(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)


def _plain(text: str) -> str:
    """Return a name so that matplotlib takes no part of it for mathematics.

    A label that begins with an underscore would be left out of the key, too.
    """
    shown = text.replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown
