"""What is held out of training to choose by: seen and unseen documents apart."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.tuning.labels import Labels, joined

FEW = 300
"""With fewer training queries, each fold keeps a third of the documents apart."""

FOLDS = 3
"""How many folds there are, at most."""

ENOUGH_QUERIES = 200
"""With fewer queries of unseen documents there is one more fold."""

ENOUGH_DOCUMENTS = 30
"""With fewer unseen documents there is one more fold."""

DOCUMENT_SHARE = 0.15
"""The part of the labelled documents that one hold-out keeps from training."""

QUERY_SHARE = 1 / 7
"""The part of the remaining queries that a hold-out keeps from training."""

GIVEN = 50
"""So many given validation queries of one kind make holding out for it needless."""

MOST = 2000
"""So many queries of one kind are measured in a hold-out, at most."""

_Marks = npt.NDArray[np.bool_]


@attrs.frozen(kw_only=True, eq=False)
class Fold:
    """One division of the labels.

    Attributes:
        train: What to train on; a label of relevance 0 hides its pair.
        seen: Queries that are not trained on, of documents that are.
        unseen: Queries of documents that have no training label.
    """

    train: Labels
    seen: Labels
    unseen: Labels


def folds(
    train: Labels, validation: Labels, *, size: int, generator: np.random.Generator
) -> Iterator[Fold]:
    """Yield the divisions by which a tuner chooses.

    Validation labels are used where there are any: training labels are held out only
    for the kind of query, of seen or of unseen documents, that they have too few of.

    Args:
        train: All training labels.
        validation: All validation labels, perhaps none.
        size: The number of documents.
        generator: Decides what is held out.
    """
    nothing = np.zeros(size, dtype=np.bool_)
    seen, unseen = _by_documents(validation, _marks(train.documents, size), nothing)
    needs_seen, needs_unseen = len(seen) < GIVEN, len(unseen) < GIVEN
    held_out = [nothing]
    if needs_unseen:
        groups = _document_groups(train, generator)
        held_out = [_marks(group, size) for group in groups]
    for held in held_out:
        rest, apart = _without(train, held)
        extra = rest.take(np.zeros(0, np.int64))
        if needs_seen:
            extra, rest = _some_queries(rest, generator)
        trained = _marks(rest.documents[rest.relevance > 0], size)
        seen, unseen = _by_documents(validation, trained, held)
        yield Fold(
            train=rest,
            seen=_at_most(joined([seen, extra]), generator),
            unseen=_at_most(joined([unseen, apart]), generator),
        )


def _document_groups(
    train: Labels, generator: np.random.Generator
) -> list[npt.NDArray[np.int64]]:
    # A document comes with the other positives of one of its queries, so that there
    # are queries to hold out where queries have many positives.
    labelled = np.unique(train.documents)
    by_document = np.argsort(train.documents, kind="stable")
    bounds = np.searchsorted(train.documents[by_document], labelled, "left")
    ends = np.append(bounds[1:], len(by_document))
    owners = train.owners
    order: dict[int, None] = {}
    for place in generator.permutation(len(labelled)).tolist():
        if int(labelled[place]) in order:
            continue
        owner = owners[by_document[generator.integers(bounds[place], ends[place])]]
        together = train.documents[train.starts[owner] : train.starts[owner + 1]]
        order.update(dict.fromkeys(together.tolist()))
    documents = np.fromiter(order, dtype=np.int64, count=len(order))
    if len(train) < FEW:
        return np.array_split(documents, FOLDS)
    size = max(1, round(len(documents) * DOCUMENT_SHARE))
    groups: list[npt.NDArray[np.int64]] = []
    held, queries = 0, 0
    while len(groups) < FOLDS and (held < ENOUGH_DOCUMENTS or queries < ENOUGH_QUERIES):
        groups.append(documents[held : held + size])
        held += size
        queries += int(np.isin(train.documents, groups[-1]).sum())
    return groups


def _without(train: Labels, held: _Marks) -> tuple[Labels, Labels]:
    # Queries with positives on both sides stay, and their held-out pairs are hidden.
    is_held = held[train.documents]
    held_labels = np.add.reduceat(is_held.astype(np.int64), train.starts[:-1])
    is_apart = held_labels == np.diff(train.starts)
    rest = train.take(np.flatnonzero(~is_apart))
    hidden = held[rest.documents]
    rest = attrs.evolve(rest, relevance=np.where(hidden, np.float32(0), rest.relevance))
    return rest, train.take(np.flatnonzero(is_apart))


def _some_queries(
    rest: Labels, generator: np.random.Generator
) -> tuple[Labels, Labels]:
    hidden = np.add.reduceat((rest.relevance == 0).astype(np.int64), rest.starts[:-1])
    whole = np.flatnonzero(hidden == 0)
    count = min(max(1, round(len(rest) * QUERY_SHARE)), len(whole), len(rest) - 1)
    chosen = np.sort(generator.permutation(whole)[:count])
    others = np.setdiff1d(np.arange(len(rest)), chosen)
    return rest.take(chosen), rest.take(others)


def _by_documents(
    labels: Labels, trained: _Marks, held: _Marks
) -> tuple[Labels, Labels]:
    # Queries with a document on either side of the hold-out belong to neither.
    if not len(labels):
        return labels, labels
    starts = labels.starts[:-1]
    has_trained = np.logical_or.reduceat(trained[labels.documents], starts)
    has_held = np.logical_or.reduceat(held[labels.documents], starts)
    seen = labels.take(np.flatnonzero(has_trained & ~has_held))
    return seen, labels.take(np.flatnonzero(~has_trained))


def _at_most(labels: Labels, generator: np.random.Generator) -> Labels:
    if len(labels) <= MOST:
        return labels
    chosen = np.sort(generator.permutation(len(labels))[:MOST])
    return labels.take(chosen)


def _marks(rows: npt.NDArray[np.int64], size: int) -> _Marks:
    marks = np.zeros(size, dtype=np.bool_)
    marks[rows] = True
    return marks
