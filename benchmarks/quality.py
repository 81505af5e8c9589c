"""What tuning gains on real tasks, ours and others', on seen and unseen documents.

Run it as `python benchmarks/quality.py`; `--help` tells the rest.
Every task, method and seed runs in a fresh process, which tunes as a user would. Each
result is kept in a file of its own: what is there is not measured again, and a run that
was stopped goes on. The standard-library tasks are always there; the others are BEIR
folders. Methods whose packages are not installed are left out.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from statistics import fmean

from _measured import MEASURES, Result, Store, measured
from _methods import Method, is_installed, methods
from _table import Results
from _tasks import ROOT, task_names

THREADS = "1"
"""Of every numerical library, unless the environment says otherwise."""

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main() -> int:
    """Measure and print tables; return 1 if ours is surely below its base."""
    arguments = _arguments()
    store = Store(arguments.results)
    if arguments.one:
        name, method, seed = arguments.one
        result = measured(
            methods()[method],
            name,
            int(seed),
            data=arguments.data,
            cache=arguments.results / "cache" / f"{name}.db",
            most=arguments.most_pairs,
        )
        store.put(result)
        return 0
    results = Results(_results(store, arguments), methods())
    print(results.to_markdown())
    return 1 if results.surely_worse() else 0


def _results(store: Store, arguments: argparse.Namespace) -> list[Result]:
    results = []
    for name in arguments.tasks or task_names(arguments.data):
        for seed in arguments.seeds:
            for method in _chosen(arguments, name, seed):
                result = store.get(name, method.name, seed)
                if result is None and not arguments.table:
                    _run(name, method, seed)
                    result = store.get(name, method.name, seed)
                if result is not None:
                    results.append(result)
                    print(_in_short(result), file=sys.stderr, flush=True)
    return results


def _chosen(arguments: argparse.Namespace, name: str, seed: int) -> list[Method]:
    return [
        method
        for method in methods().values()
        if method.name in (arguments.methods or methods())
        and (
            not method.is_slow
            or (name in arguments.slow_tasks and seed in arguments.slow_seeds)
        )
        and (arguments.table or all(map(is_installed, method.needs)))
    ]


def _run(name: str, method: Method, seed: int) -> None:
    settings = {**dict.fromkeys(_THREAD_VARIABLES, THREADS), "HF_HUB_OFFLINE": "1"}
    subprocess.run(
        [sys.executable, *sys.argv, "--one", name, method.name, str(seed)],
        check=True,
        stdout=sys.stderr,
        env={**settings, **os.environ},
    )


def _in_short(result: Result) -> str:
    value = fmean(result.values[MEASURES[0]].values())
    return (
        f"{result.task}, {result.method}, seed {result.seed}:"
        f" {value:.4f}, {result.seconds:.1f} s"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data",
        type=Path,
        default=ROOT.parent / "shared" / "data",
        help="a folder of BEIR folders (default: %(default)s)",
    )
    parser.add_argument(
        "--results",
        type=Path,
        default=Path("runs/quality"),
        help="the folder of the results, and of the cache (default: %(default)s);"
        " remove a file to measure it once more",
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--tasks", nargs="+", help="some tasks only")
    parser.add_argument(
        "--methods", nargs="+", choices=list(methods()), help="some methods only"
    )
    parser.add_argument(
        "--slow-tasks",
        nargs="*",
        default=["stdlib", "banking77"],
        help="where methods run that embed every text by the transformer again and"
        " again (default: %(default)s)",
    )
    parser.add_argument("--slow-seeds", type=int, nargs="*", default=[0])
    parser.add_argument(
        "--most-pairs",
        type=int,
        default=1_000,
        help="the training queries of those methods (default: %(default)s)",
    )
    parser.add_argument(
        "--table", action="store_true", help="print what there is, measure nothing"
    )
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
