"""The base models as data: limits, life cycle, and how each can be tuned.

Retired models stay, with what to use instead. Nothing here is guessed: every model
names its sources and the day on which they were read.
"""

from __future__ import annotations

from embedtune.catalog.lookup import get, models
from embedtune.catalog.tokens import estimate_tokens, has_more_tokens
from embedtune.catalog.values import (
    PIPELINE_TEMPLATE,
    Api,
    BaseModel,
    Prompts,
    TuningLimits,
    TuningParameters,
    TuningWay,
)

__all__ = [
    "PIPELINE_TEMPLATE",
    "Api",
    "BaseModel",
    "Prompts",
    "TuningLimits",
    "TuningParameters",
    "TuningWay",
    "estimate_tokens",
    "get",
    "has_more_tokens",
    "models",
]
