"""When texts are the same, and the small tools for many values."""

from __future__ import annotations

import gc

import pytest

from embedtune.datasets.bulk import paused_gc, trusted_document, trusted_query
from embedtune.datasets.text import content_id, encoded, normalised
from embedtune.datasets.values import Document, Query


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("Where is\tMY  card?\n", "where is my card?"),
        ("\uff21\uff22\uff23", "abc"),
        ("Stra\u00dfe", "STRASSE"),
        ("cafe\u0301", "CAF\u00c9"),
        ("one\u00a0two\u2028three", "One Two Three"),
        ("\ufb01ne", "fine"),
    ],
)
def test_normalised_ignores_form_case_and_space(text: str, same: str) -> None:
    """Compatibility forms, case and white space make no difference."""
    assert normalised(same) == normalised(text)


def test_normalised_keeps_words_apart() -> None:
    """Different words, accents and punctuation do make one."""
    texts = ["a b", "ab", "\u00e4 b", "a b?"]

    assert len(texts) == len(set(map(normalised, texts)))


def test_ids_depend_on_content_alone() -> None:
    """Equal parts give equal ids; where a part ends matters."""
    assert content_id("d", "a", "b") == content_id("d", "a", "b")
    assert content_id("d", "a", "b") != content_id("d", "ab", "")
    assert content_id("d", "a") != content_id("q", "a")
    assert "d-" == content_id("d", "\ud800")[:2]


def test_encoded_takes_surrogates() -> None:
    """Even text that UTF-8 cannot hold has bytes of its own."""
    assert encoded("\ud800") != encoded("\ud801")


@pytest.mark.parametrize("is_enabled", [True, False])
def test_pause_restores_the_collector(is_enabled: bool) -> None:
    """The collector is off inside, and afterwards as it was before, error or not."""
    was = gc.isenabled()
    try:
        (gc.enable if is_enabled else gc.disable)()
        with pytest.raises(KeyError), paused_gc():
            raise KeyError(gc.isenabled())

        assert is_enabled == gc.isenabled()
        with paused_gc():
            assert not gc.isenabled()
    finally:
        (gc.enable if was else gc.disable)()


def test_trusted_values_are_ordinary_ones() -> None:
    """What skips the checks equals what went through them, and is as frozen."""
    document = trusted_document("d", "text", "title", {"a": 1})
    query = trusted_query("q", "text", {})

    assert Document(doc_id="d", text="text", title="title", metadata={"a": 1}) == (
        document
    )
    assert Query(query_id="q", text="text") == query
    with pytest.raises(TypeError):
        document.metadata["a"] = 2
