"""The shared words: their values are on the wire and must not change."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from embedtune.types import SPLITS, FloatMatrix, JobState, Split, TaskType


def test_task_types_are_the_services() -> None:
    """A task type is the very string that Vertex AI knows."""
    assert [
        "DEFAULT",
        "RETRIEVAL_QUERY",
        "RETRIEVAL_DOCUMENT",
        "SEMANTIC_SIMILARITY",
        "CLASSIFICATION",
        "CLUSTERING",
        "QUESTION_ANSWERING",
        "FACT_VERIFICATION",
        "CODE_RETRIEVAL_QUERY",
    ] == list(TaskType)
    assert "CLUSTERING" == f"{TaskType.CLUSTERING}"
    assert TaskType.CLUSTERING is TaskType("CLUSTERING")


@pytest.mark.parametrize(
    ("state", "is_final"),
    [
        ("PENDING", False),
        ("RUNNING", False),
        ("SUCCEEDED", True),
        ("FAILED", True),
        ("CANCELLED", True),
    ],
)
def test_final_states(state: str, *, is_final: bool) -> None:
    """A job that has ended, well or not, does not change any more."""
    assert is_final is JobState(state).is_final


def test_every_state_is_judged() -> None:
    """No state is missing from the test above."""
    assert 5 == len(JobState)


def test_splits_are_all_there() -> None:
    """What is iterated over is what the type allows, in the order of work."""
    assert get_args(Split) == SPLITS
    assert ("train", "validation", "test") == SPLITS


def test_matrices_are_single_precision() -> None:
    """The type of a row's numbers is one for the whole library."""
    dtype = get_args(FloatMatrix)[-1]  # NumPy's alias differs between Pythons

    assert np.float32 in {dtype, *get_args(dtype)}
