"""Which labels are probably wrong, which are missing, and what that does to a measure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from embedtune.curation.audited import AuditedLabels, Integers, chosen_splits
from embedtune.curation.label_audit import LabelAudit
from embedtune.curation.missing import missing_labels
from embedtune.curation.mixture import Mixture, NoiseShare, fit_mixture, noise_share
from embedtune.curation.profiles import Judgement, judge
from embedtune.curation.rankings import (
    Ranking,
    evidence_of,
    nearest_votes,
    rank_all,
)
from embedtune.curation.values import MeasuredError, MissingLabel, SuspectLabel
from embedtune.datasets.dataset import TuningDataset
from embedtune.evaluation.bootstrap import Interval
from embedtune.evaluation.embedding import embedded_documents, embedded_queries
from embedtune.evaluation.search import BLOCK_BYTES
from embedtune.progress import Progress, ProgressOption, track
from embedtune.serving.base import Embedder
from embedtune.serving.inputs import check_embedder
from embedtune.types import SPLITS, Split

_BATCH = 4096
_NEIGHBOURS = 10
_ASKED = 1_000  # labels, the most suspicious, whose neighbours are asked
_TINY = 1e-9


def audit_labels(
    dataset: TuningDataset,
    embedders: Embedder | Sequence[Embedder],
    *,
    split: Split | str | Sequence[Split] = "train",
    folds: int = 5,
    seed: int = 0,
    block_bytes: int = BLOCK_BYTES,
    progress: ProgressOption = False,
) -> LabelAudit:
    """Rank the labels that are probably wrong, and those that are probably missing.

    Each label is judged by the texts and by the labels of the queries in other folds,
    never by itself. Give embedders that were not tuned on these labels: a tuned one
    has learned the wrong ones, too.

    Embeddings of all queries and documents are held in memory, scores by the block.

    Args:
        dataset: Its labels must name queries and documents that are there.
        embedders: One, or several; each is believed as far as it explains the labels.
        split: The name of a split, several names, or `"all"`.
        folds: In how many parts the queries are dealt; queries of equal text share one.
        seed: Deals the queries and draws samples; equal seeds give equal audits.
        block_bytes: Memory for scores; does not change the result.
        progress: See :mod:`embedtune.progress`.

    Raises:
        TypeError: If there is no embedder, or one lacks a member.
        ConfigurationError: If *folds* is below 2 or above the number of queries of
            different text.
        DataError: If a split has no labels, there is no positive or no second
            document, or an embedder breaks its contract.
        DatasetIntegrityError: If labels name unknown queries or documents; it names
            every one.

    Example:
        >>> import embedtune as et
        >>> pairs = [
        ...     ("new pin", "Change the PIN in the app, or at a cash machine."),
        ...     ("my pin is blocked", "Change the PIN in the app, or at a cash machine."),
        ...     ("cost of a transfer", "A transfer to another bank costs 2 euros."),
        ...     ("is a transfer free", "A transfer to another bank costs 2 euros."),
        ... ]
        >>> dataset = et.TuningDataset.from_pairs(pairs)
        >>> audit = et.audit_labels(dataset, et.LocalEmbedder(), folds=2)
        >>> len(audit.wrong), len(audit.missing)
        (4, 0)
    """
    models = _embedders(embedders)
    splits = chosen_splits(split, dataset)
    labels = AuditedLabels.of(dataset, splits, folds, seed)
    texts = len(labels.query_ids) + len(labels.doc_ids)
    judgements: list[Judgement] = []
    rankings: list[Ranking] = []
    with track("auditing labels", len(models) * texts, progress) as bar:
        for model in models:
            ranking = _ranking(dataset, labels, model, block_bytes, bar)
            rankings.append(ranking)
            judgements.append(
                judge(
                    labels,
                    ranking.queries,
                    ranking.documents,
                    seed=seed,
                    block_bytes=block_bytes,
                )
            )
    probabilities = np.column_stack([found.probability for found in judgements])
    mixture = fit_mixture(probabilities, len(labels.doc_ids))
    half = len(labels.doc_ids) / 2
    tails = np.array([(found.rank > half).mean() for found in judgements])
    noise = noise_share(mixture, tails, len(labels))
    sharpnesses = [found.sharpness for found in judgements]
    missing = missing_labels(dataset, labels, rankings, sharpnesses, mixture.posterior)
    return LabelAudit(
        dataset=dataset,
        splits=splits,
        embedders=tuple(model.name for model in models),
        wrong=_suspects(labels, rankings, judgements, mixture),
        missing=tuple(missing),
        noise=noise,
        errors=_errors(labels, rankings, noise, missing),
    )


def _embedders(embedders: Embedder | Sequence[Embedder]) -> list[Embedder]:
    models = list(embedders) if isinstance(embedders, Sequence) else [embedders]
    if not models:
        msg = "'embedders' must hold at least one embedder (got none)"
        raise TypeError(msg)
    for model in models:
        check_embedder(model)
    return models


def _ranking(
    dataset: TuningDataset,
    labels: AuditedLabels,
    embedder: Embedder,
    block_bytes: int,
    bar: Progress,
) -> Ranking:
    texts = [dataset.queries[query_id].text for query_id in labels.query_ids]
    queries = embedded_queries(embedder, texts, _BATCH, bar)
    corpus = list(dataset.corpus.values())
    documents = np.concatenate([*embedded_documents(embedder, corpus, _BATCH, bar)])
    return rank_all(embedder.name, labels, queries, documents, block_bytes)


def _suspects(
    labels: AuditedLabels,
    rankings: Sequence[Ranking],
    judgements: Sequence[Judgement],
    mixture: Mixture,
) -> tuple[SuspectLabel, ...]:
    # The model that explains most labels has the word on what should stand there.
    chosen = judgements[int(np.argmax(mixture.weights))]
    order: Integers = np.lexsort((-chosen.rank, -mixture.posterior))
    asked = order[:_ASKED]
    own, other = (
        dict(zip(asked.tolist(), found.tolist(), strict=True))
        for found in nearest_votes(
            labels, rankings, asked, (labels.document, chosen.other), _NEIGHBOURS
        )
    )
    evidence = evidence_of(rankings, labels.doc_ids, labels.query, labels.document)
    return tuple(
        SuspectLabel(
            split=SPLITS[labels.split[row]],
            query_id=labels.query_ids[labels.query[row]],
            doc_id=labels.doc_ids[labels.document[row]],
            relevance=int(labels.relevance[row]),
            suspicion=float(mixture.posterior[row]),
            rank=int(chosen.rank[row]),
            alternative=labels.doc_ids[best] if best >= 0 else None,
            votes=own.get(row),
            alternative_votes=other.get(row),
            evidence=evidence[row],
        )
        for row, best in zip(order.tolist(), chosen.other[order].tolist(), strict=True)
    )


def _errors(
    labels: AuditedLabels,
    rankings: Sequence[Ranking],
    noise: NoiseShare,
    missing: Sequence[MissingLabel],
) -> tuple[MeasuredError, ...]:
    qrels: dict[str, dict[str, int]] = {}
    for query, document, relevance in zip(
        labels.query.tolist(),
        labels.document.tolist(),
        labels.relevance.tolist(),
        strict=True,
    ):
        row = qrels.setdefault(labels.query_ids[query], {})
        row[labels.doc_ids[document]] = relevance
    complete = {query_id: dict(row) for query_id, row in qrels.items()}
    for item in missing:
        complete[item.query_id][item.doc_id] = item.relevance
    return tuple(
        _error(
            ranking.embedder,
            ranking.ndcg(qrels, labels.doc_ids),
            ranking.ndcg(complete, labels.doc_ids),
            noise,
        )
        for ranking in rankings
    )


def _error(
    embedder: str, measured: float, if_complete: float, noise: NoiseShare
) -> MeasuredError:
    shares = (noise.share, noise.interval.low, noise.interval.high)
    right = [min(1.0, measured / max(1 - share, measured, _TINY)) for share in shares]
    error = 1 - measured
    parts = [(value - measured) / error if error else 0.0 for value in right]
    return MeasuredError(
        embedder=embedder,
        measured=measured,
        if_right=right[0],
        if_complete=max(if_complete, measured),
        noise_share=parts[0],
        interval=Interval(low=parts[1], high=parts[2]),
    )
