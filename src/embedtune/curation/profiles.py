"""What one embedder makes of a label that it has not learned from.

A document is judged by its profile: the sum of its own row, three times, and of the
rows of its queries in the other folds. A query that is mislabelled has no part in what
judges it. Half of the mean score of a document's ten nearest queries is taken off, so
that documents near to everything gain nothing by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.curation.audited import AuditedLabels, Integers
from embedtune.curation.mixture import Floats, log_likelihood
from embedtune.evaluation.search import BLOCK_BYTES, top_k
from embedtune.types import FloatMatrix

SHARPNESSES = (5.0, 7.0, 10.0, 14.0, 20.0, 28.0, 40.0, 56.0, 80.0, 112.0, 160.0)
"""What scores may be multiplied by before they become probabilities."""

_DOCUMENT_WEIGHT = 3  # queries that a document's own text counts for
_HUB_QUERIES = 2_000  # a sample of so many tells which documents are near to all
_HUB_NEIGHBOURS = 10
_HUB_SHARE = 0.5
_SHARPNESS_LABELS = 2_000  # a sample of so many tells how sharp

_Numbers: TypeAlias = Sequence[float]


@attrs.frozen(kw_only=True, eq=False)
class Judgement:
    """How one embedder judges each label, out of fold.

    Attributes:
        sharpness: The most likely of `SHARPNESSES`.
        probability: How probable it holds the document to be the one for the query.
        rank: The place of the document among all that are no peers, from 1.
        other: The best document that is not judged and no peer, or -1.
    """

    sharpness: float
    probability: Floats
    rank: Integers
    other: Integers


@attrs.frozen(kw_only=True, eq=False)
class _Fold:
    labels: Integers
    profiles: FloatMatrix
    penalties: FloatMatrix


def judge(
    labels: AuditedLabels,
    queries: FloatMatrix,
    documents: FloatMatrix,
    *,
    seed: int,
    block_bytes: int = BLOCK_BYTES,
) -> Judgement:
    """Judge each label by the labels of other folds and the texts.

    Args:
        labels: What is judged.
        queries: One unit row for each of `labels.query_ids`.
        documents: One unit row for each of `labels.doc_ids`.
        seed: Draws the samples.
        block_bytes: Memory for scores; does not change the result.
    """
    rng = np.random.default_rng(seed)
    sample = rng.permutation(len(labels))[:_SHARPNESS_LABELS]
    is_sampled = np.zeros(len(labels), bool)
    is_sampled[sample] = True
    guesses = np.empty((len(labels), len(SHARPNESSES)))
    folds = list(range(labels.folds))
    for number in folds:
        fold = _fold(labels, number, queries, documents, seed)
        rows = fold.labels[is_sampled[fold.labels]]
        for block, scores in _scored(labels, rows, fold, queries, block_bytes):
            guesses[block] = _probabilities(labels, block, scores, SHARPNESSES)
    likelihoods = [
        log_likelihood(column, len(documents)) for column in guesses[sample].T
    ]
    sharpness = SHARPNESSES[int(np.argmax(likelihoods))]
    result = Judgement(
        sharpness=sharpness,
        probability=np.empty(len(labels)),
        rank=np.empty(len(labels), np.int64),
        other=np.empty(len(labels), np.int64),
    )
    for number in folds:
        fold = _fold(labels, number, queries, documents, seed)
        for block, scores in _scored(labels, fold.labels, fold, queries, block_bytes):
            found = _probabilities(labels, block, scores, (sharpness,))
            result.probability[block] = found[:, 0]
            places = np.arange(len(block)), labels.document[block]
            own = scores[places].copy()
            result.rank[block] = 1 + (scores > own[:, None]).sum(axis=1)
            scores[places] = -np.inf
            scores[labels.judged_for(labels.query[block])] = -np.inf
            best = scores.argmax(axis=1)
            is_left = np.isfinite(scores[places[0], best])
            result.other[block] = np.where(is_left, best, -1)
    return result


def _fold(
    labels: AuditedLabels,
    number: int,
    queries: FloatMatrix,
    documents: FloatMatrix,
    seed: int,
) -> _Fold:
    is_inside = labels.fold[labels.query] == number
    outside = np.flatnonzero(~is_inside)
    profiles = documents * np.float32(_DOCUMENT_WEIGHT)
    order = outside[np.argsort(labels.document[outside], kind="stable")]
    for part in np.array_split(order, max(1, len(order) // 4096)):
        np.add.at(profiles, labels.document[part], queries[labels.query[part]])
    norms = np.linalg.norm(profiles, axis=1, keepdims=True)
    profiles /= np.maximum(norms, np.finfo(np.float32).tiny)
    others = np.unique(labels.query[outside])
    rng = np.random.default_rng((seed, number))
    sample = np.sort(rng.permutation(others)[:_HUB_QUERIES])
    _, scores = top_k(profiles, queries[sample], _HUB_NEIGHBOURS)
    penalties = np.float32(_HUB_SHARE) * scores.mean(axis=1)
    return _Fold(
        labels=np.flatnonzero(is_inside), profiles=profiles, penalties=penalties
    )


def _scored(
    labels: AuditedLabels,
    rows: Integers,
    fold: _Fold,
    queries: FloatMatrix,
    block_bytes: int,
) -> Iterator[tuple[Integers, FloatMatrix]]:
    """Yield labels and the scores of all documents, those of peers left out."""
    step = max(1, block_bytes // (16 * len(fold.profiles)))
    for start in range(0, len(rows), step):
        block = rows[start : start + step]
        scores = queries[labels.query[block]] @ fold.profiles.T
        scores -= fold.penalties
        own = np.arange(len(block)), labels.document[block]
        kept = scores[own].copy()
        scores[labels.peers_of(labels.query[block])] = -np.inf
        scores[own] = kept
        yield block, scores


def _probabilities(
    labels: AuditedLabels,
    block: Integers,
    scores: FloatMatrix,
    sharpnesses: _Numbers,
) -> npt.NDArray[np.float64]:
    """Return how probable each label is, one column for each sharpness."""
    own = scores[np.arange(len(block)), labels.document[block]]
    best = scores.max(axis=1)
    distances = scores - best[:, None]
    columns = []
    for sharpness in sharpnesses:
        weights = np.exp(np.float32(sharpness) * distances)
        totals = weights.sum(axis=1, dtype=np.float64)
        columns.append(np.exp(sharpness * (own - best).astype(np.float64)) / totals)
    return np.stack(columns, axis=1)
