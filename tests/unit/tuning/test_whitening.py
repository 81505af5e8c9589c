"""The warm start."""

from __future__ import annotations

import numpy as np
import pytest

from embedtune.tuning.whitening import whitening


def differences(spread: list[float]) -> np.ndarray:
    """Return differences that vary along each axis by so much."""
    generator = np.random.default_rng(0)
    return generator.normal(size=(2000, len(spread))) * spread


def test_noisy_directions_count_less() -> None:
    """The wider pairs differ along an axis, the less it counts."""
    matrix = whitening(differences([3, 1, 0.3]), shrinkage=0.1, power=0.5)

    assert matrix[0, 0] < matrix[1, 1] < matrix[2, 2]


def test_half_power_without_shrinkage_whitens() -> None:
    """At power 0.5 and next to no shrinkage, pairs differ equally in all directions."""
    given = differences([3, 1, 0.3])

    mapped = given @ whitening(given, shrinkage=1e-9, power=0.5)

    spread = mapped.T @ mapped / len(mapped)
    np.testing.assert_allclose(np.eye(3), spread / spread[0, 0], atol=1e-6)


@pytest.mark.parametrize("power", [0.25, 0.5])
def test_full_shrinkage_is_the_identity(power: float) -> None:
    """With nothing left of the covariance, nothing changes."""
    matrix = whitening(differences([3, 1, 0.3]), shrinkage=1.0, power=power)

    np.testing.assert_allclose(np.eye(3), matrix, atol=1e-6)


def test_scale_is_that_of_the_identity() -> None:
    """The Frobenius norm is the square root of the dimension."""
    matrix = whitening(differences([3, 1, 0.3]), shrinkage=0.3, power=0.25)

    np.testing.assert_allclose(np.sqrt(3), np.linalg.norm(matrix), rtol=1e-6)


def test_equal_pairs_teach_nothing() -> None:
    """Queries that equal their documents give the identity."""
    zeros = np.zeros((5, 4), dtype=np.float32)

    assert np.array_equal(np.eye(4), whitening(zeros, shrinkage=0.3, power=0.25))
