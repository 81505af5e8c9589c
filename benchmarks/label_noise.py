"""What wrong training labels do: the gain of tuning by the share of random labels.

Run it as `python benchmarks/label_noise.py`; `--help` tells the rest.
A share of the training queries gets a random document instead of its own; the test
labels stay right. Tuned is `LocalTuner`, or `AdapterTuner` over `LocalEmbedder`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

import embedtune as et

ROOT = Path(__file__).resolve().parents[1]
TUNERS = ("local", "query", "shared", "both")
MEASURE = "nDCG@10"

_MOST_TRAIN_QUERIES = 4_000


def main() -> int:
    """Measure and print a table; return 1 if something was surely below the base."""
    arguments = _arguments()
    print("| task | random labels | tuner | seed | base | tuned | difference, 95 % |")
    print("|---|---|---|---|---|---|---|")
    losses = 0
    for task in arguments.tasks:
        for seed in arguments.seeds:
            dataset = _task(task, seed, arguments.data)
            for share in arguments.shares:
                wrong = noisy(dataset, share, seed)
                for tuner in arguments.tuners:
                    row, is_loss = _measure(wrong, tuner, seed)
                    losses += is_loss
                    print(f"| {task} | {share:.0%} | {tuner} | {seed} | {row} |")
    if losses:
        print(f"{losses} surely below the base")
    return 1 if losses else 0


def noisy(dataset: et.TuningDataset, share: float, seed: int) -> et.TuningDataset:
    """Give a share of the training queries a random document instead of theirs."""
    generator = np.random.default_rng([seed, 7])
    queries, documents = sorted(dataset.train), sorted(dataset.corpus)
    wrong = generator.permutation(queries)[: round(share * len(queries))].tolist()
    drawn = generator.choice(documents, len(wrong)).tolist()
    labels = {query: {doc: 1} for query, doc in zip(wrong, drawn, strict=True)}
    return et.TuningDataset(
        corpus=dataset.corpus,
        queries=dataset.queries,
        train={**dataset.train, **labels},
        test=dataset.test,
    )


def _measure(dataset: et.TuningDataset, name: str, seed: int) -> tuple[str, bool]:
    embedder = et.LocalEmbedder()
    with tempfile.TemporaryDirectory() as runs:
        tuner: et.Tuner = (
            et.LocalTuner(runs, seed=seed)
            if name == "local"
            else et.AdapterTuner(embedder, runs, mode=name, seed=seed, progress=False)
        )
        model = tuner.submit(dataset).result()
        tuned = et.evaluate(
            model.embedder(), dataset, measures=(MEASURE,), progress=False
        )
    base = et.evaluate(embedder, dataset, measures=(MEASURE,), progress=False)
    if model.is_base:
        return f"{base[MEASURE]:.4f} | the base | 0", False
    interval = et.compare(base, tuned)[MEASURE].interval
    gain = tuned[MEASURE] - base[MEASURE]
    row = (
        f"{base[MEASURE]:.4f} | {tuned[MEASURE]:.4f} |"
        f" {gain:+.4f} ({interval.low:+.4f} to {interval.high:+.4f})"
    )
    return row, interval.high < 0


def _task(name: str, seed: int, data: Path) -> et.TuningDataset:
    if name == "stdlib":
        return et.stdlib_dataset().split(test=0.25, seed=seed)
    dataset = et.TuningDataset.from_beir(data / name)
    kept = np.random.default_rng(seed).permutation(sorted(dataset.train))
    kept = kept[:_MOST_TRAIN_QUERIES].tolist()
    return et.TuningDataset(
        corpus=dataset.corpus,
        queries=dataset.queries,
        train={key: dataset.train[key] for key in kept},
        test=dataset.test,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data",
        type=Path,
        default=ROOT.parent / "shared" / "data",
        help="a folder of BEIR folders (default: %(default)s)",
    )
    parser.add_argument("--tasks", nargs="+", default=["stdlib"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--shares", type=float, nargs="+", default=[0.3, 1.0])
    parser.add_argument("--tuners", nargs="+", default=TUNERS, choices=TUNERS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
