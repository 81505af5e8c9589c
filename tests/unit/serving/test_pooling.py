"""Tokens to unit rows."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from embedtune.errors import DataError
from embedtune.serving.pooling import TokenBags, blank_row, pool


def bags_of(*texts: list[int]) -> TokenBags:
    """Return the bags of texts given as lists of tokens."""
    lengths = [0, *map(len, texts)]
    ids = np.array([i for text in texts for i in text], dtype=np.int32)
    return TokenBags(ids=ids, starts=np.cumsum(lengths, dtype=np.int64))


def random_texts(lengths: list[int], tokens: int, seed: int) -> list[list[int]]:
    """Return texts of these lengths, the same in each run."""
    generator = np.random.default_rng(seed)
    return [generator.integers(0, tokens, n).tolist() for n in lengths]


def plain_rows(table: np.ndarray, texts: list[list[int]]) -> np.ndarray:
    """Return the rows by their definition, in float64."""
    means = np.stack([table[text].astype(np.float64).mean(axis=0) for text in texts])
    return means / np.linalg.norm(means, axis=1, keepdims=True)


@pytest.mark.parametrize("dimension", [1, 2, 7, 64, 300])
def test_rows_are_normalised_means(dimension: int) -> None:
    """A row is the mean of the token rows over its norm, whatever the texts' lengths."""
    table = np.random.default_rng(0).standard_normal((50, dimension), dtype=np.float32)
    texts = random_texts([1, 2, 3, 255, 256, 257, 5, 5000, 1, 512, 90, 90, 90], 50, 1)

    rows = pool(table, bags_of(*texts))

    assert np.float32 == rows.dtype
    assert np.allclose(plain_rows(table, texts), rows, atol=1e-6)


def test_rows_do_not_depend_on_company() -> None:
    """A text has the same row to the last bit, alone and among any others."""
    table = np.random.default_rng(0).standard_normal((99, 33), dtype=np.float32)
    lengths = [*np.random.default_rng(1).integers(0, 60, 700), 4100, 0, 256]
    texts = random_texts(lengths, 99, 2)

    together = pool(table, bags_of(*texts))
    alone = np.concatenate([pool(table, bags_of(text)) for text in texts])

    assert np.array_equal(alone, together)


def test_long_texts_are_exact() -> None:
    """Rounding errors do not grow with the length of a text."""
    table = np.random.default_rng(0).standard_normal((50, 64), dtype=np.float32)
    text = [1, 2, 3] * 30_000

    assert np.allclose(plain_rows(table, [text]), pool(table, bags_of(text)), atol=1e-6)


def test_no_texts_no_rows() -> None:
    """No texts give a matrix without rows that still has a width."""
    assert (0, 5) == pool(np.ones((3, 5), np.float32), bags_of()).shape


def test_texts_without_tokens_share_a_row() -> None:
    """Empty texts get one unit row, opposite to the table's mean, wherever they are."""
    table = np.array([[1, 0], [1, 2]], dtype=np.float32)

    rows = pool(table, bags_of([], [0], [], [], [1], []))

    opposite = np.array([-1, -1], dtype=np.float32) / np.sqrt(np.float32(2))
    assert np.allclose(opposite, rows[[0, 2, 3, 5]])
    assert np.array_equal(blank_row(table), rows[0])
    assert np.allclose([1, 0], rows[1])


def test_tokens_that_cancel_out() -> None:
    """A text whose rows sum to zero gets the row of a text without tokens."""
    table = np.array([[3, 0], [-3, 0], [0, 4]], dtype=np.float32)

    rows = pool(table, bags_of([0, 1], [2, 0, 1]))

    assert np.allclose([[0, -1], [0, 1]], rows)


def test_blank_row_of_a_centred_table() -> None:
    """A table whose mean is zero gives the first axis for texts without tokens."""
    table = np.array([[3, 1], [-3, -1]], dtype=np.float32)

    assert [1.0, 0.0] == blank_row(table).tolist()


def test_given_blank_row() -> None:
    """The caller may say what a text without tokens gets."""
    blank = np.array([0, 1], dtype=np.float32)

    assert [[0, 1]] == pool(
        np.eye(2, dtype=np.float32), bags_of([]), blank=blank
    ).tolist()


@pytest.mark.parametrize("scale", [1e-42, 1e-30, 1e-16, 1e16, 1e30, 1e37])
def test_extreme_tables(scale: float) -> None:
    """Rows are of norm 1 where the squares of the table leave the range of float32."""
    table = np.array([[3, 4], [4, 3], [8, 6]]) * scale

    rows = pool(table.astype(np.float32), bags_of([0], [1, 2], [0, 1]))

    assert np.allclose(1, np.linalg.norm(rows, axis=1), atol=1e-6)
    assert np.allclose(
        [[0.6, 0.8], [0.8, 0.6]], rows[:2], atol=2e-2 if scale < 1e-38 else 1e-6
    )


@pytest.mark.parametrize("token", [-1, 3])
def test_unknown_token_numbers(token: int) -> None:
    """A token without a row is refused, not read from another row."""
    with pytest.raises(DataError, match="table of 3 rows"):
        pool(np.eye(3, dtype=np.float32), bags_of([0, token]))


def test_long_text_needs_little_memory() -> None:
    """A text of 400,000 tokens does not gather 400,000 rows at once."""
    table = np.random.default_rng(0).standard_normal((100, 256), dtype=np.float32)
    bags = bags_of(random_texts([400_000], 100, 3)[0])

    tracemalloc.start()
    try:
        pool(table, bags)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 2_000_000
