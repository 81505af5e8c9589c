"""The page of base models says what the catalog says."""

from __future__ import annotations

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_page_is_what_the_script_makes() -> None:
    """Whoever changes the catalog writes the page anew."""
    script = runpy.run_path(str(ROOT / "docs" / "_scripts" / "models_table.py"))
    path = ROOT / "docs" / "reference" / "models.md"

    assert script["page"]() == path.read_text(encoding="utf-8")
