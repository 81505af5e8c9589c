"""A search task that every machine has: the docstrings of Python's standard library.

A query is the first sentence of a docstring (what I want to do), its document is the
rest of that docstring under the qualified name and the signature (what does it).
The files are parsed, never imported, so nothing of them runs.
"""

from __future__ import annotations

import ast
import os
import re
import sysconfig
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeAlias

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.values import Document, Query

SKIPPED_FOLDERS = {
    "__pycache__",
    "dist-packages",
    "idlelib",
    "lib2to3",
    "site-packages",
    "test",
    "tests",
}
_Definition: TypeAlias = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
_Documented: TypeAlias = ast.Module | _Definition

SHORTEST_QUERY = 4  # words
SHORTEST_REST = 30  # characters

# A paragraph's end, or punctuation (with closing quotes or brackets) before a space.
# A dot inside "a.b.c" or "3.11" has no space behind it.
_BREAK = re.compile(r"\n\s*\n|[.!?]+[\"'`)\]]*(?=\s)")
_NO_END = re.compile(
    r"(?:^|[\s(\[\"'`])(?:e\.g|i\.e|cf|vs|viz|resp|incl|approx)\.$",
    re.IGNORECASE,
)
_SELDOM_END = re.compile(r"(?:\betc|\bal|\.\.)\.$")  # an end before a capital only


def stdlib_dataset(
    *, second_queries: bool = False, limit: int | None = None
) -> TuningDataset:
    """Return the task, with all labels in *train*: split it as you like.

    It differs a little from one version of Python to the next.

    Args:
        second_queries: Whether the second sentence of a docstring that has three or
            more becomes another query of the same document (and leaves its text).
            After a split by query, some test queries then ask for a document that
            training has seen, others for one that it has not.
        limit: So many documents at most. Which ones is decided by their names alone,
            so that a larger limit keeps those of a smaller one. `None` for all.

    >>> dataset = stdlib_dataset(limit=100)
    >>> len(dataset.corpus), len(dataset.train)
    (100, 100)
    """
    if limit is not None and limit < 1:
        msg = f"'limit' must be >= 1 or None (got {limit!r})"
        raise ValueError(msg)
    entries = list(_entries(_modules(_root())))
    asked = {entry.sentences[0].lower() for entry in entries}
    kept = {entry.name for entry in sorted(entries, key=_lot)[:limit]}
    corpus: dict[str, Document] = {}
    queries: dict[str, Query] = {}
    train: dict[str, dict[str, int]] = {}
    for entry in entries:
        texts, rest = entry.sentences[:1], entry.sentences[1:]
        if second_queries and rest[0].lower() not in asked and entry.has_second:
            texts.append(rest.pop(0))
            asked.add(texts[1].lower())
        if entry.name not in kept:
            continue
        corpus[entry.name] = Document(
            doc_id=entry.name, title=entry.name, text=entry.text(rest)
        )
        for number, text in enumerate(texts, start=1):
            query_id = f"{entry.name}#{number}"
            queries[query_id] = Query(query_id=query_id, text=text)
            train[query_id] = {entry.name: 1}
    return TuningDataset(corpus=corpus, queries=queries, train=train)


def stdlib_sample(documents: int) -> TuningDataset:
    """Return so many pairs of modules that are drawn by their names, all in *train*.

    It reads no more files than that takes, so a small sample is had much sooner than
    by a limit of :func:`stdlib_dataset`; but it has more documents of each module.
    """
    modules = sorted(_modules(_root()), key=lambda module: _drawn(".".join(module[1])))
    entries = list(islice(_entries(modules), documents))
    return TuningDataset(
        corpus={
            entry.name: Document(
                doc_id=entry.name,
                title=entry.name,
                text=entry.text(entry.sentences[1:]),
            )
            for entry in entries
        },
        queries={
            f"{entry.name}#1": Query(
                query_id=f"{entry.name}#1", text=entry.sentences[0]
            )
            for entry in entries
        },
        train={f"{entry.name}#1": {entry.name: 1} for entry in entries},
    )


class _Entry(NamedTuple):
    """One documented module, class or function."""

    name: str
    signature: str
    sentences: list[str]

    def text(self, rest: Sequence[str]) -> str:
        """Return the document's text with *rest* for its docstring."""
        return " ".join([self.signature, *rest])

    @property
    def has_pair(self) -> bool:
        """Whether the first sentence can be asked for, and the rest can answer."""
        return self._can_ask(0)

    @property
    def has_second(self) -> bool:
        """Whether the second sentence can be asked for, too."""
        # Headings, lists and code are no sentences.
        second = self.sentences[1]
        is_prose = second.endswith((".", "!", "?")) and ">>>" not in second
        return is_prose and self._can_ask(1)

    def _can_ask(self, number: int) -> bool:
        query, rest = self.sentences[number], self.sentences[number + 1 :]
        return (
            len(query.split()) >= SHORTEST_QUERY
            and len(" ".join(rest)) >= SHORTEST_REST
            and query not in self.text(rest)
        )


def _lot(entry: _Entry) -> bytes:
    return _drawn(entry.name)


def _drawn(name: str) -> bytes:
    """Return what decides whether a name is drawn: the same on every machine."""
    return blake2b(name.encode("utf-8"), digest_size=8).digest()


def _root() -> Path:
    return Path(sysconfig.get_path("stdlib"))


def _entries(modules: Iterable[tuple[Path, list[str]]]) -> Iterator[_Entry]:
    """Yield all that give a pair; of those with one name or query, the first."""
    names: set[str] = set()
    asked: set[str] = set()
    for name, signature, docstring in _docstrings(modules):
        entry = _Entry(name, signature, sentences_of(docstring))
        query = entry.sentences[0].lower()
        if entry.has_pair and name not in names and query not in asked:
            names.add(name)
            asked.add(query)
            yield entry


def sentences_of(text: str) -> list[str]:
    """Return the sentences of *text*, each on one line."""
    found, start = [], 0
    for match in _BREAK.finditer(text):
        before = text[start : match.end()]
        following = text[match.end() :].lstrip()[:1]
        is_dotted = match.group().startswith(".")
        if is_dotted and _NO_END.search(before.rstrip("\"'`)]")):
            continue
        if is_dotted and _SELDOM_END.search(before) and not following.isupper():
            continue
        found.append(before)
        start = match.end()
    found.append(text[start:])
    return [" ".join(sentence.split()) for sentence in found if sentence.strip()]


def _docstrings(
    modules: Iterable[tuple[Path, list[str]]],
) -> Iterator[tuple[str, str, str]]:
    """Yield qualified name, signature and docstring of all that is public."""
    for path, names in modules:
        tree = ast.parse(path.read_bytes(), filename=str(path))
        yield from _docstrings_of(tree, names)


def _modules(root: Path) -> Iterator[tuple[Path, list[str]]]:
    for folder, subfolders, files in os.walk(root):
        subfolders[:] = sorted(set(subfolders) - SKIPPED_FOLDERS)
        for file in sorted(files):
            path = Path(folder, file)
            names = list(path.relative_to(root).with_suffix("").parts)
            if names[-1] == "__init__":
                names.pop()
            if path.suffix == ".py" and names:
                yield path, names


def _docstrings_of(
    node: _Documented, names: Sequence[str]
) -> Iterator[tuple[str, str, str]]:
    docstring = (ast.get_docstring(node) or "").strip()
    if docstring:
        yield ".".join(names), _signature(node, names[-1]), docstring
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return  # what a function defines inside is nobody's to call
    for definition in _definitions(node):
        if not definition.name.startswith("_"):
            yield from _docstrings_of(definition, [*names, definition.name])


def _definitions(node: ast.AST) -> Iterator[_Definition]:
    """Yield the classes and functions of a body, those under `if` and `try` too."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
        elif isinstance(child, ast.stmt | ast.ExceptHandler):
            yield from _definitions(child)


def _signature(node: _Documented, name: str) -> str:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return f"{name}({ast.unparse(node.args)})"
    return name
