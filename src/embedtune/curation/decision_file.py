"""The table in which a person decides: how it is written, and how it is read back.

It is CSV in UTF-8 with a byte order mark, without which some spreadsheet programs take
another encoding. Cells that such a program would run as a formula begin with an
apostrophe, and so do ids, which it would otherwise turn into numbers and dates.
`check` is a hash of a row's ids, so that an id that was changed after all is noticed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from embedtune.curation.values import Evidence, MissingLabel, SuspectLabel
from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.problems import FileProblems
from embedtune.datasets.sources import csv_rows
from embedtune.datasets.text import content_id
from embedtune.errors import DataError
from embedtune.files import replace_file

if TYPE_CHECKING:
    from embedtune.curation.label_audit import LabelAudit

COLUMNS = (
    "kind",
    "rank",
    "suspicion",
    "query_id",
    "query",
    "doc_id",
    "document",
    "relevance",
    "alternative_id",
    "alternative",
    "decision",
    "note",
    "evidence",
    "split",
    "dataset",
    "check",
)
"""The columns, in the order in which they are written."""

READ = (
    "kind",
    "split",
    "query_id",
    "doc_id",
    "relevance",
    "alternative_id",
    "decision",
    "dataset",
    "check",
)
"""The columns that are read back, wherever they stand."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
_LONGEST = 5_000  # characters of a text; programs cut cells above 32,767
_CUT = "\N{HORIZONTAL ELLIPSIS}"
_CONTROLS = {code: " " for code in range(0x20) if chr(code) not in "\n\t"}
_DELIMITERS = (",", ";", "\t")


@attrs.frozen(kw_only=True)
class DecisionRow:
    """What is read of one row, guards taken off.

    Attributes:
        line: Where it begins, from 1.
        kind: `"wrong"` or `"missing"`.
        split: As written.
        query_id: As written.
        doc_id: The labelled document.
        relevance: As written.
        alternative_id: What could be labelled instead, or too; may be empty.
        decision: In lower case, without spaces around it; may be empty.
        dataset: The identity of documents and queries.
        is_intact: Whether the ids are those that were written.
    """

    line: int
    kind: str
    split: str
    query_id: str
    doc_id: str
    relevance: str
    alternative_id: str
    decision: str
    dataset: str
    is_intact: bool


def write_decisions(audit: LabelAudit, path: Path, *, wrong: int, missing: int) -> None:
    """Write the first rows of both lists of *audit*.

    Raises:
        DataError: If an id cannot be written as UTF-8.
        ValueError: If a number of rows is negative.
    """
    for name, value in (("wrong", wrong), ("missing", missing)):
        if value < 0:
            msg = f"{name!r} must be >= 0 (got {value!r})"
            raise ValueError(msg)
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    identity = texts_identity(audit.dataset)
    for rank, item in enumerate(audit.wrong[:wrong], start=1):
        writer.writerow(_wrong_cells(audit.dataset, identity, rank, item))
    for rank, found in enumerate(audit.missing[:missing], start=1):
        writer.writerow(_missing_cells(audit.dataset, identity, rank, found))
    try:
        data = buffer.getvalue().encode("utf-8-sig")
    except UnicodeEncodeError as e:
        msg = f"an id cannot be written as UTF-8 ({e.reason}); rename it"
        raise DataError(msg) from e
    replace_file(path, data)


def read_rows(
    path: Path, problems: FileProblems, *, encoding: str
) -> Iterator[DecisionRow]:
    """Yield the rows of a table that a person may have saved from another program."""
    rows = csv_rows(
        path, READ, problems, encoding=encoding, delimiter=_delimiter_of(path)
    )
    for line, cells in rows:
        kind, split, query_id, doc_id, relevance, other, decision, dataset, check = (
            unguarded(str(cell)) for cell in cells
        )
        yield DecisionRow(
            line=line,
            kind=kind.strip().lower(),
            split=split.strip(),
            query_id=query_id,
            doc_id=doc_id,
            relevance=relevance.strip(),
            alternative_id=other,
            decision=decision.strip().lower(),
            dataset=dataset.strip(),
            is_intact=check.strip() == _check(kind, split, query_id, doc_id, relevance),
        )


def texts_identity(dataset: TuningDataset) -> str:
    """Return the identity of documents and queries, whatever the labels are.

    So that a table can be applied twice, or after other labels were changed.
    """
    bare = TuningDataset(corpus=dataset.corpus, queries=dataset.queries, train={})
    return f"d-{bare.fingerprint[:20]}"


def guarded(cell: str, *, is_id: bool = False) -> str:
    """Return *cell* so that no spreadsheet program runs or rewrites it.

    >>> guarded("=1+1"), guarded("plain"), guarded("007", is_id=True)
    ("'=1+1", 'plain', "'007")
    """
    needs_guard = cell.startswith(_FORMULA) or (is_id and _may_be_rewritten(cell))
    return f"'{cell}" if needs_guard else cell


def unguarded(cell: str) -> str:
    """Return what :func:`guarded` was given.

    >>> unguarded("'=1+1"), unguarded("plain")
    ('=1+1', 'plain')
    """
    return cell.removeprefix("'")


def _may_be_rewritten(key: str) -> bool:
    # Numbers, dates ("3/4", "MAR1"), truth values, and spaces that programs trim.
    return bool(key) and (
        any(letter.isdigit() for letter in key)
        or key != key.strip()
        or key.lower() in {"true", "false"}
    )


def _wrong_cells(
    dataset: TuningDataset, identity: str, rank: int, item: SuspectLabel
) -> list[str]:
    other = item.alternative
    facts = [f"out of fold at rank {item.rank}"]
    if item.votes is not None:
        facts.append(
            f"{item.votes} of the nearest queries have this document, "
            f"{item.alternative_votes} the alternative"
        )
    key = ("wrong", item.split, item.query_id, item.doc_id, str(item.relevance))
    return _cells(
        dataset,
        key,
        place=(rank, item.suspicion, other or ""),
        evidence=[*facts, *map(_evidence, item.evidence)],
        identity=identity,
    )


def _missing_cells(
    dataset: TuningDataset, identity: str, rank: int, item: MissingLabel
) -> list[str]:
    likeness = {"": [], "equal": ["equal text"], "near": ["nearly equal text"]}
    key = ("missing", item.split, item.query_id, item.positive, str(item.relevance))
    return _cells(
        dataset,
        key,
        place=(rank, item.preference, item.doc_id),
        evidence=[*likeness[item.likeness], *map(_evidence, item.evidence)],
        identity=identity,
    )


def _cells(
    dataset: TuningDataset,
    key: tuple[str, str, str, str, str],
    *,
    place: tuple[int, float, str],
    evidence: Sequence[str],
    identity: str,
) -> list[str]:
    kind, split, query_id, doc_id, relevance = key
    rank, suspicion, other = place
    return [
        kind,
        str(rank),
        f"{suspicion:.4f}",
        guarded(query_id, is_id=True),
        _shown(dataset.queries[query_id].text),
        guarded(doc_id, is_id=True),
        _shown(dataset.corpus[doc_id].embedding_text),
        relevance,
        guarded(other, is_id=True),
        _shown(dataset.corpus[other].embedding_text) if other else "",
        "",
        "",
        _shown("; ".join(evidence)),
        split,
        identity,
        _check(*key),
    ]


def _evidence(facts: Evidence) -> str:
    rank = f"rank {facts.rank}" if facts.rank else "not among the first"
    first = ""
    if facts.first is not None and facts.first_score is not None:
        first = f" (first is {facts.first}, score {facts.first_score:.3f})"
    return f"{facts.embedder}: {rank}, score {facts.score:.3f}{first}"


def _shown(text: str) -> str:
    clean = text.encode("utf-8", "backslashreplace").decode().translate(_CONTROLS)
    if len(clean) > _LONGEST:
        clean = clean[:_LONGEST] + _CUT
    return guarded(clean)


def _check(kind: str, split: str, query_id: str, doc_id: str, relevance: str) -> str:
    return content_id("c", kind, split, query_id, doc_id, relevance)


def _delimiter_of(path: Path) -> str:
    with path.open("rb") as file:
        header = file.readline(10_000)
    return max(_DELIMITERS, key=lambda mark: header.count(mark.encode()))
