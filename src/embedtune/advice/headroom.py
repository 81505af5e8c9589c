"""What the best order of the first hundred hits would give, and what is beyond it."""

from __future__ import annotations

import numpy as np

from embedtune.advice.values import MEASURE, Headroom
from embedtune.evaluation.judgements import Judgements
from embedtune.evaluation.measures import Measure
from embedtune.evaluation.report import EvaluationReport
from embedtune.types import Qrels

DEPTH = 100
"""How many hits count as within reach."""

_NAMED = 5


def headroom_of(report: EvaluationReport, labels: Qrels) -> Headroom:
    """Return where a base stands.

    Args:
        report: Of the base, with nDCG@10 and R@100, and a hundred hits a query.
        labels: What it was measured by, its queries in the same order.
    """
    judged = (doc_id for row in labels.values() for doc_id in row)
    names = dict.fromkeys([*report.run.doc_ids, *judged])
    judgements = Judgements.of(labels, {name: i for i, name in enumerate(names)})
    found = judgements.ranked(report.run.documents[:, :DEPTH])
    best = -np.sort(-found, axis=1)
    measure = Measure.parse(MEASURE)
    reranked = measure.values(best, judgements.ideal(measure.cutoff))
    is_reached = found.any(axis=1) | (report.positives == 0)
    unreached = [report.query_ids[row] for row in np.flatnonzero(~is_reached)]
    return Headroom(
        queries=len(report.query_ids),
        base=report[MEASURE],
        interval=report.interval(MEASURE),
        reranked=float(reranked.mean()),
        recall=report[f"R@{DEPTH}"],
        unreached=tuple(unreached[:_NAMED]),
        unreached_count=len(unreached),
    )
