"""What a dataset holds, in figures."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import attrs
import numpy as np

from embedtune.catalog.tokens import estimate_tokens
from embedtune.datasets.values import Document, Query
from embedtune.types import SPLITS, Split

if TYPE_CHECKING:
    from embedtune.datasets.dataset import TuningDataset

_QUANTILES = (0.0, 0.5, 0.9, 0.99, 1.0)
_NAMES = ("min", "median", "90 %", "99 %", "max")
_SAMPLE = 20_000


@attrs.frozen(kw_only=True)
class SplitSummary:
    """The labels of one split.

    Attributes:
        queries: How many queries have a label.
        documents: How many documents have one.
        grades: How many labels have each relevance, by relevance.
        positives: How many queries have each number of documents with relevance
            above 0, by number.
    """

    queries: int
    documents: int
    labels: int
    grades: Mapping[int, int]
    positives: Mapping[int, int]


@attrs.frozen(kw_only=True)
class LengthSummary:
    """How long texts are: smallest, median, 90 %, 99 % and largest.

    Attributes:
        characters: Of all texts; documents with their title.
        tokens: Estimated; of an even sample where there are very many texts.
    """

    characters: tuple[int, ...]
    tokens: tuple[int, ...]


@attrs.frozen(kw_only=True, repr=False)
class DatasetSummary:
    """The figures of a dataset; prints, and renders in a notebook.

    Attributes:
        documents: How many there are.
        titles: How many of them have a title.
        labelled_documents: How many of them have a label in any split.
        queries: How many there are.
        splits: The labels by split; splits without labels are left out.
        document_lengths: `None` without documents.
        query_lengths: `None` without queries.
        fingerprint: The identity of the content.
    """

    documents: int
    titles: int
    labelled_documents: int
    queries: int
    splits: Mapping[Split, SplitSummary]
    document_lengths: LengthSummary | None
    query_lengths: LengthSummary | None
    fingerprint: str

    def __str__(self) -> str:
        """Return a few lines and two small tables in plain text."""
        lines = [f"{name}: {value}" for name, value in self.facts()]
        for table in self.tables():
            lines += ["", *_aligned(table)]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        facts = "".join(
            f"<li>{html.escape(name)}: {html.escape(value)}</li>"
            for name, value in self.facts()
        )
        tables = "".join(map(_html_table, self.tables()))
        return f"<ul>{facts}</ul>{tables}"

    def facts(self) -> Iterator[tuple[str, str]]:
        """Yield names and values of the first lines."""
        share = self.labelled_documents / self.documents if self.documents else 0.0
        yield "documents", f"{self.documents:,} ({self.titles:,} with a title)"
        yield "with a label", f"{self.labelled_documents:,} ({share:.1%})"
        yield "queries", f"{self.queries:,}"
        yield "fingerprint", self.fingerprint[:16]

    def tables(self) -> Iterator[list[list[str]]]:
        """Yield the tables of labels and of lengths, each with its header."""
        rows = [["labels", "queries", "documents", "labels", "relevance", "positives"]]
        rows += [
            [
                name,
                f"{split.queries:,}",
                f"{split.documents:,}",
                f"{split.labels:,}",
                _shares(split.grades),
                _range(split.positives),
            ]
            for name, split in self.splits.items()
        ]
        yield rows
        rows = [["length", *_NAMES]]
        for name, lengths in (
            ("documents", self.document_lengths),
            ("queries", self.query_lengths),
        ):
            if lengths is not None:
                rows.append([f"{name}, characters", *_numbers(lengths.characters)])
                rows.append([f"{name}, tokens (estimated)", *_numbers(lengths.tokens)])
        yield rows


def summarise(dataset: TuningDataset) -> DatasetSummary:
    """Return the figures of *dataset*."""
    splits: dict[Split, SplitSummary] = {
        split: _split_summary(dataset, split)
        for split in SPLITS
        if dataset.labels(split)
    }
    labelled = {
        doc_id
        for split in SPLITS
        for row in dataset.labels(split).values()
        for doc_id in row
    }
    corpus = dataset.corpus
    return DatasetSummary(
        documents=len(corpus),
        titles=sum(1 for document in corpus.values() if document.title),
        labelled_documents=len(labelled & corpus.keys()),
        queries=len(dataset.queries),
        splits=splits,
        document_lengths=_lengths(list(corpus.values())),
        query_lengths=_lengths(list(dataset.queries.values())),
        fingerprint=dataset.fingerprint,
    )


def _split_summary(dataset: TuningDataset, split: Split) -> SplitSummary:
    labels = dataset.labels(split)
    grades = Counter(value for row in labels.values() for value in row.values())
    positives = Counter(sum(1 for r in row.values() if r) for row in labels.values())
    return SplitSummary(
        queries=len(labels),
        documents=len({doc_id for row in labels.values() for doc_id in row}),
        labels=sum(map(len, labels.values())),
        grades=dict(sorted(grades.items())),
        positives=dict(sorted(positives.items())),
    )


def _lengths(records: Sequence[Document | Query]) -> LengthSummary | None:
    if not records:
        return None
    step = -(-len(records) // _SAMPLE)
    return LengthSummary(
        characters=_quantiles(map(_length, records)),
        tokens=_quantiles(estimate_tokens(_text(item)) for item in records[::step]),
    )


def _length(record: Document | Query) -> int:
    """Return the length of the text without making it: there are very many."""
    title = record.title if isinstance(record, Document) else ""
    return len(record.text) + (len(title) + len(". ") if title else 0)


def _text(record: Document | Query) -> str:
    return record.embedding_text if isinstance(record, Document) else record.text


def _quantiles(values: Iterable[int]) -> tuple[int, ...]:
    numbers = np.fromiter(values, np.int64)
    found = np.quantile(numbers, _QUANTILES, method="closest_observation")
    return tuple(int(value) for value in found)


def _shares(grades: Mapping[int, int]) -> str:
    """Return the relevances with their counts, the frequent ones at most."""
    shown = sorted(sorted(grades, key=lambda grade: -grades[grade])[:5])
    text = ", ".join(f"{grade}: {grades[grade]:,}" for grade in shown)
    return text if len(shown) == len(grades) else f"{text}, ..."


def _range(positives: Mapping[int, int]) -> str:
    """Return the mean and the extremes of positives a query."""
    count = sum(positives.values())
    mean = sum(number * times for number, times in positives.items()) / count
    return f"{mean:.2f} a query ({min(positives)} to {max(positives)})"


def _numbers(values: Iterable[int]) -> list[str]:
    return [f"{value:,}" for value in values]


def _aligned(table: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = (
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()


def _html_table(table: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in table[0])
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
        for row in table[1:]
    )
    return f"<table><tr>{head}</tr>{rows}</table>"
