"""How well an embedder retrieves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from embedtune.datasets.dataset import TuningDataset
from embedtune.errors import ConfigurationError
from embedtune.evaluation.embedding import embedded_documents, embedded_queries
from embedtune.evaluation.judgements import Judgements
from embedtune.evaluation.measures import Measure, parse_measures
from embedtune.evaluation.report import EvaluationReport
from embedtune.evaluation.run import Run
from embedtune.evaluation.scoring import MEASURES, labels_of, values_of
from embedtune.evaluation.search import BLOCK_BYTES, RunningTopK
from embedtune.progress import ProgressOption, track
from embedtune.serving.base import Embedder, query_fingerprint
from embedtune.serving.inputs import check_embedder
from embedtune.types import Split

_LEAST_DEPTH = 10  # hits that a report shows, whatever was measured
_DEPTH_WITHOUT_CUTOFF = 1_000  # as runs at TREC


def evaluate(
    embedder: Embedder,
    dataset: TuningDataset,
    split: Split = "test",
    measures: str | Iterable[str | Measure] = MEASURES,
    *,
    depth: int | None = None,
    batch_size: int = 4096,
    block_bytes: int = BLOCK_BYTES,
    progress: ProgressOption = False,
) -> EvaluationReport:
    """Search the whole corpus for each query of *split*, exactly, and measure.

    Documents are embedded batch by batch and not kept, so that memory does not grow
    with the corpus. Unjudged documents count as not relevant. Equal scores are ranked
    in the order of the corpus. A query without a positive has 0 in every measure.

    Args:
        embedder: What is measured.
        dataset: What it is measured on.
        split: Which labels count.
        measures: Names such as `"nDCG@10"`, `"R@100"`, `"RR@10"`, `"AP@100"`, `"P@5"`,
            `"Success@5"`; see :mod:`embedtune.evaluation.measures`.
        depth: How many hits to keep for each query; `None` for the largest cutoff, or
            1,000 if a measure has none.
        batch_size: How many texts the embedder gets at once.
        block_bytes: Memory for the search; does not change the result.
        progress: See :mod:`embedtune.progress`.

    Raises:
        TypeError: If *embedder* is no :class:`~embedtune.Embedder`; the message names
            what it lacks.
        ConfigurationError: If a measure is unknown or *depth* is less than a cutoff.
        DataError: If the split has no labels, or the embedder breaks its contract.
        DatasetIntegrityError: If labels name unknown queries or documents; it names
            every one.
    """
    chosen = parse_measures(measures)
    check_embedder(embedder)
    if batch_size < 1:
        msg = f"'batch_size' must be >= 1 (got {batch_size!r})"
        raise ValueError(msg)
    depth = _depth(chosen, depth)
    labels = labels_of(dataset, split)
    texts = [dataset.queries[query_id].text for query_id in labels]
    documents = list(dataset.corpus.values())
    with track("evaluating", len(texts) + len(documents), progress) as bar:
        queries = embedded_queries(embedder, texts, batch_size, bar)
        search = RunningTopK(
            queries, min(depth, len(documents)), block_bytes=block_bytes
        )
        for rows in embedded_documents(embedder, documents, batch_size, bar):
            search.add(rows)
    found, scores = search.result()
    numbers = {doc_id: number for number, doc_id in enumerate(dataset.corpus)}
    judgements = Judgements.of(labels, numbers)
    return EvaluationReport(
        embedder=embedder.name,
        fingerprint=embedder.fingerprint,
        query_fingerprint=query_fingerprint(embedder),
        dataset_fingerprint=dataset.fingerprint,
        split=split,
        documents=len(documents),
        measures=tuple(measure.name for measure in chosen),
        query_ids=tuple(labels),
        values=values_of(chosen, judgements, found),
        positives=judgements.positives(),
        run=Run.of_places(tuple(labels), tuple(dataset.corpus), found, scores),
    )


def _depth(measures: Sequence[Measure], depth: int | None) -> int:
    cutoffs = [m.cutoff or _DEPTH_WITHOUT_CUTOFF for m in measures]
    if depth is None:
        return max(*cutoffs, _LEAST_DEPTH)
    largest = max((m.cutoff or 1 for m in measures), default=1)
    if depth < largest:
        msg = f"'depth' must be >= {largest}, the largest cutoff (got {depth!r})"
        raise ConfigurationError(msg)
    return depth
