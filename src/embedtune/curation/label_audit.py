"""The result of an audit: what to look at first, and what it may be worth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import attrs

from embedtune.curation.mixture import NoiseShare
from embedtune.curation.values import MeasuredError, MissingLabel, SuspectLabel
from embedtune.datasets.dataset import TuningDataset
from embedtune.evaluation.markup import Markup, element, joined, table
from embedtune.evaluation.tables import counted, text_table
from embedtune.types import Split

_SHOWN = 10
_LONGEST = 90
_CUT = "\N{HORIZONTAL ELLIPSIS}"

_ROWS = 500


@attrs.frozen(kw_only=True, eq=False, repr=False)
class LabelAudit:
    """Labels that are probably wrong or missing, the surest first.

    Attributes:
        dataset: What was audited.
        splits: Which of its labels.
        embedders: The names of those that were asked.
        wrong: Every positive label, the most suspicious first.
        missing: Documents that may be relevant, too: first those equal in text to a
            positive, then the most preferred.
        noise: The share of labels that are wrong, by two estimates, with an interval.
            It counts mistakes as if drawn at random; labels that were confused with
            the next best document are seen in part only.
        errors: For each embedder, what that does to its nDCG@10 on these labels.
    """

    dataset: TuningDataset
    splits: tuple[Split, ...]
    embedders: tuple[str, ...]
    wrong: tuple[SuspectLabel, ...]
    missing: tuple[MissingLabel, ...]
    noise: NoiseShare
    errors: tuple[MeasuredError, ...]

    def to_csv(
        self,
        path: str | Path,
        *,
        wrong: int = _ROWS,
        missing: int = _ROWS,
    ) -> None:
        """Write a table for a person to decide in; any spreadsheet program opens it.

        Each row has the texts side by side and an empty cell for the decision:

        - `keep`: the label is right, or nothing is missing;
        - `remove`: take the label away (of wrong ones only);
        - `replace`: label the alternative instead (of wrong ones only);
        - `add`: label the alternative, too;
        - a number from 0: the relevance of the document, or of the alternative where a
          label is missing; 0 says "judged and not relevant".

        Rows left empty change nothing. :func:`~embedtune.apply_decisions` reads it.
        Cells that a program would take for a formula, and ids that it might take for
        a number, begin with an apostrophe.

        Args:
            path: The file; replaced whole.
            wrong: How many of the wrong labels to write at most.
            missing: How many of the missing ones.

        Raises:
            DataError: If an id cannot be written as UTF-8.
        """
        from embedtune.curation.decision_file import write_decisions

        write_decisions(self, Path(path), wrong=wrong, missing=missing)

    def __str__(self) -> str:
        """Return the estimates and the first of both lists, ids only."""
        lines = [self._headline(), *self._sentences()]
        if self.wrong:
            header = ("probably wrong", "document", "suspicion", "rank", "rather")
            rows = [
                (
                    _cut(item.query_id),
                    _cut(item.doc_id),
                    f"{item.suspicion:.3f}",
                    f"{item.rank:,}",
                    _cut(item.alternative or "-"),
                )
                for item in self.wrong[:_SHOWN]
            ]
            lines += ["", text_table(header, rows)]
        if self.missing:
            header = ("probably missing", "document", "preference", "positive", "")
            rows = [
                (
                    _cut(item.query_id),
                    _cut(item.doc_id),
                    f"{item.preference:.3f}",
                    _cut(item.positive),
                    item.likeness,
                )
                for item in self.missing[:_SHOWN]
            ]
            lines += ["", text_table(header, rows)]
        return "\n".join(lines)

    def __repr__(self) -> str:
        """Return the headline."""
        return f"LabelAudit({self._headline()})"

    def _repr_html_(self) -> str:
        parts = [element("p", self._headline())]
        parts += [element("p", sentence) for sentence in self._sentences()]
        wrong = [self._wrong_row(item) for item in self.wrong[:_SHOWN]]
        if wrong:
            parts.append(
                table(("suspicion", "query", "labelled document", "rather"), wrong)
            )
        missing = [self._missing_row(item) for item in self.missing[:_SHOWN]]
        if missing:
            header = ("preference", "query", "positive", "perhaps relevant, too")
            parts.append(table(header, missing))
        return element("div", joined(parts))

    def _headline(self) -> str:
        return (
            f"{counted(len(self.wrong), 'label')} of {', '.join(self.splits)} audited "
            f"with {', '.join(self.embedders)}: about "
            f"{_percent(self.noise.share)} wrong, "
            f"{counted(len(self.missing), 'label')} perhaps missing"
        )

    def _sentences(self) -> list[str]:
        interval = self.noise.interval
        first = (
            f"wrong labels: {_percent(self.noise.share)}, in an interval from "
            f"{_percent(interval.low)} to {_percent(interval.high)}, "
            "if mistakes are like random ones"
        )
        others = [
            f"{error.embedder}: nDCG@10 {error.measured:.4f}, without wrong labels "
            f"about {error.if_right:.4f} ({_percent(error.noise_share)} of the error), "
            f"with all missing ones at most {error.if_complete:.4f}"
            for error in self.errors
        ]
        return [first, *others]

    def _wrong_row(self, item: SuspectLabel) -> Sequence[str]:
        return (
            f"{item.suspicion:.3f}",
            self._query(item.query_id),
            self._document(item.doc_id),
            self._document(item.alternative) if item.alternative else "-",
        )

    def _missing_row(self, item: MissingLabel) -> Sequence[str]:
        return (
            f"{item.preference:.3f} {item.likeness}".strip(),
            self._query(item.query_id),
            self._document(item.positive),
            self._document(item.doc_id),
        )

    def _query(self, query_id: str) -> Markup:
        text = _cut(self.dataset.queries[query_id].text)
        return element("span", text, title=query_id, dir="auto")

    def _document(self, doc_id: str) -> Markup:
        text = _cut(self.dataset.corpus[doc_id].embedding_text)
        return element("span", text, title=doc_id, dir="auto")


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + _CUT


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
