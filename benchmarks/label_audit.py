"""How many planted wrong labels the label audit finds, and how well it counts them.

Run it as `python benchmarks/label_audit.py`; `--help` tells the rest.
A share of the training labels is replaced by labels for random other documents. The
labels of these datasets have mistakes of their own, which count as right here.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np

import embedtune as et

ROOT = Path(__file__).resolve().parents[1]
STDLIB = "stdlib-two"
"""The task of the standard library that has up to two queries a document."""

_SHARES = (0.05, 0.1, 0.2)


@dataclass(frozen=True)
class Result:
    """One audit of one dataset with planted mistakes.

    The tuples follow the shares of the list that are looked at.
    """

    labels: int
    documents: int
    found: tuple[float, ...]
    right: tuple[float, ...]
    planted: float
    share: float
    low: float
    high: float
    clean: float
    measured: float
    if_right: float
    seconds: float


def main() -> int:
    """Measure and print a table."""
    arguments = _arguments()
    print(
        "| task | labels | documents | planted | found in first 5 % | 10 % | 20 % "
        "| precision in first 5 % | 10 % | 20 % | estimated share (interval) "
        "| nDCG@10 planted | estimated without | true without | seconds |"
    )
    print("|---|" + "---|" * 14)
    for name in arguments.tasks or _task_names(arguments.data):
        dataset = _task(name, arguments.data)
        for noise in arguments.noise:
            results = [_measure(dataset, noise, seed) for seed in arguments.seeds]
            print(_row(name, results), flush=True)
    return 0


def planted(
    dataset: et.TuningDataset, noise: float, seed: int
) -> tuple[et.TuningDataset, set[tuple[str, str]]]:
    """Return the dataset with wrong labels, and the wrong ones.

    Args:
        dataset: Its training labels are replaced.
        noise: The share of labels to replace.
        seed: Chooses them, and what stands there instead.
    """
    rng = np.random.default_rng(seed)
    labels = {query_id: dict(row) for query_id, row in dataset.train.items()}
    pairs = [(q, d) for q, row in labels.items() for d, value in row.items() if value]
    documents = list(dataset.corpus)
    wrong = set()
    for place in rng.permutation(len(pairs))[: round(noise * len(pairs))].tolist():
        query_id, doc_id = pairs[place]
        known = {*dataset.train[query_id], *labels[query_id]}
        others = [d for d in rng.permutation(documents)[:20].tolist() if d not in known]
        labels[query_id][others[0]] = labels[query_id].pop(doc_id)
        wrong.add((query_id, others[0]))
    spoiled = et.TuningDataset(
        corpus=dataset.corpus, queries=dataset.queries, train=labels
    )
    return spoiled, wrong


def _measure(dataset: et.TuningDataset, noise: float, seed: int) -> Result:
    spoiled, wrong = planted(dataset, noise, seed)
    embedder = et.LocalEmbedder()
    start = time.perf_counter()
    audit = et.audit_labels(spoiled, embedder, seed=seed)
    seconds = time.perf_counter() - start
    hits = [(item.query_id, item.doc_id) in wrong for item in audit.wrong]
    found = [sum(hits[: int(share * len(hits))]) for share in _SHARES]
    clean = et.evaluate(embedder, dataset, split="train", measures="nDCG@10")
    return Result(
        labels=len(hits),
        documents=len(dataset.corpus),
        found=tuple(count / max(1, len(wrong)) for count in found),
        right=tuple(
            count / int(share * len(hits))
            for count, share in zip(found, _SHARES, strict=True)
        ),
        planted=len(wrong) / len(hits),
        share=audit.noise.share,
        low=audit.noise.interval.low,
        high=audit.noise.interval.high,
        clean=clean["nDCG@10"],
        measured=audit.errors[0].measured,
        if_right=audit.errors[0].if_right,
        seconds=seconds,
    )


def _task(name: str, data: Path) -> et.TuningDataset:
    if name == STDLIB:
        return et.stdlib_dataset(second_queries=True)
    return et.TuningDataset.from_beir(data / name)


def _task_names(data: Path) -> list[str]:
    folders = sorted(path.parent.name for path in data.glob("*/corpus.jsonl"))
    if not folders:
        print(f"no BEIR folders in {str(data)!r}; --data names others", file=sys.stderr)
    return [STDLIB, *folders]


def _row(name: str, results: list[Result]) -> str:
    shares = range(len(_SHARES))
    interval = (
        f"{fmean(r.share for r in results):.3f} "
        f"({fmean(r.low for r in results):.3f} to "
        f"{fmean(r.high for r in results):.3f})"
    )
    cells = [
        name,
        f"{results[0].labels:,}",
        f"{results[0].documents:,}",
        f"{fmean(r.planted for r in results):.3f}",
        *(f"{fmean(r.found[i] for r in results):.3f}" for i in shares),
        *(f"{fmean(r.right[i] for r in results):.3f}" for i in shares),
        interval,
        f"{fmean(r.measured for r in results):.4f}",
        f"{fmean(r.if_right for r in results):.4f}",
        f"{fmean(r.clean for r in results):.4f}",
        f"{fmean(r.seconds for r in results):.1f}",
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
    parser.add_argument("--noise", type=float, nargs="+", default=[0.05])
    parser.add_argument("--tasks", nargs="+", help="some tasks only")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
