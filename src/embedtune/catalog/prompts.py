"""The prompts that Google's newer models share."""

from __future__ import annotations

from embedtune.catalog.values import Prompts
from embedtune.types import TaskType

_WORDS = (
    (TaskType.RETRIEVAL_QUERY, "search result"),
    (TaskType.QUESTION_ANSWERING, "question answering"),
    (TaskType.FACT_VERIFICATION, "fact checking"),
    (TaskType.CODE_RETRIEVAL_QUERY, "code retrieval"),
    (TaskType.CLASSIFICATION, "classification"),
    (TaskType.CLUSTERING, "clustering"),
    (TaskType.SEMANTIC_SIMILARITY, "sentence similarity"),
)

GOOGLE_PROMPTS = Prompts(
    query=tuple((task, f"task: {words} | query: ") for task, words in _WORDS),
    document="title: {title} | text: ",
    no_title="none",
)
"""Of gemini-embedding-2 and of both EmbeddingGemma models."""
