"""Rules on the texts of documents and queries."""

from __future__ import annotations

import re
from array import array
from collections.abc import Mapping
from itertools import chain

import attrs
import numpy as np

from embedtune.catalog.tokens import has_more_tokens
from embedtune.datasets.findings import Finding, Rule, equal_runs, place_of
from embedtune.datasets.origin import Place
from embedtune.datasets.report import Problem
from embedtune.datasets.text import normalised
from embedtune.datasets.values import Document, Query

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_SURROGATES = re.compile("[\ud800-\udfff]")
# How the later bytes of a UTF-8 character look when they are read as Latin-1 or cp1252.
_TAIL = f"[\u0080-\u00bf{bytes(range(0x80, 0xC0)).decode('cp1252', 'ignore')}]"
_MISREADINGS = re.compile(
    f"[\u00c2\u00c3]{_TAIL}|\u00e2[\u0080\u20ac]{_TAIL}|\u00ef\u00bb\u00bf"
    f"|\u00f0[\u009f\u0178]|(?:[\u00d0\u00d1]{_TAIL}){{2}}"
)

_EMPTY = Rule(
    "empty-text",
    "error",
    "{n} of {total} {what} are empty",
    "give them a text or remove them and their labels",
)
_TITLE_ONLY = Rule(
    "title-without-text",
    "warning",
    "{n} of {total} {what} have a title and no text",
    "use the title as the text",
)
_SURROGATE = Rule(
    "lone-surrogate",
    "error",
    "{n} of {total} {what} hold a lone surrogate, which no file or service takes",
    "decode the original again with its right encoding",
)
_REPLACED = Rule(
    "replacement-character",
    "warning",
    "{n} of {total} {what} hold U+FFFD, the mark of a lost character",
    "decode the original again with its right encoding",
)
_MISREAD = Rule(
    "wrong-encoding",
    "warning",
    "{n} of {total} {what} look like UTF-8 that was read as another encoding",
    "decode the original again as UTF-8",
)
_CONTROL = Rule(
    "control-character",
    "warning",
    "{n} of {total} {what} hold control characters",
    "remove them, or decode the original with its right encoding",
)
_TOO_LONG = Rule(
    "too-long",
    "warning",
    "{n} of {total} {what} have more than {max_tokens} tokens (estimated)",
    "the model ignores the rest; divide them, or put first what matters",
)
_DUPLICATE = Rule(
    "duplicate-{kind}",
    "warning",
    "{n} of {total} {what} repeat an earlier one under another id",
    "case, form and spacing are ignored; in a table write both rows alike or drop one "
    "(equal texts become one {kind}), elsewhere keep one and point the labels at it",
)


@attrs.frozen(kw_only=True)
class ScannedTexts:
    """What one pass over all texts of a kind gives.

    Attributes:
        problems: What is wrong.
        twin_of: For each record that repeats an earlier one, the earlier one's id.
    """

    problems: tuple[Problem, ...]
    twin_of: Mapping[str, str]


def scan_documents(
    corpus: Mapping[str, Document], place: Place | None, max_tokens: int | None
) -> ScannedTexts:
    """Check every document."""
    return _Scan("document", "documents", place, max_tokens).run(corpus)


def scan_queries(
    queries: Mapping[str, Query], place: Place | None, max_tokens: int | None
) -> ScannedTexts:
    """Check every query."""
    return _Scan("query", "queries", place, max_tokens).run(queries)


class _Scan:
    def __init__(
        self, kind: str, what: str, place: Place | None, max_tokens: int | None
    ) -> None:
        self._what = what
        self._place = place
        self._max_tokens = max_tokens
        self._empty = Finding(_EMPTY)
        self._title_only = Finding(_TITLE_ONLY)
        self._surrogate = Finding(_SURROGATE)
        self._replaced = Finding(_REPLACED)
        self._misread = Finding(_MISREAD)
        self._control = Finding(_CONTROL)
        self._too_long = Finding(_TOO_LONG)
        name, hint = (s.format(kind=kind) for s in (_DUPLICATE.name, _DUPLICATE.hint))
        self._duplicate = Finding(attrs.evolve(_DUPLICATE, name=name, hint=hint))

    def run(self, records: Mapping[str, Document | Query]) -> ScannedTexts:
        """Look at every record once, and twice at those that may be duplicates."""
        hashes = array("q")
        for index, (key, record) in enumerate(records.items()):
            title = record.title if isinstance(record, Document) else ""
            self._look_at(index, key, record.text, title)
            hashes.append(hash(_content(record)))
        twin_of = self._twins(records, hashes)
        findings = (
            self._empty,
            self._title_only,
            self._surrogate,
            self._replaced,
            self._misread,
            self._control,
            self._too_long,
            self._duplicate,
        )
        problems = chain.from_iterable(
            finding.problems(
                total=len(records), what=self._what, max_tokens=self._max_tokens
            )
            for finding in findings
        )
        return ScannedTexts(problems=tuple(problems), twin_of=twin_of)

    def _look_at(self, index: int, key: str, text: str, title: str) -> None:
        if not text or text.isspace():
            finding = self._title_only if title.strip() else self._empty
            finding.add(self._place, index, key)
        for part in (text, title) if title else (text,):
            if not part.isascii() and self._is_misread(index, key, part):
                break
            if not part.isprintable() and self._has_bad_characters(index, key, part):
                break
        if self._max_tokens is not None:
            whole = f"{title}. {text}" if title else text
            if has_more_tokens(whole, self._max_tokens):
                self._too_long.add(self._place, index, key)

    def _has_bad_characters(self, index: int, key: str, part: str) -> bool:
        for pattern, finding in (
            (_SURROGATES, self._surrogate),
            (_CONTROLS, self._control),
        ):
            if pattern.search(part):
                finding.add(self._place, index, key)
                return True
        return False

    def _is_misread(self, index: int, key: str, part: str) -> bool:
        if "\ufffd" in part:
            self._replaced.add(self._place, index, key)
        elif _MISREADINGS.search(part):
            self._misread.add(self._place, index, key)
        else:
            return False
        return True

    def _twins(
        self,
        records: Mapping[str, Document | Query],
        hashes: array[int],
    ) -> dict[str, str]:
        """Return the first record of equal content for each later one."""
        if not hashes:
            return {}
        runs = list(equal_runs(np.frombuffer(hashes, np.int64)))
        if not runs:
            return {}
        keys = list(records)
        twins: dict[str, str] = {}
        for run in sorted(runs):
            first: dict[str, int] = {}
            for index in run:
                content = _content(records[keys[index]])
                if not content:
                    continue
                earlier = first.setdefault(content, index)
                if earlier != index:
                    twins[keys[index]] = keys[earlier]
                    here = place_of(self._place, index, keys[index])
                    there = place_of(self._place, earlier, keys[earlier])
                    self._duplicate.add_example(f"{here} repeats {there}")
        return twins


def _content(record: Document | Query) -> str:
    text = normalised(record.text)
    if isinstance(record, Document) and record.title:
        return f"{normalised(record.title)}\n{text}"
    return text
