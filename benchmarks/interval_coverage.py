"""How often intervals hold the truth, and how often a verdict is wrong, by simulation.

Run it as `python benchmarks/interval_coverage.py`; `--help` tells how much is drawn.
Each experiment draws two rankings for each query of a test set: the rank of the one
relevant document, for base and tuned, around how hard the query is. The values are
nDCG@10, so that many are 0, many are 1, and most queries tie. The true difference is
the mean over a million such queries.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass

import numpy as np

from embedtune.evaluation.bootstrap import mean_interval
from embedtune.evaluation.verdict import difference_of

LEAST, MOST = 0.93, 0.97
"""Where the share of 95 % intervals that hold the true difference should be."""

MOST_WRONG = 0.05
"""The share of verdicts `better` where nothing differs, at most."""

LEAST_CHANGED = 20
"""Test sets in which fewer queries change, on average, are not held to the goals."""

_POPULATION = 1_000_000


@dataclass(frozen=True)
class World:
    """How base and tuned differ: their true gain, and how much each query scatters."""

    name: str
    gain: float
    scatter: float

    def differences(self, rng: np.random.Generator, size: int) -> np.ndarray:
        """Return the differences in nDCG@10 of *size* queries."""
        hardness = 0.6 + 1.6 * rng.standard_normal(size)
        noise = self.scatter * rng.standard_normal((2, size))
        return _ndcg(hardness - self.gain + noise[1]) - _ndcg(hardness + noise[0])


WORLDS = (
    World("no gain", 0.0, 0.35),
    World("no gain, scattered", 0.0, 1.0),
    World("small gain", 0.15, 0.35),
    World("small gain, scattered", 0.2, 1.0),
    World("large gain", 0.6, 0.35),
    World("few queries change", 0.02, 0.08),
)
SIZES = (20, 50, 100, 300)


def main() -> int:
    """Simulate and print; return 0 if the goals are reached."""
    arguments = _arguments()
    print(
        f"{arguments.experiments:,} experiments a row, "
        f"{arguments.resamples:,} resamples; better where the truth is no gain is wrong"
    )
    print(
        f"{'world':24}{'queries':>8}{'true':>8}{'ties':>7}{'held':>8}{'better':>8}"
        f"{'held by percentiles':>21}"
    )
    started = time.perf_counter()
    is_good = True
    for number, world in enumerate(WORLDS):
        if arguments.world not in {None, world.name}:
            continue
        population = world.differences(np.random.default_rng(number), _POPULATION)
        for size in SIZES:
            held, better, plain = _simulated(world, population, size, arguments)
            ties = float(np.mean(population == 0))
            print(
                f"{world.name:24}{size:8,}{population.mean():8.4f}{ties:7.0%}"
                f"{held:8.1%}{better:8.1%}{plain:21.1%}",
                flush=True,
            )
            if size * (1 - ties) >= LEAST_CHANGED:
                is_good &= LEAST <= held <= MOST
            is_good &= bool(world.gain) or better < MOST_WRONG
    print(
        f"{time.perf_counter() - started:.0f} s; goals {'reached' if is_good else 'MISSED'}"
    )
    return 0 if is_good else 1


def _simulated(
    world: World, population: np.ndarray, size: int, arguments: argparse.Namespace
) -> tuple[float, float, float]:
    true = float(population.mean()) if world.gain else 0.0
    rng = np.random.default_rng(size)
    held = better = plain = 0
    for seed in range(arguments.experiments):
        change = population[rng.integers(len(population), size=size)]
        found = difference_of(
            "nDCG@10",
            np.zeros(size),
            change,
            resamples=arguments.resamples,
            confidence=0.95,
            seed=seed,
        )
        held += found.interval.low <= true <= found.interval.high
        better += found.verdict().is_better
        percentile = mean_interval(change, resamples=arguments.resamples, seed=seed)
        plain += percentile.low <= true <= percentile.high
    counts = np.array([held, better, plain]) / arguments.experiments
    return float(counts[0]), float(counts[1]), float(counts[2])


def _ndcg(log_rank: np.ndarray) -> np.ndarray:
    rank = np.maximum(np.ceil(np.exp(log_rank)), 1)
    return np.where(rank <= 10, 1 / np.log2(rank + 1), 0.0)  # noqa: PLR2004 -- nDCG@10


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", type=int, default=1_000)
    parser.add_argument("--resamples", type=int, default=1_000)
    parser.add_argument("--world", choices=[world.name for world in WORLDS])
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
