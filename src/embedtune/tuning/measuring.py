"""How well parameters retrieve on the queries of a hold-out."""

from __future__ import annotations

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.tuning.bags import CountedBags, Floats, token_sums
from embedtune.tuning.choose import Measured
from embedtune.tuning.contrast import to_unit
from embedtune.tuning.encoder import Parameters
from embedtune.tuning.gradient import Texts
from embedtune.tuning.heldout import HeldOut
from embedtune.tuning.holdout import Fold

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
        held_out: Which rows they are, and their labels.
    """

    table: Floats
    queries: CountedBags
    documents: CountedBags
    base_sums: tuple[Floats, Floats]
    held_out: HeldOut

    @classmethod
    def of(
        cls,
        fold: Fold,
        texts: Texts,
        hard: npt.NDArray[np.int64],
        generator: np.random.Generator,
    ) -> Examination:
        """Prepare the queries of a fold.

        Args:
            fold: The hold-out.
            texts: The tokens of all queries and documents.
            hard: The hard negatives of each query row, -1 where there is none.
            generator: Draws the others.
        """
        held_out = HeldOut.of(
            fold, len(texts.documents), hard, generator, most=MOST_DOCUMENTS
        )
        queries = texts.queries.take(held_out.queries)
        documents = texts.documents.take(held_out.documents)
        same = np.ones(len(texts.table), dtype=texts.table.dtype)
        return cls(
            table=texts.table,
            queries=queries,
            documents=documents,
            base_sums=(
                token_sums(texts.table, same, queries),
                token_sums(texts.table, same, documents),
            ),
            held_out=held_out,
        )

    def measure(self, parameters: Parameters) -> Measured:
        """Return the measure of every query under some parameters."""
        return self.held_out.measured(*self._rows(parameters))

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
