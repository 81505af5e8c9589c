"""Cutting texts into words changes no token."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from embedtune.serving import bundled
from embedtune.serving.static import StaticModel
from embedtune.serving.words import WordBorders, blocks_of

# What matters to the borders of words is frequent, anything else is there.
parts = st.sampled_from(
    [" ", "  ", "\u2581", "<s>", "<unk>", "\n", "cat", "m", "\ud800"]
)
texts = st.lists(parts | st.text(max_size=4), max_size=12).map("".join)

Settings = dict[str, Any]


@pytest.fixture(scope="module")
def default() -> StaticModel:
    """Open the bundled model."""
    return StaticModel.open()


@pytest.fixture(scope="module")
def llama() -> Tokenizer:
    """Open the bundled tokenizer alone."""
    return Tokenizer.from_buffer(bundled.read_bundled(bundled.TOKENIZER))


def tokens_of(model: StaticModel, texts: list[str]) -> list[list[int]]:
    """Return the tokens of each text."""
    bags = model.tokenize(texts)
    return [bags.ids[a:b].tolist() for a, b in pairwise(bags.starts)]


def plain_tokens(tokenizer: Tokenizer, text: str, unknown: str) -> list[int]:
    """Return the tokens that the tokenizer itself finds, without unknown ones."""
    repaired = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    ids = tokenizer.encode(repaired, add_special_tokens=False).ids
    return [i for i in ids if i != tokenizer.token_to_id(unknown)]


@given(some=st.lists(texts, max_size=5))
@example(some=["", " ", "  ", " a", "a ", "a  b", "   a   b  c", "a b " * 50, "<s> a"])
def test_same_tokens(default: StaticModel, llama: Tokenizer, some: list[str]) -> None:
    """Word by word the bundled tokenizer gives the tokens of whole texts."""
    expected = [plain_tokens(llama, text, "<unk>") for text in some]

    assert expected == tokens_of(default, some)


def test_same_tokens_of_any_tokenizer(
    write_model: Callable[..., Path], tokenizer: Tokenizer
) -> None:
    """Each kind of tokenizer gives the tokens that it gives by itself."""
    model = StaticModel.open(write_model(tokenizer=tokenizer))
    unknown = getattr(tokenizer.model, "unk_token", None) or "<unk>"
    generator = np.random.default_rng(0)
    letters = [*"catdogm  ", "\u2581", "\u65e5", "password", "<unk>"]
    some = ["".join(generator.choice(letters, n)) for n in range(200)]

    assert [plain_tokens(tokenizer, t, unknown) for t in some] == tokens_of(model, some)


def with_normalizer(settings: Settings) -> None:
    """Make the tokenizer normalise otherwise."""
    settings["normalizer"] = {"type": "NFKC"}


def with_pre_tokenizer(settings: Settings) -> None:
    """Make the tokenizer cut words by itself."""
    settings["pre_tokenizer"] = {"type": "Whitespace"}


def with_token_across_words(settings: Settings) -> None:
    """Make one token reach into the next word."""
    settings["model"]["vocab"]["t\u2581d"] = 40
    settings["model"]["merges"].append(["t", "\u2581d"])


def with_added_phrase(settings: Settings) -> None:
    """Add a token of two words."""
    settings["added_tokens"] = [{"id": 40, "content": "cat dog", "normalized": False}]


def with_normalized_token(settings: Settings) -> None:
    """Add a token that is looked for in normalised text."""
    settings["added_tokens"] = [{"id": 40, "content": "cat", "normalized": True}]


def with_ignored_merges(settings: Settings) -> None:
    """Make the tokenizer look for whole texts in its vocabulary."""
    settings["model"]["ignore_merges"] = True


def without_space_token(settings: Settings) -> None:
    """Take the space out of the vocabulary."""
    del settings["model"]["vocab"]["\u2581"]


@pytest.mark.parametrize(
    "change",
    [
        with_normalizer,
        with_pre_tokenizer,
        with_token_across_words,
        with_added_phrase,
        with_normalized_token,
        with_ignored_merges,
        without_space_token,
    ],
)
def test_whole_texts_where_borders_are_not_sure(
    spaced_settings: Settings, change: Callable[[Settings], None]
) -> None:
    """Texts are cut only where it is certain that no token is lost by it."""
    assert WordBorders.of(spaced_settings) is not None
    change(spaced_settings)

    assert WordBorders.of(spaced_settings) is None


@pytest.fixture
def spaced_settings() -> Settings:
    """Give the settings of a tokenizer that may be asked word by word."""
    source = orjson.loads(bundled.read_bundled(bundled.TOKENIZER))
    vocabulary = {token: i for i, token in enumerate(["<unk>", "\u2581", *"catdog"])}
    source["model"] |= {"vocab": vocabulary, "merges": []}
    return source


def test_blocks() -> None:
    """Blocks are bounded in texts and in characters, and lose nothing."""
    many = ["a"] * 10_000
    long = ["b" * 300_000] * 5

    blocks = list(blocks_of([*many, *long]))

    assert [*many, *long] == [text for block in blocks for text in block]
    assert [4096, 4096, 1810, 2, 1] == [len(block) for block in blocks]
    assert [] == list(blocks_of([]))
