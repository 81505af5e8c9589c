"""What every evaluation shares: the labels of a split, and the values of a ranking."""

from __future__ import annotations

from collections.abc import Sequence

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.problems import raise_integrity_error
from embedtune.errors import DataError
from embedtune.evaluation.judgements import Integers, Judgements
from embedtune.evaluation.measures import Measure, Values, measure_values
from embedtune.types import SPLITS, Qrels, Split

MEASURES = ("nDCG@10", "R@10", "RR@10")
"""What is measured unless a caller says otherwise."""


def labels_of(dataset: TuningDataset, split: Split) -> Qrels:
    """Return the labels of a split that is fit to measure on.

    Raises:
        DataError: If the split has no labels.
        DatasetIntegrityError: If labels name unknown queries or documents.
    """
    labels = dataset.labels(split)
    if not labels:
        counts = {other: len(dataset.labels(other)) for other in SPLITS}
        others = [f"{other!r} ({n} queries)" for other, n in counts.items() if n]
        hint = f"there are labels in {', '.join(others)}" if others else "add some"
        msg = f"the split {split!r} has no labels; {hint}"
        raise DataError(msg)
    problems = unknown_ids(dataset, labels)
    raise_integrity_error(f"the labels of {split!r} do not fit the dataset", problems)
    return labels


def depth_of(measures: Sequence[Measure]) -> int | None:
    """Return how many hits the measures look at; `None` for all there are."""
    cutoffs = [measure.cutoff for measure in measures if measure.cutoff is not None]
    return max(cutoffs) if len(cutoffs) == len(measures) else None


def unknown_ids(dataset: TuningDataset, labels: Qrels) -> list[str]:
    """Return a line for each query and document that labels name and nobody knows."""
    problems = [
        f"query {query_id!r} is not among the queries"
        for query_id in labels
        if query_id not in dataset.queries
    ]
    problems += [
        f"document {doc_id!r} of query {query_id!r} is not in the corpus"
        for query_id, row in labels.items()
        for doc_id in row
        if doc_id not in dataset.corpus
    ]
    return problems


def judged_labels(
    dataset: TuningDataset, split: str, query_ids: Sequence[str]
) -> Qrels:
    """Return the labels of queries that were measured, in their order.

    Args:
        dataset: What was measured on.
        split: The part of its labels; empty if only labels were given, and then any
            label of a query is its own.
        query_ids: The queries.
    """
    chosen: list[Split] = [name for name in SPLITS if name == split] or list(SPLITS)
    return {
        query_id: {
            doc_id: relevance
            for name in chosen
            for doc_id, relevance in dataset.labels(name).get(query_id, {}).items()
        }
        for query_id in query_ids
    }


def values_of(
    measures: Sequence[Measure], judgements: Judgements, found: Integers
) -> Values:
    """Return the values of the documents *found*, of shape (measures, queries)."""
    cutoffs = [m.cutoff for m in measures if m.kind == "nDCG"]
    limits = [cutoff for cutoff in cutoffs if cutoff is not None]
    ideal_depth = None if len(limits) < len(cutoffs) else max(limits, default=0)
    return measure_values(
        measures,
        judgements.ranked(found[:, : depth_of(measures)]),
        judgements.ideal(ideal_depth),
        judgements.positives(),
    )
