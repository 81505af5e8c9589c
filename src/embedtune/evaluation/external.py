"""How well a run from elsewhere retrieves."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from embedtune.datasets.dataset import TuningDataset
from embedtune.errors import ConfigurationError, DataError
from embedtune.evaluation.judgements import Judgements
from embedtune.evaluation.measures import Measure, parse_measures
from embedtune.evaluation.ranking import Ranking
from embedtune.evaluation.report import EvaluationReport
from embedtune.evaluation.run import Run, RunMapping
from embedtune.evaluation.scoring import MEASURES, depth_of, labels_of, values_of
from embedtune.types import Qrels, Split


def evaluate_run(
    run: RunMapping,
    labels: TuningDataset | Qrels,
    split: Split | None = None,
    measures: str | Iterable[str | Measure] = MEASURES,
    *,
    name: str = "run",
) -> EvaluationReport:
    """Measure a run from elsewhere: another search engine, a hybrid, a re-ranker.

    Hits are ranked by score, and equal scores in the order in which the run names
    them. Queries that the run lacks count as 0, queries without labels are left out,
    and unjudged documents count as not relevant.

    Args:
        run: `{query_id: {doc_id: score}}`; larger is better.
        labels: A dataset, or the labels alone.
        split: Which labels of the dataset count, `"test"` if `None`; only with a
            dataset.
        measures: As for :func:`~embedtune.evaluation.evaluate.evaluate`; without a
            cutoff, all hits of the run count.
        name: What the report calls the run.

    Raises:
        ConfigurationError: If a measure is unknown.
        DataError: If there are no labels, or a score is no finite number.

    Example:
        >>> run = {"q1": {"d1": 0.2, "d2": 0.9}}
        >>> evaluate_run(run, {"q1": {"d1": 1}}, measures="RR@10")["RR@10"]
        0.5
    """
    chosen = parse_measures(measures)
    if isinstance(labels, TuningDataset):
        split = split or "test"
        qrels, fingerprint = labels_of(labels, split), labels.fingerprint
        documents: int | None = len(labels.corpus)
    elif split is not None:
        msg = "'split' needs a dataset; labels alone have no splits"
        raise ConfigurationError(msg)
    else:
        qrels, fingerprint, documents = labels, "", None
    if not qrels:
        msg = "there are no labels to measure with"
        raise DataError(msg)
    query_ids = tuple(qrels)
    ranking = Ranking.of(run, query_ids)
    judged = dict.fromkeys(chain.from_iterable(qrels.values()))
    numbers = {doc_id: number for number, doc_id in enumerate(judged)}
    judgements = Judgements.of(qrels, numbers)
    return EvaluationReport(
        embedder=name,
        dataset_fingerprint=fingerprint,
        split=split or "",
        documents=ranking.distinct if documents is None else documents,
        measures=tuple(measure.name for measure in chosen),
        query_ids=query_ids,
        values=values_of(
            chosen, judgements, ranking.numbers(numbers, depth_of(chosen))
        ),
        positives=judgements.positives(),
        run=Run.of_ranking(query_ids, ranking),
    )
