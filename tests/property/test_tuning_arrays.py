"""Sums of token rows and whitening, for any input."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from embedtune.tuning.bags import CountedBags, token_sums
from embedtune.tuning.contrast import contrast, to_unit
from embedtune.tuning.whitening import whitening

TOKENS, DIMENSION = 7, 3
TEXTS = st.lists(st.lists(st.integers(0, TOKENS - 1), max_size=12), max_size=8)


@given(texts=TEXTS, seed=st.integers(0, 99))
def test_sums_equal_those_of_plain_loops(texts: list[list[int]], seed: int) -> None:
    """A sum is that of the weighted rows of the text's tokens, one by one."""
    generator = np.random.default_rng(seed)
    table = generator.normal(size=(TOKENS, DIMENSION))
    weights = generator.uniform(0.1, 3, TOKENS)
    ids = np.array([token for text in texts for token in text], dtype=np.int32)
    bags = CountedBags.of(ids, np.cumsum([0, *map(len, texts)]))

    sums = token_sums(table, weights, bags)

    for row, text in zip(sums, texts, strict=True):
        expected = sum((weights[t] * table[t] for t in text), np.zeros(DIMENSION))
        np.testing.assert_allclose(expected, row, atol=1e-5)


@given(seed=st.integers(0, 999), size=st.integers(2, 6), many=st.integers(1, 9))
def test_the_loss_is_bounded_below_by_the_entropy_of_its_targets(
    seed: int, size: int, many: int
) -> None:
    """No scores fit targets better than the targets themselves."""
    generator = np.random.default_rng(seed)
    queries = to_unit(generator.normal(size=(many, 4)))[0]
    candidates = to_unit(generator.normal(size=(size, 4)))[0]
    targets = generator.dirichlet(np.ones(size), size=many)
    entropy = -(targets * np.log(np.maximum(targets, 1e-300))).sum(axis=1).mean()

    result = contrast(queries, candidates, targets, temperature=0.05)

    assert result.loss >= entropy - 1e-9


@given(
    seed=st.integers(0, 999),
    shrinkage=st.floats(0.01, 1),
    power=st.sampled_from([0.25, 0.5]),
    pairs=st.integers(1, 40),
)
def test_whitening_is_symmetric_and_positive(
    seed: int, shrinkage: float, power: float, pairs: int
) -> None:
    """It only scales directions, none away and none around."""
    rows = np.random.default_rng(seed).normal(size=(pairs, 5))

    matrix = whitening(rows, shrinkage=shrinkage, power=power)

    np.testing.assert_allclose(matrix.T, matrix, atol=1e-9)
    assert np.linalg.eigvalsh(matrix).min() > 0
    np.testing.assert_allclose(np.sqrt(5), np.linalg.norm(matrix))
