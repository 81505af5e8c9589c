"""The contrastive loss and its gradients."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from embedtune.tuning.contrast import contrast, through_unit, to_unit

GENERATOR = np.random.default_rng(0)
QUERIES = to_unit(GENERATOR.normal(size=(3, 4)))[0]
CANDIDATES = to_unit(GENERATOR.normal(size=(5, 4)))[0]
TARGETS = np.array(
    [[1, 0, 0, 0, 0], [0, 0.75, 0.25, 0, 0], [0, 0, 0, 0.5, 0.5]], dtype=float
)
HIDDEN = np.zeros((3, 5), dtype=bool)
HIDDEN[0, 1] = HIDDEN[2, 0] = HIDDEN[2, 1] = True


def slopes(value: Callable[[np.ndarray], float], at: np.ndarray) -> np.ndarray:
    """Return the gradient of a function by finite differences."""
    step = 1e-6
    result = np.empty_like(at)
    for place in np.ndindex(at.shape):
        change = np.zeros_like(at)
        change[place] = step
        result[place] = (value(at + change) - value(at - change)) / (2 * step)
    return result


def test_loss_by_hand() -> None:
    """The loss is the mean cross-entropy of the softmax over the candidates."""
    queries, candidates = np.eye(2), np.eye(2)
    expected = np.log(np.exp(2.0) + 1) - 2.0

    result = contrast(queries, candidates, np.eye(2), temperature=0.5)

    np.testing.assert_allclose(expected, result.loss)


def test_hidden_candidates_take_no_part() -> None:
    """A hidden pair counts as if the candidate were not there for that query."""
    hidden = np.zeros((1, 5), dtype=bool)
    hidden[0, [2, 4]] = True

    with_hidden = contrast(
        QUERIES[:1], CANDIDATES, TARGETS[:1], temperature=0.1, hidden=hidden
    )
    without = contrast(
        QUERIES[:1], CANDIDATES[[0, 1, 3]], TARGETS[:1, [0, 1, 3]], temperature=0.1
    )

    np.testing.assert_allclose(without.loss, with_hidden.loss)
    np.testing.assert_allclose(without.by_query, with_hidden.by_query)
    np.testing.assert_allclose(0, with_hidden.by_candidate[[2, 4]], atol=1e-15)


def test_gradients_equal_finite_differences() -> None:
    """Both gradients are the slopes of the loss, with graded targets and hidden pairs."""

    def loss(queries: np.ndarray, candidates: np.ndarray) -> float:
        return contrast(
            queries, candidates, TARGETS, temperature=0.3, hidden=HIDDEN
        ).loss

    result = contrast(QUERIES, CANDIDATES, TARGETS, temperature=0.3, hidden=HIDDEN)

    np.testing.assert_allclose(
        slopes(lambda q: loss(q, CANDIDATES), QUERIES), result.by_query, atol=1e-8
    )
    np.testing.assert_allclose(
        slopes(lambda c: loss(QUERIES, c), CANDIDATES), result.by_candidate, atol=1e-8
    )


def test_sharp_scores_stay_finite() -> None:
    """A tiny temperature makes no infinity in float32."""
    result = contrast(
        QUERIES.astype(np.float32),
        CANDIDATES.astype(np.float32),
        TARGETS.astype(np.float32),
        temperature=1e-4,
        hidden=HIDDEN,
    )

    assert np.isfinite(result.loss)
    assert np.isfinite(result.by_query).all()
    assert np.isfinite(result.by_candidate).all()


def test_gradient_through_unit_rows() -> None:
    """The gradient by rows before they are normalised is the slope, too."""
    rows = GENERATOR.normal(size=(4, 3)) * 5
    by_unit = GENERATOR.normal(size=(4, 3))
    units, norms = to_unit(rows)

    np.testing.assert_allclose(
        slopes(lambda r: float((to_unit(r)[0] * by_unit).sum()), rows),
        through_unit(by_unit, units, norms),
        atol=1e-8,
    )


def test_a_row_of_zeros_stays() -> None:
    """A text without tokens has no direction, and makes no NaN."""
    units, norms = to_unit(np.array([[0.0, 0.0], [3.0, 4.0]]))

    assert [[0, 0], [0.6, 0.8]] == units.tolist()
    assert [1, 5] == norms.tolist()
