"""Searches before and after, side by side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.values import Document
from embedtune.evaluation.markup import Markup, element, joined
from embedtune.evaluation.report import EvaluationReport
from embedtune.evaluation.scoring import judged_labels
from embedtune.evaluation.tables import counted

_MOST_GAINED = 5
_MOST_LOST = 3
_HITS = 5
_LONGEST = 180  # characters of a document
_LONGEST_QUERY = 300
_CUT = "\N{NO-BREAK SPACE}\N{HORIZONTAL ELLIPSIS}"


def searches(
    base: EvaluationReport,
    tuned: EvaluationReport,
    measure: str,
    dataset: TuningDataset | None,
    examples: tuple[str, ...] | None,
) -> list[Markup]:
    """Return a section with the first hits of some queries; nothing without a dataset.

    Args:
        base: The report of the base.
        tuned: The report of the tuned.
        measure: What *examples* are chosen by.
        dataset: Where texts and labels come from.
        examples: The queries to show; `None` for those that changed most.
    """
    if dataset is None:
        return []
    note = "Relevant documents are marked."
    if examples is None:
        examples = _most_changed(base, tuned, measure)
        note = f"The queries whose {measure} gained and lost most. {note}"
    if not examples:
        return []
    labels = judged_labels(dataset, base.split, examples)
    values = base.per_query[measure], tuned.per_query[measure]
    cards = [
        _card(
            query_id,
            f"{measure}: {values[0][query_id]:.2f} \N{RIGHTWARDS ARROW} "
            f"{values[1][query_id]:.2f}",
            (base, tuned),
            labels[query_id],
            dataset,
        )
        for query_id in examples
    ]
    return [
        element("h2", "Searches before and after"),
        element("p", note, class_="note"),
        *cards,
    ]


def _most_changed(
    base: EvaluationReport, tuned: EvaluationReport, measure: str
) -> tuple[str, ...]:
    change = tuned.of(measure) - base.of(measure)
    order = np.argsort(change, kind="stable")
    gained = [row for row in order[::-1][:_MOST_GAINED] if change[row] > 0]
    lost = [row for row in order[:_MOST_LOST] if change[row] < 0]
    return tuple(base.query_ids[row] for row in [*gained, *lost])


def _card(
    query_id: str,
    change: str,
    reports: tuple[EvaluationReport, EvaluationReport],
    labels: Mapping[str, int],
    dataset: TuningDataset,
) -> Markup:
    query = dataset.queries.get(query_id)
    text = _cut(query.text, _LONGEST_QUERY) if query else query_id
    relevant = {doc_id for doc_id, relevance in labels.items() if relevance > 0}
    return element(
        "div",
        element("h3", text, dir="auto"),
        element("div", change, class_="soft change"),
        element(
            "div",
            *(
                _side(name, report, query_id, relevant, dataset)
                for name, report in zip(("base", "tuned"), reports, strict=True)
            ),
            class_="sides",
        ),
        class_="search",
    )


def _side(
    name: str,
    report: EvaluationReport,
    query_id: str,
    relevant: set[str],
    dataset: TuningDataset,
) -> Markup:
    hits = [doc_id for doc_id, _ in report.run[query_id]]
    ranks = [rank for rank, doc_id in enumerate(hits, start=1) if doc_id in relevant]
    if ranks:
        found = f"first relevant at rank {ranks[0]}"
    elif hits:
        found = f"none relevant among {counted(len(hits), 'hit')}"
    else:
        found = "nothing found"
    items = [
        _hit(dataset.corpus.get(doc_id), doc_id, is_relevant=doc_id in relevant)
        for doc_id in hits[:_HITS]
    ]
    return element(
        "div",
        element("h4", f"{name}: {found}"),
        element("ol", joined(items)),
    )


def _hit(document: Document | None, doc_id: str, *, is_relevant: bool) -> Markup:
    title, text = (document.title, document.text) if document else ("", doc_id)
    parts: list[str] = []
    if is_relevant:
        mark = "\N{CHECK MARK}\N{NO-BREAK SPACE}"
        parts.append(element("span", mark, class_="tick", title="relevant"))
    if title:
        parts.append(element("b", _cut(title, _LONGEST)))
        parts.append(" ")
    parts.append(_cut(text, max(_LONGEST - len(title), _LONGEST // 2)))
    kind = "relevant" if is_relevant else "other"
    # The number stays on the left, whatever the direction of the text.
    return element("li", element("div", *parts, dir="auto"), class_=kind)


def _cut(text: str, length: int) -> str:
    text = " ".join(text.split())
    if len(text) <= length:
        return text
    whole_words, _, _ = text[:length].rpartition(" ")
    return (whole_words or text[: length - 1]) + _CUT
