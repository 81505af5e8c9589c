"""The Adam optimiser (Kingma and Ba, 2015) with warm-up and cosine decay."""

from __future__ import annotations

import math

import numpy as np

from embedtune.tuning.bags import Floats

WARM_UP = 10
"""Steps until the full rate is reached."""

_MEAN, _SQUARE, _TINY = 0.9, 0.999, 1e-8


class Adam:
    """The moments of one array of parameters.

    Args:
        like: An array of the parameters' shape and type.
        rate: The full learning rate.
    """

    def __init__(self, like: Floats, rate: float) -> None:
        self._rate = rate
        self._mean = np.zeros_like(like)
        self._square = np.zeros_like(like)
        self._steps = 0

    def change(self, gradient: Floats, share: float) -> Floats:
        """Return what to add to the parameters.

        Args:
            gradient: The gradient of the loss.
            share: The part of the full rate that this step may take.
        """
        self._steps += 1
        self._mean += (1 - _MEAN) * (gradient - self._mean)
        self._square += (1 - _SQUARE) * (gradient * gradient - self._square)
        size = np.sqrt(self._square / (1 - _SQUARE**self._steps))
        scale = -self._rate * share / (1 - _MEAN**self._steps)
        change: Floats = self._mean * scale / (size + _TINY)
        return change


def share_of_rate(step: int, steps: int) -> float:
    """Return the part of the learning rate for one step of a run.

    It rises over the first ten steps and falls as a cosine to 0 at the end.

    Args:
        step: The number of the step, from 0.
        steps: How many steps the run has.
    """
    warm = min(1.0, (step + 1) / WARM_UP)
    return warm * 0.5 * (1 + math.cos(math.pi * step / steps))
