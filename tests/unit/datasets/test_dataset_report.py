"""How a report and a summary read, in text and in a notebook."""

from __future__ import annotations

import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.report import DatasetReport, Problem
from embedtune.datasets.values import Document

REPORT = DatasetReport(
    problems=(
        Problem(
            rule="empty-text",
            severity="error",
            message="1 of 2 documents are empty",
            hint="give them a text",
            examples=("corpus.jsonl:1 ('<b>')",),
        ),
        Problem(
            rule="no-test-labels",
            severity="note",
            message="the dataset has no test labels",
            hint="split it",
        ),
    ),
    model="text-embedding-005",
)
DATASET = TuningDataset(
    corpus={
        "d1": Document(doc_id="d1", text="12345", title="123"),
        "d2": "1234567",
        "d3": "1",
    },
    queries={"q1": "12", "q2": "1234"},
    train={"q1": {"d1": 2, "d2": 1, "unknown": 0}, "q2": {"d1": 1}},
    test={"q2": {"d2": 1}},
)


def test_report_prints_a_line_for_each_problem() -> None:
    """The text has a headline, then severity, rule, message, places and way out."""
    assert (
        "dataset check for text-embedding-005: 1 error, 0 warnings, 1 note\n"
        "  ERROR [empty-text] 1 of 2 documents are empty (corpus.jsonl:1 ('<b>')); "
        "give them a text\n"
        "  note [no-test-labels] the dataset has no test labels; split it"
    ) == str(REPORT)
    assert str(REPORT) == repr(REPORT)


def test_report_renders_safely() -> None:
    """The notebook's table escapes what comes from the data."""
    page = REPORT._repr_html_()

    assert page.startswith("<p>dataset check")
    assert "corpus.jsonl:1 (&#x27;&lt;b&gt;&#x27;)" in page
    assert "<b>" not in page
    assert "<table>" not in DatasetReport(problems=())._repr_html_()


def test_report_with_ids_that_cannot_be_encoded() -> None:
    """An id with a lone surrogate does not keep a report from being shown."""
    dataset = TuningDataset(corpus={"\ud800": ""}, queries={}, train={})

    assert dataset.check()._repr_html_().encode()


def test_summary_counts() -> None:
    """Sizes, grades, positives and lengths are those of the data."""
    summary = DATASET.summary()

    assert (3, 1, 2, 2) == (
        summary.documents,
        summary.titles,
        summary.labelled_documents,
        summary.queries,
    )
    assert ["train", "test"] == list(summary.splits)
    train = summary.splits["train"]
    assert (2, 3, 4) == (train.queries, train.documents, train.labels)
    assert {0: 1, 1: 2, 2: 1} == train.grades
    assert {1: 1, 2: 1} == train.positives
    assert summary.document_lengths is not None
    assert (1, 7, 10, 10, 10) == summary.document_lengths.characters
    assert summary.query_lengths is not None
    assert (2, 4) == (
        summary.query_lengths.characters[0],
        summary.query_lengths.characters[-1],
    )
    assert DATASET.fingerprint == summary.fingerprint


def test_summary_reads_well() -> None:
    """The text gives the figures in aligned columns."""
    text = str(DATASET.summary())

    assert "documents: 3 (1 with a title)\n" in text
    assert "with a label: 2 (66.7%)\n" in text
    assert f"fingerprint: {DATASET.fingerprint[:16]}\n" in text
    assert "1.50 a query (1 to 2)" in text
    assert "0: 1, 1: 2, 2: 1" in text
    assert text == repr(DATASET.summary())


def test_summary_renders() -> None:
    """In a notebook it is a list and two tables."""
    page = DATASET.summary()._repr_html_()

    assert 2 == page.count("<table>")
    assert "<li>queries: 2</li>" in page


def test_many_grades_are_cut() -> None:
    """Of many grades the most frequent are printed."""
    dataset = TuningDataset(
        corpus={},
        queries={},
        train={"q": {f"d{i}": min(i, 9) for i in range(20)}},
    )

    assert "0: 1, 1: 1, 2: 1, 3: 1, 9: 11, ..." in str(dataset.summary())


def test_summary_of_nothing() -> None:
    """An empty dataset has a summary, too."""
    summary = TuningDataset(corpus={}, queries={}, train={}).summary()

    assert summary.document_lengths is None
    assert summary.query_lengths is None
    assert "documents: 0" in str(summary)


@pytest.mark.parametrize("count", [1, 20_001])
def test_tokens_are_estimated_on_a_sample(count: int) -> None:
    """However many texts there are, lengths in tokens are given."""
    dataset = TuningDataset(
        corpus={str(i): "one two three" for i in range(count)}, queries={}, train={}
    )
    lengths = dataset.summary().document_lengths

    assert lengths is not None
    assert (13,) * 5 == lengths.characters
    assert 1 == len(set(lengths.tokens))
