"""Warm starts of adapters: powers of one covariance, decomposed once."""

from __future__ import annotations

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.serving.linear import Floats, LinearMap


@attrs.frozen(kw_only=True, eq=False)
class Spectrum:
    """The directions in which pairs differ, and how much, see `whitening`.

    Shrinking towards the identity leaves the directions what they are, so that all
    warm starts come from one decomposition.

    Attributes:
        values: The mean square along each direction.
        vectors: The directions, one a column.
        dtype: Of the maps.
    """

    values: npt.NDArray[np.float64]
    vectors: npt.NDArray[np.float64]
    dtype: np.dtype[np.floating]

    @classmethod
    def of(cls, differences: Floats) -> Spectrum:
        """Decompose the covariance of *differences*, one row for each pair."""
        rows = differences.astype(np.float64)
        values, vectors = np.linalg.eigh(rows.T @ rows / max(len(rows), 1))
        return cls(
            values=np.maximum(values, 0), vectors=vectors, dtype=differences.dtype
        )

    def map(self, *, shrinkage: float, power: float, rank: int | None) -> LinearMap:
        """Return the map that makes less of the directions in which pairs differ.

        Args:
            shrinkage: The share of the identity in the covariance, above 0.
            power: How strongly the directions are evened out; 0.5 whitens in full.
            rank: `None` for a matrix of the norm of the identity. Else the identity is
                changed in so many directions, those that differ most from the median.
        """
        level = self.values.mean()
        if level == 0:  # every pair is equal: there is nothing to learn
            factors = np.ones(len(self.values))
        else:
            factors = ((1 - shrinkage) * self.values + shrinkage * level) ** -power
        if rank is None:
            factors *= np.sqrt(len(factors)) / np.linalg.norm(factors)
            matrix = (self.vectors * factors) @ self.vectors.T
            return LinearMap(factors=(matrix.astype(self.dtype),))
        changes = factors / np.median(factors) - 1
        chosen = np.sort(np.argsort(-np.abs(changes), kind="stable")[:rank])
        directions = self.vectors[:, chosen]
        roots = np.sqrt(np.abs(changes[chosen]))
        left = directions * roots * np.sign(changes[chosen])
        right = directions * roots
        return LinearMap(factors=(left.astype(self.dtype), right.astype(self.dtype)))
