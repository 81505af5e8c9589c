"""Small static models, written as model2vec writes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import orjson
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

UNKNOWN = "[UNK]"
TEXT = "the a cat dog sat on mat reset my password card was charged twice"
WORDS = [UNKNOWN, *TEXT.split()]
SPACE = "\u2581"

WriteModel = Callable[..., Path]


def word_level() -> Tokenizer:
    """Whole words; unknown ones are a token of their own."""
    vocabulary = {word: i for i, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer


def word_piece() -> Tokenizer:
    """Words and their continuations, as BERT has them."""
    pieces = [*WORDS, "##s", "##ting", "c", "##a", "##t", "un"]
    vocabulary = {piece: i for i, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def unigram() -> Tokenizer:
    """Pieces with probabilities, as T5 and the multilingual models have them."""
    pieces = [("<unk>", 0.0), *((SPACE + word, -2.0) for word in WORDS[1:])]
    pieces += [(letter, -5.0) for letter in "abcdefghijklmnopqrstuvwxyz" + SPACE]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=0, byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return tokenizer


def spaced_bpe() -> Tokenizer:
    """Merges over the whole text, as Llama 2 has them: no words are cut out first."""
    letters = ["<unk>", SPACE, *"abcdefghijklmnopqrstuvwxyz"]
    merges = [
        (SPACE, SPACE),
        ("c", "a"),
        ("ca", "t"),
        (SPACE, "cat"),
        (SPACE, "m"),
        ("d", "o"),
        ("do", "g"),
        (SPACE + SPACE, SPACE),
    ]
    tokens = [*letters, *("".join(pair) for pair in merges)]
    tokenizer = Tokenizer(
        models.BPE({t: i for i, t in enumerate(tokens)}, merges, unk_token=letters[0])
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend(SPACE), normalizers.Replace(" ", SPACE)]
    )
    return tokenizer


TOKENIZERS = {f.__name__: f for f in (word_level, word_piece, unigram, spaced_bpe)}


def random_table(rows: int, *, seed: int, dimension: int = 8) -> np.ndarray:
    """Return a float32 table that is the same in each run."""
    generator = np.random.default_rng(seed)
    return generator.standard_normal((rows, dimension), dtype=np.float32)


@pytest.fixture(params=sorted(TOKENIZERS))
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    """Give each kind of tokenizer."""
    return TOKENIZERS[request.param]()


@pytest.fixture
def write_model(tmp_path: Path) -> WriteModel:
    """Give a function that writes a model's folder, with parts left to choose."""

    def write(name: str = "tiny", **parts: object) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        tokenizer = parts.pop("tokenizer", None)
        if not isinstance(tokenizer, Tokenizer):
            tokenizer = word_level()
        size = tokenizer.get_vocab_size()
        config = parts.pop("config", {"model_type": "model2vec", "normalize": True})
        tensors = {"embeddings": random_table(size, seed=1)} | parts
        tensors = {name: t for name, t in tensors.items() if t is not None}
        save_file(tensors, folder / "model.safetensors")
        (folder / "tokenizer.json").write_text(tokenizer.to_str())
        (folder / "config.json").write_bytes(orjson.dumps(config))
        return folder

    return write
