"""The tasks that quality is measured on, each as a split dataset."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

import embedtune as et

ROOT = Path(__file__).resolve().parents[1]
STDLIB = {"stdlib": False, "stdlib-two": True}
"""The standard-library tasks: with one query a document, and with up to two."""

MOST_TRAIN_QUERIES = 4_000
_TEST_SHARE = 0.25


def task_names(data: Path) -> list[str]:
    """Return the standard-library tasks and those of the BEIR folders in *data*."""
    folders = sorted(path.parent.name for path in data.glob("*/corpus.jsonl"))
    if not folders:
        print(f"no BEIR folders in {str(data)!r}; --data names others", file=sys.stderr)
    return [*STDLIB, *folders]


def task(name: str, seed: int, data: Path) -> et.TuningDataset:
    """Return the dataset with its training and test labels.

    The standard-library tasks are split by *seed*. Folders have their own test labels;
    of more than 4,000 training queries *seed* draws that many.
    """
    if name in STDLIB:
        dataset = et.stdlib_dataset(second_queries=STDLIB[name])
        return dataset.split(test=_TEST_SHARE, seed=seed)
    dataset = et.TuningDataset.from_beir(data / name)
    return limited(dataset, MOST_TRAIN_QUERIES, seed)


def limited(dataset: et.TuningDataset, most: int, seed: int) -> et.TuningDataset:
    """Return *dataset* with *most* of its training queries, drawn by *seed*."""
    if len(dataset.train) <= most:
        return dataset
    drawn = np.random.default_rng(seed).permutation(sorted(dataset.train))
    return _with_train(dataset, drawn[:most].tolist())


def first_pairs(dataset: et.TuningDataset) -> list[tuple[str, str]]:
    """Return each training query with its most relevant document, as ids."""
    pairs = []
    for query_id, labels in dataset.train.items():
        best = max(labels, key=lambda doc_id: labels[doc_id])
        if labels[best] > 0:
            pairs.append((query_id, best))
    return pairs


def _with_train(
    dataset: et.TuningDataset, query_ids: Iterable[str]
) -> et.TuningDataset:
    return et.TuningDataset(
        corpus=dataset.corpus,
        queries=dataset.queries,
        train={query_id: dataset.train[query_id] for query_id in query_ids},
        test=dataset.test,
    )
