"""Texts cut into pieces, so that a word that occurs often is tokenised once.

Some tokenizers (Llama 2's, say) have no rule for the borders of words, and yet no token
of theirs reaches from one word into the next: all merges stay within a run of spaces
and the word behind it. Such a text has the tokens of its words, one after the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

_SPACE = "\u2581"  # what sentencepiece writes for a space
_NORMALIZER = {
    "type": "Sequence",
    "normalizers": [
        {"type": "Prepend", "prepend": _SPACE},
        {"type": "Replace", "pattern": {"String": " "}, "content": _SPACE},
    ],
}
_TEXTS_AT_ONCE = 4096
_CHARACTERS_AT_ONCE = 1 << 19
_SPACES_AND_WORD = re.compile(" *[^ ]+")


@attrs.frozen(kw_only=True, eq=False)
class WordBorders:
    """Where texts may be cut without changing a token.

    Attributes:
        irregular: A text that contains one of these strings is not cut.
        begins_word: Of each token, whether a word begins with it.
    """

    irregular: tuple[str, ...]
    begins_word: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, settings: dict[str, Any]) -> WordBorders | None:
        """Return the borders for a tokenizer, or `None` if it must see whole texts.

        Args:
            settings: The content of its `tokenizer.json`.
        """
        model = settings["model"]
        added = settings.get("added_tokens") or []
        off = ("dropout", "ignore_merges", "continuing_subword_prefix")
        if (
            model.get("type") != "BPE"
            or settings.get("pre_tokenizer") is not None
            or settings.get("normalizer") != _NORMALIZER
            or any(model.get(name) for name in (*off, "end_of_word_suffix"))
            or any(token["normalized"] or " " in token["content"] for token in added)
            or _SPACE not in model["vocab"]
            or any(_SPACE in token.lstrip(_SPACE) for token in model["vocab"])
        ):
            return None
        numbers = [n for token, n in model["vocab"].items() if token[:1] == _SPACE]
        size = 1 + max([*model["vocab"].values(), *(token["id"] for token in added)])
        begins_word = np.zeros(size, dtype=bool)
        begins_word[numbers] = True
        irregular = (_SPACE, *(token["content"] for token in added))
        return cls(irregular=irregular, begins_word=begins_word)

    def pieces(self, text: str) -> list[str]:
        """Return strings whose tokens, one after the other, are those of *text*.

        The tokenizer itself puts a space before each of them.
        """
        if not text or text[-1] == " " or self._is_irregular(text):
            return [text]
        if text[0] != " " and "  " not in text:
            return text.split(" ")
        return [piece[1:] for piece in _SPACES_AND_WORD.findall(" " + text)]

    def sorted_out(self, pieces: Iterable[str]) -> tuple[list[str], list[str]]:
        """Return, each once, the words among *pieces* and the others.

        Words may be joined by spaces; the tokens that begin a word are their borders.
        """
        words: list[str] = []
        others: list[str] = []
        for piece in dict.fromkeys(pieces):
            is_word = piece and " " not in piece and not self._is_irregular(piece)
            (words if is_word else others).append(piece)
        return words, others

    def _is_irregular(self, text: str) -> bool:
        for content in self.irregular:  # noqa: SIM110 -- any() takes three times as long
            if content in text:
                return True
        return False


def blocks_of(texts: Iterable[str]) -> Iterator[list[str]]:
    """Return *texts* in blocks of which each needs little memory."""
    block: list[str] = []
    characters = 0
    for text in texts:
        block.append(text)
        characters += len(text)
        if len(block) == _TEXTS_AT_ONCE or characters >= _CHARACTERS_AT_ONCE:
            yield block
            block, characters = [], 0
    if block:
        yield block


def without_lone_surrogates(text: str) -> str:
    """Return *text* with U+FFFD for each half of a pair that stands alone."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
