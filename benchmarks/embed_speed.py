"""Texts a second that `LocalEmbedder` embeds on one core, beside model2vec.

The texts are made of the docstrings of Python's standard library: short ones of 10
words, long ones of 200. Both libraries have the same weights, one core and one thread,
take turns, and give the same rows (checked). No text is embedded twice by one of them:
tokenizers remember texts. Seconds are those of the process, whatever else runs.

    nox -s bench -- embed_speed
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # before NumPy is imported
os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import argparse  # noqa: E402 -- after the environment
import ast  # noqa: E402
import statistics  # noqa: E402
import sys  # noqa: E402
import sysconfig  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402

import attrs  # noqa: E402
import model2vec  # noqa: E402
import numpy as np  # noqa: E402

from embedtune.serving.local import LocalEmbedder  # noqa: E402

REQUIRED = 20_000
"""Short texts a second that the library promises on one core."""


@attrs.frozen(kw_only=True)
class Result:
    """What was measured on one kind of text.

    Attributes:
        words: Words in a text.
        ours: Texts a second, the median of all repeats.
        theirs: The same of model2vec.
    """

    words: int
    ours: float
    theirs: float


def main() -> int:
    """Measure, print a table, and return 1 if the promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=9)
    repeats = parser.parse_args().repeats
    words = library_words()
    ours = LocalEmbedder()
    theirs = as_model2vec(ours)
    results = [
        measure(ours, theirs, texts_of(words, length, count, repeats + 1), length)
        for length, count in ((10, 10_000), (200, 1_000))
    ]
    print(f"one core, {len(words):,} words of text, median of {repeats} repeats\n")
    print("| words a text | embedtune, texts/s | model2vec, texts/s | ratio |")
    print("|---|---|---|---|")
    for r in results:
        ratio = r.ours / r.theirs
        print(f"| {r.words} | {r.ours:,.0f} | {r.theirs:,.0f} | {ratio:.2f} |")
    return 0 if results[0].ours >= REQUIRED else 1


def library_words() -> list[str]:
    """Return the words of the docstrings of the modules in the library's folder."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    words: list[str] = []
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, kinds):
                words += (ast.get_docstring(node) or "").split()
    return words


def texts_of(words: list[str], length: int, count: int, parts: int) -> list[list[str]]:
    """Return *parts* lists of *count* texts of *length* words; no text comes twice."""
    starts = np.linspace(0, len(words) - length, count * parts).astype(int)
    order = np.random.default_rng(0).permutation(np.unique(starts))
    texts = [" ".join(words[start : start + length]) for start in order]
    return [texts[first::parts] for first in range(parts)]


def as_model2vec(embedder: LocalEmbedder) -> model2vec.StaticModel:
    """Return the same model in model2vec."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model")
        embedder.model.save(path, facts={})
        return model2vec.StaticModel.from_pretrained(path)


def measure(
    ours: LocalEmbedder,
    theirs: model2vec.StaticModel,
    parts: list[list[str]],
    words: int,
) -> Result:
    """Measure both on each part but the first, which warms them up."""
    speeds = []
    for texts in parts:
        rows, our_seconds = timed(ours.embed_queries, texts)
        expected, their_seconds = timed(
            lambda t: theirs.encode(t, use_multiprocessing=False), texts
        )
        if not np.allclose(expected, rows, rtol=0, atol=2e-6):
            sys.exit("the two libraries disagree; nothing is reported")
        speeds.append((len(texts) / our_seconds, len(texts) / their_seconds))
    return Result(
        words=words,
        ours=statistics.median(speed for speed, _ in speeds[1:]),
        theirs=statistics.median(speed for _, speed in speeds[1:]),
    )


def timed(
    call: Callable[[list[str]], np.ndarray], texts: list[str]
) -> tuple[np.ndarray, float]:
    """Return what a call returns, and its seconds of this process, whoever else runs."""
    start = time.process_time()
    rows = call(texts)
    return rows, time.process_time() - start


if __name__ == "__main__":
    sys.exit(main())
