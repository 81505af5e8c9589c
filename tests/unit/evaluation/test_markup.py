"""Escaping by construction."""

from __future__ import annotations

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedtune.evaluation.markup import Markup, element, escaped, table


@given(text=st.text(st.characters(exclude_categories=["Cc"])))
def test_text_comes_through(text: str) -> None:
    """What a reader sees is what was put in; no markup is left in it."""
    shown = escaped(text)

    assert not {"<", ">", '"', "'"} & set(shown)
    assert text == html.unescape(shown)


def test_children_and_attributes() -> None:
    """Strings are escaped, markup is kept, names of attributes are translated."""
    inner = element("b", "1 < 2")

    outer = element("p", inner, " & more", class_='a"b', aria_label="x")

    assert '<p class="a&quot;b" aria-label="x"><b>1 &lt; 2</b> &amp; more</p>' == outer
    assert isinstance(outer, Markup)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00b\x1bc\x9fd", "a b c d"),
        ("tab\tline\n", "tab\tline\n"),
        ("zero\u200cwidth\u00a0space", "zero\u200cwidth\u00a0space"),
        ("lone \ud800", "lone \\ud800"),
    ],
    ids=["controls", "white space", "joiners", "surrogate"],
)
def test_what_is_no_character(text: str, shown: str) -> None:
    """Controls and lone surrogates never reach the file; letters of all scripts do."""
    assert shown == escaped(text)
    assert escaped(text).encode()


def test_tables() -> None:
    """The first cell of a row is its head, and every cell is escaped."""
    shown = table(("a", "<"), [("x", "&")], class_="t")

    assert (
        '<table class="t"><thead><tr><th scope="col">a</th><th scope="col">&lt;</th>'
        '</tr></thead><tbody><tr><th scope="row">x</th><td>&amp;</td></tr></tbody>'
        "</table>"
    ) == shown
