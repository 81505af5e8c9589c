"""Mining hard negatives beside sentence-transformers', on the same vectors.

Run it as `python benchmarks/mining.py`; `--help` tells the sizes. It needs
sentence-transformers and datasets. Each side runs in a fresh process of its own, gets
the same unit rows from memory as if a model had just made them, and the same settings;
its own defaults decide about everything else. The clock runs from the call to its
answer. Beside it stand the seconds of processor time, which tell more where other work
is running. The memory is that of the whole process.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

SPEED_GOAL = 3.0
"""How many times as fast as sentence-transformers, at least."""

MEMORY_GOAL = 3_000.0
"""Megabytes of our process, at most."""

_TIE = 1e-6  # scores that near are a tie in float32
_RELATIVE_MARGIN = 0.05
_TOPICS = 1_000


def main() -> int:
    """Measure and print; return 0 if the goals are reached."""
    arguments = _arguments()
    if arguments.only:
        print(json.dumps(_SIDES[arguments.only](arguments)))
        return 0
    version = importlib.metadata.version("sentence-transformers")
    print(
        f"{arguments.queries:,} queries, {arguments.documents:,} documents, dimension "
        f"{arguments.dimension}, {arguments.per_query} negatives a query, relative "
        f"margin {_RELATIVE_MARGIN}, the best {_last(arguments)} ranks"
    )
    seconds: dict[str, list[float]] = {name: [] for name in _SIDES}
    megabytes: dict[str, list[float]] = {name: [] for name in _SIDES}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(arguments.repeat):
            for name in _SIDES:
                found = _measured(name, Path(folder))
                seconds[name].append(found["seconds"])
                megabytes[name].append(found["megabytes"])
                print(
                    f"{name:24}{found['seconds']:9.1f} s"
                    f"{found['processor']:9.1f} s of processor time"
                    f"{found['megabytes']:9.0f} MB",
                    flush=True,
                )
        is_same = _compare(arguments, Path(folder))
    ours, theirs = (statistics.median(seconds[name]) for name in _SIDES)
    print(f"{theirs / ours:.2f} times as fast as sentence-transformers {version}")
    is_fast = theirs >= SPEED_GOAL * ours
    return 0 if is_same and is_fast and max(megabytes[_OURS]) < MEMORY_GOAL else 1


def _measured(name: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, __file__, *sys.argv[1:], "--only", name]
    command += ["--into", str(folder / f"{name}.npy")]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, float] = json.loads(output.splitlines()[-1])
    return found


def _last(arguments: argparse.Namespace) -> int:
    # What sentence-transformers chooses where there is a margin and one positive each.
    return int(10 * arguments.per_query + 1)


def _vectors(arguments: argparse.Namespace) -> tuple[np.ndarray, np.ndarray]:
    """Return queries and documents: topics, documents about them, queries for these."""
    rng = np.random.default_rng(0)
    shape = (arguments.documents, arguments.dimension)
    topics = rng.standard_normal((_TOPICS, arguments.dimension), dtype=np.float32)
    documents = topics[rng.integers(_TOPICS, size=shape[0])]
    documents += 0.8 * rng.standard_normal(shape, dtype=np.float32)
    queries = documents[np.arange(arguments.queries) % arguments.documents].copy()
    queries += 0.7 * rng.standard_normal(queries.shape, dtype=np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    documents /= np.linalg.norm(documents, axis=1, keepdims=True)
    return queries, documents


def _numbers(texts: Sequence[str]) -> list[int]:
    return [int(text.split()[1]) for text in texts]


def _answer(
    arguments: argparse.Namespace,
    started: tuple[float, float],
    ended: tuple[float, float],
    found: Mapping[int, Sequence[int]],
) -> dict[str, float]:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    table = np.full((arguments.queries, arguments.per_query), -1, np.int64)
    for query, documents in found.items():
        table[query, : len(documents)] = sorted(documents)
    np.save(arguments.into, table)
    seconds, processor = np.subtract(ended, started).tolist()
    return {"seconds": seconds, "processor": processor, "megabytes": peak}


def _ours(arguments: argparse.Namespace) -> dict[str, float]:
    import embedtune as et

    queries, documents = _vectors(arguments)

    class Known:
        """Gives rows that were made before."""

        name = fingerprint = "known"
        dimension = arguments.dimension

        def embed_queries(self, texts: Sequence[str]) -> np.ndarray:
            return queries[_numbers(texts)]

        def embed_documents(self, texts: Sequence[et.Document | str]) -> np.ndarray:
            strings = [t if isinstance(t, str) else t.text for t in texts]
            return documents[_numbers(strings)]

    dataset = et.TuningDataset(
        corpus={f"{i}": f"document {i}" for i in range(len(documents))},
        queries={f"{i}": f"query {i}" for i in range(len(queries))},
        train={f"{i}": {f"{i % len(documents)}": 1} for i in range(len(queries))},
    )
    started = time.perf_counter(), time.process_time()
    mined = et.mine_hard_negatives(
        dataset,
        Known(),
        per_query=arguments.per_query,
        rank_window=(0, _last(arguments)),
        relative_margin=_RELATIVE_MARGIN,
        near_duplicates=None,
    )
    ended = time.perf_counter(), time.process_time()
    table = {
        int(query): [int(doc_id) for doc_id, grade in row.items() if not grade]
        for query, row in mined.train.items()
    }
    return _answer(arguments, started, ended, table)


def _theirs(arguments: argparse.Namespace) -> dict[str, float]:
    import torch
    from datasets import Dataset
    from sentence_transformers import util

    queries, documents = _vectors(arguments)

    class Known:
        """Gives rows that were made before, and compares as a model does."""

        device = torch.device("cpu")
        similarity = staticmethod(util.dot_score)
        similarity_pairwise = staticmethod(util.pairwise_dot_score)

        def encode_query(self, texts: Sequence[str], **_: object) -> np.ndarray:
            return queries[_numbers(texts)]

        def encode_document(self, texts: Sequence[str], **_: object) -> np.ndarray:
            return documents[_numbers(texts)]

    pairs = Dataset.from_dict(
        {
            "query": [f"query {i}" for i in range(len(queries))],
            "document": [f"document {i % len(documents)}" for i in range(len(queries))],
        }
    )
    started = time.perf_counter(), time.process_time()
    mined = util.mine_hard_negatives(
        pairs,
        Known(),
        corpus=[f"document {i}" for i in range(len(documents))],
        num_negatives=arguments.per_query,
        range_max=_last(arguments),
        relative_margin=_RELATIVE_MARGIN,
        verbose=False,
    )
    ended = time.perf_counter(), time.process_time()
    table: dict[int, list[int]] = {}
    for query, document in zip(
        _numbers(mined["query"]), _numbers(mined["negative"]), strict=True
    ):
        table.setdefault(query, []).append(document)
    return _answer(arguments, started, ended, table)


def _compare(arguments: argparse.Namespace, folder: Path) -> bool:
    ours, theirs = (np.load(folder / f"{name}.npy") for name in _SIDES)
    different = np.flatnonzero((ours != theirs).any(axis=1))
    print(
        f"{(ours >= 0).sum():,} hard negatives found here, {(theirs >= 0).sum():,} there"
    )
    print(f"the same set for {len(ours) - len(different):,} of {len(ours):,} queries")
    if not different.size:
        return True
    queries, documents = _vectors(arguments)
    gaps = [
        _gap(queries[row], documents, ours[row], theirs[row])
        for row in different.tolist()
    ]
    print(f"in the others, scores differ by {max(gaps):.1e} at most")
    return max(gaps) <= _TIE


def _gap(
    query: np.ndarray, documents: np.ndarray, one: np.ndarray, other: np.ndarray
) -> float:
    """Return how far the scores of two sets are apart, place by place."""
    if (one >= 0).sum() != (other >= 0).sum():
        return float("inf")
    scores = [
        np.sort(documents[row[row >= 0]].astype(float) @ query.astype(float))
        for row in (one, other)
    ]
    return float(np.abs(scores[0] - scores[1]).max(initial=0))


_OURS = "embedtune"
_SIDES: dict[str, Callable[[argparse.Namespace], dict[str, float]]] = {
    _OURS: _ours,
    "sentence-transformers": _theirs,
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=100_000)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--per-query", type=int, default=4)
    parser.add_argument("--repeat", type=int, default=1, help="medians of as many runs")
    parser.add_argument("--only", choices=_SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
