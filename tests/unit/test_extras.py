"""Optional packages that are missing."""

from __future__ import annotations

import importlib

import pytest

from embedtune.errors import MissingDependencyError
from embedtune.extras import needs


def test_missing_package() -> None:
    """The error names the package and the command that installs it."""
    with (
        pytest.raises(
            MissingDependencyError, match=r"run: pip install 'embedtune\[plots\]'"
        ) as info,
        needs("no_such_package", extra="plots"),
    ):
        importlib.import_module("no_such_package.part")

    assert ("no_such_package", "plots") == (info.value.package, info.value.extra)


def test_other_errors_come_through() -> None:
    """A package that lacks one of its own is broken, not missing."""
    with (
        pytest.raises(ModuleNotFoundError, match="another_package") as info,
        needs("no_such_package", extra="plots"),
    ):
        importlib.import_module("another_package")

    assert not isinstance(info.value, MissingDependencyError)


def test_nothing_happens_where_it_is_there() -> None:
    """A package that is installed is imported."""
    with needs("json", extra="plots"):
        module = importlib.import_module("json")

    assert "json" == module.__name__
