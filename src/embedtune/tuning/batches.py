"""What one step of the gradient run looks at: queries, candidates, targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.tuning.bags import CountedBags
from embedtune.tuning.labels import Labels

POSITIVES = 8
"""How many relevant documents of a query come into a batch, at most."""

HARD = 4
"""How many mined hard negatives of a query come into a batch."""

RANDOM = 384
"""How many random documents come into a batch; all, if the corpus is smaller."""

RANDOM_TOKENS = 32_000
"""With longer documents there are fewer random ones, so that they have so many tokens.

On abstracts of 190 different tokens, a third of the documents taught as much.
"""

_FEWEST = 32


@attrs.frozen(kw_only=True, eq=False)
class Batch:
    """Some queries, and the documents that they all are compared with.

    Attributes:
        queries: The rows of the queries.
        candidates: The rows of the documents, ascending.
        targets: One row for each query: the shares of its relevant candidates in
            proportion to their relevance, with the sum 1.
        hidden: Pairs that take no part, or `None` if all do.
    """

    queries: npt.NDArray[np.int64]
    candidates: npt.NDArray[np.int64]
    targets: npt.NDArray[np.float32]
    hidden: npt.NDArray[np.bool_] | None


def random_documents(documents: CountedBags) -> int:
    """Return how many random documents come into a batch."""
    affordable = RANDOM_TOKENS * len(documents) // max(1, len(documents.ids))
    return min(max(affordable, _FEWEST), RANDOM, len(documents))


def batches(
    labels: Labels,
    hard: npt.NDArray[np.int64],
    *,
    documents: int,
    random: int,
    size: int,
    generator: np.random.Generator,
) -> Iterator[Batch]:
    """Yield batches without end; each pass sees every query once, shuffled.

    Args:
        labels: The training labels; a label of relevance 0 hides its pair.
        hard: The hard negatives of each query row, -1 where there is none.
        documents: The number of documents.
        random: How many of them come into a batch at random.
        size: How many queries a batch has, unless there are fewer.
        generator: Decides about order and negatives.
    """
    size = min(size, len(labels))
    order = np.zeros(0, np.int64)
    while True:
        if len(order) < size:
            order = np.concatenate([order, generator.permutation(len(labels))])
        chosen, order = order[:size], order[size:]
        others = _some_documents(documents, random, generator)
        parts = [others, _some_hard(hard[labels.queries[chosen]], generator)]
        yield _batch(labels.take(chosen), parts, documents, generator)


def _batch(
    labels: Labels,
    others: Sequence[npt.NDArray[np.int64]],
    documents: int,
    generator: np.random.Generator,
) -> Batch:
    owners = labels.owners
    is_target = labels.relevance > 0
    positives = labels.documents[is_target][_some(owners[is_target], generator)]
    candidates = np.unique(np.concatenate([positives, *others]))
    column = np.full(documents, -1, dtype=np.int64)
    column[candidates] = np.arange(len(candidates))
    columns = column[labels.documents]
    targets = np.zeros((len(labels), len(candidates)), dtype=np.float32)
    seen = is_target & (columns >= 0)
    targets[owners[seen], columns[seen]] = labels.relevance[seen]
    targets /= targets.sum(axis=1, keepdims=True)
    covered = ~is_target & (columns >= 0)
    hidden = None
    if covered.any():
        hidden = np.zeros(targets.shape, dtype=np.bool_)
        hidden[owners[covered], columns[covered]] = True
    return Batch(
        queries=labels.queries, candidates=candidates, targets=targets, hidden=hidden
    )


def _some(
    owners: npt.NDArray[np.int64], generator: np.random.Generator
) -> npt.NDArray[np.int64]:
    # Positions of at most POSITIVES labels of each owner; owners are ascending.
    order = np.lexsort((generator.random(len(owners)), owners))
    first = np.searchsorted(owners, owners)
    return order[np.arange(len(owners)) - first < POSITIVES]


def _some_hard(
    lists: npt.NDArray[np.int64], generator: np.random.Generator
) -> npt.NDArray[np.int64]:
    keys = generator.random(lists.shape)
    keys[lists < 0] = 2  # what is missing comes last
    chosen = np.take_along_axis(lists, np.argsort(keys, axis=1)[:, :HARD], axis=1)
    return chosen[chosen >= 0]


def _some_documents(
    documents: int, count: int, generator: np.random.Generator
) -> npt.NDArray[np.int64]:
    if documents <= count:
        return np.arange(documents)
    return generator.choice(documents, count, replace=False, shuffle=False)
