"""Groups of queries, by whether tuning has seen the documents that answer them."""

from __future__ import annotations

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.text import normalised
from embedtune.types import Split

SEEN = "seen"
"""Queries with a relevant document that has a training label."""

UNSEEN = "unseen"
"""Queries without one: what tuning does for new documents."""


def seen_and_unseen(
    dataset: TuningDataset, split: Split = "test"
) -> dict[str, tuple[str, ...]]:
    """Divide the queries of *split* by whether training saw one of their documents.

    A query is seen if a relevant document of it, or another document of the same
    text (case and spacing aside), is positive for some query of the training labels.
    Queries without a relevant document are in neither group.

    Returns:
        The query ids under `"seen"` and `"unseen"`, in the order of the labels.

    Example:
        >>> dataset = TuningDataset(
        ...     corpus={"a": "reset a password", "b": "close an account"},
        ...     queries={"q1": "forgot it", "q2": "lost it", "q3": "goodbye"},
        ...     train={"q1": {"a": 1}},
        ...     test={"q2": {"a": 1}, "q3": {"b": 1}},
        ... )
        >>> seen_and_unseen(dataset)
        {'seen': ('q2',), 'unseen': ('q3',)}
    """
    trained = {
        _content(dataset, doc_id)
        for labels in dataset.train.values()
        for doc_id, relevance in labels.items()
        if relevance > 0
    }
    groups: dict[str, list[str]] = {SEEN: [], UNSEEN: []}
    for query_id, labels in dataset.labels(split).items():
        positives = [doc_id for doc_id, relevance in labels.items() if relevance > 0]
        if positives:
            is_seen = any(_content(dataset, doc_id) in trained for doc_id in positives)
            groups[SEEN if is_seen else UNSEEN].append(query_id)
    return {name: tuple(query_ids) for name, query_ids in groups.items()}


def _content(dataset: TuningDataset, doc_id: str) -> tuple[str, bool]:
    """Return what two documents share if they are one for `split(by="document")`."""
    document = dataset.corpus.get(doc_id)
    text = normalised(document.text) if document is not None else ""
    return (text, True) if text else (doc_id, False)
