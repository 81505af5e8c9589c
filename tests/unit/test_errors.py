"""The error tree: its shape, its facts, and that all of it travels."""

from __future__ import annotations

import ast
import copy
import inspect
import pickle
import re

import pytest

from embedtune import errors
from embedtune.errors import (
    BackendError,
    BackendTimeoutError,
    ConfigurationError,
    DataError,
    DatasetFormatError,
    DatasetIntegrityError,
    DimensionMismatchError,
    EmbedtuneError,
    JobError,
    JobFailedError,
    JobTimeoutError,
    MissingDependencyError,
    NotBetterError,
    RateLimitedError,
    UnavailableError,
    UnsupportedOperationError,
)

FACTS: dict[type[EmbedtuneError], dict[str, object]] = {
    MissingDependencyError: {"package": "polars", "extra": "polars"},
    DatasetFormatError: {"path": "corpus.jsonl", "line": 3, "problems": ("a", "b")},
    DatasetIntegrityError: {"problems": ("a", "b")},
    DimensionMismatchError: {"expected": 768, "actual": 256},
    BackendError: {"operation": "index.search", "retry_after": 2.5},
    JobError: {"job": ("a job", 7)},
    NotBetterError: {"verdict": ("undecided", 7)},
}
"""What a class needs or takes beside its message; subclasses take the same."""

CLASSES = [
    cls
    for _, cls in inspect.getmembers(errors, inspect.isclass)
    if issubclass(cls, EmbedtuneError)
]


def facts_of(cls: type[EmbedtuneError]) -> dict[str, object]:
    """Return facts to make an error of *cls* with."""
    for base in cls.__mro__:
        if base in FACTS:
            return FACTS[base]
    return {}


def make(cls: type[EmbedtuneError]) -> EmbedtuneError:
    """Return an error of *cls* with all its facts."""
    return cls("'x' is wrong; use 'y'", **facts_of(cls))  # type: ignore[arg-type]


def drawn_tree() -> dict[str, set[str]]:
    """Read the classes and their bases from the drawing in the docstring."""
    drawing = re.search(r"```\n(.*?)```", errors.__doc__ or "", re.DOTALL)
    assert drawing is not None
    bases: dict[str, set[str]] = {}
    branch: list[tuple[int, str]] = []
    for line in drawing[1].splitlines():
        names = list(re.finditer(r"\b([A-Z]\w*Error)(?:\(\+?(\w+)\))?", line))
        indent = names[0].start()
        branch = [(depth, name) for depth, name in branch if depth < indent]
        for name in names:
            parents = {branch[-1][1]} if branch else set()
            bases[name[1]] = parents | ({name[2]} if name[2] else set())
        branch.append((indent, names[-1][1]))
    return bases


def test_tree_is_as_drawn() -> None:
    """The drawing at the top of the module names every class and its bases."""
    drawn = drawn_tree()
    drawn["EmbedtuneError"] = {"Exception"}

    assert drawn == {
        cls.__name__: {base.__name__ for base in cls.__bases__} for cls in CLASSES
    }


def test_module_imports_nothing_of_ours() -> None:
    """Every layer may raise these; so they rest on Python alone."""
    tree = ast.parse(inspect.getsource(errors))
    imported = {
        node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
    }

    assert {"__future__", "collections.abc", "typing"} == imported
    assert not any(isinstance(node, ast.Import) for node in ast.walk(tree))


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_error_pickles(cls: type[EmbedtuneError], protocol: int) -> None:
    """An error crosses a process boundary with its message and all its facts."""
    error = make(cls)
    error.add_note("while indexing")

    twin = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301

    assert cls is type(twin)
    assert str(error) == str(twin)
    assert error.args == twin.args
    assert vars(error) == vars(twin)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_error_copies(cls: type[EmbedtuneError]) -> None:
    """A copy, as thread pools may make one, has the same facts."""
    error = make(cls)

    twin = copy.copy(error)

    assert (str(error), vars(error)) == (str(twin), vars(twin))


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_facts_are_attributes(cls: type[EmbedtuneError]) -> None:
    """What the message says can be read without parsing it."""
    error = make(cls)

    assert facts_of(cls) == {name: getattr(error, name) for name in facts_of(cls)}
    assert "'x' is wrong; use 'y'" == str(error)


@pytest.mark.parametrize(
    ("cls", "builtin"),
    [
        (ConfigurationError, ValueError),
        (MissingDependencyError, ValueError),
        (DataError, ValueError),
        (DimensionMismatchError, ValueError),
        (BackendTimeoutError, TimeoutError),
        (JobTimeoutError, TimeoutError),
        (UnsupportedOperationError, NotImplementedError),
    ],
)
def test_built_in_that_a_caller_would_guess(
    cls: type[EmbedtuneError], builtin: type[Exception]
) -> None:
    """A caller who catches the obvious built-in class catches ours."""
    with pytest.raises(builtin, match="is wrong"):
        raise make(cls)


def test_what_may_be_repeated() -> None:
    """Only an unavailable backend is worth another try."""
    retryable = {
        cls for cls in CLASSES if issubclass(cls, BackendError) and cls.retryable
    }

    assert {UnavailableError, RateLimitedError, BackendTimeoutError} == retryable


def test_facts_have_neutral_defaults() -> None:
    """Facts that nobody knows are left out."""
    backend = BackendError("gone")
    form = DatasetFormatError("broken", path="corpus.jsonl")

    assert ("", None, False) == (
        backend.operation,
        backend.retry_after,
        backend.retryable,
    )
    assert (None, ()) == (form.line, form.problems)


def test_problems_are_frozen() -> None:
    """A list that its owner fills further does not change the error."""
    problems = ["a"]
    error = DatasetIntegrityError("1 problem", problems=problems)

    problems.append("b")

    assert ("a",) == error.problems


def test_job_survives() -> None:
    """The job that failed is at hand for whoever catches the error."""
    job = object()

    assert job is JobFailedError("failed", job=job).job
