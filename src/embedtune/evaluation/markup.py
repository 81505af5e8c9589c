"""HTML that is escaped by construction."""

from __future__ import annotations

import html
from collections.abc import Sequence

_CONTROLS = [*range(0x20), *range(0x7F, 0xA0)]
_NO_CONTROLS = {code: " " for code in _CONTROLS if chr(code) not in "\n\t"}


class Markup(str):
    """Text that is HTML already; every other string is escaped when it goes in."""

    __slots__ = ()


def element(tag: str, *children: str, **attributes: str | float) -> Markup:
    """Return an element; children that are no markup are escaped.

    A trailing underscore in the name of an attribute is dropped, others are dashes.

    >>> element("p", "a < b", class_="note")
    '<p class="note">a &lt; b</p>'
    """
    facts = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escaped(str(value))}"'
        for name, value in attributes.items()
    )
    return Markup(f"<{tag}{facts}>{joined(children)}</{tag}>")


def joined(children: Sequence[str]) -> Markup:
    """Return the children as one piece of markup."""
    return Markup(
        "".join(
            child if isinstance(child, Markup) else escaped(child) for child in children
        )
    )


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], **attributes: str
) -> Markup:
    """Return a table; the first cell of each row is its head."""
    head = element("tr", *(element("th", cell, scope="col") for cell in header))
    body = [
        element(
            "tr",
            element("th", row[0], scope="row"),
            *(element("td", cell) for cell in row[1:]),
        )
        for row in rows
    ]
    return element(
        "table", element("thead", head), element("tbody", *body), **attributes
    )


def escaped(text: str) -> Markup:
    """Return *text* as it is shown, whatever it holds."""
    # Lone surrogates cannot be encoded; NUL and its kin are no characters of HTML.
    clean = text.encode("utf-8", "backslashreplace").decode().translate(_NO_CONTROLS)
    return Markup(html.escape(clean))
