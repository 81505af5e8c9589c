"""Within-class covariance normalisation: the warm start, in closed form."""

from __future__ import annotations

import numpy as np

from embedtune.tuning.bags import Floats


def whitening(differences: Floats, *, shrinkage: float, power: float) -> Floats:
    """Return the matrix that makes less of the directions in which pairs differ.

    With `S` the covariance of *differences*, shrunk towards a multiple of the
    identity, it is `S ** -power`, scaled to the Frobenius norm of the identity.

    Args:
        differences: One row for each pair: the query's unit row minus the positive's.
        shrinkage: The share of the identity, above 0 and at most 1.
        power: How strongly the directions are evened out; 0.5 whitens in full.
    """
    dimension = differences.shape[1]
    rows = differences.astype(np.float64)
    spread = rows.T @ rows / max(len(rows), 1)
    level = np.trace(spread) / dimension
    if level == 0:  # every pair is equal: there is nothing to learn
        return np.eye(dimension, dtype=differences.dtype)
    spread *= 1 - shrinkage
    spread[np.diag_indices(dimension)] += shrinkage * level
    values, vectors = np.linalg.eigh(spread)
    matrix = (vectors * values**-power) @ vectors.T
    matrix *= np.sqrt(dimension) / np.linalg.norm(matrix)
    result: Floats = matrix.astype(differences.dtype)
    return result
