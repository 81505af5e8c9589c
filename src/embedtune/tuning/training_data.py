"""The part of a dataset that tuning looks at, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.problems import raise_integrity_error
from embedtune.errors import DataError
from embedtune.types import Split

MIN_QUERIES = 9
"""With fewer training queries, nothing can be held out to choose by."""

MIN_DOCUMENTS = 3
"""With fewer relevant documents, nothing can be held out to choose by."""


def training_data(dataset: TuningDataset) -> TuningDataset:
    """Return the dataset without test labels, unlabelled queries and metadata.

    Two datasets that differ in nothing else have equal training data, so that tuning
    cannot depend on it.

    Raises:
        TypeError: If *dataset* is none.
        DatasetIntegrityError: If labels name unknown queries or documents, or a query
            has no relevant document; it names every problem.
        DataError: If there are too few labels to learn from.
    """
    if not isinstance(dataset, TuningDataset):
        msg = (
            f"'dataset' must be a TuningDataset (got {type(dataset).__name__});"
            " TuningDataset.from_table() and its siblings read files"
        )
        raise TypeError(msg)
    problems = [*_problems(dataset, "train"), *_problems(dataset, "validation")]
    raise_integrity_error("the labels cannot be tuned on", problems)
    _check_size(dataset)
    return TuningDataset(
        corpus={
            key: attrs.evolve(document, metadata={}) if document.metadata else document
            for key, document in dataset.corpus.items()
        },
        queries={
            key: attrs.evolve(query, metadata={}) if query.metadata else query
            for key, query in dataset.queries.items()
            if key in dataset.train or key in dataset.validation
        },
        train=dataset.train,
        validation=dataset.validation,
    )


def _problems(dataset: TuningDataset, split: Split) -> Iterator[str]:
    for query_id, labels in dataset.labels(split).items():
        if query_id not in dataset.queries:
            yield f"{split}: query {query_id!r} is not among the queries"
        for doc_id in labels:
            if doc_id not in dataset.corpus:
                yield (
                    f"{split}: document {doc_id!r} of query {query_id!r}"
                    " is not in the corpus"
                )
        if not any(relevance > 0 for relevance in labels.values()):
            yield f"{split}: query {query_id!r} has no relevant document; leave it out"


def _check_size(dataset: TuningDataset) -> None:
    queries = len(dataset.train)
    if queries < MIN_QUERIES:
        msg = (
            f"tuning needs at least {MIN_QUERIES} training queries (got {queries});"
            " some hundred give a gain worth having"
        )
        raise DataError(msg)
    documents = {
        doc_id
        for labels in dataset.train.values()
        for doc_id, relevance in labels.items()
        if relevance > 0
    }
    if len(documents) < MIN_DOCUMENTS:
        msg = (
            f"tuning needs at least {MIN_DOCUMENTS} documents that are relevant to"
            f" training queries (got {len(documents)}); label more documents"
        )
        raise DataError(msg)
