"""The contrastive loss over unit rows, and its gradients (InfoNCE, many positives)."""

from __future__ import annotations

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.tuning.bags import Floats


@attrs.frozen(kw_only=True, eq=False)
class Contrast:
    """The loss of one batch and its gradients.

    Attributes:
        loss: The mean over the queries.
        by_query: The gradient by each query's unit row.
        by_candidate: The gradient by each candidate's unit row.
    """

    loss: float
    by_query: Floats
    by_candidate: Floats


def contrast(
    queries: Floats,
    candidates: Floats,
    targets: Floats,
    *,
    temperature: float,
    hidden: npt.NDArray[np.bool_] | None = None,
) -> Contrast:
    """Return the cross-entropy between *targets* and the softmax of the cosines.

    Args:
        queries: One unit row for each query.
        candidates: One unit row for each document of the batch.
        targets: One row for each query: the shares of its relevant candidates, with
            the sum 1.
        temperature: What the cosines are divided by.
        hidden: Pairs that take no part; never one with a target.
    """
    scores = queries @ candidates.T
    scores /= temperature
    if hidden is not None:
        scores[hidden] = -np.inf
    scores -= scores.max(axis=1, keepdims=True)
    shares = np.exp(scores)
    total = shares.sum(axis=1, keepdims=True)
    if hidden is not None:
        scores[hidden] = 0  # a target of 0 times an infinite score is 0
    loss = float((np.log(total[:, 0]) - (targets * scores).sum(axis=1)).mean())
    shares /= total
    shares -= targets
    shares /= temperature * len(queries)
    return Contrast(
        loss=loss, by_query=shares @ candidates, by_candidate=shares.T @ queries
    )


def to_unit(rows: Floats) -> tuple[Floats, Floats]:
    """Return rows of norm 1, and the norms; a row of zeros stays as it is."""
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    norms[norms == 0] = 1
    return rows / norms[:, None], norms


def through_unit(gradient: Floats, units: Floats, norms: Floats) -> Floats:
    """Return the gradient by the rows that :func:`to_unit` was given.

    Args:
        gradient: The gradient by the unit rows.
        units: The unit rows.
        norms: The norms of the rows given.
    """
    along = np.einsum("ij,ij->i", gradient, units)
    result: Floats = (gradient - along[:, None] * units) / norms[:, None]
    return result
