"""Many queries against a large corpus that passes by: seconds, and memory in all.

Run it as `python benchmarks/large_search.py`; `--help` tells the sizes.
The documents are made block by block from a seed, as an embedder would give them, and
are dropped after they were searched, so that the peak is that of the whole process.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Iterator

import numpy as np

from embedtune.evaluation.search import RunningTopK

MEMORY_GOAL = 4 * 2**30
"""Peak memory of the whole process in bytes, at most."""

_PLANTED = 1_000  # every so many documents, one lies close to a query
_BLOCK = 8_192


def main() -> int:
    """Search and print; return 0 if the goal is reached and the result is right."""
    sizes = _arguments()
    queries = _unit_rows(sizes.queries, sizes.dimension, seed=0)
    search = RunningTopK(queries, sizes.hits)
    making = searching = 0.0
    began = time.perf_counter()
    for rows in _blocks(queries, sizes.documents):
        made = time.perf_counter()
        search.add(rows)
        making += made - began
        began = time.perf_counter()
        searching += began - made
    indices, _ = search.result()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    planted = np.arange(0, sizes.documents, _PLANTED)
    owners = (planted // _PLANTED) % sizes.queries
    found = np.mean(
        [(indices[q] == d).any() for q, d in zip(owners, planted, strict=True)]
    )
    print(
        f"{sizes.queries:,} queries, {sizes.documents:,} documents, dimension "
        f"{sizes.dimension}, the first {sizes.hits}: {searching:.1f} s to search, "
        f"{making:.1f} s to make the rows, {peak / 2**20:,.0f} MB at the peak; "
        f"{100 * found:g} % of {len(planted):,} planted documents found"
    )
    return 0 if peak < MEMORY_GOAL and found == 1 else 1


def _blocks(queries: np.ndarray, documents: int) -> Iterator[np.ndarray]:
    for start in range(0, documents, _BLOCK):
        size = min(_BLOCK, documents - start)
        rows = _unit_rows(size, queries.shape[1], seed=1 + start)
        first = -start % _PLANTED
        places = np.arange(first, size, _PLANTED)
        owners = ((start + places) // _PLANTED) % len(queries)
        rows[places] = queries[owners]
        yield rows


def _unit_rows(count: int, dimension: int, *, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((count, dimension), dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--documents", type=int, default=500_000)
    parser.add_argument("--dimension", type=int, default=768)
    parser.add_argument("--hits", type=int, default=100)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
