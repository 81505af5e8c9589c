"""What others offer for the same job, run as their documentation shows it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from _minilm import MiniLM, open_minilm
from _tasks import first_pairs

import embedtune as et
from embedtune.datasets.values import Document
from embedtune.types import FloatMatrix

if TYPE_CHECKING:
    from llama_index.core.embeddings import BaseEmbedding


def llamaindex(
    dataset: et.TuningDataset,
    base: et.Embedder,
    folder: Path,
    *,
    seed: int,
    epochs: int = 4,
    learning_rate: float | None = None,
    remembers: bool = False,
) -> et.Embedder:
    """Train LlamaIndex's linear adapter of the query side.

    Args:
        dataset: Of several relevant documents the engine takes the first one.
        base: What embeds; the engine asks it for one text at a time.
        folder: Where the engine writes its adapter.
        seed: Shuffles the pairs, once. The engine does not, and its loss takes
            neighbours of one document for negatives where a dataset lists them
            together.
        epochs: Its guide takes 4; its constructor's own default is 1.
        learning_rate: `None` for its default, 2e-5.
        remembers: Whether rows are kept in memory between epochs. The engine as
            installed embeds each text again in every epoch.
    """
    os.environ["HF_HUB_OFFLINE"] = "1"
    from llama_index.finetuning import (
        EmbeddingAdapterFinetuneEngine,
        EmbeddingQAFinetuneDataset,
    )

    listed = first_pairs(dataset)
    order = np.random.default_rng(seed).permutation(len(listed))
    pairs = [listed[number] for number in order.tolist()]
    params = {} if learning_rate is None else {"lr": learning_rate}
    engine = EmbeddingAdapterFinetuneEngine(
        EmbeddingQAFinetuneDataset(
            queries={key: dataset.queries[key].text for key, _ in pairs},
            corpus={key: dataset.corpus[key].embedding_text for _, key in pairs},
            relevant_docs={query_id: [doc_id] for query_id, doc_id in pairs},
        ),
        _as_llamaindex(base, remembers=remembers),
        model_output_path=str(folder / "adapter"),
        epochs=epochs,
        device="cpu",
        show_progress_bar=False,
        **({"optimizer_params": params} if params else {}),
    )
    engine.finetune()
    return FromLlamaIndex(base, engine.get_finetuned_model(device="cpu"))


def sentence_transformers(
    dataset: et.TuningDataset, folder: Path, *, seed: int
) -> et.Embedder:
    """Train all of MiniLM by MultipleNegativesRankingLoss, for one epoch."""
    model = open_minilm()
    from datasets import Dataset
    from sentence_transformers import (
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )
    from sentence_transformers.losses import MultipleNegativesRankingLoss

    pairs = first_pairs(dataset)
    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(folder / "trainer"),
        num_train_epochs=1,
        per_device_train_batch_size=32,
        learning_rate=2e-5,
        warmup_steps=0.1,  # a share
        batch_sampler="no_duplicates",
        seed=seed,
        use_cpu=True,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    SentenceTransformerTrainer(
        model=model,
        args=arguments,
        train_dataset=Dataset.from_dict(
            {
                "anchor": [dataset.queries[key].text for key, _ in pairs],
                "positive": [dataset.corpus[key].embedding_text for _, key in pairs],
            }
        ),
        loss=MultipleNegativesRankingLoss(model),
    ).train()
    return MiniLM(model)


class FromLlamaIndex:
    """A model of LlamaIndex with an adapted query side; documents are the base's."""

    def __init__(self, base: et.Embedder, model: BaseEmbedding) -> None:
        """Take both sides."""
        self._base = base
        self._model = model
        self.name = f"{base.name}, adapted by LlamaIndex"
        self.dimension = base.dimension
        self.fingerprint = base.fingerprint
        self.query_fingerprint = f"{base.fingerprint}, adapted by LlamaIndex"

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """Return one unit row for each of *texts*."""
        rows = [self._model.get_query_embedding(text) for text in texts]
        matrix = np.array(rows, dtype=np.float32).reshape(len(rows), self.dimension)
        norms = np.linalg.norm(matrix, axis=1, keepdims=True)
        return np.asarray(matrix / norms, dtype=np.float32)

    def embed_documents(self, documents: Sequence[Document | str]) -> FloatMatrix:
        """Return the base's rows."""
        return self._base.embed_documents(documents)


def _as_llamaindex(base: et.Embedder, *, remembers: bool) -> BaseEmbedding:
    from llama_index.core.embeddings import BaseEmbedding

    class Wrapped(BaseEmbedding):  # type: ignore[misc]
        """The embedder under LlamaIndex's names."""

        def _get_query_embedding(self, query: str) -> list[float]:
            return _first_row(base.embed_queries([query]))

        def _get_text_embedding(self, text: str) -> list[float]:
            return _first_row(base.embed_documents([text]))

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_query_embedding(query)

    class Remembering(Wrapped):
        """The same, without asking twice, and without LlamaIndex's own bookkeeping."""

        @cache  # noqa: B019 -- it lives as long as this process
        def get_query_embedding(self, query: str) -> list[float]:
            return self._get_query_embedding(query)

        @cache  # noqa: B019 -- as above
        def get_text_embedding(self, text: str) -> list[float]:
            return self._get_text_embedding(text)

        def __hash__(self) -> int:
            return id(self)

    wrapped: Any = (Remembering if remembers else Wrapped)(model_name=base.name)
    return wrapped


def _first_row(rows: FloatMatrix) -> list[float]:
    row: list[float] = rows[0].tolist()
    return row
