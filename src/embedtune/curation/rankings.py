"""What each embedder ranks first by itself, before any label is looked at."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from embedtune.curation.audited import AuditedLabels, Integers
from embedtune.curation.values import Evidence
from embedtune.evaluation.judgements import Judgements
from embedtune.evaluation.measures import parse_measures
from embedtune.evaluation.scoring import values_of
from embedtune.evaluation.search import BLOCK_BYTES, top_k
from embedtune.types import FloatMatrix, Qrels

DEPTH = 50
"""How many documents of each ranking are kept."""

_MEASURE = "nDCG@10"


@attrs.frozen(kw_only=True, eq=False)
class Ranking:
    """The first documents of each query, by one embedder.

    Attributes:
        embedder: Its name.
        queries: The rows of the queries.
        documents: The rows of the documents.
        found: (queries, depth); the documents, best first.
        scores: Their scores.
        first: (queries,); the column of the best document that is not known, or -1.
    """

    embedder: str
    queries: FloatMatrix
    documents: FloatMatrix
    found: Integers
    scores: FloatMatrix
    first: Integers

    def ranks(self, queries: Integers, documents: Integers) -> Integers:
        """Return the rank of each document for its query, 0 if it was not found."""
        hits = self.found[queries] == documents[:, None]
        ranks: Integers = np.where(hits.any(axis=1), hits.argmax(axis=1) + 1, 0)
        return ranks

    def scores_of(self, queries: Integers, documents: Integers) -> FloatMatrix:
        """Return the score of each document for its query."""
        scores = np.empty(len(queries), np.float32)
        for start in range(0, len(queries), DEPTH * 100):
            rows = slice(start, start + DEPTH * 100)
            scores[rows] = np.vecdot(
                self.queries[queries[rows]], self.documents[documents[rows]]
            )
        return scores

    def ndcg(self, qrels: Qrels, doc_ids: Sequence[str]) -> float:
        """Return the mean nDCG@10 by *qrels*, whose queries are those ranked."""
        numbers = {doc_id: number for number, doc_id in enumerate(doc_ids)}
        judgements = Judgements.of(qrels, numbers)
        values = values_of(parse_measures(_MEASURE), judgements, self.found)
        return float(values.mean())


def rank_all(
    name: str,
    labels: AuditedLabels,
    queries: FloatMatrix,
    documents: FloatMatrix,
    block_bytes: int = BLOCK_BYTES,
) -> Ranking:
    """Rank the documents for each query by their own rows."""
    depth = min(DEPTH, len(documents))
    found, scores = top_k(queries, documents, depth, block_bytes=block_bytes)
    rows = np.repeat(np.arange(len(found)), depth)
    is_new = ~labels.is_known(rows, found.ravel()).reshape(found.shape)
    first = np.where(is_new.any(axis=1), is_new.argmax(axis=1), -1)
    return Ranking(
        embedder=name,
        queries=queries,
        documents=documents,
        found=found,
        scores=scores,
        first=first,
    )


def evidence_of(
    rankings: Sequence[Ranking],
    doc_ids: Sequence[str],
    queries: Integers,
    documents: Integers,
) -> list[tuple[Evidence, ...]]:
    """Return what each embedder says about each pair."""
    columns = [_of_one(ranking, doc_ids, queries, documents) for ranking in rankings]
    return list(zip(*columns, strict=True))


def nearest_votes(
    labels: AuditedLabels,
    rankings: Sequence[Ranking],
    asked: Integers,
    candidates: Sequence[Integers],
    neighbours: int,
) -> list[Integers]:
    """Count the nearest queries of other folds that have each candidate as positive.

    Args:
        labels: The labels; one vote for each.
        rankings: Queries are near by the mean of their scores in all of them.
        asked: The numbers of the labels whose neighbours vote.
        candidates: For each label a document or -1; several of these.
        neighbours: How many queries vote.

    Returns:
        For each of *candidates* the votes of each label in *asked*.
    """
    votes = [np.zeros(len(asked), np.int64) for _ in candidates]
    rows = np.hstack([ranking.queries for ranking in rankings])
    folds = labels.fold[labels.query[asked]]
    for fold in np.unique(folds).tolist():
        mine = np.flatnonzero(folds == fold)
        inside, place = np.unique(labels.query[asked[mine]], return_inverse=True)
        outside = np.flatnonzero(labels.fold != fold)
        near, _ = top_k(rows[inside], rows[outside], neighbours)
        voters = outside[near[place]]
        for counts, documents in zip(votes, candidates, strict=True):
            wanted = np.broadcast_to(documents[asked[mine]][:, None], voters.shape)
            has = labels.has_label(voters.ravel(), wanted.ravel())
            found = has.reshape(voters.shape).sum(axis=1)
            counts[mine] = np.where(documents[asked[mine]] >= 0, found, 0)
    return votes


def _of_one(
    ranking: Ranking, doc_ids: Sequence[str], queries: Integers, documents: Integers
) -> list[Evidence]:
    ranks = ranking.ranks(queries, documents).tolist()
    scores = ranking.scores_of(queries, documents).tolist()
    column = ranking.first[queries]
    firsts: list[int] = ranking.found[queries, column].tolist()
    first_scores = ranking.scores[queries, column].tolist()
    return [
        Evidence(
            embedder=ranking.embedder,
            rank=rank or None,
            score=score,
            first=doc_ids[first] if place >= 0 else None,
            first_score=first_score if place >= 0 else None,
        )
        for rank, score, place, first, first_score in zip(
            ranks, scores, column.tolist(), firsts, first_scores, strict=True
        )
    ]
