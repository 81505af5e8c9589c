"""The settings of a tuning job."""

from __future__ import annotations

import math

import attrs
import pytest

from embedtune.errors import ConfigurationError
from embedtune.tuning.spec import TuningSpec
from embedtune.types import TaskType

WRONG = [
    ("base_model", ""),
    ("base_model", 5),
    ("train_steps", 29),
    ("train_steps", 100.0),
    ("train_steps", True),
    ("train_steps", "100"),
    ("batch_size", 0),
    ("batch_size", 1024),
    ("batch_size", None),
    ("learning_rate_multiplier", 0),
    ("learning_rate_multiplier", -1.0),
    ("learning_rate_multiplier", math.nan),
    ("learning_rate_multiplier", math.inf),
    ("learning_rate_multiplier", True),
    ("learning_rate_multiplier", "1"),
    ("output_dimensionality", 0),
    ("output_dimensionality", 769),
    ("output_dimensionality", 256.0),
    ("task_type", "SEARCH"),
    ("task_type", None),
]
RIGHT = [
    ("train_steps", 30),
    ("train_steps", 10**6),
    ("batch_size", 1),
    ("batch_size", 1023),
    ("learning_rate_multiplier", 1),
    ("learning_rate_multiplier", 1e-6),
    ("output_dimensionality", None),
    ("output_dimensionality", 1),
    ("output_dimensionality", 768),
    ("task_type", "CLASSIFICATION"),
    ("task_type", TaskType.FACT_VERIFICATION),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_wrong_value(name: str, value: object) -> None:
    """A value out of range is refused with its name and what was given."""
    with pytest.raises(ConfigurationError, match=f"1 setting is wrong: '{name}' must"):
        TuningSpec(**{name: value})


@pytest.mark.parametrize(("name", "value"), RIGHT)
def test_right_value(name: str, value: object) -> None:
    """The ends of each range belong to it."""
    spec = TuningSpec(**{name: value})

    assert value == getattr(spec, name)


def test_all_problems_at_once() -> None:
    """One error names every wrong setting."""
    with pytest.raises(ConfigurationError, match="3 settings are wrong") as info:
        TuningSpec(train_steps=1, batch_size=9999, task_type="x")

    for name in ("'train_steps'", "'batch_size'", "'task_type'"):
        assert name in str(info.value)


def test_defaults_are_those_of_the_service() -> None:
    """A spec without arguments is what Vertex AI does by default."""
    expected = {
        "base_model": "text-embedding-005",
        "train_steps": 1000,
        "batch_size": 128,
        "learning_rate_multiplier": 1.0,
        "output_dimensionality": None,
        "task_type": "DEFAULT",
    }

    assert expected == attrs.asdict(TuningSpec())


def test_task_type_is_one_of_the_enumeration() -> None:
    """A task type given as a string becomes the member of that name."""
    assert isinstance(TuningSpec(task_type="CLUSTERING").task_type, TaskType)


def test_frozen() -> None:
    """A spec does not change after it was checked."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        TuningSpec().train_steps = 5  # type: ignore[misc]
