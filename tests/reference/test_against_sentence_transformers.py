"""Hard negatives against those of sentence-transformers, for the same settings."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from embedtune.curation.mining import mine_hard_negatives
from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.values import Document
from embedtune.types import FloatMatrix

with warnings.catch_warnings():  # of what they import themselves
    warnings.simplefilter("ignore")
    sentence_transformers = pytest.importorskip("sentence_transformers")
    datasets = pytest.importorskip("datasets")

WORDS = [f"w{number}" for number in range(120)]
QUERIES, DOCUMENTS = 90, 300


class Wrapped:
    """A model of sentence-transformers as an embedder."""

    name = fingerprint = "random words"

    def __init__(self, model: Any) -> None:
        self.model = model
        self.dimension = 24

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """Return unit rows, as mining there asks for."""
        rows: FloatMatrix = self.model.encode_query(
            list(texts), normalize_embeddings=True, show_progress_bar=False
        )
        return rows

    def embed_documents(self, documents: Sequence[Document | str]) -> FloatMatrix:
        """Return unit rows, as mining there asks for."""
        texts = [d if isinstance(d, str) else d.embedding_text for d in documents]
        return self.embed_queries(texts)


@pytest.fixture(scope="module")
def embedder() -> Wrapped:
    """Return a static model with a random vector for each word."""
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    vocabulary = {word: number for number, word in enumerate(["[UNK]", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))  # noqa: S106
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    table = np.random.default_rng(0).standard_normal((len(vocabulary), 24))
    static = StaticEmbedding(tokenizer, embedding_weights=table.astype(np.float32))
    return Wrapped(
        sentence_transformers.SentenceTransformer(modules=[static], device="cpu")
    )


@pytest.fixture(scope="module")
def dataset() -> TuningDataset:
    """Return queries that share words with their one to four positives."""
    rng = np.random.default_rng(1)
    documents = {" ".join(rng.choice(WORDS, 9)): None for _ in range(DOCUMENTS)}
    corpus = {f"d{i}": text for i, text in enumerate(documents)}
    names = list(corpus)
    queries, labels = {}, {}
    for number in range(QUERIES):
        positives = rng.choice(names, rng.integers(1, 5), replace=False)
        words = " ".join(corpus[name] for name in positives).split()
        queries[f"q{number}"] = " ".join(rng.choice(words, 6))
        labels[f"q{number}"] = {str(name): 1 for name in positives}
    return TuningDataset(corpus=corpus, queries=queries, train=labels)


def theirs(
    dataset: TuningDataset, embedder: Wrapped, **settings: object
) -> Mapping[str, set[str]]:
    """Return the texts of the negatives that sentence-transformers finds, by query."""
    pairs = [
        (dataset.queries[query_id].text, dataset.corpus[doc_id].text)
        for query_id, row in dataset.train.items()
        for doc_id in row
    ]
    columns = {"query": [q for q, _ in pairs], "answer": [d for _, d in pairs]}
    with warnings.catch_warnings():  # of their own making
        warnings.simplefilter("ignore")
        mined = sentence_transformers.util.mine_hard_negatives(
            datasets.Dataset.from_dict(columns),
            embedder.model,
            corpus=[document.text for document in dataset.corpus.values()],
            verbose=False,
            **settings,
        )
    found: dict[str, set[str]] = {q.text: set() for q in dataset.queries.values()}
    for query, negative in zip(mined["query"], mined["negative"], strict=True):
        found[query].add(negative)
    return found


@pytest.mark.parametrize(
    ("our_settings", "their_settings"),
    [
        ({}, {}),
        ({"rank_window": (0, 20)}, {"range_max": 20}),
        ({"rank_window": (7, 20)}, {"range_max": 20, "range_min": 7}),
        ({"margin": 0.0}, {"absolute_margin": 0.0}),
        ({"margin": 0.1}, {"absolute_margin": 0.1}),
        ({"relative_margin": 0.05}, {"relative_margin": 0.05}),
        (
            {"margin": 0.02, "relative_margin": 0.1, "rank_window": (2, 9)},
            {
                "absolute_margin": 0.02,
                "relative_margin": 0.1,
                "range_min": 2,
                "range_max": 9,
            },
        ),
        ({"max_score": 0.4}, {"max_score": 0.4}),
        (
            {"max_score": 0.6, "min_score": 0.45, "rank_window": (1, 40)},
            {"max_score": 0.6, "min_score": 0.45, "range_min": 1, "range_max": 40},
        ),
    ],
)
def test_same_set(
    dataset: TuningDataset,
    embedder: Wrapped,
    our_settings: dict[str, object],
    their_settings: dict[str, object],
) -> None:
    """The same settings give the same hard negatives, also where some are missing."""
    expected = theirs(
        dataset, embedder, **{"range_max": 50, "num_negatives": 3, **their_settings}
    )
    settings = {"rank_window": (0, 50), "relative_margin": None, **our_settings}

    mined = mine_hard_negatives(
        dataset, embedder, per_query=3, near_duplicates=None, **settings
    )

    actual = {
        mined.queries[query_id].text: {
            mined.corpus[doc_id].text for doc_id, grade in row.items() if not grade
        }
        for query_id, row in mined.train.items()
    }
    assert expected == actual
    assert any(actual.values())


def test_same_number_at_random(dataset: TuningDataset, embedder: Wrapped) -> None:
    """A random choice has as many, from the same candidates."""
    window = {"range_max": 30, "range_min": 5, "absolute_margin": 0.1}
    everything = theirs(dataset, embedder, num_negatives=25, **window)
    some = theirs(
        dataset, embedder, num_negatives=3, sampling_strategy="random", **window
    )

    mined = mine_hard_negatives(
        dataset,
        embedder,
        per_query=3,
        rank_window=(5, 30),
        margin=0.1,
        relative_margin=None,
        sampling="random",
        near_duplicates=None,
    )

    for query_id, row in mined.train.items():
        query = mined.queries[query_id].text
        found = {
            mined.corpus[doc_id].text for doc_id, grade in row.items() if not grade
        }
        assert found <= everything[query]
        assert len(some[query]) == len(found)
