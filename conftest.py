"""Every example in the README, in docs/ and in the docstrings is a test."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, chdir
from doctest import ELLIPSIS
from pathlib import Path

from sybil import Sybil
from sybil.parsers import markdown, rest
from sybil.sybil import SybilCollection

_stack = ExitStack()


def _enter_folder(_: dict[str, object]) -> None:
    """Give the examples of one document a folder with nothing but examples/ in it."""
    folder = Path(_stack.enter_context(tempfile.TemporaryDirectory()))
    (folder / "examples").symlink_to(Path(__file__).parent / "examples")
    _stack.enter_context(chdir(folder))


def _leave_folder(namespace: dict[str, object]) -> None:
    namespace.clear()  # what the examples left open is closed before its folder goes
    _stack.close()


_pages = [
    Sybil(
        path=path,
        pattern=pattern,
        parsers=[
            markdown.PythonCodeBlockParser(doctest_optionflags=ELLIPSIS),
            markdown.SkipParser(),
        ],
        setup=_enter_folder,
        teardown=_leave_folder,
    )
    for path, pattern in ((".", "README.md"), ("docs", "*.md"))
]
_docstrings = Sybil(
    path="src",
    pattern="*.py",
    parsers=[rest.DocTestParser(optionflags=ELLIPSIS), rest.SkipParser()],
    setup=_enter_folder,
    teardown=_leave_folder,
)

pytest_collect_file = SybilCollection([*_pages, _docstrings]).pytest()
