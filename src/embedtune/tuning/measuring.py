"""How well parameters retrieve on the queries of a hold-out."""

from __future__ import annotations

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.evaluation.judgements import Judgements
from embedtune.evaluation.measures import Measure
from embedtune.evaluation.search import top_k
from embedtune.tuning.bags import CountedBags, Floats, token_sums
from embedtune.tuning.choose import Measured
from embedtune.tuning.contrast import to_unit
from embedtune.tuning.encoder import Parameters
from embedtune.tuning.gradient import Texts
from embedtune.tuning.holdout import Fold
from embedtune.tuning.labels import Labels, joined

_CUTOFF = 10

MEASURE = Measure(kind="nDCG", cutoff=_CUTOFF)
"""What tuners choose by."""

MOST_DOCUMENTS = 20_000
"""So many documents are searched in a hold-out, at most."""


@attrs.frozen(kw_only=True, eq=False)
class Examination:
    """The queries of one hold-out, and the documents that they search.

    Attributes:
        table: The base model's table.
        queries: The tokens of the queries: first those of seen documents.
        documents: The tokens of the documents.
        base_sums: The sums of token rows for both, without token weights.
        judgements: The labels.
        seen: How many queries are of seen documents.
    """

    table: Floats
    queries: CountedBags
    documents: CountedBags
    base_sums: tuple[Floats, Floats]
    judgements: Judgements
    seen: int

    @classmethod
    def of(
        cls,
        fold: Fold,
        texts: Texts,
        hard: npt.NDArray[np.int64],
        generator: np.random.Generator,
    ) -> Examination:
        """Prepare the queries of a fold.

        A large corpus is searched in part: the labelled documents, the hard negatives
        of the queries, and others at random.

        Args:
            fold: The hold-out.
            texts: The tokens of all queries and documents.
            hard: The hard negatives of each query row, -1 where there is none.
            generator: Draws the others.
        """
        labels = joined([fold.seen, fold.unseen])
        chosen = _searched(labels, len(texts.documents), hard, generator)
        place = np.zeros(len(texts.documents), dtype=np.int64)
        place[chosen] = np.arange(len(chosen))
        keys = labels.owners * len(chosen) + place[labels.documents]
        order = np.argsort(keys)
        queries = texts.queries.take(labels.queries)
        documents = texts.documents.take(chosen)
        same = np.ones(len(texts.table), dtype=texts.table.dtype)
        return cls(
            table=texts.table,
            queries=queries,
            documents=documents,
            base_sums=(
                token_sums(texts.table, same, queries),
                token_sums(texts.table, same, documents),
            ),
            judgements=Judgements(
                queries=len(labels),
                documents=len(chosen),
                keys=keys[order],
                relevances=labels.relevance[order].astype(np.int64),
            ),
            seen=len(fold.seen),
        )

    def measure(self, parameters: Parameters) -> Measured:
        """Return the measure of every query under some parameters."""
        queries, documents = self._rows(parameters)
        found, _ = top_k(queries, documents, _CUTOFF)
        values = MEASURE.values(
            self.judgements.ranked(found), self.judgements.ideal(_CUTOFF)
        )
        return Measured(seen=values[: self.seen], unseen=values[self.seen :])

    def _rows(self, parameters: Parameters) -> tuple[Floats, Floats]:
        if parameters.log_weights.any():
            weights = np.exp(parameters.log_weights)
            sums = (
                token_sums(self.table, weights, self.queries),
                token_sums(self.table, weights, self.documents),
            )
        else:
            sums = self.base_sums
        return (
            to_unit(sums[0] @ parameters.matrix)[0],
            to_unit(sums[1] @ parameters.matrix)[0],
        )


def _searched(
    labels: Labels,
    documents: int,
    hard: npt.NDArray[np.int64],
    generator: np.random.Generator,
) -> npt.NDArray[np.int64]:
    if documents <= MOST_DOCUMENTS:
        return np.arange(documents)
    negatives = hard[labels.queries].T.ravel()  # the hardest of all queries first
    order = [labels.documents, negatives[negatives >= 0]]
    near = list(dict.fromkeys(np.concatenate(order).tolist()))
    size = max(MOST_DOCUMENTS, len(np.unique(labels.documents)))
    others = generator.permutation(np.setdiff1d(np.arange(documents), near))
    return np.sort(np.concatenate([near, others])[:size])
