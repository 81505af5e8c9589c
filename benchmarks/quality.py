"""What local tuning gains on real tasks: base and tuned, seen and unseen documents.

Run it as `python benchmarks/quality.py`; `--help` tells the rest.
Every task and seed runs in a fresh process of its own, which tunes as a user would.
The standard-library task is always there; the others are BEIR folders.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, pstdev

import embedtune as et
from embedtune.evaluation.groups import seen_and_unseen

ROOT = Path(__file__).resolve().parents[1]
MEASURES = ("nDCG@10", "R@10")
STDLIB = {"stdlib": False, "stdlib-two": True}
"""The standard-library tasks: with one query a document, and with up to two."""

_MOST_TRAIN_QUERIES = 4_000
_TEST_SHARE = 0.25
_GROUPS = ("all", "seen", "unseen")
_MEGABYTE_OF_KILOBYTES = 1024


@dataclass(frozen=True)
class Result:
    """One task tuned with one seed.

    The tables are by group of queries, then by measure; a group without queries is
    left out.
    """

    task: str
    seed: int
    train_queries: int
    queries: dict[str, int]
    base: dict[str, dict[str, float]]
    tuned: dict[str, dict[str, float]]
    interval: dict[str, list[float]]  # of the difference in nDCG@10
    is_base: bool
    seconds: float
    megabytes: float


def main() -> int:
    """Measure and print a table; return 1 if a task surely lost on unseen documents."""
    arguments = _arguments()
    if arguments.one:
        name, seed = arguments.one
        print(json.dumps(asdict(_measure(name, int(seed), arguments.data))))
        return 0
    results = {}
    for name in arguments.tasks or _task_names(arguments.data):
        results[name] = [_in_a_process(name, s, arguments) for s in arguments.seeds]
        for result in results[name]:
            print(f"{name} seed {result.seed}: {_in_short(result)}", file=sys.stderr)
    print(_table(results))
    losses = [
        f"{result.task} seed {result.seed}"
        for of_task in results.values()
        for result in of_task
        if "unseen" in result.interval and result.interval["unseen"][1] < 0
    ]
    if losses:
        print(f"surely below the base on unseen documents: {', '.join(losses)}")
    return 1 if losses else 0


def _measure(name: str, seed: int, data: Path) -> Result:
    dataset = _task(name, seed, data)
    with tempfile.TemporaryDirectory() as runs:
        start = time.perf_counter()
        model = et.LocalTuner(runs, seed=seed).submit(dataset).result()
        seconds = time.perf_counter() - start
        base = et.evaluate(et.LocalEmbedder(), dataset, measures=MEASURES)
        tuned = et.evaluate(model.embedder(), dataset, measures=MEASURES)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    groups = {"all": tuple(base.per_query[MEASURES[0]]), **seen_and_unseen(dataset)}
    groups = {key: ids for key, ids in groups.items() if ids}
    interval = {}
    for key, ids in groups.items():
        difference = et.compare(base.subset(ids), tuned.subset(ids))[MEASURES[0]]
        interval[key] = [difference.interval.low, difference.interval.high]
    return Result(
        task=name,
        seed=seed,
        train_queries=len(dataset.train),
        queries={key: len(ids) for key, ids in groups.items()},
        base={key: _means(base.subset(ids)) for key, ids in groups.items()},
        tuned={key: _means(tuned.subset(ids)) for key, ids in groups.items()},
        interval=interval,
        is_base=model.is_base,
        seconds=seconds,
        megabytes=peak / _MEGABYTE_OF_KILOBYTES,
    )


def _task(name: str, seed: int, data: Path) -> et.TuningDataset:
    if name in STDLIB:
        dataset = et.stdlib_dataset(second_queries=STDLIB[name])
        return dataset.split(test=_TEST_SHARE, seed=seed)
    dataset = et.TuningDataset.from_beir(data / name)
    if len(dataset.train) <= _MOST_TRAIN_QUERIES:
        return dataset
    # A part of the labels, as where the figures to compare with come from.
    import numpy as np

    kept = np.random.default_rng(seed).permutation(sorted(dataset.train))
    return et.TuningDataset(
        corpus=dataset.corpus,
        queries=dataset.queries,
        train={key: dataset.train[key] for key in kept[:_MOST_TRAIN_QUERIES].tolist()},
        test=dataset.test,
    )


def _task_names(data: Path) -> list[str]:
    folders = sorted(path.parent.name for path in data.glob("*/corpus.jsonl"))
    if not folders:
        print(f"no BEIR folders in {str(data)!r}; --data names others", file=sys.stderr)
    return [*STDLIB, *folders]


def _in_a_process(name: str, seed: int, arguments: argparse.Namespace) -> Result:
    command = [sys.executable, __file__, "--data", str(arguments.data)]
    done = subprocess.run(
        [*command, "--one", name, str(seed)], check=True, stdout=subprocess.PIPE
    )
    return Result(**json.loads(done.stdout))


def _means(report: et.EvaluationReport) -> dict[str, float]:
    return {measure: report[measure] for measure in MEASURES}


def _in_short(result: Result) -> str:
    parts = [
        f"{key} {result.base[key]['nDCG@10']:.4f} -> {result.tuned[key]['nDCG@10']:.4f}"
        for key in result.base
    ]
    kept = ", the base was kept" if result.is_base else ""
    return f"{', '.join(parts)}, {result.seconds:.1f} s{kept}"


def _table(results: dict[str, list[Result]]) -> str:
    lines = [
        (
            "| task | train queries | documents | test queries | nDCG@10 base | tuned"
            " | gain | R@10 base | tuned | seconds | MB |"
        ),
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, of_task in results.items():
        for group in _GROUPS:
            rows = [result for result in of_task if group in result.base]
            if rows:
                lines.append(_row(name if group == "all" else "", group, rows))
    return "\n".join(lines)


def _row(name: str, group: str, rows: Sequence[Result]) -> str:
    base, base_recall = (fmean(r.base[group][m] for r in rows) for m in MEASURES)
    tuned = [r.tuned[group]["nDCG@10"] for r in rows]
    gains = [r.tuned[group]["nDCG@10"] - r.base[group]["nDCG@10"] for r in rows]
    spread = f" ± {pstdev(tuned):.4f}" if len(rows) > 1 else ""
    cells = [
        name,
        f"{fmean(r.train_queries for r in rows):,.0f}" if name else "",
        group,
        f"{fmean(r.queries[group] for r in rows):,.0f}",
        f"{base:.4f}",
        f"{fmean(tuned):.4f}{spread}",
        f"{fmean(gains):+.4f}",
        f"{base_recall:.3f}",
        f"{fmean(r.tuned[group]['R@10'] for r in rows):.3f}",
        f"{fmean(r.seconds for r in rows):.1f}" if name else "",
        f"{fmean(r.megabytes for r in rows):.0f}" if name else "",
    ]
    return f"| {' | '.join(cells)} |"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data",
        type=Path,
        default=ROOT.parent / "shared" / "data",
        help="a folder of BEIR folders (default: %(default)s)",
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--tasks", nargs="+", help="some tasks only")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
