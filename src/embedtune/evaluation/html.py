"""A comparison as one HTML file: no network, no script, everything escaped."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from datetime import datetime

import attrs
import numpy as np

from embedtune._version import __version__
from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.report import DatasetReport
from embedtune.evaluation import plots
from embedtune.evaluation.dataset_section import dataset_section
from embedtune.evaluation.difference_table import ALL_QUERIES, difference_table
from embedtune.evaluation.learning import LearningCurve
from embedtune.evaluation.learning_section import learning_section
from embedtune.evaluation.margin_section import margin_section
from embedtune.evaluation.margins import margins_of_both
from embedtune.evaluation.markup import Markup, element, joined, table
from embedtune.evaluation.pairing import is_same_model
from embedtune.evaluation.report import EvaluationReport
from embedtune.evaluation.searches import searches
from embedtune.evaluation.style import CSS
from embedtune.evaluation.tables import counted, percent, queries
from embedtune.evaluation.tradeoff import TradeoffPoint
from embedtune.evaluation.tradeoff_section import tradeoff_section
from embedtune.evaluation.verdict import SAME_MODEL, Difference, Verdict, verdict_on

_HEAD = Markup(
    '<meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
)
_TIED_EQUALS = "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}"


@attrs.frozen(kw_only=True)
class Page:
    """What a page shows.

    Attributes:
        base: The report of the base.
        tuned: The report of the tuned.
        differences: By measure, for each group of queries; the first group is all.
        title: The heading; may be empty.
        dataset: Where texts come from, or `None`.
        check: What a check found in it; `None` to check it.
        examples: Queries whose searches are shown; `None` to choose some.
        confidence: Of the intervals.
        learning: The steps of the tuning job, or `None`.
        tradeoff: Points from base to tuned; empty if nobody looked.
        facts: Lines on how it was made.
        made_at: The date shown.
    """

    base: EvaluationReport
    tuned: EvaluationReport
    differences: Mapping[str, Mapping[str, Difference]]
    title: str
    dataset: TuningDataset | None
    check: DatasetReport | None
    examples: tuple[str, ...] | None
    confidence: float
    learning: LearningCurve | None
    tradeoff: tuple[TradeoffPoint, ...]
    facts: Mapping[str, str]
    made_at: datetime

    @property
    def measure(self) -> str:
        """The measure that the plots show: the first."""
        return next(iter(next(iter(self.differences.values()))))

    @property
    def is_same_model(self) -> bool:
        """Whether there is one model only, and so no difference to judge."""
        found = self.differences[ALL_QUERIES][self.measure]
        return is_same_model(self.base, self.tuned) and found.is_tied

    @property
    def heading(self) -> str:
        """The title, or one made of the names."""
        return self.title or f"{self.tuned.embedder} against {self.base.embedder}"


def page(content: Page) -> str:
    """Return the whole file."""
    body = [
        *_summary(content),
        *_means(content),
        *_differences(content),
        *_per_query(content),
        *_margins(content),
        *learning_section(content.learning),
        *tradeoff_section(content.tradeoff, content.measure),
        *searches(
            content.base,
            content.tuned,
            content.measure,
            content.dataset,
            content.examples,
        ),
        *dataset_section(content.dataset, content.check),
        *_making(content),
    ]
    head = element("head", _HEAD, element("title", content.heading), _style())
    document = element("html", head, element("body", *body), lang="en")
    return f"<!DOCTYPE html>\n{document}\n"


def _style() -> Markup:
    return Markup(f"<style>{CSS}</style>")


def _summary(content: Page) -> list[Markup]:
    base = content.base
    split = f" of the {base.split} split" if base.split else ""
    return [
        element("h1", content.heading),
        element(
            "p",
            f"Tuned: {content.tuned.embedder}. Base: {base.embedder}. "
            f"{queries(len(base.query_ids))}{split}, "
            f"{counted(base.documents, 'document')} searched exactly.",
            class_="soft",
        ),
        *_verdicts(content),
    ]


def _verdicts(content: Page) -> list[Markup]:
    found = {
        name: group[content.measure] for name, group in content.differences.items()
    }
    if content.is_same_model:
        model = content.base.embedder
        return [_verdict(SAME_MODEL, verdict_on(found[ALL_QUERIES], same_model=model))]
    verdicts = {name: difference.verdict() for name, difference in found.items()}
    return [
        _verdict(
            verdict.outcome if name == ALL_QUERIES else f"{verdict.outcome} ({name})",
            verdict,
        )
        for name, verdict in verdicts.items()
    ]


def _verdict(outcome: str, verdict: Verdict) -> Markup:
    return element(
        "div",
        element("strong", outcome[:1].upper() + outcome[1:]),
        f": {verdict.reason.replace(' = ', _TIED_EQUALS)}.",
        class_=f"verdict {verdict.outcome}",
    )


def _means(content: Page) -> list[Markup]:
    rows = {name: group[content.measure] for name, group in content.differences.items()}
    return [
        element("h2", f"{content.measure}, base and tuned"),
        plots.bars(rows),
    ]


def _differences(content: Page) -> list[Markup]:
    header, rows = difference_table(content.differences, content.confidence)
    advice = (
        ""
        if content.is_same_model
        else "An interval that holds 0 decides nothing: more test queries may. "
    )
    return [
        element("h2", "Differences and how sure they are"),
        plots.legend(plots.OUTCOME_KEYS),
        plots.intervals(content.differences),
        element(
            "p",
            "Each dot is the mean of tuned minus base, each line its "
            f"{percent(content.confidence)} bootstrap interval over the queries; "
            f"the dotted line is no difference. {advice}An interval tells "
            "what other queries of this kind would change, and nothing about queries "
            "of another kind or about wrong labels.",
            class_="note",
        ),
        element("div", table(header, rows), class_="scroll"),
    ]


def _per_query(content: Page) -> list[Markup]:
    change = content.tuned.of(content.measure) - content.base.of(content.measure)
    return [
        element("h2", f"{content.measure} of each query, tuned minus base"),
        plots.sorted_differences(np.where(np.abs(change) < plots.NOTHING, 0.0, change)),
    ]


def _margins(content: Page) -> list[Markup]:
    if content.dataset is None:
        return []
    return margin_section(
        *margins_of_both(content.base, content.tuned, content.dataset)
    )


def _making(content: Page) -> list[Markup]:
    base, tuned = content.base, content.tuned
    facts = {
        "made": content.made_at.strftime("%Y-%m-%d %H:%M %Z").strip(),
        "base": base.embedder,
        "base, fingerprint": base.fingerprint,
        "tuned": tuned.embedder,
        "tuned, fingerprint": tuned.fingerprint,
        "dataset, fingerprint": base.dataset_fingerprint,
        "split": base.split,
        "queries": _queries_fact(base),
        "documents": f"{base.documents:,}",
        "versions": ", ".join(
            [
                f"embedtune {__version__}",
                f"Python {platform.python_version()}",
                f"NumPy {np.__version__}",
            ]
        ),
        "confidence": percent(content.confidence),
        **content.facts,
    }
    if base.query_fingerprint != base.fingerprint:
        facts["base, query side"] = base.query_fingerprint
    if tuned.query_fingerprint != tuned.fingerprint:
        facts["tuned, query side"] = tuned.query_fingerprint
    rows = [
        element("tr", element("th", name, scope="row"), element("td", value))
        for name, value in facts.items()
        if value
    ]
    return [
        element("h2", "How it was made"),
        element("table", element("tbody", joined(rows)), class_="facts"),
    ]


def _queries_fact(base: EvaluationReport) -> str:
    without = base.without_positive
    note = f" ({without:,} without a positive; they count as 0)" if without else ""
    return f"{len(base.query_ids):,}{note}"
