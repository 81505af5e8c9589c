"""A small base model and a small task with a known structure, for tuners to learn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import orjson
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers

from embedtune.datasets.dataset import TuningDataset
from embedtune.serving.static import StaticModel

_TOPICS = """
    anchor apple arrow autumn bakery balloon bamboo basket beacon bicycle blanket bridge
    button cabin camera candle canyon carpet castle cement cherry circus cloud coffee
    copper cotton cricket crystal curtain desert diamond dolphin dragon eagle engine
    falcon feather fiddle forest fossil garden ginger glacier guitar hammer harbor honey
    horizon island jacket jungle kettle ladder lantern lemon leopard lizard magnet
    maple marble meadow mirror monkey mountain needle ocean olive onion orchard oyster
    paddle palace panther parrot pebble pepper piano pillow pirate planet pocket
"""
_FILLERS = """
    please about which could would there their where again other thing using need want
    help know make find when does
"""

MakeTask = Callable[..., TuningDataset]


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a static model of few words and dimensions, which learns in no time."""
    path = tmp_path_factory.mktemp("base") / "small"
    path.mkdir()
    words = list(dict.fromkeys(f"[UNK] {_TOPICS} {_FILLERS}".split()))
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=words[0]))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(path / "tokenizer.json"))
    table = np.ascontiguousarray(StaticModel.open().embed(words)[:, :24])
    save_file({"embeddings": table}, path / "model.safetensors")
    config = {"model_type": "model2vec", "normalize": True}
    (path / "config.json").write_bytes(orjson.dumps(config))
    return path


@pytest.fixture(scope="session")
def make_task() -> MakeTask:
    """Return what makes a task, see :func:`task`."""
    return task


def task(
    *, queries: int = 120, documents: int = 60, shuffled: bool = False, seed: int = 0
) -> TuningDataset:
    """Make a task that is learned by listening to topics and not to fillers.

    A document is three topic words among many fillers, a query is two of them among
    others. A third of the queries, of every document, are the test.

    Args:
        queries: How many there are.
        documents: How many there are.
        shuffled: Whether labels are given to documents at random: nothing to learn.
        seed: Equal seeds give equal tasks.
    """
    generator = np.random.default_rng(seed)
    names, fillers = _TOPICS.split(), _FILLERS.split()
    topics = [generator.choice(names, 3, replace=False) for _ in range(documents)]
    corpus = {
        f"d{i}": " ".join([*words, *generator.choice(fillers, 8)])
        for i, words in enumerate(topics)
    }
    texts = {
        f"q{i}": " ".join(
            [
                *generator.choice(topics[i % documents], 2, replace=False),
                *generator.choice(fillers, 6),
            ]
        )
        for i in range(queries)
    }
    answers = [i % documents for i in range(queries)]
    if shuffled:
        answers = generator.permutation(answers).tolist()
    labels = {f"q{i}": {f"d{answer}": 1} for i, answer in enumerate(answers)}
    is_test = {f"q{i}" for i in range(queries) if i // documents % 3 == 1}
    return TuningDataset(
        corpus=corpus,
        queries=texts,
        train={key: label for key, label in labels.items() if key not in is_test},
        test={key: label for key, label in labels.items() if key in is_test},
    )
