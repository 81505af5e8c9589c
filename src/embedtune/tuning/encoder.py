"""A static model with something to learn: token weights and one matrix.

The row of a text is the unit vector along `(sum of exp(w[t]) * E[t]) @ W`, with `E` the
table of the base model, over the tokens `t` of the text.
"""

from __future__ import annotations

import attrs
import numpy as np

from embedtune.tuning.bags import (
    CountedBags,
    Floats,
    log_weight_gradient,
    token_sums,
)
from embedtune.tuning.contrast import through_unit, to_unit


@attrs.frozen(kw_only=True, eq=False)
class Parameters:
    """What is learned; used for the mean gradient of a batch, too.

    Attributes:
        matrix: `W`, shared by queries and documents.
        log_weights: `w`, one number for every token.
    """

    matrix: Floats
    log_weights: Floats

    @classmethod
    def base(cls, table: Floats) -> Parameters:
        """Return the parameters that change nothing."""
        return cls(
            matrix=np.eye(table.shape[1], dtype=table.dtype),
            log_weights=np.zeros(len(table), dtype=table.dtype),
        )

    def mixed(self, other: Parameters, share: float) -> Parameters:
        """Return the parameters that are a *share* of the way to *other*."""
        return Parameters(
            matrix=(1 - share) * self.matrix + share * other.matrix,
            log_weights=(1 - share) * self.log_weights + share * other.log_weights,
        )

    def folded(self, table: Floats) -> Floats:
        """Return the table of a plain static model that gives the same rows."""
        weighted = table * np.exp(self.log_weights)[:, None]
        result: Floats = weighted @ self.matrix
        return result


@attrs.frozen(kw_only=True, eq=False)
class Encoded:
    """The unit rows of some texts, and what the way back needs.

    Attributes:
        units: One unit row for each text.
        norms: What the rows were divided by.
        sums: The weighted sums of token rows before the matrix.
    """

    units: Floats
    norms: Floats
    sums: Floats


def encode(table: Floats, parameters: Parameters, bags: CountedBags) -> Encoded:
    """Return the rows of some texts under some parameters."""
    sums = token_sums(table, np.exp(parameters.log_weights), bags)
    units, norms = to_unit(sums @ parameters.matrix)
    return Encoded(units=units, norms=norms, sums=sums)


def gradient(
    table: Floats,
    parameters: Parameters,
    parts: tuple[tuple[CountedBags, Encoded, Floats], ...],
) -> Parameters:
    """Return the gradient by the parameters.

    Args:
        table: One row for every token.
        parameters: Where the gradient is taken.
        parts: Texts, their rows, and the gradient of the loss by their unit rows.
    """
    weights = np.exp(parameters.log_weights)
    by_matrix = np.zeros_like(parameters.matrix)
    by_log_weights = np.zeros_like(parameters.log_weights)
    for bags, rows, by_unit in parts:
        by_product = through_unit(by_unit, rows.units, rows.norms)
        by_matrix += rows.sums.T @ by_product
        by_sum = by_product @ parameters.matrix.T
        by_log_weights += log_weight_gradient(table, weights, bags, by_sum)
    return Parameters(matrix=by_matrix, log_weights=by_log_weights)
