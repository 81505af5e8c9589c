"""The notebooks run as they are, and are committed as they were before they ran."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

EXAMPLES = Path(__file__).parents[2] / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))
LONGEST_CELL = 300  # seconds
LONGEST_LINE = 88

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


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
def test_runs(path: Path, tmp_path: Path) -> None:
    """Every cell runs, in a folder with nothing but the examples' data beside it."""
    shutil.copytree(EXAMPLES / "data", tmp_path / "data")

    cells = _executed(path, tmp_path).cells

    shown = "".join(_texts(cell) for cell in cells if cell.cell_type == "code")
    assert "nDCG@10" in shown
    assert "object at 0x" not in shown


def test_quickstart_is_the_whole_job(tmp_path: Path) -> None:
    """The quickstart leaves a report and an index, and finds the answers."""
    shutil.copytree(EXAMPLES / "data", tmp_path / "data")

    cells = {
        cell.id: _texts(cell)
        for cell in _executed(EXAMPLES / "quickstart.ipynb", tmp_path).cells
    }

    out = tmp_path / "runs" / "notebook"
    assert {"jobs", "milvus.db", "report.html"} <= {file.name for file in out.iterdir()}
    assert "113 questions to learn from, 49 to test" in cells["split"]
    assert "the app says my unit is offline" in cells["search"]
    assert any(word in cells["compare"] for word in ("better", "undecided"))


def _read(path: Path) -> Any:
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


def _executed(path: Path, folder: Path) -> Any:
    client = nbclient.NotebookClient(
        _read(path),
        timeout=LONGEST_CELL,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
    )
    return client.execute()


def _texts(cell: Any) -> str:
    """Return all that a cell printed or showed, as text and as HTML."""
    texts = []
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        texts += [output.get("text", ""), data.get("text/plain", "")]
        texts.append(data.get("text/html", ""))
    return "".join(texts)
