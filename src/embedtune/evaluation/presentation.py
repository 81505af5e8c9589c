"""A comparison as a file and as plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, get_args

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.report import DatasetReport
from embedtune.errors import ConfigurationError
from embedtune.evaluation import plots
from embedtune.evaluation.facts import flattened
from embedtune.evaluation.html import Page, page
from embedtune.evaluation.learning import History, LearningCurve
from embedtune.evaluation.margins import margins_of_both
from embedtune.evaluation.notebook import headline, scrolled, verdict_line, view
from embedtune.evaluation.report import EvaluationReport
from embedtune.evaluation.tradeoff import TradeoffPoint, checked_points
from embedtune.evaluation.verdict import Difference
from embedtune.files import replace_file

if TYPE_CHECKING:
    from embedtune.evaluation.figures import Plot

PlotKind: TypeAlias = Literal["intervals", "queries", "margins", "learning", "tradeoff"]
"""What :meth:`Comparison.plot <embedtune.Comparison.plot>` draws."""

KINDS: tuple[PlotKind, ...] = get_args(PlotKind)
"""All kinds of plots."""

_NEEDED = {"margins": "dataset", "learning": "history", "tradeoff": "tradeoff"}


class Compared(Protocol):
    """What there must be to show."""

    @property
    def base(self) -> EvaluationReport:
        """The report of the base."""
        ...

    @property
    def tuned(self) -> EvaluationReport:
        """The report of the tuned."""
        ...

    @property
    def resamples(self) -> int:
        """How many resamples intervals rest on."""
        ...

    @property
    def confidence(self) -> float:
        """Of the intervals."""
        ...

    @property
    def seed(self) -> int:
        """Where the random numbers began."""
        ...

    def _differences(self) -> Mapping[str, Mapping[str, Difference]]: ...

    def _headline(self) -> str: ...

    def _table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]: ...

    def _verdicts(self) -> list[str]: ...


class Presentation:
    """How a comparison is shown outside of a terminal."""

    __slots__ = ()

    def to_html(  # noqa: PLR0913 -- one keyword for each part of the page
        self: Compared,
        path: str | Path,
        *,
        title: str = "",
        dataset: TuningDataset | None = None,
        check: DatasetReport | None = None,
        examples: Sequence[str] | None = None,
        history: History | None = None,
        tradeoff: Sequence[TradeoffPoint] | None = None,
        facts: Mapping[str, object] | None = None,
        made_at: datetime | None = None,
    ) -> Path:
        """Write one HTML file that needs nothing else: no network, no script.

        Args:
            path: The file; it is replaced whole, and its folder made.
            title: The heading; `""` names base and tuned.
            dataset: Where the texts and labels come from; `None` shows no searches, no
                margins and nothing about the dataset.
            check: What :meth:`TuningDataset.check <embedtune.TuningDataset.check>`
                found in it; `None` checks now, which takes its time with very many
                documents.
            examples: The queries whose searches are shown; `None` chooses those that
                gained and lost most.
            history: The steps of the tuning job, for example
                :attr:`LocalJob.history <embedtune.tuning.jobs.LocalJob.history>`;
                `None` shows no learning curve.
            tradeoff: Models on the way from base to tuned, with what they gain and
                lose, for example the `tradeoff` of a tuned model; `None`, or none of
                them, shows no such curve.
            facts: More lines for the section on how it was made; what is nested gets a
                line each, so that a job's `config` and `metrics` can stand there.
            made_at: The date shown; `None` for now.

        Returns:
            The file.

        Raises:
            TypeError: If *dataset*, *examples*, *history* or *tradeoff* is of another
                kind.
            ConfigurationError: If *dataset* is not the one measured on, *examples* were
                not compared, or *history* or *tradeoff* is no curve.
        """
        check_dataset(self.base, dataset, examples)
        content = page(
            Page(
                base=self.base,
                tuned=self.tuned,
                differences=self._differences(),
                title=title,
                dataset=dataset,
                check=check,
                examples=None if examples is None else tuple(examples),
                confidence=self.confidence,
                learning=None if history is None else LearningCurve.of(history),
                tradeoff=checked_points(tradeoff) if tradeoff else (),
                facts={
                    "resamples": f"{self.resamples:,}",
                    "seed": str(self.seed),
                    **flattened(facts or {}),
                },
                made_at=made_at or datetime.now(UTC),
            )
        )
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, content.encode())
        return path

    def plot(
        self: Compared,
        kind: PlotKind = "intervals",
        *,
        measure: str | None = None,
        dataset: TuningDataset | None = None,
        history: History | None = None,
        tradeoff: Sequence[TradeoffPoint] | None = None,
    ) -> Plot:
        """Return one of the report's plots as a matplotlib figure.

        It shows itself in a notebook; `savefig` writes it. It needs the extra `plots`.

        Args:
            kind: `"intervals"` of the differences, the `"queries"` that gained and
                lost, `"margins"` of relevant documents (needs *dataset*), `"learning"`
                curve (needs *history*), or `"tradeoff"` (needs *tradeoff*).
            measure: What `"queries"` are drawn in; `None` for the first measure.
            dataset: As for :meth:`to_html`.
            history: As for :meth:`to_html`.
            tradeoff: As for :meth:`to_html`.

        Raises:
            ConfigurationError: If there is no such plot, or it lacks what it needs.
            MissingDependencyError: If matplotlib is not installed.
        """
        given = {"dataset": dataset, "history": history, "tradeoff": tradeoff}
        if kind not in KINDS:
            msg = f"'kind' must be one of {KINDS} (got {kind!r})"
            raise ConfigurationError(msg)
        if kind in _NEEDED and given[_NEEDED[kind]] is None:
            msg = f"the plot {kind!r} needs {_NEEDED[kind]!r}; give it"
            raise ConfigurationError(msg)
        from embedtune.evaluation import figures

        differences = self._differences()
        first = next(iter(next(iter(differences.values()))))
        if history is not None and kind == "learning":
            return figures.learning(LearningCurve.of(history))
        if tradeoff is not None and kind == "tradeoff":
            return figures.tradeoff(checked_points(tradeoff), first)
        if dataset is not None and kind == "margins":
            check_dataset(self.base, dataset, None)
            return figures.margins(*margins_of_both(self.base, self.tuned, dataset))
        if kind == "queries":
            name = measure or first
            return figures.queries(self.tuned.of(name) - self.base.of(name), name)
        return figures.intervals(differences)

    def _repr_html_(self: Compared) -> str:
        return view(
            headline(self._headline()),
            *map(verdict_line, self._verdicts()),
            plots.intervals(self._differences()),
            scrolled(*self._table()),
        )


def check_dataset(
    base: EvaluationReport,
    dataset: TuningDataset | None,
    examples: Sequence[str] | None,
) -> None:
    """Refuse a dataset that was not measured on, and queries that were not compared.

    Raises:
        TypeError: If *dataset* is none, or *examples* are one string.
        ConfigurationError: If so.
    """
    if not isinstance(dataset, TuningDataset | None):
        msg = f"'dataset' must be a TuningDataset (got {type(dataset).__name__})"
        raise TypeError(msg)
    if isinstance(examples, str):
        msg = f"'examples' must be several query ids (got the string {examples!r})"
        raise TypeError(msg)
    known = base.dataset_fingerprint
    if dataset is not None and known and dataset.fingerprint != known:
        msg = "'dataset' is not the one that was measured on; its content differs"
        raise ConfigurationError(msg)
    if examples and dataset is None:
        msg = "'examples' need 'dataset', where their texts come from"
        raise ConfigurationError(msg)
    if examples:
        base.subset(examples)  # refuses queries that were not compared
