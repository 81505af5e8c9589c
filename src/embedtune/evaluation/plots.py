"""Plots as HTML with inline SVG: no script, no file, readable at any width.

Labels are HTML beside the drawing, and positions are percentages, so that a narrow
screen squeezes the bars and never the letters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from embedtune.evaluation.bootstrap import Values
from embedtune.evaluation.markup import Markup, element, joined
from embedtune.evaluation.verdict import Difference, Outcome

_MOST_COLUMNS = 400  # drawn for one plot, however many queries there are
_MARGIN = 0.06  # of the width, beside the outermost interval
_THINNEST = 0.004  # a bar of no length would be no bar at all

NOTHING = 1e-9
"""A difference that rounding alone can make."""


def bars(groups: Mapping[str, Difference]) -> Markup:
    """Draw the means of base and tuned of each group, from 0 to 1."""
    rows = []
    for name, found in groups.items():
        for side, value in (("base", found.base), ("tuned", found.tuned)):
            width = _percent(max(value, _THINNEST))
            bar = element("rect", class_=side, x="0", y="2", height="14", width=width)
            label = f"{name}: {side}" if side == "base" else side
            drawing = _canvas(bar, 18, "bar")
            rows.append(_row(label, drawing, f"{value:.3f}", is_first=side == "base"))
    return element("div", *rows, class_="plot bars")


def intervals(groups: Mapping[str, Mapping[str, Difference]]) -> Markup:
    """Draw the difference and its interval, for each measure of each group."""
    every = [found for group in groups.values() for found in group.values()]
    low = min(0.0, *(found.interval.low for found in every))
    high = max(0.0, *(found.interval.high for found in every))
    width = (high - low) or 1.0
    low, high = low - _MARGIN * width, high + _MARGIN * width

    def place(value: float) -> str:
        return _percent((value - low) / (high - low))

    rows = []
    for name, group in groups.items():
        for place_in_group, found in enumerate(group.values()):
            drawing = joined(
                [
                    _line("zero", place(0.0), place(0.0), "0", "100%"),
                    _line(
                        f"span {found.verdict().outcome}",
                        place(found.interval.low),
                        place(found.interval.high),
                        "50%",
                        "50%",
                    ),
                    element(
                        "circle",
                        class_=f"dot {found.verdict().outcome}",
                        cx=place(found.difference),
                        cy="50%",
                        r="5",
                    ),
                ]
            )
            shown = (
                f"{found.difference:+.3f} [{found.interval.low:+.3f}, "
                f"{found.interval.high:+.3f}]"
            )
            label = f"{name}: {found.measure}"
            canvas = _canvas(drawing, 22, "span")
            rows.append(_row(label, canvas, shown, is_first=not place_in_group))
    return element("div", *rows, class_="plot intervals")


def sorted_differences(differences: Values) -> Markup:
    """Draw what each query gained or lost, from the largest loss to the largest gain.

    With very many queries, each column stands for neighbours in that order.
    """
    ordered = np.sort(differences)
    if len(ordered) > _MOST_COLUMNS:
        parts = np.array_split(ordered, _MOST_COLUMNS)
        ordered = np.array([part.mean() for part in parts])
    top = max(float(np.abs(ordered).max()), NOTHING)
    heights = ordered / top
    columns = range(len(ordered))
    losses = _area([(x, heights[x]) for x in columns if heights[x] < 0])
    gains = _area([(x, heights[x]) for x in columns if heights[x] > 0])
    drawing = element(
        "svg",
        element("path", class_="losses", d=losses),
        element("path", class_="gains", d=gains),
        element(
            "path",
            class_="axis",
            d=f"M0 0H{len(ordered)}",
            vector_effect="non-scaling-stroke",
        ),
        viewBox=f"0 -1 {len(ordered)} 2",
        preserveAspectRatio="none",
        role="img",
        aria_label="difference of each query, sorted",
    )
    lost, won = (int(np.count_nonzero(differences * sign > 0)) for sign in (-1, 1))
    legend = element(
        "div",
        element("span", f"{lost:,} lost"),
        element("span", f"{len(differences) - lost - won:,} the same"),
        element("span", f"{won:,} won"),
        class_="legend",
    )
    scale = element("div", f"+{top:.2f}", class_="scale top")
    bottom = element("div", f"\N{MINUS SIGN}{top:.2f}", class_="scale bottom")
    return element("div", scale, drawing, bottom, legend, class_="plot sorted")


def legend(entries: Sequence[tuple[str, str]]) -> Markup:
    """Explain colours: pairs of a class and what it stands for."""
    return element(
        "p",
        *(
            element("span", element("i", class_=name), text, class_="key")
            for name, text in entries
        ),
        class_="keys",
    )


OUTCOME_KEYS = [(outcome.value, outcome.value) for outcome in Outcome]
"""What the colours of :func:`intervals` stand for."""


def _row(label: str, drawing: Markup, value: str, *, is_first: bool) -> Markup:
    return element(
        "div",
        element("span", label, class_="label"),
        drawing,
        element("span", value, class_="value"),
        class_="row first" if is_first else "row",
    )


def _canvas(content: Markup, height: int, kind: str) -> Markup:
    return element(
        "svg", content, class_=kind, width="100%", height=height, aria_hidden="true"
    )


def _line(kind: str, x1: str, x2: str, y1: str, y2: str) -> Markup:
    return element("line", class_=kind, x1=x1, x2=x2, y1=y1, y2=y2)


def _area(columns: Sequence[tuple[int, float]]) -> str:
    """Return the outline of columns that stand side by side on the axis."""
    if not columns:
        return ""
    steps = [f"M{columns[0][0]} 0"]
    steps += [f"V{-height:.3f}H{x + 1}" for x, height in columns]
    return "".join([*steps, "V0Z"])


def _percent(share: float) -> str:
    return f"{100 * share:.2f}%"
