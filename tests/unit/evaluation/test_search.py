"""Exact search in blocks."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from embedtune.errors import DataError, DimensionMismatchError
from embedtune.evaluation.search import RunningTopK, pair_scores, top_k
from embedtune.types import FloatMatrix


def unit_rows(count: int, dimension: int, seed: int) -> FloatMatrix:
    """Return random unit rows."""
    rows = np.random.default_rng(seed).standard_normal((count, dimension))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def brute_force(
    queries: FloatMatrix, documents: FloatMatrix, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return what the definition says: float64 products, a stable sort."""
    scores = queries.astype(np.float64) @ documents.astype(np.float64).T
    scores = scores.astype(np.float32)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(scores, order, axis=1)


def test_best_first_and_ties_by_lower_index() -> None:
    """Hits come best first, and equal scores in the order of the documents."""
    queries = np.array([[1, 0]], np.float32)
    documents = np.array([[0, 1], [1, 0], [0, 1], [1, 0]], np.float32)

    indices, scores = top_k(queries, documents, 3)

    assert [[1, 3, 0]] == indices.tolist()
    assert [[1.0, 1.0, 0.0]] == scores.tolist()


@pytest.mark.parametrize("block_bytes", [1, 100, 5_000, 10**6, 10**9])
def test_blocks_change_nothing(block_bytes: int) -> None:
    """Result and scores are bit for bit the same for any size of block."""
    queries, documents = unit_rows(37, 24, 0), unit_rows(501, 24, 1)
    documents[400:] = documents[:101]  # exact duplicates in other blocks
    expected = brute_force(queries, documents, 12)

    indices, scores = top_k(queries, documents, 12, block_bytes=block_bytes)

    assert expected[0].tolist() == indices.tolist()
    assert np.allclose(expected[1], scores, rtol=0, atol=1e-7)
    assert scores.tolist() == top_k(queries, documents, 12)[1].tolist()


def test_equal_documents_have_equal_scores_wherever_they_stand() -> None:
    """A document's score depends on its content, not on its place in a block."""
    documents = np.repeat(unit_rows(1, 257, 3), 1_000, axis=0)
    queries = unit_rows(5, 257, 4)

    indices, scores = top_k(queries, documents, 20, block_bytes=20_000)

    assert [list(range(20))] * 5 == indices.tolist()
    assert np.array_equal(scores, np.repeat(scores[:, :1], 20, axis=1))


def test_pairs_have_the_scores_of_hits() -> None:
    """A pair scored alone has the score that the search gives it, bit for bit."""
    queries, documents = unit_rows(21, 33, 0), unit_rows(700, 33, 1)
    indices, scores = top_k(queries, documents, 40)
    rows = np.repeat(np.arange(21), 40)

    found = pair_scores(queries, documents, rows, indices.ravel())

    assert scores.ravel().tolist() == found.tolist()


def test_documents_sorted_by_score() -> None:
    """Each block better than all before it, or worse, is as good as any order."""
    queries = np.ones((3, 1), np.float32)
    rising = np.linspace(-1, 1, 9_000, dtype=np.float32)[:, None]

    up, _ = top_k(queries, rising, 60, block_bytes=60_000)
    down, _ = top_k(queries, rising[::-1], 60, block_bytes=60_000)

    assert list(range(8_999, 8_939, -1)) == up[0].tolist()
    assert list(range(60)) == down[0].tolist()


def test_more_hits_than_documents() -> None:
    """A k above the number of documents gives them all, ranked."""
    queries, documents = unit_rows(3, 8, 0), unit_rows(5, 8, 1)

    indices, scores = top_k(queries, documents, 50)

    assert brute_force(queries, documents, 5)[0].tolist() == indices.tolist()
    assert (3, 5) == scores.shape


def test_documents_that_pass_by() -> None:
    """Documents added in parts, fewer than k among them, are numbered through."""
    queries, documents = unit_rows(9, 16, 0), unit_rows(100, 16, 1)
    search = RunningTopK(queries, 10)

    for start, end in ((0, 3), (3, 3), (3, 20), (20, 100)):
        search.add(documents[start:end])

    assert 100 == search.seen
    assert top_k(queries, documents, 10)[0].tolist() == search.result()[0].tolist()


@pytest.mark.parametrize(("queries", "documents"), [(0, 5), (3, 0), (0, 0)])
def test_nothing_to_search(queries: int, documents: int) -> None:
    """No queries or no documents give empty results of the right shape."""
    indices, scores = top_k(unit_rows(queries, 4, 0), unit_rows(documents, 4, 1), 3)

    assert (queries, min(3, documents)) == indices.shape == scores.shape


def test_rows_longer_than_one() -> None:
    """The margin for rounding holds for rows of any length, not for unit rows only."""
    rng = np.random.default_rng(5)
    queries = (rng.standard_normal((11, 32)) * 1e6).astype(np.float32)
    lengths = 10.0 ** rng.integers(-5, 6, (300, 1))
    documents = (rng.standard_normal((300, 32)) * lengths).astype(np.float32)

    indices, _ = top_k(queries, documents, 7, block_bytes=3_000)

    assert brute_force(queries, documents, 7)[0].tolist() == indices.tolist()


def test_near_ties_are_told_apart() -> None:
    """Scores that differ by one unit in the last place come in their true order."""
    rng = np.random.default_rng(6)
    row = unit_rows(1, 300, 7)
    noise = (rng.integers(-2, 3, (2_000, 300)) * 2.0**-26).astype(np.float32)
    documents = row + noise
    expected = brute_force(row, documents, 50)

    indices, scores = top_k(row, documents, 50, block_bytes=40_000)

    assert expected[0].tolist() == indices.tolist()
    assert expected[1].tolist() == scores.tolist()


def test_float64_input_is_rounded_once() -> None:
    """Rows in float64 are searched as their float32 values."""
    queries, documents = unit_rows(4, 8, 0), unit_rows(9, 8, 1)

    indices, scores = top_k(
        queries.astype(np.float64),  # type: ignore[arg-type]
        documents.astype(np.float64),  # type: ignore[arg-type]
        3,
    )

    assert top_k(queries, documents, 3)[0].tolist() == indices.tolist()
    assert np.float32 == scores.dtype


def test_dimensions_must_agree() -> None:
    """Rows of another length are refused before anything is computed."""
    with pytest.raises(
        DimensionMismatchError, match=r"dimension 3, queries have 4"
    ) as e:
        top_k(unit_rows(2, 4, 0), unit_rows(2, 3, 1), 1)

    assert (4, 3) == (e.value.expected, e.value.actual)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_only_finite_numbers(wrong: float) -> None:
    """NaN and infinity are refused on both sides, with the first row named."""
    good, bad = unit_rows(4, 4, 0), unit_rows(4, 4, 0)
    bad[2, 1] = wrong

    with pytest.raises(DataError, match=r"'documents'.* 1 of 4 rows .*row 2"):
        top_k(good, bad, 1)
    with pytest.raises(DataError, match=r"'queries'.*row 2"):
        top_k(bad, good, 1)


def test_refused_documents_leave_no_trace() -> None:
    """After an error the search is as before."""
    search = RunningTopK(unit_rows(2, 4, 0), 3)
    search.add(unit_rows(5, 4, 1))
    before = search.result()
    broken = unit_rows(5, 4, 2)
    broken[4] = np.nan

    with pytest.raises(DataError):
        search.add(broken)

    assert 5 == search.seen
    assert before[0].tolist() == search.result()[0].tolist()


def test_overflow_is_refused() -> None:
    """Products beyond float32 are an error, never an infinite score."""
    huge = np.full((1, 4), 1e30, np.float32)

    with pytest.raises(DataError, match="too long"):
        top_k(huge, huge, 1)


@pytest.mark.parametrize(
    ("k", "block_bytes", "name"), [(0, 10, "k"), (1, 0, "block_bytes")]
)
def test_arguments(k: int, block_bytes: int, name: str) -> None:
    """Counts below 1 are refused by name."""
    rows = unit_rows(2, 2, 0)

    with pytest.raises(ValueError, match=f"'{name}' must be >= 1"):
        top_k(rows, rows, k, block_bytes=block_bytes)


def test_a_single_vector_is_no_matrix() -> None:
    """A vector is refused; it could be one query or many of dimension 1."""
    with pytest.raises(ValueError, match=r"'queries' must be a matrix"):
        top_k(np.ones(3, np.float32), np.ones((2, 3), np.float32), 1)


def test_memory_does_not_grow_with_the_corpus() -> None:
    """Fifty times the block's documents pass by in the memory of a few blocks."""
    queries = unit_rows(64, 32, 0)
    search = RunningTopK(queries, 10, block_bytes=2**20)
    part = unit_rows(4_000, 32, 1)
    tracemalloc.start()
    for _ in range(25):
        search.add(part)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert 100_000 == search.seen
    assert peak < 6 * 2**20  # all scores at once take 26 MB, all documents 13 MB
