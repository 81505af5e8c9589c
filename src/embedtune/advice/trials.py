"""Tuning runs on nested parts of the training queries, within a time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import attrs
import numpy as np

from embedtune.advice.values import MEASURE, Trial
from embedtune.datasets.bulk import trusted_dataset
from embedtune.datasets.dataset import TuningDataset
from embedtune.errors import JobTimeoutError
from embedtune.evaluation.bootstrap import Values
from embedtune.evaluation.evaluate import evaluate
from embedtune.progress import Progress
from embedtune.tuning.base import TuningJob
from embedtune.tuning.training_data import MIN_DOCUMENTS, MIN_QUERIES

SMALLEST = 16
"""No part has fewer training queries."""

_DRAWS = ((8, 3), (4, 2), (2, 1), (1, 1))
"""How many draws there are of an eighth, a quarter, a half and the whole."""

Submit: TypeAlias = Callable[[TuningDataset, int], TuningJob]
"""Starts the tuning of a dataset with a seed."""


@attrs.frozen(kw_only=True)
class Task:
    """What is tuned and measured.

    Attributes:
        dataset: Its training queries are divided; its test labels measure.
        base: The values of the base on the test queries.
        submit: Starts a tuning job.
        seed: Decides about the parts.
    """

    dataset: TuningDataset
    base: Values
    submit: Submit
    seed: int


def usable_queries(dataset: TuningDataset) -> list[str]:
    """Return the training queries with a relevant document; none if they are too few."""
    usable = [key for key, row in dataset.train.items() if any(row.values())]
    documents = {
        doc_id for key in usable for doc_id, r in dataset.train[key].items() if r
    }
    if len(usable) < MIN_QUERIES or len(documents) < MIN_DOCUMENTS:
        return []
    return sorted(usable)


def planned(queries: int) -> list[tuple[int, int]]:
    """Return size and draw of every trial, the most telling ones first.

    The smallest comes first, for it tells how long the others will take; then the
    whole, the other sizes, and at last more draws of the small ones.
    """
    draws: dict[int, int] = {}
    for parts, count in _DRAWS:
        size = max(round(queries / parts), min(SMALLEST, queries))
        draws[size] = 1 if size == queries else max(count, draws.get(size, 0))
    sizes = sorted(draws)
    first = list(dict.fromkeys([sizes[0], *reversed(sizes)]))
    return [(size, 0) for size in first] + [
        (size, draw) for size in reversed(sizes) for draw in range(1, draws[size])
    ]


def run_trials(task: Task, seconds: float, progress: Progress) -> Iterator[Trial]:
    """Yield the trials that end in time.

    A trial begins if it would probably end in time; the first one begins in any case,
    and what is not done in time is stopped.
    """
    end = time.monotonic() + seconds
    queries = usable_queries(task.dataset)
    waiting = planned(len(queries)) if queries and seconds else []
    done: list[Trial] = []
    while waiting:
        left = end - time.monotonic()
        fitting = [each for each in waiting if _expected(each[0], done) <= left]
        if not fitting:
            return
        size, draw = fitting[0]
        waiting.remove(fitting[0])
        progress.note(f"{size:,} training queries")
        trial = _trial(task, queries, size, draw, left)
        if trial is None:
            return
        done.append(trial)
        progress.advance()
        yield trial


def _expected(size: int, done: Sequence[Trial]) -> float:
    # Starting, embedding and a fixed number of steps take most of the time: of 600
    # documents, 45 and 360 queries took as long. A larger corpus may differ.
    guesses = [
        trial.seconds * max(1.0, math.sqrt(size / trial.queries)) for trial in done
    ]
    return min(guesses, default=0.0)


def _trial(
    task: Task, queries: Sequence[str], size: int, draw: int, patience: float
) -> Trial | None:
    started = time.monotonic()
    generator = np.random.default_rng([task.seed, draw])
    chosen: list[int] = np.sort(generator.permutation(len(queries))[:size]).tolist()
    part = _part(task.dataset, [queries[place] for place in chosen])
    job = task.submit(part, task.seed + draw)
    try:
        job.wait(max(0.0, patience), progress=False)
    except JobTimeoutError:
        return None
    finally:
        job.cancel()  # one that has ended stays as it is
    model = job.result()
    differences: Values = np.zeros(len(task.base))
    if not model.is_base:
        tuned = evaluate(model.embedder(), task.dataset, measures=MEASURE)
        differences = tuned.of(MEASURE) - task.base
    return Trial(
        queries=size,
        draw=draw,
        differences=differences,
        is_base=model.is_base,
        seconds=time.monotonic() - started,
    )


def _part(dataset: TuningDataset, queries: Sequence[str]) -> TuningDataset:
    return trusted_dataset(
        dataset.corpus,
        dataset.queries,
        {
            "train": {key: dataset.train[key] for key in queries},
            "validation": {
                key: row for key, row in dataset.validation.items() if any(row.values())
            },
            "test": {},
        },
    )
