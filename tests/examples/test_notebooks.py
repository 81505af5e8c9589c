"""The notebooks run as they are, and are committed as they were before they ran."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

EXAMPLES = Path(__file__).parents[2] / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))
LONGEST_CELL = 300  # seconds
LONGEST_LINE = 88

Executed: TypeAlias = Callable[[Path], tuple[Path, dict[str, str]]]
"""Runs a notebook: the folder it ran in, and what each cell showed, by its name."""

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Executed:
    """Run each notebook once, however many tests look at it."""

    @functools.cache
    def run(path: Path) -> tuple[Path, dict[str, str]]:
        folder = tmp_path_factory.mktemp(path.stem)
        shutil.copytree(EXAMPLES / "data", folder / "data")
        return folder, {cell.id: _shown(cell) for cell in _run(path, folder).cells}

    return run


def test_all_are_here() -> None:
    """The notebooks that the pages name exist."""
    assert ["is_tuning_worth_it", "quickstart"] == [path.stem for path in NOTEBOOKS]


@each_notebook
def test_clean(path: Path) -> None:
    """No output, no count and no editor's trace is committed; the JSON is canonical."""
    notebook = _read(path)

    assert nbformat.writes(notebook) + "\n" == path.read_text(encoding="utf-8")
    assert {"kernelspec", "language_info"} == set(notebook.metadata)
    assert {"name": "python"} == notebook.metadata.language_info
    for cell in notebook.cells:
        assert {} == cell.metadata, cell.id
        assert [] == cell.get("outputs", []), cell.id
        assert cell.get("execution_count") is None, cell.id


@each_notebook
def test_pleasant(path: Path) -> None:
    """Cells have telling names, code is short, and text stands before code."""
    cells = _read(path).cells

    assert "markdown" == cells[0].cell_type == cells[-1].cell_type
    for cell in cells:
        assert not cell.id.isdigit(), cell.id
        assert cell.source.strip() == cell.source != "", cell.id
        if cell.cell_type == "code":
            lines = cell.source.splitlines()
            assert len(lines) <= 12, cell.id
            assert max(map(len, lines)) <= LONGEST_LINE, cell.id


@each_notebook
def test_runs(path: Path, executed: Executed) -> None:
    """Every cell runs, in a folder with nothing but the examples' data beside it."""
    _, shown = executed(path)

    everything = "".join(shown.values())
    assert "nDCG@10" in everything
    assert "object at 0x" not in everything
    assert "Warning" not in everything


def test_quickstart_is_the_whole_job(executed: Executed) -> None:
    """The quickstart leaves a report and an index, and finds the answers."""
    folder, shown = executed(EXAMPLES / "quickstart.ipynb")

    out = {file.name for file in (folder / "runs" / "notebook").iterdir()}
    assert {"jobs", "milvus.db", "report.html"} <= out
    assert "113 questions to learn from, 49 to test" in shown["split"]
    assert "the app says my unit is offline" in shown["search"]
    assert any(word in shown["compare"] for word in ("better", "undecided"))


def test_advice_comes_with_its_reasons(executed: Executed) -> None:
    """The other notebook shows a curve, a recommendation, and whether it was right."""
    _, shown = executed(EXAMPLES / "is_tuning_worth_it.ipynb")

    assert shown["curve"].strip()  # why there are no points, where it had no time
    assert "\n- " in shown["decision"]
    assert any(word in shown["verdict"] for word in ("better", "undecided"))


def _read(path: Path) -> Any:
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


def _run(path: Path, folder: Path) -> Any:
    client = nbclient.NotebookClient(
        _read(path),
        timeout=LONGEST_CELL,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
    )
    return client.execute()


def _shown(cell: Any) -> str:
    """Return all that a cell printed or showed, as text and as HTML."""
    texts = []
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        texts += [output.get("text", ""), data.get("text/plain", "")]
        texts.append(data.get("text/html", ""))
    return "".join(texts)
