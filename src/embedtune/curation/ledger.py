"""What was asked of a search for hard negatives, what was found, and what was not."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from enum import IntEnum
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.evaluation.markup import element, table
from embedtune.evaluation.tables import counted, queries, text_table
from embedtune.files import replace_file

_LISTED = 5


class Fate(IntEnum):
    """What became of a candidate; of several reasons to drop it, the first counts."""

    POSITIVE = 0
    JUDGED = 1
    COPY = 2
    NEAR_DUPLICATE = 3
    MARGIN = 4
    RELATIVE_MARGIN = 5
    SCORE = 6
    SECOND_OPINION = 7
    RANK_WINDOW = 8
    SPARE = 9
    FOUND = 10

    @property
    def label(self) -> str:
        """Its name in tables and files."""
        return self.name.lower()


_MEANING: Mapping[Fate, str] = {
    Fate.POSITIVE: "relevant to the query, or to one of the same text",
    Fate.JUDGED: "labelled as not relevant already",
    Fate.COPY: "equal to a labelled or better document, or to the query",
    Fate.NEAR_DUPLICATE: "nearly the text of a positive",
    Fate.MARGIN: "within the margin of the positive",
    Fate.RELATIVE_MARGIN: "within the relative margin of the positive",
    Fate.SCORE: "score out of bounds",
    Fate.SECOND_OPINION: "the second embedder disagrees",
    Fate.RANK_WINDOW: "passed, but out of the rank window",
    Fate.SPARE: "passed, but not needed",
    Fate.FOUND: "hard negatives",
}


@attrs.frozen(kw_only=True, eq=False, repr=False)
class MiningLedger:
    """Where every candidate of every query went; nothing is counted twice.

    For each query, what was found and what was dropped add up to the documents that
    ranked high enough to be candidates.

    Attributes:
        query_ids: The queries that were asked.
        asked: How many hard negatives were asked for each.
        counts: One row a query, one column a fate, in the order of `Fate`.
        without_positive: How many queries of the split were not asked because no
            document is labelled relevant to them.
        elsewhere: How many documents were no candidates because they belong to another
            part of a split by document, or are equal or near to one that does.
    """

    query_ids: tuple[str, ...]
    asked: int
    counts: npt.NDArray[np.int64]
    without_positive: int = 0
    elsewhere: int = 0

    @property
    def found(self) -> Mapping[str, int]:
        """How many hard negatives were found, by `query_id`."""
        return dict(zip(self.query_ids, self._column(Fate.FOUND), strict=True))

    @property
    def dropped(self) -> Mapping[str, int]:
        """How many candidates of all queries were dropped, by reason."""
        totals = self.counts.sum(axis=0).tolist()
        return {f.label: totals[f] for f in Fate if f is not Fate.FOUND}

    @property
    def missing(self) -> Mapping[str, int]:
        """How many are missing, for the queries for which fewer were found."""
        return {q: self.asked - n for q, n in self.found.items() if n < self.asked}

    def rows(self) -> Iterator[dict[str, str | int]]:
        """Yield a record for each query: asked, found, and each reason's count."""
        for query_id, counts in zip(self.query_ids, self.counts.tolist(), strict=True):
            found = {"asked": self.asked, "found": counts[Fate.FOUND]}
            reasons = {f.label: counts[f] for f in Fate if f is not Fate.FOUND}
            yield {"query_id": query_id, **found, **reasons}

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as JSON values."""
        return {
            "asked": self.asked,
            "queries": len(self.query_ids),
            "without_positive": self.without_positive,
            "elsewhere": self.elsewhere,
            "found": sum(self._column(Fate.FOUND)),
            "missing": sum(self.missing.values()),
            "dropped": dict(self.dropped),
            "per_query": list(self.rows()),
        }

    def to_csv(self, path: str | Path) -> None:
        """Write a line for each query."""
        names = ["query_id", "asked", "found"]
        names += [f.label for f in Fate if f is not Fate.FOUND]
        file = io.StringIO(newline="")
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows())
        replace_file(Path(path), file.getvalue().encode("utf-8", "surrogatepass"))

    def __str__(self) -> str:
        """Return the totals, and which queries got fewer than asked."""
        lines = [self._headline(), text_table(*self._table()), *self._remarks()]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        remarks = [element("p", remark) for remark in self._remarks()]
        return "".join(
            [element("p", self._headline()), table(*self._table()), *remarks]
        )

    def _column(self, fate: Fate) -> list[int]:
        column: list[int] = self.counts[:, fate].tolist()
        return column

    def _headline(self) -> str:
        asked = self.asked * len(self.query_ids)
        return (
            f"{queries(len(self.query_ids))}, {self.asked} hard negatives each: "
            f"{asked:,} asked, {sum(self._column(Fate.FOUND)):,} found"
        )

    def _table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        totals = self.counts.sum(axis=0).tolist()
        considered = max(1, sum(totals))
        rows: list[tuple[str, ...]] = [
            (_MEANING[f], f"{totals[f]:,}", f"{totals[f] / considered:.1%}")
            for f in reversed(Fate)
            if totals[f] or f is Fate.FOUND
        ]
        return ("candidates", "number", "share"), rows

    def _way_out(self) -> str:
        by_rules = [fate for fate in Fate if Fate.MARGIN <= fate <= Fate.RANK_WINDOW]
        dropped = self.counts[[key in self.missing for key in self.query_ids]]
        if dropped[:, by_rules].any():
            return "a wider rank_window or a smaller margin finds more"
        return "all that ranked high enough is relevant, judged or a copy"

    def _remarks(self) -> list[str]:
        remarks = []
        short = self.missing
        if short:
            names = ", ".join(map(repr, list(short)[:_LISTED]))
            more = ", ..." if len(short) > _LISTED else ""
            remarks.append(
                f"{counted(sum(short.values()), 'is', 'are')} missing, for "
                f"{queries(len(short))} ({names}{more}); {self._way_out()}"
            )
        if self.elsewhere:
            remarks.append(
                f"{counted(self.elsewhere, 'document')} of other parts of the split, "
                "or near to one, left out"
            )
        if self.without_positive:
            remarks.append(
                f"{queries(self.without_positive)} without a positive not asked"
            )
        return remarks
