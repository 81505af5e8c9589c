"""The labels that are audited, as arrays, and what may judge which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Self, TypeAlias

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.text import normalised
from embedtune.errors import ConfigurationError, DataError
from embedtune.evaluation.scoring import labels_of
from embedtune.types import SPLITS, Split

Integers: TypeAlias = npt.NDArray[np.int64]
Booleans: TypeAlias = npt.NDArray[np.bool_]


@attrs.frozen(kw_only=True, eq=False)
class AuditedLabels:
    """The positive labels of some splits, by the numbers of queries and documents.

    Attributes:
        query_ids: The queries that have a positive, each once.
        doc_ids: The corpus, in its order.
        query: The number of the query of each label.
        document: The number of the document of each label.
        relevance: The relevance of each label, at least 1.
        split: The number in `SPLITS` of the split of each label.
        fold: The fold of each query; queries of equal text share one.
        folds: How many folds there are.
        judged: `query * documents + document`, rising, of all labels of the dataset,
            those of relevance 0 included.
        peers: The same of the positives and of documents equal to them in text: what
            does not speak against a label.
    """

    query_ids: tuple[str, ...]
    doc_ids: tuple[str, ...]
    query: Integers
    document: Integers
    relevance: Integers
    split: Integers
    fold: Integers
    folds: int
    judged: Integers
    peers: Integers

    @classmethod
    def of(
        cls, dataset: TuningDataset, splits: Sequence[Split], folds: int, seed: int
    ) -> Self:
        """Return the positive labels of *splits*, their queries dealt into folds.

        Raises:
            ConfigurationError: If there are fewer than two folds, or more folds than
                queries of different text.
            DataError: If there are no positives, or there is no second document.
            DatasetIntegrityError: If labels name unknown queries or documents.
        """
        rows = list(_positives(dataset, splits))
        doc_ids = tuple(dataset.corpus)
        if not rows or len(doc_ids) < 2:  # noqa: PLR2004 -- one of which is wrong
            msg = (
                "an audit needs positive labels and at least 2 documents "
                f"(got {len(rows)} labels, {len(doc_ids)} documents)"
            )
            raise DataError(msg)
        query_ids = tuple(dict.fromkeys(row[0] for row in rows))
        queries = {query_id: number for number, query_id in enumerate(query_ids)}
        documents = {doc_id: number for number, doc_id in enumerate(doc_ids)}
        judged, peers = _judged(dataset, queries, documents)
        return cls(
            query_ids=query_ids,
            doc_ids=doc_ids,
            query=_array(queries[row[0]] for row in rows),
            document=_array(documents[row[1]] for row in rows),
            relevance=_array(row[2] for row in rows),
            split=_array(row[3] for row in rows),
            fold=_dealt([dataset.queries[q].text for q in query_ids], folds, seed),
            folds=folds,
            judged=judged,
            peers=peers,
        )

    def __len__(self) -> int:
        """Return how many labels there are."""
        return len(self.query)

    def is_known(self, queries: Integers, documents: Integers) -> Booleans:
        """Return which documents are judged for the queries, or equal a positive."""
        keys = queries * len(self.doc_ids) + documents
        return _is_in(self.judged, keys) | _is_in(self.peers, keys)

    def peers_of(self, queries: Integers) -> tuple[Integers, Integers]:
        """Return the place in *queries* and the document of each of their peers."""
        return _pairs(self.peers, queries, len(self.doc_ids))

    def judged_for(self, queries: Integers) -> tuple[Integers, Integers]:
        """Return the place in *queries* and the document of all that is judged."""
        return _pairs(self.judged, queries, len(self.doc_ids))

    def has_label(self, queries: Integers, documents: Integers) -> Booleans:
        """Return which pairs are labels that are audited."""
        width = len(self.doc_ids)
        keys = np.unique(self.query * width + self.document)
        return _is_in(keys, queries * width + documents)


def chosen_splits(
    split: Split | str | Sequence[Split], dataset: TuningDataset
) -> tuple[Split, ...]:
    """Return the splits that *split* names, in their usual order.

    Raises:
        ValueError: If one is not a split.
    """
    if split == "all":
        return tuple(name for name in SPLITS if dataset.labels(name))
    names = (split,) if isinstance(split, str) else tuple(split)
    wrong = [name for name in names if name not in SPLITS]
    if wrong or not names:
        msg = f"'split' must be 'all' or some of {SPLITS} (got {split!r})"
        raise ValueError(msg)
    return tuple(name for name in SPLITS if name in names)


def _positives(
    dataset: TuningDataset, splits: Sequence[Split]
) -> Iterator[tuple[str, str, int, int]]:
    for split in splits:
        for query_id, row in labels_of(dataset, split).items():
            for doc_id, relevance in row.items():
                if relevance > 0:
                    yield query_id, doc_id, relevance, SPLITS.index(split)


def _judged(
    dataset: TuningDataset, queries: Mapping[str, int], documents: Mapping[str, int]
) -> tuple[Integers, Integers]:
    equals = _equal_documents(dataset)
    width = len(documents)
    judged: list[int] = []
    peers: list[int] = []
    for split in SPLITS:
        for query_id, row in dataset.labels(split).items():
            start = queries.get(query_id, -1) * width
            if start < 0:
                continue
            for doc_id, relevance in row.items():
                if doc_id not in documents:
                    continue
                judged.append(start + documents[doc_id])
                if relevance > 0:
                    peers += [start + n for n in equals[documents[doc_id]]]
    return _sorted(judged), _sorted(peers)


def _equal_documents(dataset: TuningDataset) -> list[list[int]]:
    groups: dict[str, list[int]] = {}
    texts = [normalised(d.embedding_text) for d in dataset.corpus.values()]
    for number, text in enumerate(texts):
        groups.setdefault(text, []).append(number)
    return [groups[text] for text in texts]


def _dealt(texts: Sequence[str], folds: int, seed: int) -> Integers:
    numbers: dict[str, int] = {}
    group = _array(numbers.setdefault(normalised(text), len(numbers)) for text in texts)
    _refuse_folds(folds, len(numbers))
    order = np.random.default_rng(seed).permutation(len(numbers))
    dealt: Integers = (order % folds)[group]
    return dealt


def _refuse_folds(folds: object, most: int) -> None:
    if not isinstance(folds, int) or not 2 <= folds <= most:  # noqa: PLR2004 -- out of fold needs another
        msg = (
            "'folds' must be >= 2 and <= the number of different queries, "
            f"{most} (got {folds!r})"
        )
        raise ConfigurationError(msg)


def _pairs(keys: Integers, queries: Integers, width: int) -> tuple[Integers, Integers]:
    low = np.searchsorted(keys, queries * width)
    counts = np.searchsorted(keys, (queries + 1) * width) - low
    places = np.repeat(np.arange(len(queries)), counts)
    within = np.arange(len(places)) - np.repeat(np.cumsum(counts) - counts, counts)
    return places, keys[low[places] + within] % width


def _is_in(keys: Integers, wanted: Integers) -> Booleans:
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    found: Booleans = keys[places] == wanted
    return found


def _sorted(keys: Sequence[int]) -> Integers:
    return np.unique(np.array(keys, np.int64))


def _array(values: Iterator[int]) -> Integers:
    return np.fromiter(values, np.int64)
