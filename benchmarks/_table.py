"""The results as Markdown: every method against its base, ours against LlamaIndex."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev

import numpy as np
from _measured import ALL, MEASURES, Result
from _methods import LLAMAINDEX, LLAMAINDEX_BEST, Method

from embedtune.evaluation.bootstrap import Interval, paired_interval

GROUPS = (ALL, "seen", "unseen")
_FIRST = MEASURES[0]


@dataclass(frozen=True)
class Pooled:
    """The difference of two methods over all seeds.

    A query that several seeds test counts once, with the mean of its values, so the
    interval is one over queries.
    """

    first: float
    second: float
    interval: Interval
    queries: int

    @property
    def difference(self) -> float:
        """How much the second is better."""
        return self.second - self.first

    @property
    def is_surely_worse(self) -> bool:
        """Whether the whole interval is below 0."""
        return self.interval.high < 0

    def __str__(self) -> str:
        """Return the difference with its interval."""
        low, high = self.interval.low, self.interval.high
        return f"{self.difference:+.4f} [{low:+.4f}, {high:+.4f}]"


def pooled(
    first: Sequence[Result], second: Sequence[Result], group: str
) -> Pooled | None:
    """Compare two methods by the seeds that both have; `None` if there is nothing."""
    pairs = [(a, b) for a in first for b in second if a.seed == b.seed]
    values: dict[str, list[tuple[float, float]]] = {}
    for a, b in pairs:
        for query_id in a.groups.get(group, ()):
            pair = (a.values[_FIRST][query_id], b.values[_FIRST][query_id])
            values.setdefault(query_id, []).append(pair)
    if not values:
        return None
    means = np.array([np.mean(of_query, axis=0) for of_query in values.values()])
    return Pooled(
        first=float(means[:, 0].mean()),
        second=float(means[:, 1].mean()),
        interval=paired_interval(means[:, 0], means[:, 1]),
        queries=len(values),
    )


class Results:
    """All results of a run."""

    def __init__(self, results: Iterable[Result], methods: dict[str, Method]) -> None:
        """Sort them by task and method."""
        self._methods = methods
        self._of: dict[tuple[str, str], list[Result]] = {}
        for result in results:
            self._of.setdefault((result.task, result.method), []).append(result)
        self._tasks = list(dict.fromkeys(task for task, _ in self._of))

    def to_markdown(self) -> str:
        """Return the three parts."""
        parts = [self._against_base(), self._against_llamaindex(), self._losses()]
        return "\n\n".join(part for part in parts if part)

    def surely_worse(self) -> list[str]:
        """Return where a method of ours is surely below its base."""
        found = []
        for task, method in self._ours():
            base = self._base(task, method)
            for group in GROUPS:
                change = pooled(base, self._of[task, method.name], group)
                if change is not None and change.is_surely_worse:
                    found.append(f"{task}, {method.name}, {group}: {change}")
        return found

    def _against_base(self) -> str:
        lines = _head(
            "task", "base", "method", "seeds", "train queries", "nDCG@10", "R@10", "gain",
            "gain, seen", "gain, unseen", "base kept", "seconds", "CPU seconds", "MB",
        )  # fmt: skip
        for task in self._tasks:
            shown = task
            for name in self._methods:
                if (task, name) in self._of:
                    lines.append(self._row(shown, task, self._methods[name]))
                    shown = ""
        return "\n".join(lines)

    def _row(self, shown: str, task: str, method: Method) -> str:
        rows = self._of[task, method.name]
        is_base = method.name == method.base
        base = [] if is_base else self._base(task, method)
        gains = [_shown(pooled(base, rows, group)) for group in GROUPS]
        means = [fmean(row.values[_FIRST].values()) for row in rows]
        spread = f" ± {pstdev(means):.4f}" if len(rows) > 1 else ""
        kept = sum(row.is_base for row in rows)
        seconds = fmean(row.seconds for row in rows)
        return _line(
            shown,
            method.base,
            method.title,
            f"{len(rows)}",
            f"{fmean(row.train_queries for row in rows):,.0f}" if not is_base else "",
            f"{fmean(means):.4f}{spread}",
            f"{fmean(fmean(row.values[MEASURES[1]].values()) for row in rows):.3f}",
            *gains,
            f"{kept} of {len(rows)}" if method.is_ours else "",
            f"{seconds:.1f}" if not is_base else _embedding(rows),
            f"{fmean(row.cpu_seconds for row in rows):.1f}" if not is_base else "",
            f"{max(row.megabytes for row in rows):,.0f}" if not is_base else "",
        )

    def _against_llamaindex(self) -> str:
        lines = _head(
            "task", "base", "ours", "ours - LlamaIndex default",
            "ours - LlamaIndex best", "seconds", "LlamaIndex default", "best",
        )  # fmt: skip
        start = len(lines)
        for task, method in self._ours():
            rivals = [
                self._of.get((task, names[method.base]), [])
                for names in (LLAMAINDEX, LLAMAINDEX_BEST)
            ]
            ours = self._of[task, method.name]
            if any(rivals):
                lines.append(
                    _line(
                        task,
                        method.base,
                        method.title,
                        *(_shown(pooled(rival, ours, ALL)) for rival in rivals),
                        *(_seconds(rows) for rows in (ours, *rivals)),
                    )
                )
        return "\n".join(lines) if len(lines) > start else ""

    def _losses(self) -> str:
        losses = self.surely_worse()
        if losses:
            return "Surely below its base:\n\n" + "\n".join(f"- {x}" for x in losses)
        return "No method of ours is surely below its base."

    def _ours(self) -> list[tuple[str, Method]]:
        return [
            (task, method)
            for task in self._tasks
            for name, method in self._methods.items()
            if method.is_ours and (task, name) in self._of
        ]

    def _base(self, task: str, method: Method) -> list[Result]:
        return self._of.get((task, method.base), [])


def _embedding(rows: Sequence[Result]) -> str:
    # Later seeds find most rows in the cache, so the first one tells the price.
    first = max(rows, key=lambda row: row.embedded)
    if not first.embedded:
        return ""
    return f"{first.embedding_seconds:.0f} for {first.embedded:,} texts"


def _seconds(rows: Sequence[Result]) -> str:
    return f"{fmean(row.seconds for row in rows):.1f}" if rows else ""


def _shown(change: Pooled | None) -> str:
    return "" if change is None else str(change)


def _head(*names: str) -> list[str]:
    return [_line(*names), f"|{'---|' * len(names)}"]


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
