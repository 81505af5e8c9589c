"""What a check found."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Literal, TypeAlias

import attrs

from embedtune.datasets.problems import raise_integrity_error

Severity: TypeAlias = Literal["error", "warning", "note"]
"""`"error"`: tuning fails or a measure lies; `"warning"`: results may suffer;
`"note"`: good to know."""

_SHOWN_PLACES = 3
_MARKS: dict[Severity, str] = {"error": "ERROR", "warning": "warning", "note": "note"}


@attrs.frozen(kw_only=True)
class Problem:
    """One rule that a dataset breaks, with all its occurrences.

    Attributes:
        rule: The rule's name, for example `"duplicate-document"`.
        severity: How bad it is.
        message: What is wrong, with the figures.
        hint: The way out.
        count: How many places there are.
        examples: The first places: file and line where known, and the id.
    """

    rule: str
    severity: Severity
    message: str
    hint: str
    count: int = 1
    examples: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """The first place; empty if the problem is in no single place."""
        return self.examples[0] if self.examples else ""

    def __str__(self) -> str:
        """Return message, first places and hint in one line."""
        places = ", ".join(self.examples[:_SHOWN_PLACES])
        more = ", ..." if self.count > _SHOWN_PLACES and places else ""
        at = f" ({places}{more})" if places else ""
        return f"[{self.rule}] {self.message}{at}; {self.hint}"


@attrs.frozen(kw_only=True, repr=False)
class DatasetReport:
    """Everything that a check found; prints, and renders in a notebook.

    Attributes:
        problems: Errors first, then warnings, then notes.
        model: The base model whose limits were checked, or `None`.
    """

    problems: tuple[Problem, ...]
    model: str | None = None

    @property
    def errors(self) -> tuple[Problem, ...]:
        """What makes tuning fail or a measure lie."""
        return self._of("error")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What may spoil the result."""
        return self._of("warning")

    @property
    def notes(self) -> tuple[Problem, ...]:
        """What is good to know."""
        return self._of("note")

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return not self.errors

    def raise_for_errors(self) -> None:
        """Raise one error that names all errors; warnings do not count.

        Raises:
            DatasetIntegrityError: If there are errors.
        """
        what = "the dataset is not fit for tuning"
        if self.model is not None:
            what = f"the dataset is not fit for tuning {self.model!r}"
        raise_integrity_error(what, [str(problem) for problem in self.errors])

    def __iter__(self) -> Iterator[Problem]:
        """Iterate over the problems."""
        return iter(self.problems)

    def __str__(self) -> str:
        """Return one line for the whole and one for each problem."""
        return "\n".join([self._headline(), *map(_line, self.problems)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{problem.severity}</td><td>{_escaped(problem.rule)}</td>"
            f"<td>{problem.count}</td><td>{_escaped(problem.message)}</td>"
            f"<td>{_escaped(', '.join(problem.examples))}</td>"
            f"<td>{_escaped(problem.hint)}</td></tr>"
            for problem in self.problems
        )
        heads = ("", "rule", "count", "what", "where", "way out")
        header = "".join(f"<th>{head}</th>" for head in heads)
        table = f"<table><tr>{header}</tr>{rows}</table>" if rows else ""
        return f"<p>{_escaped(self._headline())}</p>{table}"

    def _headline(self) -> str:
        if not self.problems:
            verdict = "nothing found"
        else:
            verdict = (
                f"{_counted(len(self.errors), 'error')}, "
                f"{_counted(len(self.warnings), 'warning')}, "
                f"{_counted(len(self.notes), 'note')}"
            )
        model = f" for {self.model}" if self.model else ""
        return f"dataset check{model}: {verdict}"

    def _of(self, severity: Severity) -> tuple[Problem, ...]:
        return tuple(p for p in self.problems if p.severity == severity)


def _line(problem: Problem) -> str:
    return f"  {_MARKS[problem.severity]} {problem}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _escaped(text: str) -> str:
    # Lone surrogates of an id cannot be sent to a notebook.
    return html.escape(text.encode("utf-8", "backslashreplace").decode())
