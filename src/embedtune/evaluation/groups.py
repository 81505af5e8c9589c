"""Groups of queries: by seen and unseen documents, by length, label, or anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias

import numpy as np

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.text import normalised
from embedtune.datasets.values import Query
from embedtune.errors import ConfigurationError
from embedtune.types import Split

GroupKey: TypeAlias = (
    Literal["length", "document"]
    | Mapping[str, str | None]
    | Callable[[Query], str | None]
)
"""What puts a query into a group; see :func:`group_queries`."""

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


def group_queries(
    dataset: TuningDataset,
    split: Split = "test",
    *,
    by: GroupKey,
    least: int = 1,
) -> dict[str, tuple[str, ...]]:
    """Divide the queries of *split* into groups, for :func:`~embedtune.compare`.

    Args:
        dataset: Where the queries come from.
        split: Which of them.
        by: A function from a :class:`~embedtune.Query` to the name of its group, or a
            mapping from query ids to names; `None`, and a query that the mapping
            lacks, is in no group. `"document"` names a group for each relevant
            document, such as the label of a classification, and a query with several
            is in each. `"length"` makes three groups of about equal size, by the
            number of words; fewer where most queries are as long as one another.
        least: Groups of fewer queries are left out.

    Returns:
        The query ids of each group, in the order of the labels; groups by length from
        short to long, others as they first appear.

    Raises:
        ConfigurationError: If *by* is another string.
        TypeError: If the name of a group is no string.

    Example:
        >>> dataset = TuningDataset(
        ...     corpus={"a": "A transfer costs 2 euros."},
        ...     queries={"q1": "fees", "q2": "what does a transfer cost"},
        ...     train={},
        ...     test={"q1": {"a": 1}, "q2": {"a": 1}},
        ... )
        >>> group_queries(dataset, by="length")
        {'1 word': ('q1',), '2 to 5 words': ('q2',)}
    """
    labels = dataset.labels(split)
    if by == "length":
        words = {key: len(dataset.queries[key].text.split()) for key in labels}
        return _kept(_by_length(words), least)
    groups: dict[str, list[str]] = {}
    for query_id, row in labels.items():
        if by == "document":
            names: Sequence[object] = [doc_id for doc_id, n in row.items() if n > 0]
        elif isinstance(by, str):
            msg = f"'by' must be 'length', 'document', a mapping or a function (got {by!r})"
            raise ConfigurationError(msg)
        elif isinstance(by, Mapping):
            names = [by.get(query_id)]
        else:
            names = [by(dataset.queries[query_id])]
        for name in names:
            if name is not None:
                groups.setdefault(_checked_name(name, query_id), []).append(query_id)
    return _kept(groups, least)


def _by_length(words: Mapping[str, int]) -> dict[str, list[str]]:
    """Return three groups of about equal size, bounded by whole words."""
    lengths = np.array(list(words.values()), np.int64)
    if not lengths.size:
        return {}
    ends = np.quantile(lengths, (1 / 3, 2 / 3, 1), method="lower")
    groups: dict[str, list[str]] = {}
    low = int(lengths.min())
    for end in dict.fromkeys(ends.tolist()):
        span = f"{low}" if low == end else f"{low} to {end}"
        inside = [key for key, count in words.items() if low <= count <= end]
        groups[f"{span} word{'' if span == '1' else 's'}"] = inside
        low = end + 1
    return groups


def _kept(groups: Mapping[str, list[str]], least: int) -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(query_ids)
        for name, query_ids in groups.items()
        if len(query_ids) >= least
    }


def _checked_name(name: object, query_id: str) -> str:
    if isinstance(name, str):
        return name
    msg = f"the group of query {query_id!r} must be a string or None (got {name!r})"
    raise TypeError(msg)


def _content(dataset: TuningDataset, doc_id: str) -> tuple[str, bool]:
    """Return what two documents share if they are one for `split(by="document")`."""
    document = dataset.corpus.get(doc_id)
    text = normalised(document.text) if document is not None else ""
    return (text, True) if text else (doc_id, False)
