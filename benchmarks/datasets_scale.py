"""Loading, checking and writing a large dataset: time, memory, and BEIR's own loader.

Run it as `python benchmarks/datasets_scale.py`; `--help` tells the sizes.
Everything measured runs in a fresh process of its own.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

MEMORY_GOAL = 2.5
"""Peak memory of the whole process, as a multiple of the files' size, at most."""

_VOCABULARY = 60_000
_BLOCK = 10_000


def main() -> int:
    """Measure and print; return 0 if the goals are reached."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="datasets_scale.") as scratch:
        folder = arguments.folder or Path(scratch) / "synthetic"
        if not folder.exists():
            write_synthetic(
                folder,
                documents=arguments.documents,
                queries=arguments.queries,
                labels=arguments.labels,
            )
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        print(f"{folder}: {size / 1e6:,.0f} MB in files")
        whole = _measured("whole", folder, Path(scratch) / "written")
        _print_whole(whole, size)
        has_memory = whole["peak"] <= MEMORY_GOAL * size
        return 0 if has_memory and _is_faster(folder, size, arguments.rounds) else 1


def write_synthetic(folder: Path, *, documents: int, queries: int, labels: int) -> None:
    """Write a BEIR folder of made-up words, frequent and rare as in a language."""
    rng = np.random.default_rng(0)
    words = _vocabulary(rng)
    (folder / "qrels").mkdir(parents=True)
    with (folder / "corpus.jsonl").open("w") as file:
        lengths = rng.integers(60, 121, documents)
        for number, text in enumerate(_texts(rng, words, lengths)):
            title, _, rest = text.partition(" ")
            row = {"_id": f"doc-{number}", "title": title.title(), "text": rest}
            file.write(json.dumps(row) + "\n")
    with (folder / "queries.jsonl").open("w") as file:
        lengths = rng.integers(4, 15, queries)
        for number, text in enumerate(_texts(rng, words, lengths)):
            file.write(json.dumps({"_id": f"query-{number}", "text": text}) + "\n")
    with (folder / "qrels" / "train.tsv").open("w") as file:
        file.write("query-id\tcorpus-id\tscore\n")
        each = labels // queries
        for query in range(queries):
            for document in rng.choice(documents, each, replace=False):
                file.write(f"query-{query}\tdoc-{document}\t{1 + document % 3}\n")


def _vocabulary(rng: np.random.Generator) -> list[str]:
    letters = np.array(list("etaoinshrdlucmfwypvbgkjqxz"))
    weights = np.linspace(3, 0.2, letters.size)
    weights /= weights.sum()
    return [
        "".join(rng.choice(letters, size, p=weights))
        for size in rng.integers(2, 11, _VOCABULARY)
    ]


def _texts(
    rng: np.random.Generator, words: list[str], lengths: np.ndarray
) -> Iterator[str]:
    """Yield texts whose words follow Zipf's law."""
    chances = np.cumsum(1.0 / np.arange(1, len(words) + 1))
    chances /= chances[-1]
    for start in range(0, lengths.size, _BLOCK):
        block = lengths[start : start + _BLOCK]
        drawn = np.searchsorted(chances, rng.random(block.sum())).tolist()
        position = 0
        for length in block.tolist():
            yield " ".join([words[i] for i in drawn[position : position + length]])
            position += length


def _is_faster(folder: Path, size: int, rounds: int) -> bool:
    """Compare the load alone; BEIR's loader is left out where it is not installed."""
    if importlib.util.find_spec("beir") is None:
        print("beir is not installed: no comparison (pip install --no-deps beir)")
        return True
    runs: dict[str, list[dict[str, float]]] = {"load": [], "beir": []}
    for _ in range(rounds):
        for task, results in runs.items():
            results.append(_measured(task, folder))
    ratios = {}
    for what in ("seconds", "cpu", "peak"):
        ours, theirs = (
            statistics.median(figures[what] for figures in runs[task]) for task in runs
        )
        ratios[what] = theirs / ours
        if what == "peak":
            print(
                f"peak of the load: {ours / 1e6:,.0f} MB = {ours / size:.2f} x the files; "
                f"GenericDataLoader {theirs / 1e6:,.0f} MB = {theirs / size:.2f} x"
            )
        else:
            name = "load" if what == "seconds" else "processor time of the load"
            print(
                f"{name}: {ours:.2f} s; GenericDataLoader {theirs:.2f} s, "
                f"{ratios[what]:.2f} times as long (medians of {rounds})"
            )
    return ratios["seconds"] > 1


def _print_whole(whole: dict[str, float], size: int) -> None:
    steps = ", ".join(
        f"{name} {whole[name]:.2f} s"
        for name in ("load", "check", "fingerprint", "write")
    )
    print(f"one process: {steps}")
    print(
        f"peak memory {whole['peak'] / 1e6:,.0f} MB = "
        f"{whole['peak'] / size:.2f} x the files (goal: {MEMORY_GOAL})"
    )


def _measured(task: str, *paths: Path) -> dict[str, float]:
    """Run one task of this file in a fresh process and return its figures."""
    command = [sys.executable, __file__, "--task", task, *map(str, paths)]
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _run_task(task: str, paths: list[Path]) -> None:
    import resource
    from time import perf_counter, process_time

    figures: dict[str, float] = {}
    if task == "beir":
        from beir.datasets.data_loader import GenericDataLoader

        start, started = perf_counter(), process_time()
        parts = GenericDataLoader(str(paths[0])).load(split="train")
        figures["cpu"] = process_time() - started
        figures["seconds"] = perf_counter() - start
        figures["documents"] = len(parts[0])
    else:
        from embedtune.datasets.beir import read_beir

        start, started = perf_counter(), process_time()
        dataset = read_beir(paths[0])
        figures["cpu"] = process_time() - started
        figures["seconds"] = figures["load"] = perf_counter() - start
        figures["documents"] = len(dataset.corpus)
        if task == "whole":
            steps = {
                "check": dataset.check,
                "fingerprint": lambda: dataset.fingerprint,
                "write": lambda: dataset.to_beir(paths[1]),
            }
            for name, step in steps.items():
                start = perf_counter()
                step()
                figures[name] = perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    figures["peak"] = peak * unit
    print(json.dumps(figures))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=500_000)
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--labels", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="keep the data here, or find it")
    return parser.parse_args()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--task"]:
        _run_task(sys.argv[2], [Path(name) for name in sys.argv[3:]])
    else:
        sys.exit(main())
