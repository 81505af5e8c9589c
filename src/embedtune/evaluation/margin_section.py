"""The section on how clearly relevant documents come first."""

from __future__ import annotations

from embedtune.evaluation.margins import Margins
from embedtune.evaluation.markup import Markup, element, table
from embedtune.evaluation.tables import counted, percent

_TOP = 100  # of the drawing's own height


def margin_section(base: Margins, tuned: Margins) -> list[Markup]:
    """Return the margins of both sides as histograms, and the counts in a table."""
    sides = {"base": base, "tuned": tuned}
    if not all(side.queries for side in sides.values()):
        return []
    header = ("queries", "relevant first", "other first", "not found")
    rows = [
        (
            name,
            *(_share(n, side.queries) for n in (side.first, side.behind, side.missed)),
        )
        for name, side in sides.items()
    ]
    drawings = [_side(name, side) for name, side in sides.items() if side.values.size]
    return [
        element("h2", "Margins of relevant documents before others"),
        element("div", *drawings, class_="plot margins"),
        element("div", table(header, rows), class_="scroll"),
        element("p", _note(base, tuned), class_="note"),
    ]


def _side(name: str, margins: Margins) -> Markup:
    half, counts = margins.histogram()
    middle = len(counts) // 2
    heights = _TOP * counts / counts.max()
    drawing = element(
        "svg",
        element("path", class_="losses", d=_columns(0, heights[:middle].tolist())),
        element("path", class_="gains", d=_columns(middle, heights[middle:].tolist())),
        element(
            "path",
            class_="axis",
            d=f"M{middle} -{_TOP}V0M0 0H{len(counts)}",
            vector_effect="non-scaling-stroke",
        ),
        viewBox=f"0 -{_TOP} {len(counts)} {_TOP}",
        preserveAspectRatio="none",
        class_="histogram",
        role="img",
        aria_label=f"margins of {name}",
    )
    ends = element(
        "div",
        element("span", f"\N{MINUS SIGN}{half:.2g}"),
        element("span", "0"),
        element("span", f"+{half:.2g}"),
        class_="legend",
    )
    return element("div", element("h4", name), drawing, ends)


def _columns(first: int, heights: list[float]) -> str:
    return "".join(
        f"M{first + place + 0.06:.2f} 0v-{height:.1f}h.88v{height:.1f}z"
        for place, height in enumerate(heights)
        if height
    )


def _share(count: int, whole: int) -> str:
    return f"{count:,} ({percent(round(count / whole, 2))})"


def _note(base: Margins, tuned: Margins) -> str:
    depth = max(base.depth, tuned.depth)
    return (
        "A margin is the score of a query's best relevant hit minus that of its best "
        "other hit. Right of 0 the relevant document comes first; close to 0, little "
        "is needed to turn the order; far to the left, read the query and its label. "
        "Only the order counts: each model has a scale of its own, so a smaller score "
        "or a narrower margin is not a worse search. Queries without a relevant "
        f"document among their first {counted(depth, 'hit')} have no margin."
    )
