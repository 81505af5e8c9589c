"""Every rule of the check: when it speaks, what it says, and when it is silent."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import attrs
import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.near_checks import MOST_UNASKED
from embedtune.datasets.report import DatasetReport, Problem
from embedtune.datasets.values import Document
from embedtune.errors import DatasetIntegrityError


def good(**parts: object) -> TuningDataset:
    """Make a dataset in which the check finds nothing, some parts replaced."""
    parts = {
        "corpus": {f"d{i}": f"Answer number {i}." for i in range(20)},
        "queries": {f"q{i}": f"question {i}" for i in range(20)},
        "train": {f"q{i}": {f"d{i}": 1} for i in range(12)},
        "validation": {f"q{i}": {f"d{i}": 1} for i in range(12, 16)},
        "test": {f"q{i}": {f"d{i}": 1} for i in range(16, 20)},
        **parts,
    }
    return TuningDataset(**parts)


def with_document(text: str, title: str = "") -> TuningDataset:
    """Make a good dataset with another first document."""
    document = Document(doc_id="d0", text=text, title=title)
    return good(corpus={**good().corpus, "d0": document})


def with_query(text: str) -> TuningDataset:
    """Make a good dataset with another first query."""
    return good(queries={**good().queries, "q0": text})


def with_labels(**changes: Mapping[str, Mapping[str, int]]) -> TuningDataset:
    """Make a good dataset with more labels in some splits."""
    base = good()
    return good(**{name: {**base.labels(name), **new} for name, new in changes.items()})


def only(report: DatasetReport) -> Problem:
    """Return the one problem that there must be."""
    assert 1 == len(report.problems), str(report)
    return report.problems[0]


def test_nothing_wrong() -> None:
    """A good dataset is fit for every kind of model, and the report says so."""
    for model in (None, "wordllama-256", "text-embedding-005", "embeddinggemma-300m"):
        report = good().check(model)

        assert report.ok
        assert () == report.problems
        assert "nothing found" in str(report)
        report.raise_for_errors()


@pytest.mark.parametrize(
    ("dataset", "rule", "severity", "facts"),
    [
        (with_document(""), "empty-text", "error", "1 of 20 documents are empty"),
        (with_document(" \n"), "empty-text", "error", "'d0'"),
        (with_query(""), "empty-text", "error", "1 of 20 queries are empty"),
        (with_document("", "Title"), "title-without-text", "warning", "'d0'"),
        (with_document("a\ud800b"), "lone-surrogate", "error", "documents"),
        (with_document("x", "a\udfffb"), "lone-surrogate", "error", "'d0'"),
        (with_document("lost \ufffd sign"), "replacement-character", "warning", "U+FF"),
        (with_query("caf\u00c3\u00a9"), "wrong-encoding", "warning", "1 of 20 queries"),
        (with_document("it\u00e2\u20ac\u2122s"), "wrong-encoding", "warning", "'d0'"),
        (with_document("it\u00e2\u0080\u0099s"), "wrong-encoding", "warning", "UTF-8"),
        (
            with_document("\u00d0\u00bf\u00d1\u20ac\u00d0\u00b8"),
            "wrong-encoding",
            "warning",
            "'d0'",
        ),
        (with_document("a\x00b"), "control-character", "warning", "control"),
        (with_query("a\x9bb"), "control-character", "warning", "queries"),
        (with_document("Answer NUMBER 7."), "duplicate-document", "warning", "'d7'"),
        (with_query("question  7"), "duplicate-query", "warning", "'q7'"),
        (with_labels(train={"x": {"d1": 1}}), "unknown-query", "error", "'x'"),
        (with_labels(test={"q16": {"x": 1}}), "unknown-document", "error", "of test"),
        (with_labels(train={"q0": {"d0": 0}}), "no-positive", "warning", "1 of 12"),
        (
            with_labels(train={"q16": {"d17": 1}}),
            "leaked-query",
            "error",
            "1 of 4 queries of test have the text of a query of train",
        ),
        (
            with_labels(train={"q12": {"d13": 0, "d12": 1}}),
            "leaked-query",
            "warning",
            "validation",
        ),
        (
            with_labels(test={"q16": {"d1": 1}}),
            "shared-document",
            "note",
            "1 of 4 queries of test",
        ),
        (
            good(queries={**good().queries, "more": "another one"}),
            "unlabelled-query",
            "note",
            "1 of 21",
        ),
        (with_document("question 0"), "query-is-document", "warning", "'q0'"),
        (good(train={}), "no-train-labels", "warning", "split()"),
        (good(test={}), "no-test-labels", "note", "split(test=0.2)"),
    ],
)
def test_rules(dataset: TuningDataset, rule: str, severity: str, facts: str) -> None:
    """Each rule finds its own kind of mistake, weighs it and names its place."""
    found = [problem for problem in dataset.check() if problem.rule == rule]

    assert 1 == len(found)
    assert severity == found[0].severity
    assert facts in str(found[0])
    assert found[0].hint


@pytest.mark.parametrize(
    "text",
    [
        "tabs\tand\nlines\r\nare fine",
        "S\u00c3O PAULO, \u00c2ngela, d\u00e9j\u00e0 vu, \u00d0\u00d1",
        "na\u00efve \u20ac 5 \u2014 \u201cquoted\u201d",
        "\u65e5\u672c\u8a9e \U0001f600 \u0645\u0631\u062d\u0628\u0627",
        "soft\u00adhyphen and\u200bzero width",
    ],
)
def test_ordinary_texts_are_left_alone(text: str) -> None:
    """Accents, other scripts, emoji and line breaks are no encoding mistake."""
    assert () == with_document(text).check().problems
    assert () == with_query(text).check().problems


def test_every_occurrence_is_counted_and_few_are_named() -> None:
    """A rule has one problem, with the count and the first ten places."""
    corpus = {f"d{i}": "" for i in range(500)}
    report = good(corpus=corpus).check()
    empty = next(problem for problem in report if problem.rule == "empty-text")

    assert 500 == empty.count
    assert tuple(f"'d{i}'" for i in range(10)) == empty.examples
    assert "'d0'" == empty.where
    assert "('d0', 'd1', 'd2', ...)" in str(empty)


def test_empty_texts_are_no_duplicates() -> None:
    """Documents without any text are empty, not copies of one another."""
    rules = [p.rule for p in good(corpus={"d1": "", "d2": ""}).check()]

    assert "duplicate-document" not in rules


def test_titles_tell_documents_apart() -> None:
    """The same text under another title is another document."""
    assert () == with_document("Answer number 7.", "Other").check().problems


@pytest.mark.parametrize(
    ("dataset", "kind"),
    [
        (with_document("Answer NUMBER 7."), "document"),
        (with_query("question  7"), "query"),
    ],
)
def test_duplicates_have_a_way_out_for_tables(
    dataset: TuningDataset, kind: str
) -> None:
    """Who has a table and no ids is told what to do with its rows."""
    hint = only(dataset.check()).hint

    assert "in a table write both rows alike or drop one" in hint
    assert f"equal texts become one {kind}" in hint
    assert "point the labels at it" in hint


def test_conflicting_labels() -> None:
    """Equal query and document texts with other relevances contradict each other."""
    base = good()
    dataset = good(
        corpus={**base.corpus, "e1": "ANSWER number 1."},
        queries={**base.queries, "r2": "Question 2"},
        train={**base.train, "q1": {"d1": 1, "e1": 2}, "r2": {"d2": 0, "d5": 1}},
    )
    found = {problem.rule: problem for problem in dataset.check()}

    assert 2 == found["conflicting-labels"].count
    assert (
        "('q1', 'e1': 2) against ('q1', 'd1': 1)",
        "('r2', 'd2': 0) against ('q2', 'd2': 1)",
    ) == found["conflicting-labels"].examples


def test_conflicts_between_splits() -> None:
    """One pair with other relevances in two splits contradicts itself."""
    found = {p.rule: p for p in with_labels(test={"q3": {"d3": 2}}).check()}

    assert ("('q3', 'd3': 2) against ('q3', 'd3': 1)",) == (
        found["conflicting-labels"].examples
    )


def test_equal_grades_do_not_conflict() -> None:
    """Copies that agree are duplicates and nothing worse."""
    base = good()
    dataset = good(
        corpus={**base.corpus, "e1": "Answer number 1."},
        train={**base.train, "q1": {"d1": 1, "e1": 1}},
    )

    assert "duplicate-document" == only(dataset.check()).rule


def test_leaks_through_duplicates() -> None:
    """A test query whose text is a train query's is a leak under any id."""
    base = good()
    dataset = good(queries={**base.queries, "q17": "QUESTION 3"})
    leak = dataset.check().errors

    assert ["leaked-query"] == [problem.rule for problem in leak]
    assert ("'q17'",) == leak[0].examples


def test_seen_documents_include_copies() -> None:
    """A document is seen, too, if train labels a copy of it."""
    base = good()
    dataset = good(corpus={**base.corpus, "d18": "answer number 2."})
    notes = dataset.check().notes

    assert ["shared-document"] == [problem.rule for problem in notes]
    assert "1 of 4 queries of test" in notes[0].message


def test_too_long_texts() -> None:
    """Texts beyond the model's limit are counted; without a model there is none."""
    dataset = with_document("word " * 3000, "Title")
    problem = only(dataset.check("text-embedding-005"))

    assert ("too-long", "warning") == (problem.rule, problem.severity)
    assert "more than 2048 tokens (estimated)" in problem.message
    assert dataset.check().problems == ()
    assert dataset.check("wordllama-256").problems == ()


def test_swapped_columns() -> None:
    """Queries that are much longer than documents look swapped."""
    dataset = good(queries={f"q{i}": f"question {i} " * 20 for i in range(20)})

    assert "swapped-columns" == only(dataset.check()).rule


@pytest.mark.parametrize(
    ("parts", "facts"),
    [
        ({"corpus": {"d1": "x"}}, ["at least 9 documents (got 1)"]),
        (
            {"queries": {f"q{i}": f"question {i}" for i in range(8)}},
            ["at least 9 queries (got 8)"],
        ),
        (
            {"train": {"q1": {"d1": 1}}, "test": {"q2": {"d2": 1}}},
            [
                "at least 9 queries with labels (got 6)",
                "at least 3 queries with labels in train (got 1)",
                "at least 3 queries with labels in test (got 1)",
            ],
        ),
        (
            {"queries": {f"q{i}": f"question {i}" for i in range(10_001)}},
            ["at most 10,000 queries (got 10,001)"],
        ),
        (
            {
                "train": {
                    f"q{i}": dict.fromkeys((f"d{j}" for j in range(20_000)), 1)
                    for i in range(25)
                }
            },
            ["at most 499,999 labels (got 500,008)"],
        ),
        ({"train": {}}, ["in train (got 0)", "no train labels"]),
    ],
)
def test_limits_of_the_service(parts: dict[str, object], facts: list[str]) -> None:
    """The tuning service's sizes are errors for its models, and for no others."""
    dataset = good(**parts)
    messages = "\n".join(map(str, dataset.check("text-embedding-005").errors))

    assert [] == [fact for fact in facts if fact not in messages]
    assert "service-limit" not in str(dataset.check("embeddinggemma-300m"))


def test_ids_that_do_not_fit_the_service() -> None:
    """Ids with tabs, line breaks or quotes are errors for the service alone."""
    base = good()
    dataset = good(corpus={**base.corpus, "a\tb": "One more answer."})

    assert () == dataset.check().problems
    assert "unfit-id" == only(dataset.check("text-embedding-005")).rule


def test_files_and_lines_are_named(tmp_path: Path) -> None:
    """For a dataset from files, each place is a file, a line and an id."""
    base = good()
    good(
        corpus={**base.corpus, "d4": "", "d5": "Answer number 3."},
        queries={**base.queries, "q2": "a\x00b", "extra": "unlabelled"},
        test={**base.test, "q16": {"d16": 1, "none": 1}, "q0": {"d16": 1}},
        validation={"q12": {"d12": 0}},
    ).to_beir(tmp_path / "data")
    report = TuningDataset.from_beir(tmp_path / "data").check()

    assert {
        "empty-text": "corpus.jsonl:5 ('d4')",
        "duplicate-document": "corpus.jsonl:6 ('d5') repeats corpus.jsonl:4 ('d3')",
        "control-character": "queries.jsonl:3 ('q2')",
        "unlabelled-query": "queries.jsonl:14 ('q13')",
        "unknown-document": "qrels/test.tsv:3 ('none')",
        "no-positive": "qrels/dev.tsv:2 ('q12')",
        "leaked-query": "qrels/test.tsv:7 ('q0')",
    } == {problem.rule: problem.where for problem in report}


def test_errors_raise_together() -> None:
    """Raising for errors names every error and no warning."""
    dataset = good(
        corpus={**good().corpus, "d0": "", "d1": "Answer number 2."},
        train={"q1": {"x": 1}},
    )

    with pytest.raises(DatasetIntegrityError, match="2 problems") as info:
        dataset.check().raise_for_errors()

    assert ["[empty-text]", "[unknown-document]"] == sorted(
        problem.split()[0] for problem in info.value.problems
    )


def test_empty_dataset() -> None:
    """A dataset of nothing is refused, and by no crash."""
    report = TuningDataset(corpus={}, queries={}, train={}).check("text-embedding-005")

    assert ["no-records", "no-records", "no-train-labels"] == [
        problem.rule for problem in report.errors[:3]
    ]


NEAR = "Hold both buttons for five seconds until the lamp of the meter blinks twice."


def test_contradiction_through_near_duplicates() -> None:
    """A label of 0 for what is nearly equal to a relevant document is a warning."""
    base = good()
    dataset = attrs.evolve(
        base,
        corpus={**base.corpus, "n1": NEAR, "n2": f"{NEAR}!", "n3": NEAR.upper()},
        train={**base.train, "q0": {"n1": 1, "d3": 0, "n2": 0}},
    )
    problems = {p.rule: p for p in dataset.check()}

    assert ("'q0'",) == problems["near-duplicate-labels"].examples
    near = problems["near-duplicate-document"]
    assert (1, ("'n2' is near 'n1'",)) == (near.count, near.examples)
    assert "2 of 23 are in 1 clusters" in near.message
    assert "near-duplicate-leak" not in problems
    rules = {p.rule for p in dataset.check(near_duplicates=None)}
    assert {"duplicate-document"} == rules


def test_near_duplicates_of_large_corpora_are_looked_for_on_demand() -> None:
    """Above ten thousand documents one has to ask, and is told so."""
    base = good()
    texts = {f"e{i}": f"Text {i}" for i in range(MOST_UNASKED)}
    texts |= {"n1": NEAR, "n2": f"{NEAR}!"}
    dataset = attrs.evolve(base, corpus={**base.corpus, **texts})

    assert "near-duplicates-unasked" == only(dataset.check()).rule
    assert "near-duplicate-document" == only(dataset.check(near_duplicates=0.9)).rule
    assert () == dataset.check(near_duplicates=None).problems
