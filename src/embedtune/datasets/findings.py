"""Collecting the places where a rule is broken, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.datasets.origin import Place
from embedtune.datasets.problems import shown
from embedtune.datasets.report import Problem, Severity

_EXAMPLES = 10


@attrs.frozen
class Rule:
    """A rule, and what to say when it is broken.

    Attributes:
        message: `{n}` stands for the count, other names for facts given later.
    """

    name: str
    severity: Severity
    message: str
    hint: str


class Finding:
    """The places where one rule is broken: how many, and the first few."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._examples: list[str] = []
        self.count = 0

    def add(self, place: Place | None, index: int, key: str) -> None:
        """Note the record at *index*, which has the id *key*."""
        self.count += 1
        if len(self._examples) < _EXAMPLES:
            self._examples.append(place_of(place, index, key))

    def add_example(self, example: str) -> None:
        """Note a place that has a description of its own."""
        self.count += 1
        if len(self._examples) < _EXAMPLES:
            self._examples.append(example)

    def problems(self, **facts: object) -> Iterator[Problem]:
        """Yield the problem, if the rule was broken at all."""
        if self.count:
            yield Problem(
                rule=self._rule.name,
                severity=self._rule.severity,
                message=self._rule.message.format(n=self.count, **facts),
                hint=self._rule.hint,
                count=self.count,
                examples=tuple(self._examples),
            )


def place_of(place: Place | None, index: int, key: str) -> str:
    """Return file, line and id, as far as they are known."""
    return shown(key) if place is None else f"{place[index]} ({shown(key)})"


def equal_runs(hashes: npt.NDArray[np.int64]) -> Iterator[list[int]]:
    """Yield the positions of each value that occurs more than once, ascending."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    same = np.flatnonzero(ordered[1:] == ordered[:-1])
    breaks = np.flatnonzero(np.diff(same) > 1) + 1
    for run in np.split(same, breaks) if same.size else []:
        yield order[run[0] : run[-1] + 2].tolist()
