"""Hypothesis profiles; the network is closed in pyproject.toml, loopback excepted."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

_SLOW_IS_FINE = [HealthCheck.too_slow]  # on a loaded machine it says nothing of us

settings.register_profile(
    "default",
    derandomize=True,  # the same cases in each run; `stories` looks for new ones
    deadline=None,
    max_examples=50,
    suppress_health_check=_SLOW_IS_FINE,
)
settings.register_profile(
    "short-stories", settings.get_profile("default"), max_examples=150
)
settings.register_profile(
    "stories",
    settings.get_profile("default"),
    derandomize=False,
    max_examples=2_000,
    print_blob=True,
)
settings.load_profile("default")
