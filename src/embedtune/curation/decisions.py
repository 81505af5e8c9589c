"""What a person decided about labels, put into effect."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias, cast

import attrs

from embedtune.curation.decision_file import DecisionRow, read_rows, texts_identity
from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.problems import FileProblems, RecordError, shown
from embedtune.datasets.relevance import relevance_of
from embedtune.types import SPLITS, Split

_Label: TypeAlias = tuple[Split, str, str]

_DECISIONS = {
    "wrong": ("keep", "remove", "replace", "add"),
    "missing": ("keep", "add"),
}


@attrs.frozen(kw_only=True)
class _Change:
    """What one label shall be: a relevance, or `None` for no label.

    `before` has what it may be now; the result itself is always allowed, so that a
    table can be applied twice.
    """

    label: _Label
    after: int | None
    before: tuple[int | None, ...]


def apply_decisions(
    dataset: TuningDataset, path: str | Path, *, encoding: str = "utf-8-sig"
) -> TuningDataset:
    """Return *dataset* with the labels that a person decided on in a table.

    The table is one that :meth:`~embedtune.LabelAudit.to_csv` wrote, with a word in
    `decision`; columns may have been moved, rows sorted or deleted. Rows without a
    decision change nothing, and applying a table twice changes no more than once.
    Commas, semicolons and tabs are understood between cells. A split certificate is
    of the labels as they were, so the result has none.

    Args:
        dataset: The dataset that was audited; other labels may have changed since.
        path: The table, as CSV.
        encoding: What a spreadsheet program saved it in, if not in UTF-8.

    Raises:
        ConfigurationError: If a column is missing.
        DatasetFormatError: If the file is not CSV in that encoding, a decision is unknown, an
            id was changed or is unknown, the texts of the dataset or a label are not
            those that were audited, or decisions contradict each other. It names
            every problem with its line.
    """
    path = Path(path)
    problems = FileProblems(path)
    if not path.is_file():
        problems.add(path, None, "is missing")
        problems.raise_if_any()
    identity = texts_identity(dataset)
    decided: dict[_Label, tuple[int, int | None]] = {}
    for row in read_rows(path, problems, encoding=encoding):
        if not row.decision:
            continue
        try:
            changes = list(_changes(dataset, row, identity))
            for change in changes:
                _refuse_other_state(dataset, change)
        except RecordError as e:
            problems.add(path, row.line, str(e))
            continue
        for change in changes:
            line, after = decided.setdefault(change.label, (row.line, change.after))
            if after != change.after:
                _, query_id, doc_id = change.label
                what = (
                    f"contradicts line {line} about query {shown(query_id)} and "
                    f"document {shown(doc_id)}; empty one of the decisions"
                )
                problems.add(path, row.line, what)
    problems.raise_if_any()
    return _changed(dataset, {label: after for label, (_, after) in decided.items()})


def _changes(
    dataset: TuningDataset, row: DecisionRow, identity: str
) -> Iterator[_Change]:
    """Yield what a row asks for.

    Raises:
        RecordError: If it cannot be done.
    """
    label, old = _audited(row, identity)
    number = _number_of(row)
    if row.kind == "missing":
        if number is None and row.decision == "add":
            number = old
        yield _on_alternative(dataset, row, number, (None,))
        return
    if number is not None or row.decision in {"keep", "add"}:
        after = old if number is None else number
        yield _Change(label=label, after=after, before=(old,))
    else:
        yield _Change(label=label, after=None, before=(old,))
    if row.decision in {"replace", "add"}:
        yield _on_alternative(dataset, row, old, (None, 0))


def _audited(row: DecisionRow, identity: str) -> tuple[_Label, int]:
    if row.kind not in _DECISIONS or row.split not in SPLITS or not row.is_intact:
        msg = (
            "kind, split, ids or relevance are not as they were written; a "
            "spreadsheet program may have changed them, copy the row anew"
        )
        raise RecordError(msg)
    if row.dataset != identity:
        msg = (
            "is about a dataset of other documents or queries "
            f"({shown(row.dataset)}, not {shown(identity)}); audit this one anew"
        )
        raise RecordError(msg)
    label = (row.split, row.query_id, row.doc_id)
    return label, relevance_of(row.relevance)


def _number_of(row: DecisionRow) -> int | None:
    if row.decision in _DECISIONS[row.kind]:
        return None
    try:
        return relevance_of(row.decision)
    except RecordError as e:
        words = ", ".join(map(repr, _DECISIONS[row.kind]))
        msg = (
            f"decision {shown(row.decision)} is unknown for a {row.kind} label; "
            f"write {words} or a relevance"
        )
        raise RecordError(msg) from e


def _on_alternative(
    dataset: TuningDataset,
    row: DecisionRow,
    after: int | None,
    before: tuple[int | None, ...],
) -> _Change:
    if row.alternative_id not in dataset.corpus:
        msg = (
            f"alternative {shown(row.alternative_id)} is not in the corpus; "
            "name a 'doc_id' in 'alternative_id'"
        )
        raise RecordError(msg)
    if row.alternative_id == row.doc_id:
        msg = f"alternative {shown(row.alternative_id)} is the labelled document itself"
        raise RecordError(msg)
    label = (cast("Split", row.split), row.query_id, row.alternative_id)
    return _Change(label=label, after=after, before=before)


def _refuse_other_state(dataset: TuningDataset, change: _Change) -> None:
    split, query_id, doc_id = change.label
    now = dataset.labels(split).get(query_id, {}).get(doc_id)
    if now in {change.after, *change.before}:
        return
    state = "no label" if now is None else f"relevance {now}"
    msg = (
        f"query {shown(query_id)} and document {shown(doc_id)} have {state} in {split} "
        "of this dataset, which is not what was audited; empty the decision, apply the "
        "table before a split, or audit anew"
    )
    raise RecordError(msg)


def _changed(
    dataset: TuningDataset, decided: dict[_Label, int | None]
) -> TuningDataset:
    labels = {
        split: {key: dict(row) for key, row in dataset.labels(split).items()}
        for split in SPLITS
    }
    for (split, query_id, doc_id), after in decided.items():
        row = labels[split].setdefault(query_id, {})
        if after is None:
            row.pop(doc_id, None)
        else:
            row[doc_id] = after
    return TuningDataset(
        corpus=dataset.corpus,
        queries=dataset.queries,
        train=labels["train"],
        validation=labels["validation"],
        test=labels["test"],
    )
