"""What a person writes into the table is what the labels become."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from embedtune.curation.audit import audit_labels
from embedtune.curation.decisions import apply_decisions
from embedtune.datasets.dataset import TuningDataset
from embedtune.errors import ConfigurationError, DataError, DatasetFormatError
from embedtune.serving.local import LocalEmbedder

Edit = Callable[[list[dict[str, str]]], None]


@pytest.fixture(scope="module")
def dataset() -> TuningDataset:
    """Return six questions, of which q0 and q1 have each other's answers."""
    words = ["password", "invoice", "refund", "parcel", "address", "language"]
    corpus = {f"{n}": f"All about the {word}." for n, word in enumerate(words)}
    corpus["copy"] = "All about the language."
    queries = {f"q{n}": word for n, word in enumerate(words)}
    labels = {f"q{n}": {f"{n}": 2} for n in range(6)}
    labels |= {"q0": {"1": 1}, "q1": {"0": 1}}
    return TuningDataset(corpus=corpus, queries=queries, train=labels)


@pytest.fixture
def table(dataset: TuningDataset, tmp_path: Path) -> Path:
    """Return the table of the audit, without a decision."""
    path = tmp_path / "labels.csv"
    audit_labels(dataset, LocalEmbedder()).to_csv(path)
    return path


def edited(path: Path, edit: Edit, *, delimiter: str = ",") -> Path:
    """Change the rows as a person would, and save them as a program would."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    edit(rows)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def deciding(**decisions: str) -> Edit:
    """Return an edit that decides about the label of each query."""

    def edit(rows: list[dict[str, str]]) -> None:
        for row in rows:
            kind, query = row["kind"], row["query_id"].lstrip("'")
            row["decision"] = decisions.get(f"{kind}_{query}", "")

    return edit


def test_undecided_changes_nothing(dataset: TuningDataset, table: Path) -> None:
    """A table without decisions gives an equal dataset."""
    assert dataset.fingerprint == apply_decisions(dataset, table).fingerprint


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_each_decision(dataset: TuningDataset, table: Path, delimiter: str) -> None:
    """Each word does what it says, once, whatever stands between the cells."""
    decide = deciding(
        wrong_q0="replace",
        wrong_q1=" Add ",
        wrong_q2="remove",
        wrong_q3="3",
        wrong_q4="keep",
        missing_q5="add",
    )

    once = apply_decisions(dataset, edited(table, decide, delimiter=delimiter))
    twice = apply_decisions(once, table)

    assert {
        "q0": {"0": 1},
        "q1": {"0": 1, "1": 1},
        "q3": {"3": 3},
        "q4": {"4": 2},
        "q5": {"5": 2, "copy": 2},
    } == {query_id: dict(row) for query_id, row in once.train.items()}
    assert once.fingerprint == twice.fingerprint


def test_missing_may_be_not_relevant(dataset: TuningDataset, table: Path) -> None:
    """A number at a missing label is the relevance of the alternative."""
    result = apply_decisions(dataset, edited(table, deciding(missing_q5="0")))

    assert {"5": 2, "copy": 0} == dict(result.train["q5"])


def test_another_alternative(dataset: TuningDataset, table: Path) -> None:
    """A person may name another document as the alternative."""

    def edit(rows: list[dict[str, str]]) -> None:
        deciding(wrong_q0="replace")(rows)
        for row in rows:
            row["alternative_id"] = "copy"

    assert {"copy": 1} == dict(
        apply_decisions(dataset, edited(table, edit)).train["q0"]
    )


def test_every_problem_is_named(dataset: TuningDataset, table: Path) -> None:
    """All that is wrong is in one error, each with its line."""

    def edit(rows: list[dict[str, str]]) -> None:
        rows[:] = [row for row in rows if row["kind"] == "wrong"]
        rows.sort(key=lambda row: row["query_id"])
        rows[0]["decision"] = "perhaps"
        rows[1] |= {"decision": "replace", "alternative_id": "ghost"}
        rows[2] |= {"decision": "keep", "doc_id": "2.0"}
        rows[3] |= {"decision": "keep", "dataset": "d-other"}
        rows[4]["decision"] = "keep"
        rows[5] |= {"decision": "replace", "alternative_id": rows[5]["doc_id"]}
        rows.append(rows[4] | {"decision": "remove"})

    with pytest.raises(DatasetFormatError) as info:
        apply_decisions(dataset, edited(table, edit))

    expected = [
        r":2: decision 'perhaps' is unknown for a wrong label",
        r":3: alternative 'ghost' is not in the corpus",
        r":4: kind, split, ids or relevance are not as they were written",
        r":5: is about a dataset of other documents",
        r":7: alternative '5' is the labelled document itself",
        r":8: contradicts line 6 about query 'q4' and document '4'",
    ]
    assert len(expected) == len(info.value.problems)
    for pattern, problem in zip(expected, info.value.problems, strict=True):
        assert re.search(pattern, problem)


def test_words_belong_to_their_kind(dataset: TuningDataset, table: Path) -> None:
    """What is missing cannot be removed, and a replacement is no 'keep'."""
    with pytest.raises(DatasetFormatError, match="unknown for a missing label"):
        apply_decisions(dataset, edited(table, deciding(missing_q5="remove")))


def test_label_that_changed_since(dataset: TuningDataset, table: Path) -> None:
    """A label that is not what was audited any more is not overwritten."""
    labels = {key: dict(row) for key, row in dataset.train.items()}
    labels["q0"] = {"1": 7}
    changed = attrs.evolve(dataset, train=labels)

    with pytest.raises(DatasetFormatError, match="relevance 7 in train of this"):
        apply_decisions(changed, edited(table, deciding(wrong_q0="remove")))


def test_other_labels_may_change(dataset: TuningDataset, table: Path) -> None:
    """Labels that no decision is about may have changed."""
    labels = {key: dict(row) for key, row in dataset.train.items() if key != "q5"}
    changed = attrs.evolve(dataset, train=labels)

    result = apply_decisions(changed, edited(table, deciding(wrong_q0="remove")))

    assert {"q1", "q2", "q3", "q4"} == set(result.train)


def test_files_that_are_no_table(dataset: TuningDataset, tmp_path: Path) -> None:
    """A missing file, other columns and another encoding are said as such."""
    path = tmp_path / "x.csv"
    with pytest.raises(DatasetFormatError, match="is missing"):
        apply_decisions(dataset, path)
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="'kind'"):
        apply_decisions(dataset, path)


def test_program_that_saves_another_encoding(
    dataset: TuningDataset, table: Path
) -> None:
    """A table that was saved in another encoding is refused, not misread."""
    data = table.read_bytes().removeprefix(b"\xef\xbb\xbf")
    table.write_bytes(data.replace(b"password", b"pa\xdfword"))

    with pytest.raises(DatasetFormatError, match=r"UTF-8.*pass encoding='cp1252'"):
        apply_decisions(dataset, table)
    assert dataset == apply_decisions(dataset, table, encoding="cp1252")


def test_ids_that_no_file_can_hold(tmp_path: Path) -> None:
    """A lone surrogate in an id is refused, and nothing is written."""
    dataset = TuningDataset(
        corpus={"\ud800": "a", "d": "b"},
        queries={"q": "a", "r": "b"},
        train={"q": {"\ud800": 1}, "r": {"d": 1}},
    )
    audit = audit_labels(dataset, LocalEmbedder(), folds=2)

    with pytest.raises(DataError, match="cannot be written as UTF-8"):
        audit.to_csv(tmp_path / "x.csv")
    with pytest.raises(ValueError, match="'wrong' must be >= 0"):
        audit.to_csv(tmp_path / "x.csv", wrong=-1)
    assert [] == list(tmp_path.iterdir())
