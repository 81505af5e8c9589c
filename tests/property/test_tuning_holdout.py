"""Whatever the labels, a hold-out keeps apart what it must."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from embedtune.tuning.holdout import Fold, folds
from embedtune.tuning.labels import Labels

DOCUMENTS = 12
JUDGED = st.dictionaries(
    st.integers(0, DOCUMENTS - 1), st.integers(1, 3), min_size=1, max_size=5
)


@st.composite
def tasks(draw: st.DrawFn) -> tuple[Labels, Labels]:
    """Draw training labels of at least three documents, and validation labels."""
    train = draw(st.lists(JUDGED, min_size=9, max_size=40))
    train[0] = {**train[0], 0: 1, 1: 1, 2: 1}
    validation = draw(st.lists(JUDGED, max_size=20))
    queries = enumerate([*train, *validation])
    labels = list(queries)
    return Labels.of(labels[: len(train)]), Labels.of(labels[len(train) :])


def queries(labels: Labels) -> set[int]:
    """Return the queries of some labels."""
    return set(labels.queries.tolist())


def positives(labels: Labels) -> set[int]:
    """Return the documents that some labels teach as relevant."""
    return set(labels.documents[labels.relevance > 0].tolist())


def divided(task: tuple[Labels, Labels], seed: int) -> list[Fold]:
    """Return the folds of a task."""
    generator = np.random.default_rng(seed)
    return list(folds(*task, size=DOCUMENTS, generator=generator))


@given(task=tasks(), seed=st.integers(0, 99))
def test_no_leak(task: tuple[Labels, Labels], seed: int) -> None:
    """No query is learned and examined, and no unseen document is learned."""
    train, validation = task

    for fold in divided(task, seed):
        assert queries(fold.train) <= queries(train)
        assert not queries(fold.train) & (queries(fold.seen) | queries(fold.unseen))
        assert not queries(fold.seen) & queries(fold.unseen)
        assert queries(fold.seen) | queries(fold.unseen) <= queries(train) | queries(
            validation
        )
        assert not positives(fold.unseen) & positives(fold.train)


@given(task=tasks(), seed=st.integers(0, 99))
def test_something_is_learned(task: tuple[Labels, Labels], seed: int) -> None:
    """Every fold learns from queries that have a relevant document each."""
    for fold in divided(task, seed):
        owners = fold.train.owners[fold.train.relevance > 0]
        assert set(range(len(fold.train))) == set(owners.tolist())
        assert len(fold.train) >= 1


@given(task=tasks(), seed=st.integers(0, 99))
def test_labels_are_whole(task: tuple[Labels, Labels], seed: int) -> None:
    """An examined query keeps all of its labels, and each with its relevance."""
    train, validation = task
    known = {
        (int(query), int(document)): float(relevance)
        for labels in (train, validation)
        for query, document, relevance in zip(
            labels.queries[labels.owners],
            labels.documents,
            labels.relevance,
            strict=True,
        )
    }

    for fold in divided(task, seed):
        for labels in (fold.seen, fold.unseen):
            for position, query in enumerate(labels.queries.tolist()):
                one = labels.take(np.array([position]))
                expected = {
                    key: value for key, value in known.items() if key[0] == query
                }
                pairs = zip(one.documents.tolist(), one.relevance.tolist(), strict=True)
                assert expected == {
                    (query, document): value for document, value in pairs
                }
