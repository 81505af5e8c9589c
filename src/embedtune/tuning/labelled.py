"""The labels of a dataset as arrays, with equal texts as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.text import normalised
from embedtune.datasets.values import Document
from embedtune.tuning.labels import Labels
from embedtune.tuning.near_positives import near_positives
from embedtune.types import Qrels

HARD = 20
"""How many hard negatives are mined for a query."""

SPARE = 30
"""So many more hits are looked at, for positives among them are left out."""


@attrs.define
class Judged:
    """The labels of all queries of one text; `query_id` is the first of them."""

    query_id: str
    text: str
    positives: dict[int, int] = attrs.field(factory=dict)
    negatives: set[int] = attrs.field(factory=set)


@attrs.frozen(kw_only=True, eq=False)
class Labelled:
    """Queries and labels of a dataset.

    Queries of equal text are one query. Documents of equal text share their labels, so
    that none of them is ever a false negative; those of nearly equal text are no hard
    negatives of each other's queries, unless a label says so.

    Attributes:
        corpus: The documents in the order of their ids: a row each.
        queries: First those with training labels.
        train: The training labels.
        validation: The validation labels, without queries that are trained on.
        seen_share: What share of future queries will look for a document that has a
            training label: the mean of two guesses. If all documents are asked for
            alike, it is the share of the documents that have a label. If queries come
            as the training queries do, it is the share of these whose document has a
            label by another one, too.
    """

    corpus: Sequence[Document]
    queries: Sequence[Judged]
    train: Labels
    validation: Labels
    seen_share: float

    def hard_negatives(self, ranking: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return for each query the rows of its hard negatives.

        First come the documents that are labelled as not relevant, then the best of a
        ranking; -1 where there are no more.

        Args:
            ranking: For each query the rows of `HARD + SPARE` documents, best first.
        """
        texts = [document.text for document in self.corpus]
        relevant = [judged.positives for judged in self.queries]
        near = near_positives(texts, relevant, ranking)
        return _hard_negatives(self.queries, ranking, near)


def labelled(
    dataset: TuningDataset, generator: np.random.Generator, *, most: int
) -> Labelled:
    """Return queries and labels of a dataset.

    Args:
        dataset: Its labels must name known queries and documents.
        generator: Draws training queries where there are too many.
        most: So many are kept.
    """
    corpus = [dataset.corpus[doc_id] for doc_id in sorted(dataset.corpus)]
    rows = {document.doc_id: row for row, document in enumerate(corpus)}
    equals = _equal_documents(corpus)
    train = _judged(dataset, dataset.train, rows, equals)
    if len(train) > most:
        chosen = generator.permutation(len(train))[:most].tolist()
        every = list(train.items())
        train = dict(every[i] for i in sorted(chosen))
    validation = {
        text: judged
        for text, judged in _judged(dataset, dataset.validation, rows, equals).items()
        if text not in train
    }
    everything = [*train.values(), *validation.values()]
    labels = Labels.of((i, judged.positives) for i, judged in enumerate(everything))
    learned = labels.take(np.arange(len(train)))
    return Labelled(
        corpus=corpus,
        queries=everything,
        train=learned,
        validation=labels.take(np.arange(len(train), len(everything))),
        seen_share=_seen_share(learned, len(corpus)),
    )


def _equal_documents(corpus: Sequence[Document]) -> Mapping[int, Sequence[int]]:
    groups: dict[str, list[int]] = {}
    for row, document in enumerate(corpus):
        groups.setdefault(normalised(document.text), []).append(row)
    groups.pop("", None)
    return {row: group for group in groups.values() if len(group) > 1 for row in group}


def _judged(
    dataset: TuningDataset,
    labels: Qrels,
    rows: Mapping[str, int],
    equals: Mapping[int, Sequence[int]],
) -> dict[str, Judged]:
    found: dict[str, Judged] = {}
    for query_id in sorted(labels):
        text = dataset.queries[query_id].text
        judged = found.setdefault(normalised(text), Judged(query_id, text))
        for doc_id, relevance in labels[query_id].items():
            row = rows[doc_id]
            for same in equals.get(row, (row,)):
                if relevance > 0:
                    known = judged.positives.get(same, 0)
                    judged.positives[same] = max(known, relevance)
                else:
                    judged.negatives.add(same)
    return found


def _hard_negatives(
    queries: Sequence[Judged],
    ranking: npt.NDArray[np.int64],
    near: Sequence[frozenset[int]],
) -> npt.NDArray[np.int64]:
    hard = np.full((len(queries), HARD), -1, dtype=np.int64)
    for row, (judged, hits) in enumerate(zip(queries, ranking.tolist(), strict=True)):
        known = sorted(judged.negatives - judged.positives.keys())
        hidden = judged.positives.keys() | near[row]
        others = (hit for hit in hits if hit not in hidden)
        chosen = list(dict.fromkeys([*known, *others]))[:HARD]
        hard[row, : len(chosen)] = chosen
    return hard


def _seen_share(train: Labels, documents: int) -> float:
    labels = np.bincount(train.documents, minlength=documents)
    is_shared = labels[train.documents] > 1
    shared = np.logical_or.reduceat(is_shared, train.starts[:-1])
    return float(((labels > 0).mean() + shared.mean()) / 2)
