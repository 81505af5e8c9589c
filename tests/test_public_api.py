"""What `import embedtune` gives, and what it costs."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import embedtune

ROOT = Path(__file__).parent.parent
IMPORT_LIMIT = 0.1


def test_all_is_sorted() -> None:
    """The public names stand in alphabetical order, none twice."""
    names = embedtune.__all__

    assert sorted(set(names)) == names


@pytest.mark.parametrize("name", embedtune.__all__)
def test_name_resolves(name: str) -> None:
    """Each public name leads to something."""
    value = getattr(embedtune, name)

    assert value is not None


def test_dir_lists_public_names() -> None:
    """Completion offers the public names and nothing else."""
    assert embedtune.__all__ == dir(embedtune)


def test_names_at_run_time_and_for_type_checkers_agree() -> None:
    """What checkers see imported is what is loaded on first use, from there."""
    tree = ast.parse(Path(embedtune.__file__).read_text(encoding="utf-8"))
    hidden = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.name: node.module
        for node in hidden.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert seen == embedtune._HOME  # noqa: SLF001 -- the table is what is compared
    assert {"__version__", "errors", *seen} == set(embedtune.__all__)


def test_modules_load_on_first_use() -> None:
    """A module among the public names is there in a fresh process, and not before."""
    script = (
        "import sys, embedtune as et\n"
        "names = ['embedtune.catalog', 'embedtune.progress']\n"
        "print([name in sys.modules for name in names])\n"
        "print([module.__name__ for module in (et.catalog, et.progress)])\n"
    )

    before, after = _run("-c", script).stdout.splitlines()

    assert "[False, False]" == before
    assert "['embedtune.catalog', 'embedtune.progress']" == after


def test_names_of_its_own_begin_with_an_underscore() -> None:
    """A completion by the source finds no name beside the public ones."""
    names = set(vars(embedtune)) - set(embedtune.__all__)
    modules = {
        module.__name__.partition("embedtune.")[2]
        for name, module in sys.modules.items()
        if name.startswith("embedtune.")
    }

    assert {"annotations"} == {n for n in names - modules if not n.startswith("_")}


def test_unknown_name() -> None:
    """A name that is not public is an AttributeError that says so."""
    with pytest.raises(AttributeError, match="'embedtune' has no attribute 'Foo'"):
        _ = embedtune.Foo


def test_import_loads_only_the_standard_library() -> None:
    """Importing the root loads no third-party package, not even NumPy."""
    loaded = _modules_loaded_by("import embedtune")

    assert set() == loaded - sys.stdlib_module_names - {"embedtune"}


def test_sdks_load_with_their_names_only() -> None:
    """Everything but the Milvus index works without an SDK in memory."""
    names = [
        name
        for name in embedtune.__all__
        if not embedtune._HOME.get(name, "").startswith("embedtune.vectorstore")  # noqa: SLF001
    ]
    loaded = _modules_loaded_by(f"from embedtune import {', '.join(names)}")

    sdks = {"google", "grpc", "milvus_lite", "pandas", "polars", "pymilvus", "torch"}
    assert set() == loaded & sdks


def test_import_is_fast() -> None:
    """Importing the root takes less than a tenth of a second, in the best of 5 runs."""
    times = [_import_time() for _ in range(5)]

    assert min(times) < IMPORT_LIMIT


@pytest.mark.parametrize("name", sorted(set(embedtune.__all__) - {"__version__"}))
def test_name_is_in_the_reference(name: str) -> None:
    """Each public name has its place in the reference."""
    pages = (ROOT / "docs" / "reference").glob("*.md")
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)

    assert re.search(rf":: embedtune\.{name}$", text, re.MULTILINE)


@pytest.mark.parametrize("name", sorted(set(embedtune.__all__) - {"__version__"}))
def test_name_is_in_the_typing_test(name: str) -> None:
    """Each public name is used under the eyes of the type checkers."""
    text = (ROOT / "tests" / "typing" / "api.py").read_text(encoding="utf-8")

    assert re.search(rf"\bet\.{name}\b", text)


def _modules_loaded_by(statement: str) -> set[str]:
    """Return the top-level packages that *statement* adds to a fresh interpreter."""
    script = (
        "import json, sys\n"
        "before = set(sys.modules)\n"
        f"{statement}\n"
        "new = set(sys.modules) - before\n"
        "print(json.dumps([name.partition('.')[0] for name in new]))\n"
    )
    return set(json.loads(_run("-c", script).stdout))


def _import_time() -> float:
    """Return the seconds that the import takes, the interpreter's start left out."""
    log = _run("-X", "importtime", "-c", "import embedtune").stderr
    micros = re.search(r"\|\s+(\d+) \| embedtune$", log, re.MULTILINE)
    assert micros
    return int(micros[1]) / 1e6


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python without the coverage measurement of this process."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE")}
    return subprocess.run(
        [sys.executable, *arguments],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    )
