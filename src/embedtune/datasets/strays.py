"""Files that may be meant as labels and have another name."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from embedtune.datasets.problems import shown

_SUFFIXES = (".tsv", ".tsv.gz")
_NEAR = 0.7  # 'trian' is nearer than that to 'train', 'notes' is not to 'test'
_SHORTEST = 3


def stray_names(folder: Path, known: Sequence[str]) -> list[str]:
    """Return the names of the tab-separated files that are not *known*, sorted.

    Hidden files are left alone, and so is what a file system that ignores case
    gives for a known name.
    """
    if not folder.is_dir():
        return []
    own = [folder / name for name in known if (folder / name).is_file()]
    return sorted(
        path.name
        for path in folder.iterdir()
        if path.name.lower().endswith(_SUFFIXES)
        and not path.name.startswith(".")
        and path.is_file()
        and not any(path.samefile(other) for other in own)
    )


def nearest(name: str, known: Sequence[str]) -> str:
    """Return a question that proposes the known name nearest to *name*, if any."""
    stems = {Path(other).stem: other for other in known}
    stem = name.lower().partition(".")[0]
    near = [
        other
        for other in stems
        if stem.startswith(other) or (len(stem) >= _SHORTEST and other.startswith(stem))
    ] or difflib.get_close_matches(stem, stems, n=1, cutoff=_NEAR)
    if not near:
        return ""
    if name.lower().endswith(".gz"):
        return f"unpack it to {stems[near[0]]!r}"
    return f"did you mean {stems[near[0]]!r}?"


def described(name: str, known: Sequence[str]) -> str:
    """Return a name with what is nearest to it in brackets."""
    near = nearest(name, known)
    return f"{shown(name)} ({near})" if near else shown(name)
