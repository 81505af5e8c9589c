"""Documents without a label that every embedder puts above the positive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs
import numpy as np

from embedtune.curation.audited import AuditedLabels, Integers
from embedtune.curation.mixture import Floats
from embedtune.curation.rankings import Ranking, evidence_of
from embedtune.curation.values import Likeness, MissingLabel
from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.near_duplicates import are_near_duplicates
from embedtune.types import SPLITS

PER_QUERY = 3
"""How many documents are listed for one query; those equal to a positive come on top."""

_PROBABLY_WRONG = 0.5  # above it, what is above the positive says nothing


@attrs.frozen(kw_only=True)
class _Candidate:
    label: int
    document: int
    preference: float
    is_equal: bool


def missing_labels(
    dataset: TuningDataset,
    labels: AuditedLabels,
    rankings: Sequence[Ranking],
    sharpnesses: Sequence[float],
    suspicion: Floats,
) -> list[MissingLabel]:
    """Return the documents that are probably relevant, the surest first.

    Queries whose positives are all probably wrong are left out: there, the document
    above the positive is the alternative of the wrong label.

    Args:
        dataset: Where the texts come from.
        labels: The labels.
        rankings: What each embedder ranks first.
        sharpnesses: What each embedder's scores are multiplied by.
        suspicion: For each label, how probably it is wrong.
    """
    found = [*_equals(labels, suspicion)]
    found += _preferred(labels, rankings, sharpnesses, suspicion)
    found.sort(key=lambda item: (-item.is_equal, -item.preference))
    queries = np.array([labels.query[item.label] for item in found], np.int64)
    documents = np.array([item.document for item in found], np.int64)
    evidence = evidence_of(rankings, labels.doc_ids, queries, documents)
    texts = [document.text for document in dataset.corpus.values()]
    is_near = are_near_duplicates(
        [texts[item.document] for item in found],
        [texts[labels.document[item.label]] for item in found],
    )
    return [
        MissingLabel(
            split=SPLITS[labels.split[item.label]],
            query_id=labels.query_ids[labels.query[item.label]],
            doc_id=labels.doc_ids[item.document],
            positive=labels.doc_ids[labels.document[item.label]],
            relevance=int(labels.relevance[item.label]),
            preference=item.preference,
            likeness=_likeness(item, is_near=near),
            evidence=facts,
        )
        for item, facts, near in zip(found, evidence, is_near.tolist(), strict=True)
    ]


def _equals(labels: AuditedLabels, suspicion: Floats) -> Iterator[_Candidate]:
    """Yield the documents that equal a positive and have no label."""
    width = len(labels.doc_ids)
    open_keys = np.setdiff1d(labels.peers, labels.judged)
    best = _most_credible(labels, suspicion).tolist()
    for key in open_keys.tolist():
        label: int = best[key // width]
        if suspicion[label] < _PROBABLY_WRONG:
            yield _Candidate(
                label=label, document=key % width, preference=0.5, is_equal=True
            )


def _preferred(
    labels: AuditedLabels,
    rankings: Sequence[Ranking],
    sharpnesses: Sequence[float],
    suspicion: Floats,
) -> Iterator[_Candidate]:
    best = _best_ranked(labels, rankings, suspicion)
    queries = np.flatnonzero(best >= 0)
    positives = labels.document[best[queries]]
    ceilings = [ranking.ranks(queries, positives) for ranking in rankings]
    scores = [ranking.scores_of(queries, positives) for ranking in rankings]
    for place, query in enumerate(queries.tolist()):
        above = [
            dict(zip(r.found[query, :end], r.scores[query, :end], strict=True))
            for r, end in (
                (r, _end(int(c[place]), r))
                for r, c in zip(rankings, ceilings, strict=True)
            )
        ]
        common = set(above[0]).intersection(*above[1:])
        if not common:
            continue
        documents = np.array(sorted(common), np.int64)
        is_new = ~labels.is_known(np.full(len(documents), query), documents)
        items = [
            _Candidate(
                label=int(best[query]),
                document=document,
                preference=float(
                    np.mean(
                        [
                            _preference(s * (a[document] - own[place]))
                            for s, a, own in zip(
                                sharpnesses, above, scores, strict=True
                            )
                        ]
                    )
                ),
                is_equal=False,
            )
            for document in documents[is_new].tolist()
        ]
        items.sort(key=lambda item: -item.preference)
        yield from items[:PER_QUERY]


def _end(ceiling: int, ranking: Ranking) -> int:
    return ceiling - 1 if ceiling else ranking.found.shape[1]


def _preference(distance: float) -> float:
    return float(1 / (1 + np.exp(-distance)))


def _most_credible(labels: AuditedLabels, suspicion: Floats) -> Integers:
    """Return the least suspicious label of each query."""
    order = np.lexsort((suspicion, labels.query))
    _, first = np.unique(labels.query[order], return_index=True)
    chosen: Integers = order[first]
    return chosen


def _best_ranked(
    labels: AuditedLabels, rankings: Sequence[Ranking], suspicion: Floats
) -> Integers:
    """Return the label of each query that is ranked best, -1 if none is credible."""
    ranks = [r.ranks(labels.query, labels.document) for r in rankings]
    total = np.sum([np.where(rank > 0, rank, 10**6) for rank in ranks], axis=0)
    is_credible = suspicion < _PROBABLY_WRONG
    best = np.full(len(labels.query_ids), -1, np.int64)
    order = np.lexsort((total, labels.query))
    kept = order[is_credible[order]]
    queries, first = np.unique(labels.query[kept], return_index=True)
    best[queries] = kept[first]
    return best


def _likeness(item: _Candidate, *, is_near: bool) -> Likeness:
    if item.is_equal:
        return "equal"
    return "near" if is_near else ""
