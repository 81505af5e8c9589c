"""The words that all layers share."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

FloatMatrix: TypeAlias = npt.NDArray[np.float32]
"""One row a text; `float32`."""

Qrels: TypeAlias = Mapping[str, Mapping[str, int]]
"""Relevance labels: `{query_id: {doc_id: relevance}}`, relevance an integer >= 0.

0 says "judged and not relevant"; a document that is not named is unjudged.
"""

Split: TypeAlias = Literal["train", "validation", "test"]
"""The name of one part of a dataset's labels."""

SPLITS: tuple[Split, ...] = ("train", "validation", "test")
"""All splits, in the order in which they are written and shown."""


class TaskType(StrEnum):
    """What an embedding is for; the values are Vertex AI's.

    `DEFAULT` exists for tuning and for tuned models only.
    """

    DEFAULT = "DEFAULT"
    RETRIEVAL_QUERY = "RETRIEVAL_QUERY"
    RETRIEVAL_DOCUMENT = "RETRIEVAL_DOCUMENT"
    SEMANTIC_SIMILARITY = "SEMANTIC_SIMILARITY"
    CLASSIFICATION = "CLASSIFICATION"
    CLUSTERING = "CLUSTERING"
    QUESTION_ANSWERING = "QUESTION_ANSWERING"
    FACT_VERIFICATION = "FACT_VERIFICATION"
    CODE_RETRIEVAL_QUERY = "CODE_RETRIEVAL_QUERY"


class JobState(StrEnum):
    """Where a tuning job is; a service's finer states map onto these."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_final(self) -> bool:
        """Whether the job will not change any more."""
        return self in {JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED}
