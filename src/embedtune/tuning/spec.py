"""What a tuning job is asked to do."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable

import attrs

from embedtune.errors import ConfigurationError
from embedtune.types import TaskType

MIN_TRAIN_STEPS = 30
MAX_BATCH_SIZE = 1023
MAX_DIMENSIONALITY = 768


@attrs.frozen(kw_only=True)
class TuningSpec:
    """The settings of one tuning job; names and ranges are Vertex AI's.

    The defaults are those of Vertex AI. A tuner that is given no spec uses its own.

    Attributes:
        base_model: A name of the catalog; for a tuner on this machine also the path of
            a model's folder.
        train_steps: Steps of the optimiser, at least 30.
        batch_size: Queries in a step, 1 to 1023.
        learning_rate_multiplier: A factor above 0 on the tuner's own learning rate.
        output_dimensionality: The length of the tuned model's embeddings, 1 to 768;
            `None` for that of the base model.
        task_type: What the tuned model is for.

    Raises:
        ConfigurationError: If a value is out of range; it names all that are.

    >>> TuningSpec(train_steps=20, batch_size=2000)
    Traceback (most recent call last):
        ...
    embedtune.errors.ConfigurationError: 2 settings are wrong: 'train_steps' must be \
an integer >= 30 (got 20); 'batch_size' must be an integer from 1 to 1023 (got 2000)
    """

    base_model: str = "text-embedding-005"
    train_steps: int = 1000
    batch_size: int = 128
    learning_rate_multiplier: float = 1.0
    output_dimensionality: int | None = None
    task_type: str = TaskType.DEFAULT

    def __attrs_post_init__(self) -> None:
        problems = [
            f"{name!r} must be {rule} (got {getattr(self, name)!r})"
            for name, is_right, rule in _RULES
            if not is_right(getattr(self, name))
        ]
        if problems:
            what = (
                "1 setting is"
                if len(problems) == 1
                else f"{len(problems)} settings are"
            )
            msg = f"{what} wrong: {'; '.join(problems)}"
            raise ConfigurationError(msg)
        object.__setattr__(self, "task_type", TaskType(self.task_type))
        # Equal specs are written alike: 1 as 1.0.
        rate = float(self.learning_rate_multiplier)
        object.__setattr__(self, "learning_rate_multiplier", rate)


def _is_integer(low: int, high: float) -> Callable[[object], bool]:
    def check(value: object) -> bool:
        if not isinstance(value, int) or isinstance(value, bool):
            return False
        return low <= value <= high

    return check


def _is_above_zero(value: object) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return 0 < value <= sys.float_info.max


_RULES: tuple[tuple[str, Callable[[object], bool], str], ...] = (
    (
        "base_model",
        lambda value: isinstance(value, str) and bool(value),
        "the name of a base model or the path of a folder",
    ),
    (
        "train_steps",
        _is_integer(MIN_TRAIN_STEPS, math.inf),
        f"an integer >= {MIN_TRAIN_STEPS}",
    ),
    (
        "batch_size",
        _is_integer(1, MAX_BATCH_SIZE),
        f"an integer from 1 to {MAX_BATCH_SIZE}",
    ),
    ("learning_rate_multiplier", _is_above_zero, "a finite number > 0"),
    (
        "output_dimensionality",
        lambda value: value is None or _is_integer(1, MAX_DIMENSIONALITY)(value),
        f"None or an integer from 1 to {MAX_DIMENSIONALITY}",
    ),
    (
        "task_type",
        lambda value: isinstance(value, str) and value in set(TaskType),
        f"one of {', '.join(map(repr, map(str, TaskType)))}",
    ),
)
