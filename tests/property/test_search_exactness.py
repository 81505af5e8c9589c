"""Search in blocks against the definition."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from embedtune.evaluation.search import RunningTopK, top_k


@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 12), st.integers(1, 60), st.integers(1, 40)),
    k=st.integers(1, 70),
    block_bytes=st.integers(1, 20_000),
    distinct=st.integers(1, 60),
    values=st.sampled_from([2, 5, 1_000]),
)
def test_equals_a_stable_sort(
    seed: int,
    shape: tuple[int, int, int],
    k: int,
    block_bytes: int,
    distinct: int,
    values: int,
) -> None:
    """For any shape, block, number of duplicates and ties, the result is exact."""
    queries_count, documents_count, dimension = shape
    rng = np.random.default_rng(seed)
    pool = rng.integers(-values, values + 1, (distinct, dimension)) / 8
    queries = (
        rng.integers(-values, values + 1, (queries_count, dimension)) / 8
    ).astype(np.float32)
    documents = pool[rng.integers(distinct, size=documents_count)].astype(np.float32)
    scores = queries.astype(np.float64) @ documents.astype(np.float64).T
    scores = scores.astype(np.float32)
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :k]

    indices, found = top_k(queries, documents, k, block_bytes=block_bytes)

    assert expected.tolist() == indices.tolist()
    assert np.take_along_axis(scores, expected, axis=1).tolist() == found.tolist()


@given(
    seed=st.integers(0, 2**32 - 1),
    cuts=st.lists(st.integers(0, 80), max_size=6),
    k=st.integers(1, 90),
)
def test_any_parts(seed: int, cuts: list[int], k: int) -> None:
    """Documents that arrive in any parts are found as if they came at once."""
    rng = np.random.default_rng(seed)
    queries = rng.standard_normal((5, 9)).astype(np.float32)
    documents = rng.standard_normal((80, 9)).astype(np.float32)
    search = RunningTopK(queries, k)

    borders = [0, *sorted(cuts), 80]
    for start, end in itertools.pairwise(borders):
        search.add(documents[start:end])

    indices, scores = search.result()
    whole = top_k(queries, documents, k)
    assert whole[0].tolist() == indices.tolist()
    assert whole[1].tolist() == scores.tolist()
