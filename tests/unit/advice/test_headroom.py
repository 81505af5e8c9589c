"""What the best order of the hits would give."""

from __future__ import annotations

import numpy as np
import pytest

from embedtune.advice.headroom import headroom_of
from embedtune.evaluation.external import evaluate_run

MEASURES = ("nDCG@10", "R@100")
LABELS = {
    "first": {"a": 1},
    "second": {"a": 1, "b": 2},
    "lost": {"c": 1},
}
RUN = {
    "first": {"x": 3.0, "a": 2.0},
    "second": {"x": 3.0, "a": 2.0, "b": 1.0},
    "lost": {"x": 3.0, "y": 2.0},
}


def test_best_order() -> None:
    """Relevant hits come first, the most relevant before; what was missed stays so."""
    report = evaluate_run(RUN, LABELS, measures=MEASURES)

    found = headroom_of(report, LABELS)

    assert 3 == found.queries
    assert report["nDCG@10"] == found.base
    assert pytest.approx(2 / 3) == found.reranked
    assert pytest.approx(2 / 3) == found.recall
    assert ("lost",) == found.unreached
    assert 1 == found.unreached_count
    assert pytest.approx(1 - found.base) == found.room


def test_more_positives_than_hits() -> None:
    """With positives beyond the hits, the best order is measured by all of them."""
    labels = {"q": {f"d{i}": 1 for i in range(4)}}
    report = evaluate_run({"q": {"x": 2.0, "d0": 1.0}}, labels, measures=MEASURES)

    found = headroom_of(report, labels)

    ideal = sum(1 / np.log2(rank + 1) for rank in (1, 2, 3, 4))
    assert pytest.approx(1 / ideal) == found.reranked
    assert 0.25 == found.recall
    assert 0 == found.unreached_count
