"""What one step of the gradient run looks at."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from embedtune.tuning.bags import CountedBags
from embedtune.tuning.batches import (
    HARD,
    POSITIVES,
    RANDOM,
    RANDOM_TOKENS,
    Batch,
    batches,
    random_documents,
)
from embedtune.tuning.labels import Labels

NO_HARD = np.full((10, 20), -1, dtype=np.int64)


def first(
    labels: Labels,
    hard: np.ndarray = NO_HARD,
    *,
    documents: int = 30,
    tokens: int = 1,
    size: int = 10,
    count: int = 1,
) -> list[Batch]:
    """Return the first batches of a run."""
    corpus = CountedBags.of(
        np.tile(np.arange(tokens), documents), np.arange(documents + 1) * tokens
    )
    endless = batches(
        labels,
        hard,
        documents=documents,
        random=random_documents(corpus),
        size=size,
        generator=np.random.default_rng(0),
    )
    return list(islice(endless, count))


def shares(batch: Batch, query: int) -> dict[int, float]:
    """Return the targets of one query, by document."""
    row = batch.targets[batch.queries.tolist().index(query)]
    pairs = zip(batch.candidates.tolist(), row.tolist(), strict=True)
    return {document: share for document, share in pairs if share}


def test_targets_are_in_proportion_to_relevance() -> None:
    """A document three times as relevant gets three times the share."""
    (batch,) = first(Labels.of([(0, {5: 3, 9: 1}), (1, {2: 1})]))

    assert {5: 0.75, 9: 0.25} == shares(batch, 0)
    assert {2: 1.0} == shares(batch, 1)


def test_documents_of_other_queries_are_targets_where_they_are_relevant() -> None:
    """A positive brought by one query is a target, never a negative, of another."""
    labels = Labels.of([(q, {q: 1, 29: 1}) for q in range(10)])

    (batch,) = first(labels, documents=10_000)

    for query in range(10):
        assert {query, 29} == set(shares(batch, query))


def test_labels_of_relevance_0_are_hidden() -> None:
    """A pair with relevance 0 is neither target nor negative."""
    labels = Labels.of([(0, {5: 1, 9: 0}), (1, {9: 1})])

    (batch,) = first(labels)

    row, column = batch.queries.tolist().index(0), batch.candidates.tolist().index(9)
    assert {5: 1.0} == shares(batch, 0)
    assert batch.hidden is not None
    assert [[row, column]] == np.argwhere(batch.hidden).tolist()


def test_nothing_is_hidden_without_cause() -> None:
    """Without labels of relevance 0 there is no mask to apply."""
    (batch,) = first(Labels.of([(0, {5: 1})]))

    assert batch.hidden is None


def test_small_corpora_come_whole() -> None:
    """All documents are candidates while they are few."""
    (batch,) = first(Labels.of([(0, {5: 1})]), documents=RANDOM)

    assert list(range(RANDOM)) == batch.candidates.tolist()


def test_large_corpora_come_in_part() -> None:
    """Of a large corpus come positives, hard negatives and random documents."""
    hard = NO_HARD.copy()
    hard[0] = np.arange(500, 520)
    labels = Labels.of([(0, {int(d): 1 for d in range(100, 150)})])

    (batch,) = first(labels, hard, documents=100_000)

    candidates = set(batch.candidates.tolist())
    few = RANDOM + POSITIVES + HARD
    assert few - 10 <= len(candidates) <= few
    assert POSITIVES <= len(candidates & set(range(100, 150))) <= POSITIVES + 2
    assert HARD <= len(candidates & set(range(500, 520))) <= HARD + 2
    np.testing.assert_allclose(1, batch.targets.sum(axis=1), rtol=1e-6)


@pytest.mark.parametrize(
    ("tokens", "expected"), [(50, RANDOM), (250, RANDOM_TOKENS // 250), (5000, 32)]
)
def test_long_documents_come_in_smaller_numbers(tokens: int, expected: int) -> None:
    """The tokens of the random documents of a batch stay within a bound."""
    (batch,) = first(Labels.of([(0, {5: 1})]), documents=1000, tokens=tokens)

    assert expected <= len(batch.candidates) <= expected + 1


def test_missing_hard_negatives_are_left_out() -> None:
    """A query with two hard negatives brings two."""
    hard = NO_HARD.copy()
    hard[0, :2] = [90_000, 90_001]

    (batch,) = first(Labels.of([(0, {5: 1})]), hard, documents=100_000)

    assert {90_000, 90_001} <= set(batch.candidates.tolist())
    assert batch.candidates.min() >= 0


def test_each_pass_sees_every_query_once() -> None:
    """Ten queries in batches of five are all seen after two batches, then again."""
    labels = Labels.of([(q, {q: 1}) for q in range(10)])

    run = first(labels, size=5, count=4)

    for one, two in (run[:2], run[2:]):
        assert list(range(10)) == sorted([*one.queries, *two.queries])


def test_fewer_queries_than_a_batch() -> None:
    """A batch is no larger than there are queries."""
    (batch,) = first(Labels.of([(3, {5: 1}), (4, {6: 1})]), size=64)

    assert [3, 4] == sorted(batch.queries.tolist())


def test_equal_generators_give_equal_batches() -> None:
    """Batches depend on nothing but the generator."""
    labels = Labels.of([(q, {q: 1}) for q in range(10)])

    one = first(labels, size=3, documents=1000, count=5)
    two = first(labels, size=3, documents=1000, count=5)

    for left, right in zip(one, two, strict=True):
        assert np.array_equal(left.queries, right.queries)
        assert np.array_equal(left.candidates, right.candidates)
