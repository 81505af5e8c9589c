"""The queries of a hold-out, and the documents that they search."""

from __future__ import annotations

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.evaluation.judgements import Judgements
from embedtune.evaluation.measures import Measure
from embedtune.evaluation.search import top_k
from embedtune.tuning.bags import Floats
from embedtune.tuning.choose import Measured
from embedtune.tuning.holdout import Fold
from embedtune.tuning.labels import Labels, joined

_CUTOFF = 10

MEASURE = Measure(kind="nDCG", cutoff=_CUTOFF)
"""What tuners choose by."""


@attrs.frozen(kw_only=True, eq=False)
class HeldOut:
    """The queries of one hold-out, and the documents that they search.

    Attributes:
        queries: The rows of the queries: first those of seen documents.
        documents: The rows of the documents, ascending.
        judgements: The labels.
        seen: How many queries are of seen documents.
    """

    queries: npt.NDArray[np.int64]
    documents: npt.NDArray[np.int64]
    judgements: Judgements
    seen: int

    @classmethod
    def of(
        cls,
        fold: Fold,
        documents: int,
        hard: npt.NDArray[np.int64],
        generator: np.random.Generator,
        *,
        most: int,
    ) -> HeldOut:
        """Prepare the queries of a fold.

        A large corpus is searched in part: the labelled documents, the hard negatives
        of the queries, and others at random.

        Args:
            fold: The hold-out.
            documents: The number of documents.
            hard: The hard negatives of each query row, -1 where there is none.
            generator: Draws the others.
            most: So many documents are searched, at most.
        """
        labels = joined([fold.seen, fold.unseen])
        chosen = _searched(labels, documents, hard, generator, most)
        place = np.zeros(documents, dtype=np.int64)
        place[chosen] = np.arange(len(chosen))
        keys = labels.owners * len(chosen) + place[labels.documents]
        order = np.argsort(keys)
        return cls(
            queries=labels.queries,
            documents=chosen,
            judgements=Judgements(
                queries=len(labels),
                documents=len(chosen),
                keys=keys[order],
                relevances=labels.relevance[order].astype(np.int64),
            ),
            seen=len(fold.seen),
        )

    def measured(self, queries: Floats, documents: Floats) -> Measured:
        """Return the measure of every query.

        Args:
            queries: Their unit rows.
            documents: Their unit rows.
        """
        found, _ = top_k(queries, documents, _CUTOFF)
        values = MEASURE.values(
            self.judgements.ranked(found), self.judgements.ideal(_CUTOFF)
        )
        return Measured(seen=values[: self.seen], unseen=values[self.seen :])


def _searched(
    labels: Labels,
    documents: int,
    hard: npt.NDArray[np.int64],
    generator: np.random.Generator,
    most: int,
) -> npt.NDArray[np.int64]:
    if documents <= most:
        return np.arange(documents)
    negatives = hard[labels.queries].T.ravel()  # the hardest of all queries first
    order = [labels.documents, negatives[negatives >= 0]]
    near = list(dict.fromkeys(np.concatenate(order).tolist()))
    size = max(most, len(np.unique(labels.documents)))
    others = generator.permutation(np.setdiff1d(np.arange(documents), near))
    return np.sort(np.concatenate([near, others])[:size])
