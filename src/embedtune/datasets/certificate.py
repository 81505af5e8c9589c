"""What a split keeps apart, and what a random one would have leaked."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import attrs

from embedtune.errors import DataError
from embedtune.types import SPLITS, Qrels, Split

if TYPE_CHECKING:
    from embedtune.datasets.dataset import TuningDataset


@attrs.frozen(kw_only=True)
class Leaks:
    """How many test queries meet something that is labelled outside the test part.

    Outside are training and validation: a tuner chooses by the one and learns from
    the other. Equal texts count as the same, and near-duplicates if the split looked
    for them.

    Attributes:
        queries: Test queries that are asked outside, too.
        documents: Test queries with a relevant document that is labelled outside, too.
        either: Test queries with one of both.
    """

    queries: int
    documents: int
    either: int


@attrs.frozen(kw_only=True, repr=False)
class SplitCertificate:
    """What a split was made of; prints in words, and renders in a notebook.

    Attributes:
        by: What is not on two sides.
        seed: That the split was made with.
        near_duplicates: The similarity from which on texts counted as the same; `None`
            if only equal texts did.
        queries: How many queries each part has.
        documents: How many documents have a label in each part.
        groups: How many groups of queries there were that stayed together.
        largest_group: How many queries the largest of them has.
        tied: How many queries were tied to another one, by what ties them. The kinds
            overlap; each counts what the ones before it do not explain.
        dropped: How many labels of relevance 0 were left out, because their document
            belongs to another part.
        random: What would have leaked if the queries had been divided at random, one
            by one, into parts of the same sizes, with the same seed.
        remaining: What leaks now.
    """

    by: Literal["query", "document"]
    seed: int
    near_duplicates: float | None
    queries: Mapping[Split, int]
    documents: Mapping[Split, int]
    groups: int
    largest_group: int
    tied: Mapping[str, int]
    dropped: int
    random: Leaks
    remaining: Leaks

    @property
    def is_leak_free(self) -> bool:
        """Whether no test query meets anything that is labelled outside."""
        return self.remaining.either == 0

    def verify(self, dataset: TuningDataset) -> Leaks:
        """Look for leaks in the labels of a dataset anew, and return what there is.

        Raises:
            DataError: If the parts have other sizes than those certified, or leak
                otherwise.
        """
        from embedtune.datasets.ties import Ties, count_leaks

        parts: dict[Split, Qrels] = {split: dataset.labels(split) for split in SPLITS}
        sizes: dict[Split, int] = {split: len(rows) for split, rows in parts.items()}
        if sizes != self.queries:
            msg = (
                "the dataset is not the one of this certificate: its parts have "
                f"{_sizes(sizes)} queries (certified: {_sizes(self.queries)}); "
                "split again"
            )
            raise DataError(msg)
        pooled: dict[str, dict[str, int]] = {}
        for rows in parts.values():
            for query_id, row in rows.items():
                pooled.setdefault(query_id, {}).update(row)
        _refuse_unknown(dataset, pooled)
        found = count_leaks(parts, Ties.of(dataset, pooled, self.near_duplicates))
        if found != self.remaining:
            msg = (
                "the dataset is not the one of this certificate: "
                f"{found.either} test queries leak (certified: "
                f"{self.remaining.either}); split again"
            )
            raise DataError(msg)
        return found

    def to_dict(self) -> dict[str, object]:
        """Return everything as JSON knows it."""
        facts = attrs.asdict(self)
        for name in ("queries", "documents", "tied"):
            facts[name] = dict(facts[name])
        return facts

    def __str__(self) -> str:
        """Return a few lines of words."""
        return "\n".join(self._lines())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head, *rest = (html.escape(line.strip()) for line in self._lines())
        items = "".join(f"<li>{line}</li>" for line in rest)
        return f"<p>{head}</p><ul>{items}</ul>"

    def _lines(self) -> list[str]:
        total = sum(self.queries.values())
        tests = self.queries["test"]
        same = "equal texts count as the same"
        if self.near_duplicates is not None:
            same += f", and those with a similarity of {self.near_duplicates:g} or more"
        groups = f"{self.groups:,} groups, the largest of {self.largest_group:,}"
        lines = [
            f"split by {self.by}, seed {self.seed}: {_sizes(self.queries)} queries",
            f"  {same}",
            f"  {total:,} queries in {groups}; a group stays together",
        ]
        lines += [
            f"  {count:,} queries tied by {_REASONS[kind]}"
            for kind, count in self.tied.items()
            if count
        ]
        if self.dropped:
            lines.append(f"  {self.dropped:,} labels of relevance 0 left out")
        lines.append(
            f"  a random split would have leaked {self.random.either:,} of {tests:,} "
            f"test queries: {_causes(self.random)}"
        )
        now = f"  this one leaks {self.remaining.either:,}"
        if not self.is_leak_free:
            now += f": {_causes(self.remaining)}"
        if self.by == "query" and self.remaining.documents:
            now += " (a split by query allows that; by='document' does not)"
        return [*lines, now]


_REASONS = {
    "equal query text": "the same text",
    "near-duplicate query": "nearly the same text",
    "shared document": "a relevant document that they share",
    "equal document text": "relevant documents of equal text",
    "near-duplicate document": "relevant documents of nearly equal text",
}


def _causes(leaks: Leaks) -> str:
    return (
        f"{leaks.queries:,} are asked outside, too, and {leaks.documents:,} look for "
        "a document that is labelled outside"
    )


def _sizes(sizes: Mapping[Split, int]) -> str:
    return ", ".join(f"{split} {sizes[split]:,}" for split in SPLITS)


def _refuse_unknown(dataset: TuningDataset, labels: Qrels) -> None:
    unknown = [key for key in labels if key not in dataset.queries]
    unknown += [d for row in labels.values() for d in row if d not in dataset.corpus]
    if unknown:
        msg = (
            f"labels name {len(unknown)} unknown queries or documents; "
            "check() tells where they stand"
        )
        raise DataError(msg)
