"""Whatever ids and texts hold, the table of decisions gives the labels back."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from embedtune.curation.audit import audit_labels
from embedtune.curation.decision_file import guarded, unguarded
from embedtune.curation.decisions import apply_decisions
from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.text import normalised
from embedtune.serving.local import LocalEmbedder

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.text(
    alphabet="=+-@'\t\r\n\",;0 1a\x00\x1c\u2028\ufeff", max_size=8
)
IDS = TEXTS.filter(bool)
EMBEDDER = LocalEmbedder()


@given(cell=TEXTS)
def test_guard_comes_off(cell: str) -> None:
    """A guarded cell is no formula, and gives back what it was."""
    for is_id in (False, True):
        safe = guarded(cell, is_id=is_id)

        assert cell == unguarded(safe)
        assert not safe.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@given(
    doc_ids=st.lists(IDS, unique=True, min_size=2, max_size=4),
    query_ids=st.lists(IDS, unique=True, min_size=2, max_size=4),
    texts=st.lists(TEXTS, min_size=8, max_size=8, unique_by=normalised),
)
def test_every_id_survives(
    doc_ids: list[str], query_ids: list[str], texts: list[str]
) -> None:
    """Removing every label by the table leaves none, so each id came back."""
    corpus = dict(zip(doc_ids, texts, strict=False))
    queries = dict(zip(query_ids, texts[4:], strict=False))
    labels = {
        query_id: {doc_ids[n % len(doc_ids)]: n + 1}
        for n, query_id in enumerate(query_ids)
    }
    dataset = TuningDataset(corpus=corpus, queries=queries, train=labels)
    audit = audit_labels(dataset, EMBEDDER, folds=2)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labels.csv"
        audit.to_csv(path, missing=0)
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(row | {"decision": "remove"} for row in rows)

        result = apply_decisions(dataset, path)

    assert {} == dict(result.train)
