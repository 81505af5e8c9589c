"""The corpus, the queries and the labels of one retrieval task."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import attrs

from embedtune.datasets import shapes
from embedtune.datasets.origin import Origin
from embedtune.datasets.values import Document, Query
from embedtune.types import SPLITS, Qrels, Split

if TYPE_CHECKING:
    from embedtune.datasets.certificate import SplitCertificate
    from embedtune.datasets.pairs import Pair
    from embedtune.datasets.report import DatasetReport
    from embedtune.datasets.summary import DatasetSummary
    from embedtune.datasets.tables import Table

_NO_LABELS: Qrels = MappingProxyType({})


@attrs.frozen(kw_only=True, repr=False)
class TuningDataset:
    """Documents, queries, and which document answers which query.

    Labels may name documents and queries that are not there; :meth:`check` tells.
    A query without any label in a split is left out of that split.

    Attributes:
        corpus: The documents by `doc_id`; a plain string is a text without a title.
        queries: The queries by `query_id`.
        train: The labels to tune on.
        validation: The labels to choose by; empty if the tuner shall hold some out.
        test: The labels to measure on; no tuner looks at them.
        origin: The places of the parts in what was read; `None` if nothing was.
        certificate: What :meth:`split` kept apart; `None` if the labels were not
            divided by it, or were changed afterwards.

    Raises:
        DatasetIntegrityError: If a part has a wrong shape; it names every problem.

    >>> dataset = TuningDataset(
    ...     corpus={"d1": "Reset it under Settings."},
    ...     queries={"q1": "I forgot my password"},
    ...     train={"q1": {"d1": 1}},
    ... )
    >>> dataset.corpus["d1"].text
    'Reset it under Settings.'
    """

    corpus: Mapping[str, Document] = attrs.field(converter=shapes.frozen_documents)
    queries: Mapping[str, Query] = attrs.field(converter=shapes.frozen_queries)
    train: Qrels = attrs.field(converter=shapes.frozen_labels)
    validation: Qrels = attrs.field(default=_NO_LABELS, converter=shapes.frozen_labels)
    test: Qrels = attrs.field(default=_NO_LABELS, converter=shapes.frozen_labels)
    origin: Origin | None = attrs.field(init=False, default=None, eq=False)
    certificate: SplitCertificate | None = attrs.field(
        init=False, default=None, eq=False
    )

    def __attrs_post_init__(self) -> None:
        labels: dict[Split, Qrels] = {s: self.labels(s) for s in SPLITS}
        shapes.refuse_wrong_shapes(self.corpus, self.queries, labels)

    @classmethod
    def from_beir(cls, folder: str | Path) -> TuningDataset:
        """Read `corpus.jsonl`, `queries.jsonl` and the labels of each split.

        Labels are `train.tsv`, `validation.tsv` and `test.tsv` beside them or in
        `qrels/`, where validation may be called `dev.tsv`.
        Another `.tsv` file in `qrels/` is refused; one beside them is not read, and
        :meth:`check` says so.
        The JSON Lines files may be packed (`.jsonl.gz`).
        Numbers as ids become strings, and keys that the format does not know are
        kept in `metadata`.

        Raises:
            DatasetFormatError: If a file is missing or a line is wrong; it names
                every problem of all files.
        """
        from embedtune.datasets.beir import read_beir

        return read_beir(folder)

    @classmethod
    def from_pairs(cls, pairs: Iterable[Pair]) -> TuningDataset:
        """Make a dataset from `(query, document)` or `(query, document, relevance)`.

        A query and a document are texts, or values with ids of their own.
        Equal texts are one query or one document, so that several positives of a
        query are several pairs; ids of texts follow from the text alone.
        All labels are in *train*; see :meth:`split`.

        Raises:
            DatasetIntegrityError: If a pair is wrong or contradicts another; it names
                every problem.

        >>> dataset = TuningDataset.from_pairs(
        ...     [("lost my card", "Block it in the app."), ("lost my card", "Call us.")]
        ... )
        >>> len(dataset.queries), len(dataset.corpus)
        (1, 2)
        """
        from embedtune.datasets.pairs import read_pairs

        return read_pairs(pairs)

    @classmethod
    def from_table(  # noqa: PLR0913 -- one keyword a column is what callers write
        cls,
        source: str | Path | Table,
        *,
        query: str,
        document: str,
        relevance: str | None = None,
        title: str | None = None,
        query_id: str | None = None,
        document_id: str | None = None,
        metadata: Sequence[str] = (),
        encoding: str = "utf-8-sig",
        delimiter: str | None = None,
    ) -> TuningDataset:
        """Make a dataset from a table with a query and a document in each row.

        Args:
            source: A CSV, TSV, JSON Lines or Parquet file, told apart by its suffix
                (CSV, TSV and JSON Lines also with `.gz`); a pandas, Polars or Arrow
                table; or an iterable of mappings by column name.
            query: The column with the query's text.
            document: The column with the document's text.
            relevance: The column with the relevance; without one it is 1.
            title: The column with the document's title; its cells may be empty.
            query_id: The column with ids; without one they follow from the text.
            document_id: The same for documents.
            metadata: Columns to keep as the document's metadata.
            encoding: Of a CSV or TSV file.
            delimiter: Of a CSV or TSV file, if not a comma or a tab.

        Raises:
            ConfigurationError: If there is no such column, or no reader for *source*.
            DatasetFormatError: If the rows of a file are wrong; it names every problem.
            DatasetIntegrityError: The same for a table in memory.
        """
        from embedtune.datasets.records import Columns, read_table

        columns = Columns(
            query=query,
            document=document,
            relevance=relevance,
            title=title,
            query_id=query_id,
            document_id=document_id,
            metadata=tuple(metadata),
        )
        return read_table(source, columns, encoding=encoding, delimiter=delimiter)

    def labels(self, split: Split) -> Qrels:
        """Return the labels of one split."""
        if split not in SPLITS:
            msg = f"'split' must be one of {SPLITS} (got {split!r})"
            raise ValueError(msg)
        by_name = {
            "train": self.train,
            "validation": self.validation,
            "test": self.test,
        }
        return by_name[split]

    @cached_property
    def fingerprint(self) -> str:
        """The identity of the content, whatever the order it was given in."""
        from embedtune.datasets.fingerprint import fingerprint_of

        return fingerprint_of(self)

    def split(
        self,
        *,
        test: float,
        validation: float = 0.0,
        seed: int = 0,
        by: Literal["query", "document"] = "query",
        near_duplicates: float | Literal["auto"] | None = "auto",
    ) -> TuningDataset:
        """Divide all labels anew, those of *validation* and *test* included.

        Queries of equal text (form, case and spacing ignored) stay together.
        With `by="document"`, so do queries that share a relevant document or two of
        equal or nearly equal text, so that no document labelled in one part is
        labelled in another; a label of relevance 0 across two parts is left out.
        The result's `certificate` says what was tied and what would have leaked.

        Args:
            test: Share of the labelled queries for the test part, above 0, below 1.
            validation: The same for the validation part; may be 0.
            seed: Equal seeds give equal splits, on any machine.
            by: What must not be on two sides.
            near_duplicates: The similarity from which on texts, of queries and of
                documents, count as the same, see :func:`~embedtune.near_duplicates`;
                `None` for equal ones only. `"auto"` is 0.8 with `by="document"` and
                `None` with `by="query"`.

        Raises:
            DatasetIntegrityError: If labels name unknown queries or documents, or
                contradict each other; it names every problem.
            DataError: If whole groups of queries cannot come near the shares.
        """
        from embedtune.datasets.splits import split_dataset

        return split_dataset(
            self,
            test=test,
            validation=validation,
            seed=seed,
            by=by,
            near_duplicates=near_duplicates,
        )

    def check(
        self,
        model: str | None = None,
        *,
        near_duplicates: float | Literal["auto"] | None = "auto",
    ) -> DatasetReport:
        """Look for everything that would spoil tuning or measuring.

        Args:
            model: The base model to tune, by its name in the catalog: its limits
                are checked, too.
            near_duplicates: The similarity from which on documents count as nearly
                equal, see :func:`~embedtune.near_duplicates`; `None` to look for none.
                `"auto"` is 0.8, and looks among up to 10,000 documents only: the rest
                of the check is many times as fast.

        Returns:
            All problems, with places, rules and ways out.
        """
        from embedtune.datasets.checks import check_dataset

        return check_dataset(self, model, near_duplicates)

    def summary(self) -> DatasetSummary:
        """Return counts, grades and lengths; prints, and renders in a notebook."""
        from embedtune.datasets.summary import summarise

        return summarise(self)

    def to_beir(self, folder: str | Path) -> None:
        """Write `corpus.jsonl`, `queries.jsonl` and `qrels/{train,dev,test}.tsv`.

        :meth:`from_beir` gives back an equal dataset.
        Each file is there whole or not at all; all are complete before the first
        replaces an older one.

        Raises:
            DataError: If a text cannot be written as UTF-8, or *folder* holds label
                files that would be read along.
        """
        from embedtune.datasets.beir import write_beir

        write_beir(self, folder)

    def to_vertex(self, folder: str | Path) -> None:
        """Write the files that Vertex AI tunes on, and nothing else.

        They are `corpus.jsonl`, `queries.jsonl`, `train.tsv` and, where there are
        such labels, `validation.tsv` and `test.tsv`. Metadata stays behind.

        Raises:
            DataError: If a text or an id cannot stand in these files, or *folder*
                holds others.
        """
        from embedtune.datasets.vertex import write_vertex

        write_vertex(self, folder)

    def __repr__(self) -> str:
        """Return the sizes; the content would fill the screen."""
        labels = ", ".join(
            f"{split}={sum(map(len, self.labels(split).values()))} labels"
            for split in SPLITS
        )
        return (
            f"TuningDataset(corpus={len(self.corpus)} documents, "
            f"queries={len(self.queries)}, {labels})"
        )

    def __hash__(self) -> int:
        """Hash by ids; equal datasets have equal ones."""
        return hash((frozenset(self.corpus), frozenset(self.queries)))

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        """Pickle through plain dictionaries; a mapping proxy does not pickle."""
        labels = {
            split: {key: dict(row) for key, row in self.labels(split).items()}
            for split in SPLITS
        }
        from embedtune.datasets.bulk import trusted_dataset

        corpus, queries = dict(self.corpus), dict(self.queries)
        return trusted_dataset, (corpus, queries, labels, None, self.certificate)
