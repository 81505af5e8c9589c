"""What a notebook shows: a view that brings its own style and leaves others alone.

The style takes the ink of the notebook, in light and dark themes alike, and asks for
no more than half-transparent greys beside it. A notebook that drops styles shows plain
paragraphs and tables.
"""

from __future__ import annotations

from collections.abc import Sequence

from embedtune.evaluation.markup import Markup, element, table

NAME = "embedtune-view"
"""The class that every rule of the style begins with."""

_COLOURED = {"better", "worse"}

_RULES = """
{ margin: .25rem 0 .75rem; max-width: 60rem; line-height: 1.45;
  overflow-wrap: anywhere; --even: #8a94a0;
  --good: #2f9e6b; --bad: #d0693c; }
p { margin: .35rem 0; }
.headline { font-weight: 600; }
.verdict { padding: .45rem .8rem; border-radius: .35rem;
  border-left: .3rem solid var(--even); background: rgba(128, 128, 128, .12); }
.verdict.better { border-color: var(--good); }
.verdict.worse { border-color: var(--bad); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: .5rem 0; font-variant-numeric: tabular-nums;
  font-size: .92em; border: 0; color: inherit; }
th, .NAME td { padding: .25rem .6rem; text-align: right; white-space: nowrap;
  border: 0; border-bottom: 1px solid rgba(128, 128, 128, .35); background: none;
  color: inherit; }
th { font-weight: 600; }
th:first-child { text-align: left; }
tbody th { white-space: normal; min-width: 6rem; max-width: 16rem; }
.row { display: grid; grid-template-columns: minmax(5rem, 12rem) minmax(4rem, 1fr) auto;
  gap: .75rem; align-items: center; }
.label { text-align: right; font-size: .9em; }
.value { font-size: .9em; font-variant-numeric: tabular-nums; }
.plot svg { display: block; }
.plot line.zero { stroke: var(--even); stroke-dasharray: 3 3; }
.plot line.span { stroke: var(--even); stroke-width: 3; }
.plot line.span.better { stroke: var(--good); }
.plot line.span.worse { stroke: var(--bad); }
.plot .dot { fill: var(--even); }
.plot .dot.better { fill: var(--good); }
.plot .dot.worse { fill: var(--bad); }
"""


def _scoped(rules: str) -> Markup:
    lines = []
    for line in rules.strip().replace(".NAME", f".{NAME}").split("\n"):
        is_rule = "{" in line and not line.startswith(" ")
        lines.append(f".{NAME} {line}" if is_rule else line)
    return Markup("\n".join(lines))


STYLE = element("style", _scoped(_RULES))
"""The style of a view; no rule reaches beyond it."""


def view(*children: str) -> str:
    """Return the children as one piece of HTML with its style."""
    return element("div", STYLE, *children, class_=NAME)


def report_view(
    title: str,
    rows: tuple[Sequence[str], Sequence[Sequence[str]]],
    remark: str,
) -> str:
    """Return what a notebook shows of an evaluation."""
    remarks = [element("p", remark)] if remark else []
    return view(headline(title), scrolled(*rows), *remarks)


def verdict_line(text: str) -> Markup:
    """Return a verdict in words, in the colour of the outcome that it names first."""
    outcome = next((part for part in text.split(": ") if part in _COLOURED), "")
    return element("p", text, class_=f"verdict {outcome}".rstrip())


def headline(text: str) -> Markup:
    """Return the first line."""
    return element("p", text, class_="headline")


def scrolled(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    """Return a table that scrolls where it is too wide."""
    return element("div", table(header, rows), class_="scroll")
