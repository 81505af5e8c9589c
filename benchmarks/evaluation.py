"""Exact search, intervals and measures: time and memory, beside the obvious way.

Run it as `python benchmarks/evaluation.py`; `--help` tells the sizes.
Everything measured runs in a fresh process of its own, on random unit rows.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

COMPARE_GOAL = 0.5
"""Seconds to compare one measure of 1,000 queries by 10,000 resamples, at most."""

RATIO_GOAL = 3.0
"""How many times as long ir_measures takes for its first call, at least."""

_MEGABYTE = 2**20
_HITS = 100
_ROUNDS = 5  # of what is short; a median is shown


@dataclass(frozen=True)
class Sizes:
    """How much is searched."""

    queries: int
    documents: int
    dimension: int


def main() -> int:
    """Measure and print; return 0 if the goal is reached."""
    arguments = _arguments()
    sizes = Sizes(arguments.queries, arguments.documents, arguments.dimension)
    if arguments.only:
        print(json.dumps(_CASES[arguments.only](sizes)))
        return 0
    print(
        f"{sizes.queries:,} queries, {sizes.documents:,} documents, "
        f"dimension {sizes.dimension}"
    )
    print(f"searches once, the others the median of {_ROUNDS}, in fresh processes")
    print(f"{'':42}{'seconds':>9}{'MB more':>9}")
    found = {}
    for name in _CASES:
        times = 1 if name in _SEARCHES else _ROUNDS
        rounds = [_measured(name, sizes) for _ in range(times)]
        found[name] = statistics.median(each["seconds"] for each in rounds)
        more = statistics.median(each["more"] for each in rounds)
        print(f"{name:42}{found[name]:9.3f}{more:9.0f}")
    ratio = found["3 measures, ir_measures"] / found["3 measures of 100 hits"]
    print(f"first call for 3 measures: ir_measures takes {ratio:.1f} times as long")
    is_good = found["compare, one measure"] <= COMPARE_GOAL and ratio >= RATIO_GOAL
    return 0 if is_good else 1


def _unit_rows(count: int, dimension: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows = np.empty((count, dimension), np.float32)
    for start in range(0, count, 10_000):  # or making them would be the peak
        part = rows[start : start + 10_000]
        rng.standard_normal(out=part, dtype=np.float32)
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return rows


def _timed(work: Callable[[], object]) -> dict[str, float]:
    before = _peak()
    started = time.perf_counter()
    work()
    return {"seconds": time.perf_counter() - started, "more": _peak() - before}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / _MEGABYTE


def _search(sizes: Sizes, k: int) -> dict[str, float]:
    from embedtune.evaluation.search import top_k

    queries = _unit_rows(sizes.queries, sizes.dimension, 0)
    documents = _unit_rows(sizes.documents, sizes.dimension, 1)
    return _timed(lambda: top_k(queries, documents, k))


def _whole_matrix(sizes: Sizes) -> dict[str, float]:
    queries = _unit_rows(sizes.queries, sizes.dimension, 0)
    documents = _unit_rows(sizes.documents, sizes.dimension, 1)

    def work() -> None:
        scores = queries @ documents.T
        best = np.argpartition(-scores, _HITS, axis=1)[:, :_HITS]
        found = np.take_along_axis(scores, best, axis=1)
        order = np.argsort(-found, axis=1, kind="stable")
        np.take_along_axis(best, order, axis=1)

    return _timed(work)


def _products_alone(sizes: Sizes) -> dict[str, float]:
    queries = _unit_rows(sizes.queries, sizes.dimension, 0)
    documents = _unit_rows(sizes.documents, sizes.dimension, 1)
    block = 16_384
    out = np.empty((sizes.queries, block), np.float32)

    def work() -> None:
        for start in range(0, sizes.documents, block):
            part = documents[start : start + block]
            np.matmul(queries, part.T, out=out[:, : len(part)])

    return _timed(work)


def _interval(sizes: Sizes) -> dict[str, float]:
    from embedtune.evaluation.bootstrap import paired_interval

    base, tuned = np.random.default_rng(0).random((2, sizes.queries))
    return _timed(lambda: paired_interval(base, tuned))


def _p_value(sizes: Sizes) -> dict[str, float]:
    from embedtune.evaluation.bootstrap import randomisation_p_value

    base, tuned = np.random.default_rng(0).random((2, sizes.queries))
    return _timed(lambda: randomisation_p_value(base, tuned))


def _compare(sizes: Sizes) -> dict[str, float]:
    from embedtune.evaluation.comparison import compare
    from embedtune.evaluation.external import evaluate_run

    run, qrels = _run(sizes)
    base, tuned = (
        evaluate_run(dict(list(run.items())[skipped:]), qrels, measures="nDCG@10")
        for skipped in (20, 10)
    )
    return _timed(lambda: compare(base, tuned))


def _run(sizes: Sizes) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, int]]]:
    rng = np.random.default_rng(0)
    run, qrels = {}, {}
    for number in range(sizes.queries):
        documents = rng.choice(sizes.documents, _HITS, replace=False)
        scores = np.sort(rng.random(_HITS))[::-1]  # best first, as a search gives them
        pairs = zip(documents, scores.tolist(), strict=True)
        run[f"q{number}"] = {f"d{d}": score for d, score in pairs}
        judged = [*documents[rng.integers(0, _HITS, 3)], *rng.integers(0, 99, 3)]
        qrels[f"q{number}"] = {f"d{d}": int(rng.integers(0, 3)) for d in judged}
    return run, qrels


_THREE = ("nDCG@10", "RR@10", "R@10")
_SIX = ("nDCG@10", "R@100", "RR@10", "AP@100", "P@5", "Success@5")


def _our_measures(sizes: Sizes, names: tuple[str, ...]) -> dict[str, float]:
    from embedtune.evaluation.external import evaluate_run

    run, qrels = _run(sizes)
    return _timed(lambda: evaluate_run(run, qrels, measures=names).means)


def _their_measures(sizes: Sizes, names: tuple[str, ...]) -> dict[str, float]:
    import ir_measures

    run, qrels = _run(sizes)
    measures = [ir_measures.parse_measure(name) for name in names]
    return _timed(lambda: ir_measures.calc_aggregate(measures, qrels, run))


_SEARCHES: dict[str, Callable[[Sizes], dict[str, float]]] = {
    "top 10": partial(_search, k=10),
    "top 100": partial(_search, k=_HITS),
    "top 100, whole matrix, argpartition": _whole_matrix,
    "matrix products alone": _products_alone,
}
_CASES: dict[str, Callable[[Sizes], dict[str, float]]] = {
    **_SEARCHES,
    "interval": _interval,
    "p-value": _p_value,
    "compare, one measure": _compare,
    "3 measures of 100 hits": partial(_our_measures, names=_THREE),
    "3 measures, ir_measures": partial(_their_measures, names=_THREE),
    "6 measures of 100 hits": partial(_our_measures, names=_SIX),
    "6 measures, ir_measures": partial(_their_measures, names=_SIX),
}


def _measured(name: str, sizes: Sizes) -> dict[str, float]:
    command = [sys.executable, __file__, "--only", name]
    for option in ("queries", "documents", "dimension"):
        command += [f"--{option}", str(getattr(sizes, option))]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--documents", type=int, default=200_000)
    parser.add_argument("--dimension", type=int, default=256)
    parser.add_argument("--only", choices=_CASES, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
