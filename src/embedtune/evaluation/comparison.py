"""Whether tuned retrieves better than base, by how much, and how surely."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from types import MappingProxyType

import attrs

from embedtune.errors import NotBetterError
from embedtune.evaluation.bootstrap import (
    CONFIDENCE,
    RESAMPLES,
    randomisation_p_value,
)
from embedtune.evaluation.difference_table import ALL_QUERIES, difference_table
from embedtune.evaluation.gate import check_gain, guarded, named_groups
from embedtune.evaluation.measures import Measure
from embedtune.evaluation.pairing import (
    check_reports,
    check_same,
    checked_groups,
    common_measures,
    is_same_model,
)
from embedtune.evaluation.presentation import Presentation
from embedtune.evaluation.report import EvaluationReport
from embedtune.evaluation.tables import queries, text_table
from embedtune.evaluation.verdict import (
    SAME_MODEL,
    Difference,
    Verdict,
    difference_of,
    judged_by_gain,
    verdict_on,
)


@attrs.frozen(kw_only=True, repr=False)
class Comparison(Presentation):
    """Base against tuned, query by query.

    `comparison["nDCG@10"]` is a :class:`~embedtune.evaluation.verdict.Difference`.

    Attributes:
        base: The report of the base.
        tuned: The report of the tuned, of the same queries in the same order.
        differences: By the canonical name of each measure that both have.
        groups: The same comparison for groups of queries, by name.
        resamples: How many resamples intervals and p-values rest on.
        confidence: The share of intervals that should hold the true difference.
        seed: Where the random numbers began.
    """

    base: EvaluationReport
    tuned: EvaluationReport
    differences: Mapping[str, Difference]
    groups: Mapping[str, Comparison] = attrs.field(factory=dict)
    resamples: int = RESAMPLES
    confidence: float = CONFIDENCE
    seed: int = 0

    def __getitem__(self, measure: str) -> Difference:
        """Return the difference in one measure.

        Raises:
            KeyError: If it was not measured.
            ConfigurationError: If there is no such measure.
        """
        name = Measure.parse(measure).name
        if name not in self.differences:
            known = ", ".join(map(repr, self.differences))
            msg = f"{name!r} was not compared, only {known}; measure it on both sides"
            raise KeyError(msg)
        return self.differences[name]

    def __hash__(self) -> int:
        """Hash by the two reports; equal comparisons have equal ones."""
        return hash((self.base, self.tuned))

    @property
    def measures(self) -> tuple[str, ...]:
        """The canonical names of the measures."""
        return tuple(self.differences)

    @property
    def query_ids(self) -> tuple[str, ...]:
        """The queries compared."""
        return self.base.query_ids

    @cached_property
    def per_query(self) -> Mapping[str, Mapping[str, float]]:
        """Tuned - base of each query: by measure's name, then by query id."""
        return MappingProxyType(
            {
                name: MappingProxyType(
                    dict(
                        zip(
                            self.query_ids,
                            (self.tuned.of(name) - self.base.of(name)).tolist(),
                            strict=True,
                        )
                    )
                )
                for name in self.measures
            }
        )

    def verdict(
        self,
        measure: str,
        *,
        min_gain: float = 0.0,
        groups: str | Iterable[str] | None = None,
    ) -> Verdict:
        """Return whether tuned is better in one measure, and why.

        It is better if the whole interval of the difference is above *min_gain*, and
        the randomisation test says that chance does not do that. For the rule without
        a *min_gain* see :meth:`~embedtune.evaluation.verdict.Difference.verdict`.
        Where both are the same model and all queries tie, nothing was put to a test;
        then the verdict is undecided, and the reason says so.

        Args:
            measure: Its name.
            min_gain: What the true gain has to exceed, in units of the measure.
            groups: Groups that must not be worse, by name. If one surely is, by a
                p-value corrected for the number of these groups, the verdict is worse.

        Raises:
            KeyError: If the measure was not compared.
            ConfigurationError: If there is no such measure or group.
            ValueError: If *min_gain* is below 0.
        """
        check_gain(min_gain)
        names = named_groups(groups, self.groups)
        found = self[measure]
        if min_gain and not (self._same_model and found.is_tied):
            verdict = judged_by_gain(
                found, min_gain=min_gain, p_value=self._gain_p_value(measure, min_gain)
            )
        else:
            verdict = verdict_on(found, same_model=self._same_model)
        return guarded(verdict, {name: self.groups[name][measure] for name in names})

    def require_better(
        self,
        measure: str | None = None,
        *,
        min_gain: float = 0.0,
        groups: str | Iterable[str] | None = None,
    ) -> Verdict:
        """Return the verdict if tuned is better, and raise an error if not.

        This is for the script that releases a model: whatever is not surely better
        ends it. The arguments are those of :meth:`verdict`; without a *measure* the
        first one counts.

        Raises:
            NotBetterError: If the verdict is worse or undecided; it has the verdict.
        """
        measure = self.measures[0] if measure is None else measure
        verdict = self.verdict(measure, min_gain=min_gain, groups=groups)
        if not verdict.is_better:
            msg = f"{self.tuned.embedder!r} is not surely better: {verdict}"
            raise NotBetterError(msg, verdict=verdict)
        return verdict

    def _gain_p_value(self, measure: str, gain: float) -> float:
        return randomisation_p_value(
            self.base.of(measure),
            self.tuned.of(measure),
            gain=gain,
            resamples=self.resamples,
            seed=self.seed,
        )

    @property
    def is_same_model(self) -> bool:
        """Whether base and tuned are one model, for example a base that came back.

        It is told from names and fingerprints; a run from elsewhere has none.
        """
        return is_same_model(self.base, self.tuned)

    def subset(self, query_ids: Iterable[str]) -> Comparison:
        """Return the comparison on these queries alone, without groups.

        Raises:
            ConfigurationError: If one was not compared, or there is none.
        """
        return compare(
            self.base.subset(ids := tuple(query_ids)),
            self.tuned.subset(ids),
            resamples=self.resamples,
            confidence=self.confidence,
            seed=self.seed,
        )

    def __str__(self) -> str:
        """Return a table of all measures and groups, and the first verdict."""
        lines = [self._headline(), text_table(*self._table())]
        return "\n".join([*lines, *self._verdicts()])

    __repr__ = __str__

    @property
    def _same_model(self) -> str:
        """The name of the model if there is only one."""
        return self.base.embedder if self.is_same_model else ""

    def _headline(self) -> str:
        split = f" on the {self.base.split} split" if self.base.split else ""
        return (
            f"{self.tuned.embedder} (tuned) against {self.base.embedder} (base)"
            f"{split}: {queries(len(self.query_ids))}"
        )

    def _table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        return difference_table(self._differences(), self.confidence)

    def _differences(self) -> dict[str, Mapping[str, Difference]]:
        groups = {name: group.differences for name, group in self.groups.items()}
        return {ALL_QUERIES: self.differences, **groups}

    def _verdicts(self) -> list[str]:
        measure = self.measures[0]
        if self._same_model and self[measure].is_tied:
            return [f"{SAME_MODEL}: {self.verdict(measure).reason}"]
        lines = [str(self.verdict(measure))]
        lines += [
            f"{name}: {group.verdict(measure)}" for name, group in self.groups.items()
        ]
        return lines


def compare(
    base: EvaluationReport,
    tuned: EvaluationReport,
    *,
    groups: Mapping[str, Iterable[str]] | None = None,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> Comparison:
    """Compare two reports on the same queries, in all measures that both have.

    Args:
        base: The report of the base.
        tuned: The report of the tuned.
        groups: Query ids by name, for example
            :func:`~embedtune.evaluation.groups.seen_and_unseen`; a group without a
            query is left out.
        resamples: How many resamples intervals and p-values rest on.
        confidence: The share of intervals that should hold the true difference.
        seed: Equal seeds give equal results.

    Raises:
        TypeError: If *base* or *tuned* is no report, or *groups* are not by name.
        ConfigurationError: If the reports are not of the same dataset, split and
            queries (it names all that differs), or a group names a query that was
            not measured (it names the group).

    Example:
        >>> from embedtune.evaluation.external import evaluate_run
        >>> labels = {f"q{i}": {"right": 1} for i in range(20)}
        >>> first = {query_id: {"wrong": 2, "right": 1} for query_id in labels}
        >>> second = {query_id: {"wrong": 1, "right": 2} for query_id in labels}
        >>> comparison = compare(
        ...     evaluate_run(first, labels), evaluate_run(second, labels)
        ... )
        >>> comparison["RR@10"].difference, comparison.verdict("RR@10").outcome.value
        (0.5, 'better')
    """
    check_reports({"base": base, "tuned": tuned})
    measures = common_measures(base, tuned)
    check_same(base, tuned)
    tuned = tuned if tuned.query_ids == base.query_ids else tuned.subset(base.query_ids)
    whole = Comparison(
        base=base,
        tuned=tuned,
        differences=MappingProxyType(
            {
                name: difference_of(
                    name,
                    base.of(name),
                    tuned.of(name),
                    resamples=resamples,
                    confidence=confidence,
                    seed=seed,
                )
                for name in measures
            }
        ),
        resamples=resamples,
        confidence=confidence,
        seed=seed,
    )
    parts = checked_groups(base, {} if groups is None else groups)
    return attrs.evolve(
        whole,
        groups=MappingProxyType(
            {name: whole.subset(ids) for name, ids in parts.items()}
        ),
    )
