"""Near-duplicates among very many documents: time, memory, what is found and missed.

Run it as `python benchmarks/near_duplicates.py`; `--help` tells the sizes.
A twentieth of the documents are copies of others, changed in a few words. What is
measured runs in a fresh process, so that the peak of memory is its own.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from time import perf_counter

import numpy as np

SECONDS_GOAL = 300.0
MEMORY_GOAL = 2e9
"""Peak memory above the texts, at most."""

RECALL_GOAL = 0.99
"""Of the planted copies whose similarity is at the threshold or above."""

_VOCABULARY = 60_000
_BLOCK = 10_000
_WIDTH = 5
_COPIES = 0.05


def main() -> int:
    """Measure and print; return 0 if the goals are reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=500_000)
    parser.add_argument("--threshold", type=float, default=0.8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--peers", type=int, default=2000, help="texts for the peers")
    parser.add_argument("--task", choices=["ours", "texts"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.task:
        print(json.dumps(_measured(arguments)))
        return 0
    runs = {}
    for task in ("texts", "ours"):
        command = [sys.executable, __file__, "--task", task]
        for name in ("documents", "threshold", "seed"):
            command += [f"--{name}", str(getattr(arguments, name))]
        out = subprocess.run(command, check=True, capture_output=True, text=True)
        runs[task] = json.loads(out.stdout)
    _compare_signatures(arguments.peers)
    return _report(arguments, runs["ours"], runs["texts"]["peak"])


def _report(arguments: argparse.Namespace, ours: dict[str, float], base: float) -> int:
    above = ours["peak"] - base
    recall = ours["found"] / max(ours["near"], 1)
    print(
        f"{arguments.documents:,} documents, {ours['characters'] / 1e6:,.0f} million "
        f"characters, threshold {arguments.threshold:g}"
    )
    print(f"  {ours['seconds']:,.1f} s on one core")
    print(f"  peak memory {above / 1e6:,.0f} MB above the texts ({base / 1e6:,.0f} MB)")
    print(f"  planted copies at the threshold or above: {ours['near']:,.0f}")
    print(f"  found {recall:.2%} of them")
    print(f"  joined below the threshold: {ours['below']:,.0f} planted copies")
    print(f"  joined and not planted: {ours['false']:,.0f} documents")
    is_good = ours["seconds"] <= SECONDS_GOAL and above <= MEMORY_GOAL
    return 0 if is_good and recall >= RECALL_GOAL and not ours["false"] else 1


def _compare_signatures(count: int) -> None:
    """Time signatures of the same texts and sizes, peers where they are installed."""
    texts = list(_documents(np.random.default_rng(0), count))
    print(f"signatures of 128 values for {count:,} documents, shingles included:")
    for name, sign in (
        ("embedtune", _ours),
        ("rensa", _rensa),
        ("datasketch", _sketch),
    ):
        if importlib.util.find_spec(name) is None:
            print(f"  {name}: not installed")
            continue
        seconds = []
        for _ in range(3):
            start = perf_counter()
            sign(texts)
            seconds.append(perf_counter() - start)
        print(f"  {name}: {min(seconds):.2f} s")


def _ours(texts: list[str]) -> None:
    from embedtune.datasets.minhash import Bands, Signer
    from embedtune.datasets.shingles import Shingles, blocks

    signer = Signer(0, Bands.for_threshold(0.8))
    for block in blocks(list(map(len, texts)), 1 << 22):
        signer.sign(Shingles.of(texts[block]))


def _rensa(texts: list[str]) -> None:
    import rensa

    rensa.RMinHash.digest_matrix_from_token_sets(
        [_shingles(text) for text in texts], num_perm=128, seed=0
    )


def _sketch(texts: list[str]) -> None:
    import datasketch

    for text in texts:
        sketch = datasketch.MinHash(num_perm=128, seed=0)
        sketch.update_batch([piece.encode() for piece in set(_shingles(text))])


def _shingles(text: str) -> list[str]:
    return [text[i : i + _WIDTH] for i in range(len(text) - _WIDTH + 1)]


def _measured(arguments: argparse.Namespace) -> dict[str, float]:
    rng = np.random.default_rng(arguments.seed)
    copies = round(arguments.documents * _COPIES)
    texts = list(_documents(rng, arguments.documents - copies))
    sources = rng.choice(len(texts), copies, replace=False).tolist()
    vocabulary = " ".join(texts[:1000]).split()
    texts += [_changed(texts[source], vocabulary, rng) for source in sources]
    if arguments.task == "texts":
        return {"peak": _peak()}
    from embedtune.datasets.near_duplicates import near_duplicate_groups

    start = perf_counter()
    groups = near_duplicate_groups(texts, threshold=arguments.threshold)
    seconds = perf_counter() - start
    peak = _peak()
    planted = range(len(texts) - copies, len(texts))
    joined = [
        bool(groups[copy] == groups[source])
        for copy, source in zip(planted, sources, strict=True)
    ]
    near = [
        _similarity(texts[copy], texts[source]) >= arguments.threshold
        for copy, source in zip(planted, sources, strict=True)
    ]
    surplus = len(texts) - len(set(groups.tolist()))
    return {
        "seconds": seconds,
        "peak": peak,
        "characters": sum(map(len, texts)),
        "near": sum(near),
        "found": sum(a and b for a, b in zip(joined, near, strict=True)),
        "below": sum(a and not b for a, b in zip(joined, near, strict=True)),
        "false": surplus - sum(joined),
    }


def _documents(rng: np.random.Generator, count: int) -> Iterator[str]:
    """Yield texts of 30 to 200 made-up words, frequent and rare as in a language."""
    letters = np.array(list("etaoinshrdlucmfwypvbgkjqxz"))
    weights = np.linspace(3, 0.2, letters.size)
    sizes = rng.integers(2, 11, _VOCABULARY)
    drawn = rng.choice(letters, sizes.sum(), p=weights / weights.sum())
    words = ["".join(part) for part in np.split(drawn, np.cumsum(sizes)[:-1])]
    chances = np.cumsum(1.0 / np.arange(1, _VOCABULARY + 1))
    chances /= chances[-1]
    lengths = rng.integers(30, 201, count)
    for start in range(0, count, _BLOCK):
        block = lengths[start : start + _BLOCK]
        places = np.searchsorted(chances, rng.random(block.sum())).tolist()
        position = 0
        for length in block.tolist():
            yield " ".join([words[i] for i in places[position : position + length]])
            position += length


def _changed(text: str, vocabulary: list[str], rng: np.random.Generator) -> str:
    """Replace from none to a sixth of the words of a text."""
    words = text.split()
    count = int(rng.integers(0, max(2, len(words) // 6)))
    for place in rng.choice(len(words), count, replace=False).tolist():
        words[place] = vocabulary[int(rng.integers(len(vocabulary)))]
    return " ".join(words)


def _similarity(one: str, other: str) -> float:
    """Compare two texts in the most obvious way, as a reference."""
    first, second = set(_shingles(one)), set(_shingles(other))
    return len(first & second) / len(first | second)


def _peak() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    sys.exit(main())
