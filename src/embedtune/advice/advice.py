"""An advice: what to do and why, with the figures behind it, for people and programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import attrs

from embedtune.advice.headroom import DEPTH
from embedtune.advice.values import (
    MEASURE,
    Evidence,
    Forecast,
    GainCurve,
    GainPoint,
    Headroom,
    Recommendation,
    WeighedProblem,
    Weight,
    interval_dict,
)
from embedtune.evaluation.markup import Markup, element, table
from embedtune.evaluation.report import EvaluationReport
from embedtune.evaluation.tables import percent, text_table

_FORMAT = "embedtune-advice-1"

Table: TypeAlias = tuple[Sequence[str], Sequence[Sequence[str]]]


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Advice:
    """Whether to tune at all, how, and what to expect; prints, and renders in notebooks.

    It holds no text of the data.

    Attributes:
        recommendation: What to do.
        reasons: Why, a sentence each.
        hints: What else is worth a look.
        embedder: The name of the base.
        dataset_fingerprint: The content of the dataset.
        base: The report of the base; `None` if nothing could be measured.
        is_held_out: Whether training labels were held out to measure by, because there
            were no test labels.
        headroom: Where the base stands, and what is missing.
        curve: What tuning gains, by the number of training queries.
        problems: Errors and warnings of the check, the heaviest first.
        evidence: All that the recommendation rests on.
    """

    recommendation: Recommendation
    reasons: tuple[str, ...]
    hints: tuple[str, ...]
    embedder: str
    dataset_fingerprint: str
    base: EvaluationReport | None
    is_held_out: bool
    headroom: Headroom | None
    curve: GainCurve
    problems: tuple[WeighedProblem, ...]
    evidence: Evidence

    def to_dict(self) -> dict[str, Any]:
        """Return all but the report of the base as JSON values."""
        return {
            "format": _FORMAT,
            "recommendation": self.recommendation.name.lower(),
            "words": str(self.recommendation),
            "reasons": list(self.reasons),
            "hints": list(self.hints),
            "embedder": self.embedder,
            "dataset_fingerprint": self.dataset_fingerprint,
            "measures": dict(self.base.means) if self.base is not None else {},
            "is_held_out": self.is_held_out,
            "headroom": None if self.headroom is None else _plain(self.headroom),
            "tuner": self.curve.tuner,
            "points": [_plain(point) for point in self.curve.points],
            "forecasts": [_plain(each) for each in self.curve.forecasts],
            "note": self.curve.note,
            "problems": [
                {
                    "rule": each.problem.rule,
                    "weight": str(each.weight),
                    "count": each.problem.count,
                    "share": each.share,
                    "message": each.problem.message,
                    "hint": each.problem.hint,
                }
                for each in self.problems
            ],
            "train_queries": self.evidence.train_queries,
            "test_queries": self.evidence.test_queries,
            "detectable": self.evidence.detectable,
            "ways": [str(way) for way in self.evidence.ways],
        }

    def __str__(self) -> str:
        """Return the advice as plain text, the recommendation first."""
        lines = [self._headline(), *(f"- {reason}." for reason in self.reasons)]
        for title, remark, content in self._sections():
            lines += ["", title, *filter(None, [remark])]
            if content[1]:
                lines.append(text_table(*content))
        lines += ["", *(f"- {hint}." for hint in self.hints)] if self.hints else []
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        parts: list[Markup] = [
            element("p", element("strong", self._headline())),
            element("ul", *(element("li", f"{reason}.") for reason in self.reasons)),
        ]
        for title, remark, content in self._sections():
            parts.append(element("h4", title))
            parts += [element("p", remark)] if remark else []
            parts += [table(*content)] if content[1] else []
        if self.hints:
            items = (element("li", f"{hint}.") for hint in self.hints)
            parts.append(element("ul", *items))
        return "".join(parts)

    def _headline(self) -> str:
        return f"Should {self.embedder} be tuned on this data? {self._answer()}"

    def _answer(self) -> str:
        words = str(self.recommendation)
        return f"{words[0].upper()}{words[1:]}."

    def _sections(self) -> Iterator[tuple[str, str, Table]]:
        if self.headroom is not None:
            yield self._of_headroom(self.headroom)
        if self.headroom is not None or self.curve.points:
            yield self._of_the_curve()
        if self.problems:
            yield "What is wrong with the data", "", _problem_table(self.problems)

    def _of_headroom(self, found: Headroom) -> tuple[str, str, Table]:
        where = "test queries"
        if self.is_held_out:
            where = "training queries, held out because there are no test labels"
        rows = [
            (f"the base, {MEASURE}", f"{found.base:.4f}", str(found.interval)),
            (f"its first {DEPTH} hits in the best order", f"{found.reranked:.4f}", ""),
            (f"relevant among these (R@{DEPTH})", f"{found.recall:.4f}", ""),
        ]
        header = ("", "mean", "95 % interval")
        return "Where it stands", f"{found.queries:,} {where}", (header, rows)

    def _of_the_curve(self) -> tuple[str, str, Table]:
        curve = self.curve
        remarks = []
        if curve.points:
            remarks.append(
                f"{curve.tuner} was tried for {curve.seconds:.0f} seconds; the gain in"
                f" {MEASURE} is that on the queries above"
            )
        remarks += [curve.note] if curve.note else []
        header = ("training queries", "tried", "gain", "95 % interval")
        rows = [*map(_point_row, curve.points), *map(_forecast_row, curve.forecasts)]
        return "What tuning gains", "\n".join(remarks), (header, rows)


def _point_row(point: GainPoint) -> tuple[str, ...]:
    tried = counted_runs(point)
    return (f"{point.queries:,}", tried, f"{point.gain:+.4f}", _signed(point))


def _forecast_row(forecast: Forecast) -> tuple[str, ...]:
    return (
        f"{forecast.queries:,}",
        "forecast",
        f"{forecast.gain:+.4f}",
        _signed(forecast),
    )


def counted_runs(point: GainPoint) -> str:
    """Return how often a size was tried, and how often the base came back."""
    times = "once" if point.draws == 1 else f"{point.draws} times"
    if not point.bases:
        return times
    back = "base kept" if point.bases == point.draws else f"{point.bases} x base kept"
    return f"{times}, {back}"


def _signed(found: GainPoint | Forecast) -> str:
    return f"[{found.interval.low:+.4f}, {found.interval.high:+.4f}]"


def _problem_table(problems: Sequence[WeighedProblem]) -> Table:
    rows = [
        (
            each.problem.rule,
            str(each.weight),
            "" if each.weight is Weight.BLOCKS else percent(round(each.share, 3)),
            each.problem.message,
        )
        for each in problems
    ]
    return ("rule", "weight", "touches", "what"), rows


def _plain(value: Headroom | GainPoint | Forecast) -> Mapping[str, Any]:
    facts = attrs.asdict(value, recurse=False)
    facts["interval"] = interval_dict(value.interval)
    return {
        name: list(fact) if isinstance(fact, tuple) else fact
        for name, fact in facts.items()
    }
