"""What a check found, weighed by how much of the data it touches."""

from __future__ import annotations

from collections.abc import Iterator

from embedtune.advice.values import WeighedProblem, Weight
from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.report import DatasetReport, Problem
from embedtune.types import SPLITS

MATTERS = 0.02
"""What touches a smaller part of the data is minor."""

OF_THE_SERVICE = frozenset({"service-limit", "unfit-id"})
"""Rules of one model's service; other ways of tuning do not care."""

_DEADLY = frozenset({"no-records", "unknown-query", "unknown-document"})
"""With these, nothing can be measured."""

_EXPECTED = frozenset({"no-train-labels", "no-test-labels"})
"""What an advice says in words of its own."""


def weighed(
    report: DatasetReport, dataset: TuningDataset
) -> tuple[WeighedProblem, ...]:
    """Return the errors and warnings, the heaviest first."""
    order = list(Weight)
    found = list(_weighed(report, dataset))
    return tuple(
        sorted(found, key=lambda each: (order.index(each.weight), -each.share))
    )


def can_be_measured(report: DatasetReport) -> bool:
    """Return whether labels name only what is there."""
    return not any(problem.rule in _DEADLY for problem in report.errors)


def is_fit_for_service(report: DatasetReport) -> bool:
    """Return whether the data keeps to the limits of the tuning service."""
    return not any(problem.rule in OF_THE_SERVICE for problem in report.errors)


def _weighed(report: DatasetReport, dataset: TuningDataset) -> Iterator[WeighedProblem]:
    for problem in (*report.errors, *report.warnings):
        if problem.rule in _EXPECTED:
            continue
        share = _share(problem, dataset)
        is_heavy = share >= MATTERS
        weight = Weight.MATTERS if is_heavy else Weight.MINOR
        if problem.severity == "error" and problem.rule not in OF_THE_SERVICE:
            weight = Weight.BLOCKS
        yield WeighedProblem(problem=problem, weight=weight, share=share)


def _share(problem: Problem, dataset: TuningDataset) -> float:
    if not problem.examples:  # of the whole, such as swapped columns
        return 1.0
    labels = sum(len(row) for split in SPLITS for row in dataset.labels(split).values())
    wholes = {
        "document": len(dataset.corpus),
        "documents": len(dataset.corpus),
        "queries": len(dataset.queries),
        "query": len(dataset.queries),
    }
    words = problem.message.replace(",", " ").split()
    whole = next((wholes[word] for word in words if word in wholes), labels)
    return min(1.0, problem.count / max(1, whole))
