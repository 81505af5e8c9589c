"""The section on the dataset: its figures, and what a check finds."""

from __future__ import annotations

from collections.abc import Iterator

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.report import DatasetReport, Problem
from embedtune.evaluation.markup import Markup, element, joined, table
from embedtune.evaluation.tables import counted

_SHOWN_PLACES = 3


def dataset_section(
    dataset: TuningDataset | None, check: DatasetReport | None
) -> list[Markup]:
    """Return counts, lengths and problems; nothing without a dataset.

    Args:
        dataset: What is described.
        check: What a check found in it; `None` to check it.
    """
    if dataset is None:
        return []
    summary, found = dataset.summary(), check or dataset.check()
    facts = [
        element("tr", element("th", name, scope="row"), element("td", value))
        for name, value in summary.facts()
    ]
    tables = [
        element("div", table(rows[0], rows[1:]), class_="scroll")
        for rows in summary.tables()
        if len(rows) > 1
    ]
    return [
        element("h2", "The dataset"),
        element("table", element("tbody", joined(facts)), class_="facts"),
        *tables,
        element("h3", _headline(found)),
        *(_problem(problem) for problem in found),
    ]


def _headline(found: DatasetReport) -> str:
    counts = [
        counted(count, severity)
        for severity in ("error", "warning", "note")
        if (count := sum(problem.severity == severity for problem in found))
    ]
    model = f" for {found.model}" if found.model else ""
    return f"Its check{model} found {', '.join(counts) if counts else 'nothing'}"


def _problem(problem: Problem) -> Markup:
    return element(
        "div",
        element("span", problem.severity, class_="severity"),
        " ",
        *_sentences(problem),
        class_=f"problem is-{problem.severity}",
    )


def _sentences(problem: Problem) -> Iterator[str]:
    places = ", ".join(problem.examples[:_SHOWN_PLACES])
    more = ", ..." if problem.count > _SHOWN_PLACES and places else ""
    yield f"{problem.message}{f' ({places}{more})' if places else ''}."
    yield element("div", f"{problem.hint}.", class_="soft")
