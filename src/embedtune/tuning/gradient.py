"""The gradient run: contrastive training of token weights and matrix."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.tuning.adam import Adam, share_of_rate
from embedtune.tuning.bags import CountedBags, Floats
from embedtune.tuning.batches import Batch, batches, random_documents
from embedtune.tuning.candidates import Schedule
from embedtune.tuning.contrast import contrast
from embedtune.tuning.encoder import Parameters, encode, gradient
from embedtune.tuning.labels import Labels

TEMPERATURE = 0.05
"""What the cosines are divided by."""

MATRIX_RATE = 5e-4
"""The full learning rate of the matrix."""

WEIGHT_RATE = 1e-2
"""The full learning rate of the token weights."""


@attrs.frozen(kw_only=True, eq=False)
class Texts:
    """The texts of a task, as the gradient run needs them.

    Attributes:
        table: The base model's row for every token.
        queries: The tokens of the queries.
        documents: The tokens of the documents.
    """

    table: Floats
    queries: CountedBags
    documents: CountedBags


def gradient_run(
    texts: Texts,
    labels: Labels,
    hard: npt.NDArray[np.int64],
    *,
    start: Parameters,
    schedule: Schedule,
    generator: np.random.Generator,
) -> Iterator[tuple[float, Parameters]]:
    """Yield the loss of each step and the parameters after it.

    Args:
        texts: The table and the tokens of the texts.
        labels: The training labels; a label of relevance 0 hides its pair.
        hard: The hard negatives of each query row, -1 where there is none.
        start: The parameters to begin with.
        schedule: How long and how fast.
        generator: Decides about the batches.
    """
    matrix = Adam(start.matrix, MATRIX_RATE * schedule.rate)
    weights = Adam(start.log_weights, WEIGHT_RATE * schedule.rate)
    endless = batches(
        labels,
        hard,
        documents=len(texts.documents),
        random=random_documents(texts.documents),
        size=schedule.batch_size,
        generator=generator,
    )
    now = start
    for step in range(schedule.steps):
        share = share_of_rate(step, schedule.steps)
        loss, slope = loss_and_gradient(texts, now, next(endless))
        now = Parameters(
            matrix=now.matrix + matrix.change(slope.matrix, share),
            log_weights=now.log_weights + weights.change(slope.log_weights, share),
        )
        yield loss, now


def loss_and_gradient(
    texts: Texts, parameters: Parameters, batch: Batch
) -> tuple[float, Parameters]:
    """Return the loss of a batch and its gradient by the parameters."""
    query_bags = texts.queries.take(batch.queries)
    candidate_bags = texts.documents.take(batch.candidates)
    queries = encode(texts.table, parameters, query_bags)
    candidates = encode(texts.table, parameters, candidate_bags)
    result = contrast(
        queries.units,
        candidates.units,
        batch.targets,
        temperature=TEMPERATURE,
        hidden=batch.hidden,
    )
    parts = (
        (query_bags, queries, result.by_query),
        (candidate_bags, candidates, result.by_candidate),
    )
    return result.loss, gradient(texts.table, parameters, parts)
