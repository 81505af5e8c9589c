"""Checks of the settings that tuners on this machine share."""

from __future__ import annotations

from typing import Any

from embedtune.errors import ConfigurationError
from embedtune.tuning.choose import OptimizeFor

_LARGEST_SEED = 2**63 - 1  # of what JSON files hold


def checked_goal(optimize_for: OptimizeFor | str) -> OptimizeFor:
    """Return what the tuned model shall be best at.

    Raises:
        ConfigurationError: If it is unknown.
    """
    goals = list(OptimizeFor)
    if optimize_for not in goals:
        known = ", ".join(repr(str(goal)) for goal in goals)
        msg = f"'optimize_for' must be one of {known} (got {optimize_for!r})"
        raise ConfigurationError(msg)
    return OptimizeFor(optimize_for)


def checked_seed(seed: Any) -> int:
    """Return a seed that a job's files can hold.

    Raises:
        ConfigurationError: If it is none.
    """
    is_integer = isinstance(seed, int) and not isinstance(seed, bool)
    if not is_integer or not 0 <= seed <= _LARGEST_SEED:
        msg = f"'seed' must be an integer from 0 to {_LARGEST_SEED} (got {seed!r})"
        raise ConfigurationError(msg)
    return int(seed)
