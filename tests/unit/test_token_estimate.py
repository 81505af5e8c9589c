"""The estimate of tokens: its rule, its bounds, and how near it comes to the truth."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from embedtune import catalog

ENGLISH = (
    (
        "Why was my card charged twice for one purchase in the same shop? Please wait "
        "three working days; if the second amount is still there, send us the receipt."
    ),
    (
        "Return a new array of given shape and type, filled with zeros. The default "
        "order is row-major, as in C; see also numpy.empty() and numpy.ones(shape)."
    ),
    'def area(r: float) -> float:\n    """Area of a circle."""\n    return 3.14 * r**2',
)
GERMAN = (
    (
        "Warum wurde meine Karte für einen einzigen Einkauf zweimal belastet? Warten Sie "
        "bitte drei Geschäftstage; danach schicken Sie uns den Kassenbeleg."
    ),
    (
        "Die Straßenverkehrsbehörde entscheidet über Ausnahmegenehmigungen für größere "
        "Fahrzeuge, sofern die Verkehrssicherheit nicht beeinträchtigt wird."
    ),
)
CHINESE = (
    "为什么我的银行卡在同一家商店被扣了两次款。请等待三个工作日。请把收据发给我们。",
    "北京今天天气晴朗。最高气温二十五度。傍晚有小雨。出门请带伞。",
)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    """Return a real tokenizer: 32,000 pieces, mostly English, the rest in bytes."""
    spec = importlib.util.find_spec("wordllama")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "tokenizers"
    real: Tokenizer = Tokenizer.from_file(
        str(folder / "l2_supercat_tokenizer_config.json")
    )
    real.no_padding()
    real.no_truncation()
    return real


def count(tokenizer: Tokenizer, text: str) -> int:
    """Return how many tokens *text* really has."""
    return len(tokenizer.encode(text, add_special_tokens=False).ids)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        (" \t", 2),  # a tab counts as a line break does
        ("abc", 1),
        ("abcd", 2),
        ("a b c", 3),  # never fewer than words
        ("12345", 5),
        ("我的卡", 3),
        ("карта", 3),
        ("größe", 3),
        ("😀", 4),
        ("a" + " " * 41 + "b", 11),
        ("\ud800", 1),  # half a character, as broken files have it
    ],
)
def test_estimate_by_rule(text: str, tokens: int) -> None:
    """Each script counts as documented."""
    assert tokens == catalog.estimate_tokens(text)


@given(text=st.text(max_size=200), more=st.text(max_size=50))
def test_estimate_is_bounded(text: str, more: str) -> None:
    """The estimate lies between words and bytes, and more text never has less."""
    estimate = catalog.estimate_tokens(text)

    assert len(text.encode("utf-8", "surrogatepass").split()) <= estimate
    assert estimate <= len(text.encode("utf-8", "surrogatepass"))
    assert estimate <= catalog.estimate_tokens(text + "\n" + more)


@given(text=st.text(max_size=100) | st.sampled_from(ENGLISH), limit=st.integers(0, 120))
def test_limit_agrees_with_the_estimate(text: str, limit: int) -> None:
    """The fast question has the answer that the estimate gives."""
    expected = catalog.estimate_tokens(text) > limit

    assert expected is catalog.has_more_tokens(text, limit)


@pytest.mark.parametrize(
    ("texts", "least", "most"),
    [(ENGLISH, 0.95, 1.6), (GERMAN, 0.95, 1.6), (CHINESE, 0.55, 1.2)],
    ids=["English", "German", "Chinese"],
)
def test_estimate_against_a_real_tokenizer(
    tokenizer: Tokenizer, texts: tuple[str, ...], least: float, most: float
) -> None:
    """For whole texts the estimate is not below the truth, nor far above it.

    Chinese is the exception: this tokenizer knows few of its characters and spells
    the others in three bytes each.
    """
    for text in texts:
        ratio = catalog.estimate_tokens(text) / count(tokenizer, text)

        assert least <= ratio <= most


@given(sentences=st.lists(st.sampled_from(ENGLISH + GERMAN), min_size=1, max_size=8))
def test_estimate_of_longer_texts(tokenizer: Tokenizer, sentences: list[str]) -> None:
    """What holds for a sentence holds for a document made of many."""
    text = " ".join(sentences)

    assert catalog.estimate_tokens(text) >= 0.95 * count(tokenizer, text)


@given(text=st.text(max_size=60))
def test_no_tokenizer_beats_bytes(tokenizer: Tokenizer, text: str) -> None:
    """The bound under the fast question holds for a real tokenizer, too.

    One token more is the mark that this tokenizer puts before a text.
    """
    assert count(tokenizer, text) <= len(text.encode()) + 1


def test_a_corpus_is_asked_quickly() -> None:
    """50,000 documents of ordinary length take a moment, not a coffee."""
    texts = [ENGLISH[n % 3] * 8 + GERMAN[0] * (n % 5) for n in range(50_000)]
    started = time.process_time()

    long_ones = sum(catalog.has_more_tokens(text, 2048) for text in texts)

    assert 0 == long_ones
    assert time.process_time() - started < 4
