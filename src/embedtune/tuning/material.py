"""A dataset as the arrays that the local recipe works on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.values import Document
from embedtune.evaluation.search import RunningTopK
from embedtune.serving.pooling import pool
from embedtune.serving.static import StaticModel
from embedtune.tuning.bags import CountedBags, joined_bags
from embedtune.tuning.gradient import Texts
from embedtune.tuning.labelled import HARD, SPARE, labelled
from embedtune.tuning.labels import Labels
from embedtune.types import FloatMatrix

MOST_QUERIES = 20_000
"""So many training queries are learned from, at most; more are drawn from."""

_BLOCK = 4096


@attrs.frozen(kw_only=True, eq=False)
class Material:
    """What the recipe learns from.

    Attributes:
        texts: The base model's table, and the tokens of all queries and documents.
        train: The training labels.
        validation: The validation labels, without queries that are trained on.
        hard: For each query the rows of its hard negatives, -1 where there is none.
        seen_share: What share of future queries looks for a document with a label.
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
    found = labelled(dataset, generator, most=MOST_QUERIES)
    queries, query_rows = _tokens(model, [judged.text for judged in found.queries])
    search = RunningTopK(query_rows, HARD + SPARE)
    documents = _documents(found.corpus, model, search)
    return Material(
        texts=Texts(table=model.table, queries=queries, documents=documents),
        train=found.train,
        validation=found.validation,
        hard=found.hard_negatives(search.result()[0]),
        seen_share=found.seen_share,
    )


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


def _blocks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(texts), _BLOCK):
        yield texts[first : first + _BLOCK]
