"""What is held out of training to choose by."""

from __future__ import annotations

import numpy as np
import pytest

from embedtune.tuning.holdout import DOCUMENT_SHARE, FEW, FOLDS, MOST, Fold, folds
from embedtune.tuning.labels import Labels

NONE = Labels.of([])


def divided(
    train: Labels, validation: Labels = NONE, *, size: int, seed: int = 0
) -> list[Fold]:
    """Return the folds of some labels."""
    return list(
        folds(train, validation, size=size, generator=np.random.default_rng(seed))
    )


def one_each(queries: int, documents: int) -> Labels:
    """Return labels of queries with one relevant document each."""
    return Labels.of([(q, {q % documents: 1}) for q in range(queries)])


def trained(fold: Fold) -> set[int]:
    """Return the documents that have a training label in a fold."""
    return set(fold.train.documents[fold.train.relevance > 0].tolist())


def test_one_hold_out_where_it_is_large_enough() -> None:
    """With many queries and documents, 15 % of the documents are held out once."""
    (fold,) = divided(one_each(4000, 2000), size=2500)

    held = set(fold.unseen.documents.tolist())
    assert round(2000 * DOCUMENT_SHARE) == len(held)
    assert not held & trained(fold)
    assert len(fold.seen) == round((4000 - len(fold.unseen)) / 7)
    assert 4000 == len(fold.train) + len(fold.seen) + len(fold.unseen)


def test_several_hold_outs_where_documents_are_few() -> None:
    """Many queries of few documents are held out three times, always others."""
    parts = divided(one_each(4000, 70), size=70)

    held = [set(fold.unseen.documents.tolist()) for fold in parts]
    assert [10] * FOLDS == [len(each) for each in held]
    assert 30 == len(set.union(*held))
    for fold, documents in zip(parts, held, strict=True):
        assert not documents & trained(fold)


def test_few_queries_are_all_used_as_unseen_once() -> None:
    """With few queries, each is a query of an unseen document in one fold."""
    parts = divided(one_each(60, 40), size=100)

    queries = np.concatenate([fold.unseen.queries for fold in parts])
    assert FOLDS == len(parts)
    assert list(range(60)) == sorted(queries.tolist())
    for fold in parts:
        assert not set(fold.unseen.documents.tolist()) & trained(fold)
        assert len(fold.seen) >= 1


def test_seen_queries_are_not_trained_on() -> None:
    """No query is in two parts of a fold."""
    for fold in divided(one_each(60, 40), size=100):
        parts = [fold.train, fold.seen, fold.unseen]
        queries = [set(part.queries.tolist()) for part in parts]
        assert sum(map(len, queries)) == len(set.union(*queries))


def test_queries_with_positives_on_both_sides_hide_those_held_out() -> None:
    """A query of a held-out and another document learns the other alone."""
    shared = Labels.of([(q, {q: 1, 500: 2}) for q in range(20)])

    for fold in divided(shared, size=600):
        held = {*range(20), 500} - trained(fold)
        hidden = fold.train.documents[fold.train.relevance == 0]
        assert set(hidden.tolist()) <= held
        assert (fold.train.relevance >= 0).all()
        assert set(fold.seen.documents.tolist()) <= {*range(20), 500}


def test_queries_with_many_positives_are_held_out_whole() -> None:
    """Each fold has queries all of whose documents are held out."""
    groups = Labels.of(
        [(q, {5 * (q // 2) + i: 1 for i in range(5)}) for q in range(40)]
    )

    for fold in divided(groups, size=100):
        assert len(fold.unseen) >= 10


@pytest.mark.parametrize("queries", [9, 10, 20, FEW - 1, FEW])
def test_there_is_always_something_to_learn_and_to_choose_by(queries: int) -> None:
    """Even the smallest task leaves queries in every part of every fold."""
    for fold in divided(one_each(queries, 3), size=3):
        assert len(fold.train) >= 1
        assert len(fold.seen) >= 1
        assert len(fold.unseen) >= 1


def test_given_validation_takes_the_place_of_hold_outs() -> None:
    """With enough validation queries of both kinds, all training queries are learned."""
    train = one_each(400, 200)
    validation = Labels.of([(1000 + q, {q * 2: 1}) for q in range(200)])

    (fold,) = divided(train, validation, size=500)

    assert set(train.queries.tolist()) == set(fold.train.queries.tolist())
    assert [1000 + q for q in range(100)] == fold.seen.queries.tolist()
    assert [1100 + q for q in range(100)] == fold.unseen.queries.tolist()


def test_validation_of_seen_documents_alone() -> None:
    """Documents are held out with their validation queries, queries are not."""
    train = one_each(4000, 2000)
    validation = Labels.of([(9000 + q, {q: 1}) for q in range(1000)])

    (fold,) = divided(train, validation, size=2000)

    assert (fold.seen.queries >= 9000).all()
    assert {True, False} == set((fold.unseen.queries >= 9000).tolist())
    assert not set(fold.unseen.documents.tolist()) & trained(fold)
    assert 4000 == len(fold.train) + (fold.unseen.queries < 9000).sum()


def test_validation_of_unseen_documents_alone() -> None:
    """Queries are held out, documents are not."""
    train = one_each(4000, 2000)
    validation = Labels.of([(9000 + q, {2000 + q: 1}) for q in range(100)])

    (fold,) = divided(train, validation, size=2500)

    assert list(range(9000, 9100)) == fold.unseen.queries.tolist()
    assert round(4000 / 7) == len(fold.seen)
    assert 4000 == len(fold.train) + len(fold.seen)


def test_many_queries_are_measured_in_part() -> None:
    """A hold-out measures no more queries than it needs."""
    (fold,) = divided(one_each(40_000, 20_000), size=20_000)

    assert (MOST, MOST) == (len(fold.seen), len(fold.unseen))


def test_equal_generators_give_equal_folds() -> None:
    """A fold depends on nothing but labels and generator."""
    one, two = (divided(one_each(60, 40), size=100, seed=3) for _ in range(2))

    for left, right in zip(one, two, strict=True):
        assert np.array_equal(left.train.queries, right.train.queries)
        assert np.array_equal(left.unseen.queries, right.unseen.queries)
