"""Lines over a number, as inline SVG whose letters keep their size at any width."""

from __future__ import annotations

import math
from collections.abc import Sequence

import attrs

from embedtune.evaluation.markup import Markup, element, joined

_HEIGHT = "190"
_NEAR_THE_END = 0.96  # a number there would stick out
_TICKS = 4
_MARGIN = 0.08  # of the height, above and below the lines
_SIDE = 0.02  # of the width, beside the lines
_UNIT = 1000  # of the drawing's own coordinates
_FEW_POINTS = 40  # that are drawn as dots, too
_SMALLEST = 1e-12

Points = Sequence[tuple[float, float]]


@attrs.frozen(kw_only=True)
class Line:
    """A line of a chart.

    Attributes:
        name: What the key says.
        kind: The class that gives its colour.
        points: Pairs of x and y, by rising x.
    """

    name: str
    kind: str
    points: Points


@attrs.frozen(kw_only=True)
class Mark:
    """A place on the x axis that matters.

    Attributes:
        name: What the key says.
    """

    x: float
    name: str


def chart(
    lines: Sequence[Line],
    *,
    label: str,
    across: str,
    mark: Mark | None = None,
    span: tuple[float, float] | None = None,
    is_change: bool = False,
) -> Markup:
    """Draw lines over one x axis.

    Args:
        lines: At least one, with at least one point each.
        label: What a screen reader says.
        across: What the x axis is.
        mark: A place to point out.
        span: What the x axis holds; `None` for what the lines do.
        is_change: Whether the y axis is a difference: then it holds 0, drawn
            stronger, and numbers have a sign.
    """
    xs = span or [x for line in lines for x, _ in line.points]
    ys = [y for line in lines for _, y in line.points] + ([0.0] if is_change else [])
    scale = Scale.around(xs, margin=_SIDE)
    up = Scale.around(ys, margin=_MARGIN)
    drawing = element(
        "svg",
        *(_grid(up, is_change=is_change)),
        *([_mark(mark, scale)] if mark else []),
        _paths(lines, scale, up),
        *(_dots(line, scale, up) for line in lines),
        class_="lines",
        width="100%",
        height=_HEIGHT,
        role="img",
        aria_label=label,
    )
    return element(
        "div",
        _keys(lines, mark),
        _up_axis(up, is_change=is_change),
        drawing,
        _across_axis(scale),
        element("div", across, class_="across"),
        class_="plot chart",
    )


@attrs.frozen(kw_only=True)
class Scale:
    """Where numbers lie on an axis, from *low* to *high*."""

    low: float
    high: float

    @classmethod
    def around(cls, values: Sequence[float], *, margin: float) -> Scale:
        """Return the scale that holds *values*, with a part of its length beside."""
        low, high = min(values), max(values)
        width = high - low
        if width <= _SMALLEST * max(1.0, abs(low)):
            width = max(abs(low), 1.0) / 10
        return cls(low=low - margin * width, high=high + margin * width)

    def place(self, value: float) -> float:
        """Return the share of the axis that lies before *value*."""
        return (value - self.low) / (self.high - self.low)

    @property
    def step(self) -> float:
        """The distance of two ticks: 1, 2 or 5, times a power of ten."""
        rough = (self.high - self.low) / _TICKS
        power = 10.0 ** math.floor(math.log10(rough))
        return power * next(m for m in (1, 2, 5, 10) if m * power >= rough * 0.999)

    @property
    def decimals(self) -> int:
        """How many decimals a tick needs."""
        return max(0, -math.floor(math.log10(self.step) + 1e-9))

    def ticks(self) -> list[float]:
        """Return a few round numbers on the axis."""
        first, last = math.ceil(self.low / self.step), math.floor(self.high / self.step)
        return [place * self.step for place in range(first, last + 1)]


def _grid(up: Scale, *, is_change: bool) -> list[Markup]:
    parts = []
    for tick in up.ticks():
        y = _percent(1 - up.place(tick))
        kind = "grid zero" if is_change and not tick else "grid"
        parts.append(element("line", class_=kind, x1="0", x2="100%", y1=y, y2=y))
    return parts


def _mark(mark: Mark, across: Scale) -> Markup:
    x = _percent(across.place(mark.x))
    return element("line", class_="mark", x1=x, x2=x, y1="0", y2="100%")


def _paths(lines: Sequence[Line], across: Scale, up: Scale) -> Markup:
    paths = [
        element(
            "path",
            class_=f"line {line.kind}",
            d="M"
            + "L".join(
                f"{_UNIT * across.place(x):.1f} {_UNIT * (1 - up.place(y)):.1f}"
                for x, y in line.points
            ),
            vector_effect="non-scaling-stroke",
        )
        for line in lines
        if len(line.points) > 1
    ]
    return element(
        "svg",
        *paths,
        width="100%",
        height="100%",
        viewBox=f"0 0 {_UNIT} {_UNIT}",
        preserveAspectRatio="none",
    )


def _dots(line: Line, across: Scale, up: Scale) -> Markup:
    shown = line.points if len(line.points) <= _FEW_POINTS else ()
    return joined(
        [
            element(
                "circle",
                class_=f"point {line.kind}",
                cx=_percent(across.place(x)),
                cy=_percent(1 - up.place(y)),
                r="3",
            )
            for x, y in shown
        ]
    )


def _up_axis(up: Scale, *, is_change: bool) -> Markup:
    ticks = [
        element(
            "text",
            number(tick, up.decimals, is_change=is_change),
            x="100%",
            y=_percent(1 - up.place(tick)),
            dx="-6",
            dy="4",
            text_anchor="end",
        )
        for tick in up.ticks()
    ]
    return element(
        "svg", *ticks, class_="up", width="100%", height=_HEIGHT, aria_hidden="true"
    )


def _across_axis(across: Scale) -> Markup:
    ticks = [
        element(
            "text",
            f"{tick:,.{across.decimals}f}",
            x=_percent(across.place(tick)),
            y="13",
            text_anchor="end" if across.place(tick) > _NEAR_THE_END else "middle",
        )
        for tick in across.ticks()
    ]
    return element(
        "svg", *ticks, class_="axis", width="100%", height="18", aria_hidden="true"
    )


def number(value: float, decimals: int, *, is_change: bool) -> str:
    """Return a number with a true minus sign; a change has a sign, unless it is 0."""
    if is_change and not round(value, decimals):
        return "0"
    sign = "+" if is_change else ""
    return f"{value:{sign}.{decimals}f}".replace("-", "\N{MINUS SIGN}")


def _keys(lines: Sequence[Line], mark: Mark | None) -> Markup:
    entries = [(f"line {line.kind}", line.name) for line in lines]
    entries += [("mark", mark.name)] if mark else []
    keys = [
        element(
            "span",
            element(
                "svg",
                element("path", class_=kind, d="M0 6H24"),
                width="24",
                height="12",
                aria_hidden="true",
            ),
            name,
            class_="key",
        )
        for kind, name in entries
    ]
    return element("p", *keys, class_="keys")


def _percent(share: float) -> str:
    return f"{100 * share:.2f}%"
