"""Whether two reports may be compared at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from embedtune.errors import ConfigurationError
from embedtune.evaluation.report import EvaluationReport
from embedtune.evaluation.tables import queries

_SHOWN = 16  # digits of a fingerprint: enough to tell two apart
_SHOWN_IDS = 5


def check_reports(reports: Mapping[str, Any]) -> None:
    """Refuse what is no report, for example the embedder itself.

    Raises:
        TypeError: If one is none; the message has its name.
    """
    for name, report in reports.items():
        if not isinstance(report, EvaluationReport):
            msg = (
                f"{name!r} must be an EvaluationReport (got {type(report).__name__});"
                " evaluate() makes one"
            )
            raise TypeError(msg)


def common_measures(base: EvaluationReport, *others: EvaluationReport) -> list[str]:
    """Return the measures that all have, in the order of *base*.

    Raises:
        ConfigurationError: If there is none.
    """
    common = [
        name for name in base.measures if all(name in each.measures for each in others)
    ]
    if not common:
        have = ", ".join(f"tuned has {each.measures!r}" for each in others)
        msg = (
            f"the reports have no measure in common: base has {base.measures!r}, {have}"
        )
        raise ConfigurationError(msg)
    return common


def check_same(
    base: EvaluationReport, tuned: EvaluationReport, which: str = "the reports"
) -> None:
    """Refuse reports that were not made on the same data.

    Args:
        base: One report.
        tuned: The other.
        which: What the message calls them.

    Raises:
        ConfigurationError: If dataset, split or queries differ; it names all that do.
    """
    problems = []
    first, second = base.dataset_fingerprint, tuned.dataset_fingerprint
    if first != second:
        shown = f"{first[:_SHOWN]!r} and {second[:_SHOWN]!r}"
        problems.append(f"the dataset ({shown})")
    if base.split != tuned.split:
        problems.append(f"the split ({base.split!r} and {tuned.split!r})")
    only_base = len(set(base.query_ids) - set(tuned.query_ids))
    only_tuned = len(set(tuned.query_ids) - set(base.query_ids))
    if only_base or only_tuned:
        problems.append(
            f"the queries ({only_base} only in base, {only_tuned} only in tuned)"
        )
    if problems:
        msg = (
            f"{which} differ in {', '.join(problems)}; evaluate both on the same "
            "dataset and split"
        )
        raise ConfigurationError(msg)


def is_same_model(base: EvaluationReport, tuned: EvaluationReport) -> bool:
    """Return whether both reports are known to be of one model."""
    return bool(base.fingerprint) and (
        (base.embedder, base.fingerprint, base.query_fingerprint)
        == (tuned.embedder, tuned.fingerprint, tuned.query_fingerprint)
    )


def checked_groups(
    base: EvaluationReport, groups: Mapping[str, Iterable[str]]
) -> dict[str, tuple[str, ...]]:
    """Return the query ids of each group that has any.

    Raises:
        TypeError: If *groups* are not by name, or a group is one string.
        ConfigurationError: If a group names a query that was not measured.
    """
    if not isinstance(groups, Mapping):
        msg = (
            "'groups' must be query ids by the group's name"
            f" (got {type(groups).__name__})"
        )
        raise TypeError(msg)
    known = set(base.query_ids)
    checked = {}
    for name, query_ids in groups.items():
        if isinstance(query_ids, str):
            msg = f"group {name!r} must be several query ids (got the string {query_ids!r})"
            raise TypeError(msg)
        ids = tuple(query_ids)
        unknown = [query_id for query_id in dict.fromkeys(ids) if query_id not in known]
        if unknown:
            shown = ", ".join(map(repr, unknown[:_SHOWN_IDS]))
            more = ", ..." if len(unknown) > _SHOWN_IDS else ""
            have = "was" if len(unknown) == 1 else "were"
            msg = (
                f"group {name!r} names {queries(len(unknown))} that {have} not measured:"
                f" {shown}{more}"
            )
            raise ConfigurationError(msg)
        if ids:
            checked[name] = ids
    return checked
