"""No example hides from the tests behind the way its block is written."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SOURCES = sorted((ROOT / "src").rglob("*.py"))

FENCE = re.compile(r"^[ \t>]*(?P<marks>`{3,}|~{3,})(?P<info>.*)$")
PYTHONIC = re.compile(r"\bi?py(thon|con)?3?\b|\bdoctest\b", re.IGNORECASE)
DIRECTIVE = re.compile(r"^\s*\.\. (code|code-block|sourcecode|doctest)::", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_blocks_of_pages_run(page: Path) -> None:
    """Every block of Python is opened by the one fence that Sybil recognises."""
    assert [] == list(_hidden_blocks(page.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "source", SOURCES, ids=lambda path: str(path.relative_to(ROOT))
)
def test_docstrings_have_doctests_only(source: Path) -> None:
    """In docstrings an example is a doctest; other blocks of Python are not run."""
    for docstring in _docstrings(source):
        fences = [m["info"] for m in map(FENCE.match, docstring.splitlines()) if m]

        assert [] == [info for info in fences if PYTHONIC.search(info)]
        assert not DIRECTIVE.search(docstring)


@pytest.mark.parametrize(
    "opening",
    [
        "```py",
        "```pycon",
        "```python3",
        "```Python",
        "``` python",
        "```python ",
        '```python title="x"',
        "```{code-block} python",
        "```{doctest}",
        "````python",
        "~~~python",
    ],
)
def test_misspelled_fence_is_found(opening: str) -> None:
    """Each way to write a fence that Sybil passes by is reported with its line."""
    page = f"Text.\n\n{opening}\nx = 1\n{opening[:3]}\n"

    assert [f"line 3: {opening}"] == list(_hidden_blocks(page))


@pytest.mark.parametrize(
    "page",
    [
        "```python\nx = 1\n```\n",
        "```console\n$ python -m pip install embedtune\n```\n",
        "```text\n```py\n```\n",
        "A `python` in the text.\n",
    ],
)
def test_other_fences_pass(page: str) -> None:
    """The right fence, and what is not Python, is left in peace."""
    assert [] == list(_hidden_blocks(page))


def test_session_without_a_language_is_found() -> None:
    """A block that looks like a Python session must say that it is Python."""
    assert ["line 2: >>> 1 + 1"] == list(_hidden_blocks("```\n>>> 1 + 1\n2\n```\n"))


def _hidden_blocks(text: str) -> Iterator[str]:
    """Yield the lines that open a block of Python which Sybil does not run."""
    open_marks = open_info = ""
    for number, line in enumerate(text.splitlines(), start=1):
        fence = FENCE.match(line)
        if open_marks:
            if fence and fence["marks"].startswith(open_marks) and not fence["info"]:
                open_marks = ""
            elif line.lstrip().startswith(">>>") and open_info != "python":
                yield f"line {number}: {line}"
        elif fence:
            open_marks, open_info = fence["marks"], fence["info"]
            if PYTHONIC.search(open_info) and line.lstrip() != "```python":
                yield f"line {number}: {line}"


def _docstrings(source: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            yield ast.get_docstring(node) or ""
