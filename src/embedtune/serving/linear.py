"""Linear maps of rows: the identity, a square matrix, or the identity plus low rank."""

from __future__ import annotations

from typing import Any, TypeAlias

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.types import FloatMatrix

Floats: TypeAlias = npt.NDArray[np.floating[Any]]

_FULL, _LOW_RANK = 1, 2  # factors
_TOGETHER = 16


@attrs.frozen(kw_only=True, eq=False)
class LinearMap:
    """Maps a row `x` to `x W`.

    Attributes:
        factors: Nothing for the identity; `W` for a square matrix; `U` and `V`, of as
            many columns as the rank, for `I + U Vᵀ`.
    """

    factors: tuple[Floats, ...] = ()

    @property
    def is_identity(self) -> bool:
        """Whether it changes nothing."""
        return not self.factors

    def mixed(self, other: LinearMap, share: float) -> LinearMap:
        """Return the map that is a *share* of the way to *other*, of the same kind.

        Of low rank, it is the nearest map that has as low a rank.
        """
        if len(self.factors) != _LOW_RANK:
            pairs = zip(self.factors, other.factors, strict=True)
            return LinearMap(
                factors=tuple((1 - share) * one + share * two for one, two in pairs)
            )
        (left, right), (other_left, other_right) = self.factors, other.factors
        rank = left.shape[1]
        left = np.concatenate([(1 - share) * left, share * other_left], axis=1)
        right = np.concatenate([right, other_right], axis=1)
        left_basis, left_core = np.linalg.qr(left.astype(np.float64))
        right_basis, right_core = np.linalg.qr(right.astype(np.float64))
        inner, values, outer = np.linalg.svd(left_core @ right_core.T)
        root = np.sqrt(values[:rank])
        factors = (
            left_basis @ inner[:, :rank] * root,
            right_basis @ outer[:rank].T * root,
        )
        return LinearMap(factors=tuple(each.astype(left.dtype) for each in factors))

    def shrunk(self, share: float) -> LinearMap:
        """Return the map that is a *share* of the way from the identity to this one."""
        if len(self.factors) == _LOW_RANK:
            left, right = self.factors
            return LinearMap(factors=(left * left.dtype.type(share), right))
        return LinearMap(
            factors=tuple(
                factor * factor.dtype.type(share)
                + (1 - share) * np.eye(len(factor), dtype=factor.dtype)
                for factor in self.factors
            )
        )

    def matrix(self, dimension: int) -> Floats:
        """Return `W`."""
        if len(self.factors) == _FULL:
            return self.factors[0]
        same: Floats = np.eye(dimension, dtype=np.float32)
        if len(self.factors) == _LOW_RANK:
            left, right = self.factors
            same = same + left @ right.T
        return same

    def apply(self, rows: Floats) -> Floats:
        """Return `x W` for every row."""
        if len(self.factors) == _FULL:
            product: Floats = rows @ self.factors[0]
            return product
        if len(self.factors) == _LOW_RANK:
            left, right = self.factors
            return rows + (rows @ left) @ right.T
        return rows

    def gradient(self, rows: Floats, by_product: Floats) -> tuple[Floats, ...]:
        """Return the gradient by the factors.

        Args:
            rows: What was mapped.
            by_product: The gradient by each mapped row.
        """
        if len(self.factors) == _FULL:
            return (rows.T @ by_product,)
        if len(self.factors) == _LOW_RANK:
            left, right = self.factors
            return rows.T @ (by_product @ right), by_product.T @ (rows @ left)
        return ()


def mapped_units(rows: FloatMatrix, linear: LinearMap) -> FloatMatrix:
    """Return the unit rows along the mapped rows.

    A row depends on itself alone, to the last bit: BLAS may add up in another order
    where a product has another shape, so all products here have one shape.

    Args:
        rows: Unit rows.
        linear: The map.
    """
    if linear.is_identity:
        return rows
    result = np.empty(rows.shape, dtype=np.float32)
    block = np.zeros((_TOGETHER, rows.shape[1]), dtype=np.float32)
    for start in range(0, len(rows), _TOGETHER):
        part = rows[start : start + _TOGETHER]
        block[: len(part)] = part
        mapped = linear.apply(block)[: len(part)]
        norms = np.sqrt(np.einsum("ij,ij->i", mapped, mapped))
        lost = norms == 0  # a singular map: such a row stays what it was
        norms[lost] = 1
        result[start : start + _TOGETHER] = np.where(
            lost[:, None], part, mapped / norms[:, None]
        )
    return result
