"""Margins of relevant documents before others."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.evaluation.evaluate import evaluate
from embedtune.evaluation.external import evaluate_run
from embedtune.evaluation.margin_section import margin_section
from embedtune.evaluation.margins import Margins, margins_of_both
from embedtune.serving.local import LocalEmbedder

RUN = {
    "first": {"yes": 0.9, "no": 0.4, "also": 0.1},
    "behind": {"no": 0.8, "also": 0.6},
    "missed": {"no": 0.9},
    "alone": {"yes": 0.9},
    "without": {"no": 0.5},
    "judged": {"no": 0.7, "yes": 0.6},
    "tied": {"yes": 0.5, "no": 0.5},
    "empty": {},
}
LABELS = {
    "first": {"yes": 1, "also": 2},
    "behind": {"also": 1},
    "missed": {"yes": 1},
    "alone": {"yes": 1},
    "without": {"no": 0},
    "judged": {"no": 0, "yes": 3},
    "tied": {"yes": 1},
    "empty": {"yes": 1},
}


def test_margins_by_hand() -> None:
    """Best relevant minus best other hit; what has no margin is counted apart."""
    found = Margins.of(evaluate_run(RUN, LABELS), LABELS)

    assert pytest.approx([0.5, -0.2, -0.1, 0.0]) == found.values.tolist()
    assert 2 == found.missed
    assert 1 == found.alone
    assert 7 == found.queries
    assert (2, 3) == (found.first, found.behind)
    assert 3 == found.depth


def test_agrees_with_the_run(dataset: TuningDataset, embedder: LocalEmbedder) -> None:
    """A query has a margin above 0 just where a relevant document is its first hit."""
    report = evaluate(embedder, dataset, measures=("P@1", "R@10"))
    base, tuned = margins_of_both(report, report, dataset)

    assert round(report["P@1"] * len(report.query_ids)) == base.first
    assert len(report.query_ids) == base.queries
    assert base.values.tolist() == tuned.values.tolist()


def test_histogram_has_zero_in_its_middle() -> None:
    """Bins reach as far to both sides; a margin of 0 stands on the left."""
    values = np.array([-0.5, 0.0, 0.25, 0.5])
    half, counts = Margins(values=values, missed=0, alone=0, depth=3).histogram()

    assert 0.49 < half <= 0.5
    assert 40 == len(counts)
    assert 4 == counts.sum()
    assert 2 == counts[:20].sum()
    assert 1 == counts[19]
    assert 1 == counts[-1]


@pytest.mark.parametrize("values", [[], [0.0, 0.0]])
def test_histogram_of_nothing(values: list[float]) -> None:
    """Without a margin, or with none but 0, there is a histogram all the same."""
    margins = Margins(values=np.array(values), missed=0, alone=0, depth=1)

    half, counts = margins.histogram()

    assert 1.0 == half
    assert len(values) == counts.sum()


def test_section_without_positives() -> None:
    """Where nothing is relevant there is nothing to say."""
    labels = {"q": {"d": 0}}
    report = evaluate_run({"q": {"d": 1.0}}, labels)
    empty = Margins.of(report, labels)

    assert [] == margin_section(empty, empty)


def test_section_of_one_side() -> None:
    """A side that found nothing has its counts in the table, and no drawing."""
    labels = {"q": {"d": 1}}
    found = Margins.of(evaluate_run({"q": {"d": 2.0, "e": 1.0}}, labels), labels)
    nothing = attrs.evolve(found, values=np.empty(0), missed=1)

    text = "".join(margin_section(nothing, found))

    assert 1 == text.count("<svg")
    assert "<td>1 (100 %)</td>" in text
