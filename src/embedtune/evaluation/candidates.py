"""Several candidates against one base, with p-values that know how many there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from types import MappingProxyType

import attrs

from embedtune.errors import ConfigurationError
from embedtune.evaluation.bootstrap import CONFIDENCE, RESAMPLES
from embedtune.evaluation.comparison import Comparison, compare
from embedtune.evaluation.correction import holm
from embedtune.evaluation.markup import element, table
from embedtune.evaluation.measures import Measure
from embedtune.evaluation.pairing import check_reports, check_same, common_measures
from embedtune.evaluation.report import EvaluationReport
from embedtune.evaluation.tables import counted, percent, queries, text_table
from embedtune.evaluation.verdict import Verdict, judged, verdict_on


@attrs.frozen(kw_only=True, repr=False)
class CandidateComparison:
    """Several candidates against one base, in one measure.

    `found["name"]` is the :class:`~embedtune.Comparison` of one candidate, with
    intervals and p-values of its own. The p-values here are corrected by Holm's method
    for the family of all candidates in this measure; other measures, and groups of
    queries, are not part of it.

    Attributes:
        measure: The canonical name of the measure that decides.
        comparisons: The comparison of each candidate, by its name.
    """

    measure: str
    comparisons: Mapping[str, Comparison]

    def __getitem__(self, name: str) -> Comparison:
        """Return the comparison of one candidate.

        Raises:
            KeyError: If there is none of that name.
        """
        if name not in self.comparisons:
            known = ", ".join(map(repr, self.comparisons))
            msg = f"there is no candidate {name!r}, only {known}"
            raise KeyError(msg)
        return self.comparisons[name]

    def __hash__(self) -> int:
        """Hash by the measure and the names; equal values have equal ones."""
        return hash((self.measure, tuple(self.comparisons)))

    @cached_property
    def p_values(self) -> Mapping[str, float]:
        """The corrected p-value of each candidate."""
        found = {name: c[self.measure].p_value for name, c in self.comparisons.items()}
        return MappingProxyType(holm(found))

    @cached_property
    def verdicts(self) -> Mapping[str, Verdict]:
        """The verdict on each candidate, by its interval and its corrected p-value."""
        note = f", corrected for {counted(len(self.comparisons), 'candidate')}"
        verdicts = {}
        for name, comparison in self.comparisons.items():
            found = comparison[self.measure]
            if comparison.is_same_model and found.is_tied:
                verdict = verdict_on(found, same_model=comparison.base.embedder)
            else:
                verdict = judged(found, p_value=self.p_values[name], note=note)
            verdicts[name] = verdict
        return MappingProxyType(verdicts)

    def verdict(self, name: str) -> Verdict:
        """Return the verdict on one candidate.

        Raises:
            KeyError: If there is none of that name.
        """
        self[name]  # refuses a name that is not known
        return self.verdicts[name]

    def best(self) -> str | None:
        """Return the name of the best candidate that is surely better than the base.

        That is the one of the largest mean; of equal ones, the first. `None` if no
        candidate is surely better. It need not be surely better than the others, and
        its gain here is flattered by the choice: measure it again on queries that did
        not choose it.
        """
        better = [name for name, verdict in self.verdicts.items() if verdict.is_better]
        return max(better, key=self._mean, default=None)

    def __str__(self) -> str:
        """Return a table of all candidates, and which is best."""
        lines = [self._headline(), text_table(*self._table()), self._conclusion()]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return "".join(
            [
                element("p", self._headline()),
                table(*self._table()),
                element("p", self._conclusion()),
            ]
        )

    def _mean(self, name: str) -> float:
        return self.comparisons[name][self.measure].tuned

    def _headline(self) -> str:
        base = next(iter(self.comparisons.values())).base
        split = f" on the {base.split} split" if base.split else ""
        return (
            f"{counted(len(self.comparisons), 'candidate')} against {base.embedder} "
            f"(base){split}, by {self.measure}: {queries(len(base.query_ids))}"
        )

    def _table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        first = next(iter(self.comparisons.values()))
        header = (
            "candidate",
            "base",
            "tuned",
            "difference",
            f"{percent(first.confidence)} interval",
            "p",
            "corrected p",
            "won/lost/tied",
            "verdict",
        )
        return header, [self._row(name) for name in self.comparisons]

    def _row(self, name: str) -> tuple[str, ...]:
        found = self.comparisons[name][self.measure]
        return (
            name,
            f"{found.base:.4f}",
            f"{found.tuned:.4f}",
            f"{found.difference:+.4f}",
            f"[{found.interval.low:+.4f}, {found.interval.high:+.4f}]",
            f"{found.p_value:.4f}",
            f"{self.p_values[name]:.4f}",
            f"{found.wins:,}/{found.losses:,}/{found.ties:,}",
            self.verdicts[name].outcome,
        )

    def _conclusion(self) -> str:
        best = self.best()
        if best is None:
            return "best: none is surely better than the base"
        return f"best: {best}; {self.verdicts[best].reason}"


def compare_all(
    base: EvaluationReport,
    candidates: Mapping[str, EvaluationReport],
    measure: str | None = None,
    *,
    groups: Mapping[str, Iterable[str]] | None = None,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> CandidateComparison:
    """Compare several candidates with one base, and correct for their number.

    Of twenty candidates that are no better than the base, one looks better by luck.
    Holm's correction keeps the chance of any such error at 1 - *confidence* or less.

    Args:
        base: The report of the base.
        candidates: The reports of the candidates, by names of your choice.
        measure: The measure that decides; `None` for the first that all have.
        groups: As for :func:`~embedtune.compare`.
        resamples: As for :func:`~embedtune.compare`.
        confidence: As for :func:`~embedtune.compare`.
        seed: As for :func:`~embedtune.compare`.

    Raises:
        TypeError: If *candidates* are no reports by name.
        ConfigurationError: If there is no candidate, or one was not measured on the
            same data; it names the candidate.
        KeyError: If one does not have *measure*.
    """
    if not isinstance(candidates, Mapping):
        msg = f"'candidates' must be reports by name (got {type(candidates).__name__})"
        raise TypeError(msg)
    check_reports({"base": base})
    check_reports(candidates)
    if not candidates:
        msg = "'candidates' must name at least one report (got none)"
        raise ConfigurationError(msg)
    for name, report in candidates.items():
        check_same(base, report, f"base and the candidate {name!r}")
    comparisons = {
        name: compare(
            base,
            report,
            groups=groups,
            resamples=resamples,
            confidence=confidence,
            seed=seed,
        )
        for name, report in candidates.items()
    }
    if measure is None:
        common = common_measures(base, *candidates.values())
        name = common[0]
    else:
        name = Measure.parse(measure).name
    for comparison in comparisons.values():
        comparison[name]  # refuses a measure that was not compared
    return CandidateComparison(measure=name, comparisons=MappingProxyType(comparisons))
