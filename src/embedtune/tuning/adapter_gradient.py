"""The gradient run of an adapter: contrastive training of linear maps."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import numpy as np

from embedtune.serving.adapter import Adapter, AdapterMode
from embedtune.serving.linear import Floats, LinearMap
from embedtune.tuning.adam import Adam, share_of_rate
from embedtune.tuning.batches import RANDOM, Batch, batches
from embedtune.tuning.candidates import Schedule
from embedtune.tuning.contrast import contrast, through_unit, to_unit
from embedtune.tuning.frozen import FrozenMaterial
from embedtune.tuning.gradient import TEMPERATURE
from embedtune.tuning.labels import Labels

RATE = 5e-4
"""The full learning rate of a matrix."""

LOW_RANK_RATE = 2e-3
"""The full learning rate of the factors of low rank."""

Slopes = tuple[tuple[Floats, ...], ...]
"""For every map of an adapter the gradient by its factors."""


def gradient_run(
    material: FrozenMaterial,
    labels: Labels,
    *,
    start: Adapter,
    schedule: Schedule,
    generator: np.random.Generator,
) -> Iterator[tuple[float, Adapter]]:
    """Yield the loss of each step and the adapter after it.

    Args:
        material: The rows and the hard negatives.
        labels: The training labels; a label of relevance 0 hides its pair.
        start: The adapter to begin with.
        schedule: How long and how fast.
        generator: Decides about the batches.
    """
    size = len(material.documents)
    endless = batches(
        labels,
        material.hard,
        documents=size,
        random=min(RANDOM, size),
        size=schedule.batch_size,
        generator=generator,
    )
    moments = [
        [Adam(factor, _rate(linear) * schedule.rate) for factor in linear.factors]
        for linear in start.maps
    ]
    now = start
    for step in range(schedule.steps):
        share = share_of_rate(step, schedule.steps)
        loss, slopes = loss_and_gradient(material, now, next(endless))
        now = attrs.evolve(
            now,
            maps=tuple(
                LinearMap(
                    factors=tuple(
                        factor + moment.change(slope, share)
                        for factor, moment, slope in zip(*each, strict=True)
                    )
                )
                for each in zip(
                    (linear.factors for linear in now.maps),
                    moments,
                    slopes,
                    strict=True,
                )
            ),
        )
        yield loss, now


def loss_and_gradient(
    material: FrozenMaterial, adapter: Adapter, batch: Batch
) -> tuple[float, Slopes]:
    """Return the loss of a batch and its gradient by the factors of each map."""
    query_rows = material.queries[batch.queries]
    document_rows = material.documents[batch.candidates]
    queries, query_norms = to_unit(adapter.queries.apply(query_rows))
    documents, document_norms = document_rows, None
    if not adapter.documents.is_identity:
        documents, document_norms = to_unit(adapter.documents.apply(document_rows))
    result = contrast(
        queries,
        documents,
        batch.targets,
        temperature=TEMPERATURE,
        hidden=batch.hidden,
    )
    slopes = [
        adapter.queries.gradient(
            query_rows, through_unit(result.by_query, queries, query_norms)
        )
    ]
    if document_norms is not None:
        by_product = through_unit(result.by_candidate, documents, document_norms)
        slopes.append(adapter.documents.gradient(document_rows, by_product))
    if adapter.mode is AdapterMode.SHARED and len(slopes) > 1:
        slopes = [tuple(a + b for a, b in zip(*slopes, strict=True))]
    return result.loss, tuple(slopes)


def _rate(linear: LinearMap) -> float:
    return RATE if len(linear.factors) == 1 else LOW_RANK_RATE
