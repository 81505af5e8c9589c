"""What an evaluation found: values per query, their means, and the hits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any, Self

import attrs
import numpy as np
import numpy.typing as npt

from embedtune._version import __version__
from embedtune.errors import ConfigurationError, DataError
from embedtune.evaluation.bootstrap import (
    CONFIDENCE,
    RESAMPLES,
    Interval,
    Seed,
    mean_interval,
)
from embedtune.evaluation.measures import Measure
from embedtune.evaluation.notebook import report_view
from embedtune.evaluation.run import Run
from embedtune.evaluation.tables import counted, percent, queries, text_table

_FORMAT = "embedtune-evaluation-1"
_FACTS = (
    "embedder",
    "fingerprint",
    "query_fingerprint",
    "dataset_fingerprint",
    "split",
    "documents",
    "version",
)
_SHOWN_IDS = 5


@attrs.frozen(kw_only=True, repr=False)
class EvaluationReport:
    """The values of some measures on the queries of one split.

    `report["nDCG@10"]` is a mean over all queries.

    Attributes:
        embedder: The name of what was measured.
        fingerprint: Its document space; empty for a run from elsewhere.
        query_fingerprint: Its query side; empty for a run from elsewhere.
        dataset_fingerprint: The content measured on; empty if only labels were given.
        split: The part of the labels; empty if only labels were given.
        documents: How many documents were searched; how many were found, if only
            labels were given.
        measures: The canonical names of the measures.
        query_ids: The queries, in the order of the labels.
        values: (measures, queries); read-only.
        positives: How many positives each query has; read-only. Queries without any
            have 0 in every measure, and count.
        run: The hits of each query, as deep as the largest cutoff.
        version: The version of the library that measured.
    """

    embedder: str
    fingerprint: str = ""
    query_fingerprint: str = ""
    dataset_fingerprint: str = ""
    split: str = ""
    documents: int
    measures: tuple[str, ...]
    query_ids: tuple[str, ...]
    values: npt.NDArray[np.float64] = attrs.field(eq=attrs.cmp_using(eq=np.array_equal))
    positives: npt.NDArray[np.int64] = attrs.field(
        eq=attrs.cmp_using(eq=np.array_equal)
    )
    run: Run
    version: str = __version__

    def __attrs_post_init__(self) -> None:
        if not self.query_ids:
            msg = "an evaluation needs at least one query"
            raise ValueError(msg)
        shape = (len(self.measures), len(self.query_ids))
        if self.values.shape != shape or self.positives.shape != shape[1:]:
            msg = f"'values' and 'positives' must fit {shape!r} measures and queries"
            raise ValueError(msg)
        self.values.flags.writeable = False
        self.positives.flags.writeable = False

    def __getitem__(self, measure: str) -> float:
        """Return the mean of one measure over all queries.

        Raises:
            KeyError: If it was not measured.
            ConfigurationError: If there is no such measure.
        """
        return float(self.of(measure).mean())

    def __contains__(self, measure: object) -> bool:
        """Return whether a measure was measured, under any of its names."""
        try:
            return Measure.parse(str(measure)).name in self.measures
        except ConfigurationError:
            return False

    def __hash__(self) -> int:
        """Hash by what was measured; equal reports have equal ones."""
        return hash((self.embedder, self.dataset_fingerprint, self.measures))

    def of(self, measure: str) -> npt.NDArray[np.float64]:
        """Return the value of one measure for each of *query_ids*.

        Raises:
            KeyError: If it was not measured.
            ConfigurationError: If there is no such measure.
        """
        name = Measure.parse(measure).name
        if name not in self.measures:
            raise KeyError(_not_measured(name, self.measures))
        row: npt.NDArray[np.float64] = self.values[self.measures.index(name)]
        return row

    @cached_property
    def means(self) -> Mapping[str, float]:
        """The mean of each measure, by canonical name."""
        return MappingProxyType({name: self[name] for name in self.measures})

    @cached_property
    def per_query(self) -> Mapping[str, Mapping[str, float]]:
        """The value of each query: by measure's canonical name, then by query id."""
        return MappingProxyType(
            {
                name: MappingProxyType(
                    dict(zip(self.query_ids, row.tolist(), strict=True))
                )
                for name, row in zip(self.measures, self.values, strict=True)
            }
        )

    @property
    def without_positive(self) -> int:
        """How many queries have no positive, and so 0 in every measure."""
        return int(np.count_nonzero(self.positives == 0))

    def interval(
        self,
        measure: str,
        *,
        confidence: float = CONFIDENCE,
        resamples: int = RESAMPLES,
        seed: Seed = 0,
    ) -> Interval:
        """Return the bootstrap interval of a mean.

        It is right for one embedder alone. Two embedders are compared by
        :func:`~embedtune.evaluation.comparison.compare`: their intervals may overlap
        although one is surely better.
        """
        return mean_interval(
            self.of(measure), resamples=resamples, confidence=confidence, seed=seed
        )

    def subset(self, query_ids: Iterable[str]) -> Self:
        """Return the report of these queries alone.

        Raises:
            ConfigurationError: If one is not in the report, or there is none.
        """
        rows = {query_id: row for row, query_id in enumerate(self.query_ids)}
        kept = tuple(dict.fromkeys(query_ids))
        unknown = [query_id for query_id in kept if query_id not in rows]
        if unknown or not kept:
            raise ConfigurationError(_wrong_subset(unknown))
        places = [rows[query_id] for query_id in kept]
        return attrs.evolve(
            self,
            query_ids=kept,
            values=self.values[:, places],
            positives=self.positives[places],
            run=self.run.subset(kept),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as JSON values."""
        facts = {name: getattr(self, name) for name in _FACTS}
        scores = self.run.scores.astype(object)
        scores[self.run.documents < 0] = None  # JSON has no NaN
        return {
            "format": _FORMAT,
            **facts,
            "means": dict(self.means),
            "measures": list(self.measures),
            "query_ids": list(self.query_ids),
            "positives": self.positives.tolist(),
            "values": self.values.tolist(),
            "run": {
                "doc_ids": list(self.run.doc_ids),
                "documents": self.run.documents.tolist(),
                "scores": scores.tolist(),
            },
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the report that :meth:`to_dict` gave.

        Raises:
            DataError: If *data* is something else.
        """
        if data.get("format") != _FORMAT:
            msg = f"not an evaluation report of format {_FORMAT!r}"
            raise DataError(msg)
        try:
            return cls(**_parts(data))
        except (KeyError, TypeError, ValueError) as e:
            msg = f"the evaluation report is damaged ({type(e).__name__}: {e})"
            raise DataError(msg) from e

    def __str__(self) -> str:
        """Return a table of means and intervals."""
        lines = [self._headline(), text_table(self._header(), self._rows())]
        return "\n".join(filter(None, [*lines, self._remark()]))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = (self._header(), self._rows())
        return report_view(self._headline(), rows, self._remark())

    def _headline(self) -> str:
        split = f" on the {self.split} split" if self.split else ""
        return (
            f"{self.embedder}{split}: {queries(len(self.query_ids))}, "
            f"{counted(self.documents, 'document')}"
        )

    def _header(self) -> tuple[str, ...]:
        return ("measure", "mean", f"{percent(CONFIDENCE)} interval")

    def _rows(self) -> list[tuple[str, ...]]:
        return [
            (name, f"{mean:.4f}", str(self.interval(name)))
            for name, mean in self.means.items()
        ]

    def _remark(self) -> str:
        if not self.without_positive:
            return ""
        have = "has" if self.without_positive == 1 else "have"
        return (
            f"{queries(self.without_positive)} {have} no positive; "
            "their values are 0 and count in the means"
        )


def _parts(data: Mapping[str, Any]) -> dict[str, Any]:
    query_ids = tuple(data["query_ids"])
    run = data["run"]
    return {
        **{name: data[name] for name in _FACTS},
        "measures": tuple(data["measures"]),
        "query_ids": query_ids,
        "values": np.array(data["values"], np.float64),
        "positives": np.array(data["positives"], np.int64),
        "run": Run(
            query_ids=query_ids,
            doc_ids=tuple(run["doc_ids"]),
            documents=np.array(run["documents"], np.int64),
            scores=np.array(run["scores"], np.float64),
        ),
    }


def _not_measured(name: str, measures: tuple[str, ...]) -> str:
    known = ", ".join(map(repr, measures))
    return f"{name!r} was not measured, only {known}; name it in 'measures'"


def _wrong_subset(unknown: list[str]) -> str:
    if not unknown:
        return "'query_ids' must name at least one query"
    shown = ", ".join(map(repr, unknown[:_SHOWN_IDS]))
    more = ", ..." if len(unknown) > _SHOWN_IDS else ""
    return f"the report lacks {queries(len(unknown))}: {shown}{more}"
