"""How far the relevant documents of each query stand before the others."""

from __future__ import annotations

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.datasets.dataset import TuningDataset
from embedtune.evaluation.judgements import Judgements
from embedtune.evaluation.report import EvaluationReport
from embedtune.evaluation.scoring import judged_labels
from embedtune.types import Qrels

_BINS = 40
_OUTERMOST = 0.99  # of the queries lie within the drawn range


@attrs.frozen(kw_only=True, eq=False)
class Margins:
    """The margin of each query: its best relevant hit's score minus its best other's.

    Above 0 a relevant document comes first. The scale is the model's own, so that the
    widths of two models say nothing about each other.

    Attributes:
        values: The margins of the queries that have one.
        missed: How many queries have a positive, and none among their hits.
        alone: How many have no hit but relevant ones.
        depth: How many hits a query has at most.
    """

    values: npt.NDArray[np.float64]
    missed: int
    alone: int
    depth: int

    @classmethod
    def of(cls, report: EvaluationReport, labels: Qrels) -> Margins:
        """Return the margins of a report.

        Queries without a positive are left out.

        Args:
            report: Its run gives the hits.
            labels: Of all its queries, in its order.
        """
        run = report.run
        numbers = {doc_id: number for number, doc_id in enumerate(run.doc_ids)}
        for row in labels.values():
            for doc_id in row:
                numbers.setdefault(doc_id, len(numbers))
        judgements = Judgements.of(labels, numbers)
        is_hit = run.documents >= 0
        is_relevant = judgements.ranked(run.documents) > 0
        relevant = _best(run.scores, is_relevant)
        other = _best(run.scores, is_hit & ~is_relevant)
        is_found, is_answerable = relevant > -np.inf, judgements.positives() > 0
        is_alone = is_found & (other == -np.inf)
        has_margin = is_found & ~is_alone
        return cls(
            values=relevant[has_margin] - other[has_margin],
            missed=int(np.count_nonzero(is_answerable & ~is_found)),
            alone=int(np.count_nonzero(is_alone)),
            depth=run.depth,
        )

    @property
    def queries(self) -> int:
        """How many queries have a positive."""
        return len(self.values) + self.missed + self.alone

    @property
    def first(self) -> int:
        """How many queries have a relevant document before all others."""
        return int(np.count_nonzero(self.values > 0)) + self.alone

    @property
    def behind(self) -> int:
        """How many have a relevant document among their hits, and not before all."""
        return len(self.values) - int(np.count_nonzero(self.values > 0))

    def histogram(self) -> tuple[float, npt.NDArray[np.int64]]:
        """Return half the width, and the counts of bins that reach as far to each side.

        The outermost bins hold what lies beyond them, too.
        """
        sizes = np.abs(self.values)
        half = float(np.quantile(sizes, _OUTERMOST)) if sizes.size else 0.0
        half = half or 1.0
        # A margin of exactly 0 is none, so it belongs to the left.
        places = np.ceil((self.values / half + 1) / 2 * _BINS).astype(np.int64) - 1
        counts = np.bincount(np.clip(places, 0, _BINS - 1), minlength=_BINS)
        return half, counts.astype(np.int64)


def margins_of_both(
    base: EvaluationReport, tuned: EvaluationReport, dataset: TuningDataset
) -> tuple[Margins, Margins]:
    """Return the margins of two reports on the same queries of *dataset*."""
    labels = judged_labels(dataset, base.split, base.query_ids)
    return Margins.of(base, labels), Margins.of(tuned, labels)


def _best(
    scores: npt.NDArray[np.float64], is_meant: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    best: npt.NDArray[np.float64] = np.where(is_meant, scores, -np.inf).max(
        axis=1, initial=-np.inf
    )
    return best
