"""Sums of weighted token rows, forward and backward."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from embedtune.tuning.bags import (
    CountedBags,
    joined_bags,
    log_weight_gradient,
    ragged,
    token_sums,
)

TEXTS = [[3, 1, 3, 3], [], [0], [4, 2, 1, 0, 4]]


def bags(texts: list[list[int]]) -> CountedBags:
    """Count the tokens of some texts."""
    ids = np.array([token for text in texts for token in text], dtype=np.int32)
    return CountedBags.of(ids, np.cumsum([0, *map(len, texts)]))


def tokens(counted: CountedBags, text: int) -> Counter[int]:
    """Return the tokens of one text and how often each occurs."""
    where = slice(counted.starts[text], counted.starts[text + 1])
    pairs = zip(counted.ids[where].tolist(), counted.counts[where], strict=True)
    return Counter({token: int(count) for token, count in pairs})


def test_counts() -> None:
    """Each text has its different tokens once, with how often they occur."""
    counted = bags(TEXTS)

    assert len(TEXTS) == len(counted)
    assert [Counter(text) for text in TEXTS] == [tokens(counted, i) for i in range(4)]


def test_no_texts() -> None:
    """No texts are no bags, and no sums."""
    counted = bags([])

    assert 0 == len(counted)
    assert (0, 2) == token_sums(np.ones((5, 2)), np.ones(5), counted).shape


def test_take_in_any_order() -> None:
    """Texts come in the order asked for, also more than once."""
    taken = bags(TEXTS).take(np.array([3, 1, 0, 3]))

    expected = [Counter(TEXTS[i]) for i in (3, 1, 0, 3)]
    assert expected == [tokens(taken, i) for i in range(4)]


def test_joined() -> None:
    """Parts that were counted apart are as if counted together."""
    whole, joined = bags(TEXTS), joined_bags([bags(TEXTS[:1]), bags(TEXTS[1:])])

    for name in ("ids", "counts", "starts"):
        assert np.array_equal(getattr(whole, name), getattr(joined, name))


def test_ragged_rows() -> None:
    """The entries of rows of different lengths are found in the order wanted."""
    where, starts = ragged(np.array([0, 2, 2, 5]), np.array([2, 1, 0]))

    assert [2, 3, 4, 0, 1] == where.tolist()
    assert [0, 3, 3, 5] == starts.tolist()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sums_equal_the_dense_product(dtype: type) -> None:
    """The sums are those of a matrix of counts times the weighted table."""
    generator = np.random.default_rng(0)
    table = generator.normal(size=(5, 3)).astype(dtype)
    weights = generator.uniform(0.5, 2, size=5).astype(dtype)
    counts = np.array([[text.count(token) for token in range(5)] for text in TEXTS])

    sums = token_sums(table, weights, bags(TEXTS))

    assert dtype == sums.dtype
    np.testing.assert_allclose(counts @ (table * weights[:, None]), sums, rtol=1e-5)


def test_gradient_equals_finite_differences() -> None:
    """The gradient by the log weights is the slope of the sums' inner product."""
    generator = np.random.default_rng(1)
    table, by_sum = generator.normal(size=(5, 3)), generator.normal(size=(4, 3))
    logs = generator.normal(size=5)
    counted = bags(TEXTS)

    def value(changed: np.ndarray) -> float:
        return float((token_sums(table, np.exp(changed), counted) * by_sum).sum())

    step = 1e-6
    slopes = [
        (value(logs + step * unit) - value(logs - step * unit)) / (2 * step)
        for unit in np.eye(5)
    ]
    found = log_weight_gradient(table, np.exp(logs), counted, by_sum)
    np.testing.assert_allclose(slopes, found, rtol=1e-6, atol=1e-8)
