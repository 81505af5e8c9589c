"""The optimiser and its learning rate."""

from __future__ import annotations

import numpy as np

from embedtune.tuning.adam import WARM_UP, Adam, share_of_rate


def test_steps_of_the_paper() -> None:
    """The changes are those of Kingma and Ba's algorithm, step for step."""
    generator = np.random.default_rng(0)
    gradients = generator.normal(size=(20, 3))
    adam = Adam(np.zeros(3), 0.01)
    mean, square = np.zeros(3), np.zeros(3)

    for number, gradient in enumerate(gradients, 1):
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        unbiased = np.sqrt(square / (1 - 0.999**number))
        expected = -0.005 * mean / (1 - 0.9**number) / (unbiased + 1e-8)

        np.testing.assert_allclose(expected, adam.change(gradient, 0.5), rtol=1e-9)


def test_finds_a_minimum() -> None:
    """It walks to the lowest point of a bowl."""
    at = np.array([3.0, -2.0])
    adam = Adam(at, 0.1)

    for step in range(400):
        at = at + adam.change(2 * (at - 1), share_of_rate(step, 400))

    np.testing.assert_allclose(1, at, atol=1e-3)


def test_rate_rises_and_falls() -> None:
    """The rate rises for ten steps, never after, and ends near 0."""
    shares = [share_of_rate(step, 300) for step in range(300)]

    assert 0.1 == shares[0]
    assert shares[: WARM_UP - 1] == sorted(shares[: WARM_UP - 1])
    assert shares[WARM_UP - 1 :] == sorted(shares[WARM_UP - 1 :], reverse=True)
    assert 0 < shares[-1] < 1e-3
