"""What is accepted as an embedder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.evaluation.evaluate import evaluate
from embedtune.serving.cached import CachedEmbedder
from embedtune.serving.inputs import check_embedder
from embedtune.vectorstore.index import MilvusIndex


class Whole:
    """Has every member."""

    name = "whole"
    dimension = 3
    fingerprint = "w"

    def embed_queries(self, texts: list[str]) -> np.ndarray:
        """Embed."""
        return np.eye(3, dtype=np.float32)[: len(texts)]

    embed_documents = embed_queries


class Half:
    """Lacks a fact and a verb; another verb is no function."""

    name = "half"
    dimension = 3
    embed_queries = None


class Delegating:
    """Has every member through another object."""

    def __init__(self) -> None:
        self._inner = Whole()

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)


CASES = {
    "string": (
        "wordllama-256",
        (
            "(got str); it lacks 'name', 'dimension', 'fingerprint',"
            " 'embed_queries', 'embed_documents', see embedtune.Embedder"
        ),
    ),
    "half": (
        Half(),
        (
            "(got Half); it lacks 'fingerprint', 'embed_queries', 'embed_documents',"
            " see embedtune.Embedder"
        ),
    ),
    "class": (Whole, "(got the class Whole); pass an instance, Whole()"),
}

DATASET = TuningDataset.from_pairs([("a question", "an answer")])
USES: dict[str, Callable[[Any, Path], object]] = {
    "evaluate": lambda embedder, _: evaluate(embedder, DATASET),
    "cache": CachedEmbedder,
    "index": lambda embedder, path: MilvusIndex(path, "kb", embedder),
}


@pytest.mark.parametrize("embedder", [Whole(), Delegating()])
def test_embedders(embedder: object) -> None:
    """What has every member is one, wherever the members come from."""
    check_embedder(embedder)


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("case", CASES)
def test_no_embedder(tmp_path: Path, case: str, use: str) -> None:
    """Who takes an embedder says what is lacking, before anything is done."""
    embedder, message = CASES[case]

    with pytest.raises(TypeError) as info:
        USES[use](embedder, tmp_path / "x.db")

    assert f"'embedder' must be an embedder {message}" == str(info.value)
    assert [] == list(tmp_path.iterdir())
