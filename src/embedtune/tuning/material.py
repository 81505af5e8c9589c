"""A dataset as the arrays that the local recipe works on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.text import normalised
from embedtune.datasets.values import Document
from embedtune.evaluation.search import RunningTopK
from embedtune.serving.pooling import pool
from embedtune.serving.static import StaticModel
from embedtune.tuning.bags import CountedBags, joined_bags
from embedtune.tuning.gradient import Texts
from embedtune.tuning.labels import Labels
from embedtune.tuning.near_positives import near_positives
from embedtune.types import FloatMatrix, Qrels

HARD = 20
"""How many hard negatives are mined for a query."""

MOST_QUERIES = 20_000
"""So many training queries are learned from, at most; more are drawn from."""

_SPARE = 30  # positives among the hits that are left out of the hard negatives
_BLOCK = 4096


@attrs.frozen(kw_only=True, eq=False)
class Material:
    """What the recipe learns from.

    Queries of equal text are one query. Documents of equal text share their labels, so
    that none of them is ever a false negative; those of nearly equal text are no hard
    negatives of each other's queries, unless a label says so.

    Attributes:
        texts: The base model's table, and the tokens of all queries and documents.
        train: The training labels.
        validation: The validation labels, without queries that are trained on.
        hard: For each query the rows of its hard negatives: first the documents that
            are labelled as not relevant, then the best of the base ranking; -1 where
            there are no more.
        seen_share: What share of future queries will look for a document that has a
            training label: the mean of two guesses. If all documents are asked for
            alike, it is the share of the documents that have a label. If queries come
            as the training queries do, it is the share of these whose document has a
            label by another one, too.
    """

    texts: Texts
    train: Labels
    validation: Labels
    hard: npt.NDArray[np.int64]
    seen_share: float


def gather(
    dataset: TuningDataset, model: StaticModel, generator: np.random.Generator
) -> Material:
    """Return the material of a dataset.

    Args:
        dataset: Its labels must name known queries and documents.
        model: The base model.
        generator: Draws training queries where there are too many.
    """
    corpus = [dataset.corpus[doc_id] for doc_id in sorted(dataset.corpus)]
    rows = {document.doc_id: row for row, document in enumerate(corpus)}
    equals = _equal_documents(corpus)
    train = _judged(dataset, dataset.train, rows, equals)
    if len(train) > MOST_QUERIES:
        chosen = generator.permutation(len(train))[:MOST_QUERIES].tolist()
        every = list(train.items())
        train = dict(every[i] for i in sorted(chosen))
    validation = {
        text: judged
        for text, judged in _judged(dataset, dataset.validation, rows, equals).items()
        if text not in train
    }
    everything = [*train.values(), *validation.values()]
    queries, query_rows = _tokens(model, [judged.text for judged in everything])
    search = RunningTopK(query_rows, HARD + _SPARE)
    documents = _documents(corpus, model, search)
    labels = Labels.of((i, judged.positives) for i, judged in enumerate(everything))
    learned = labels.take(np.arange(len(train)))
    ranking = search.result()[0]
    relevant = [judged.positives for judged in everything]
    near = near_positives([document.text for document in corpus], relevant, ranking)
    return Material(
        texts=Texts(table=model.table, queries=queries, documents=documents),
        train=learned,
        validation=labels.take(np.arange(len(train), len(everything))),
        hard=_hard_negatives(everything, ranking, near),
        seen_share=_seen_share(learned, len(corpus)),
    )


@attrs.define
class _Judged:
    """The labels of all queries of one text."""

    text: str
    positives: dict[int, int] = attrs.field(factory=dict)
    negatives: set[int] = attrs.field(factory=set)


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
) -> dict[str, _Judged]:
    found: dict[str, _Judged] = {}
    for query_id in sorted(labels):
        text = dataset.queries[query_id].text
        judged = found.setdefault(normalised(text), _Judged(text))
        for doc_id, relevance in labels[query_id].items():
            row = rows[doc_id]
            for same in equals.get(row, (row,)):
                if relevance > 0:
                    known = judged.positives.get(same, 0)
                    judged.positives[same] = max(known, relevance)
                else:
                    judged.negatives.add(same)
    return found


def _documents(
    corpus: Sequence[Document], model: StaticModel, search: RunningTopK
) -> CountedBags:
    # Only the counted tokens stay in memory; the base rows pass by.
    parts: list[CountedBags] = []
    for block in _blocks([document.embedding_text for document in corpus]):
        bags, rows = _tokens(model, block)
        search.add(rows)
        parts.append(bags)
    return joined_bags(parts)


def _tokens(
    model: StaticModel, texts: Sequence[str]
) -> tuple[CountedBags, FloatMatrix]:
    bags = model.tokenize(texts)
    return CountedBags.of(bags.ids, bags.starts), pool(
        model.table, bags, blank=model.blank
    )


def _hard_negatives(
    queries: Sequence[_Judged],
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


def _blocks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(texts), _BLOCK):
        yield texts[first : first + _BLOCK]
