"""Which documents say the same, and which of them a query must not be taught against.

- Documents whose title and text are equal, normalised, are one *content*: it is
  embedded once and takes one rank.
- Contents of equal text are *copies*, whatever their titles.
- Contents whose texts are near-duplicates are *near* each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.near_duplicates import near_duplicate_groups
from embedtune.datasets.text import normalised
from embedtune.datasets.values import Document
from embedtune.types import SPLITS, Split

Integers: TypeAlias = npt.NDArray[np.int64]


@attrs.frozen(kw_only=True, eq=False)
class Contents:
    """The documents of a corpus, each content once, in the order of the corpus.

    Attributes:
        documents: The first document of each content.
        of: The number of the content of each document, by `doc_id`.
        sizes: How many documents have each content.
        copies: For each content the number of its group of copies.
        near: For each content the number of its group of near-duplicates; `None` if
            nobody asked.
        copies_of: The number of a group of copies, by its text.
    """

    documents: Sequence[Document]
    of: Mapping[str, int]
    sizes: Integers
    copies: Integers
    near: Integers | None
    copies_of: Mapping[str, int]

    @classmethod
    def gather(
        cls, corpus: Mapping[str, Document], threshold: float | None, seed: int
    ) -> Contents:
        """Compare all documents of a corpus."""
        numbers: dict[str, int] = {}
        documents: list[Document] = []
        content_of: dict[str, int] = {}
        groups: dict[str, int] = {}
        copies: list[int] = []
        for doc_id, document in corpus.items():
            whole = normalised(document.embedding_text)
            number = numbers.setdefault(whole, len(documents))
            content_of[doc_id] = number
            if number == len(documents):
                documents.append(document)
                text = normalised(document.text) if document.title else whole
                # Titles without a text are no copies of each other.
                copies.append(groups.setdefault(text or f"\n{whole}", len(groups)))
        near = None
        if threshold is not None:
            texts = [document.text for document in documents]
            near = near_duplicate_groups(texts, threshold=threshold, seed=seed)
        return cls(
            documents=documents,
            of=content_of,
            sizes=np.bincount(np.fromiter(content_of.values(), np.int64)),
            copies=np.asarray(copies, np.int64),
            near=near,
            copies_of=groups,
        )


@attrs.frozen(kw_only=True, eq=False)
class Known:
    """What the labels say of each query that is asked.

    Attributes:
        query_ids: The queries with a positive in the split.
        positives: For each the contents that this split labels relevant to it, or to
            another query of the same text.
        relevant: The same by the labels of any split.
        judged: For each the contents that are labelled as not relevant to it.
        copies: For each the groups of copies of all these, and of its own text.
        without_positive: How many queries of the split have no positive.
    """

    query_ids: tuple[str, ...]
    positives: Sequence[Integers]
    relevant: Sequence[Integers]
    judged: Sequence[Integers]
    copies: Sequence[Integers]
    without_positive: int

    @classmethod
    def of(cls, dataset: TuningDataset, split: Split, contents: Contents) -> Known:
        """Read the labels; those of the split must name known queries and documents."""
        here = _relevant_by_text(dataset, (split,), contents)
        others = [name for name in SPLITS if dataset.labels(name) and name != split]
        anywhere = here
        if others:
            anywhere = _relevant_by_text(dataset, SPLITS, contents)
        asked = {
            q: row for q, row in dataset.labels(split).items() if any(row.values())
        }
        positives, relevant, judged, copies = [], [], [], []
        for query_id, row in asked.items():
            text = normalised(dataset.queries[query_id].text)
            known = {contents.of[doc_id] for doc_id, grade in row.items() if not grade}
            positives.append(_array(here[text]))
            relevant.append(_array(anywhere[text]))
            judged.append(_array(known - anywhere[text]))
            groups = set(contents.copies[_array(known | anywhere[text])].tolist())
            if text in contents.copies_of:
                groups.add(contents.copies_of[text])
            copies.append(_array(groups))
        return cls(
            query_ids=tuple(asked),
            positives=positives,
            relevant=relevant,
            judged=judged,
            copies=copies,
            without_positive=len(dataset.labels(split)) - len(asked),
        )

    def __len__(self) -> int:
        """Count the queries."""
        return len(self.query_ids)


def _relevant_by_text(
    dataset: TuningDataset, splits: Sequence[Split], contents: Contents
) -> Mapping[str, set[int]]:
    found: dict[str, set[int]] = {}
    for split in splits:
        for query_id, row in dataset.labels(split).items():
            query = dataset.queries.get(query_id)
            if query is not None:
                found.setdefault(normalised(query.text), set()).update(
                    contents.of[doc_id]
                    for doc_id, grade in row.items()
                    if grade and doc_id in contents.of
                )
    return found


def _array(numbers: set[int]) -> Integers:
    return np.array(sorted(numbers), np.int64)
