"""Whether two reports may be compared at all."""

from __future__ import annotations

from embedtune.errors import ConfigurationError
from embedtune.evaluation.report import EvaluationReport


def common_measures(base: EvaluationReport, tuned: EvaluationReport) -> list[str]:
    """Return the measures that both have, in the order of *base*.

    Raises:
        ConfigurationError: If there is none.
    """
    common = [name for name in base.measures if name in tuned.measures]
    if not common:
        msg = (
            f"the reports have no measure in common: base has {base.measures!r}, "
            f"tuned has {tuned.measures!r}"
        )
        raise ConfigurationError(msg)
    return common


def check_same(base: EvaluationReport, tuned: EvaluationReport) -> None:
    """Refuse reports that were not made on the same data.

    Raises:
        ConfigurationError: If dataset, split or queries differ; it names all that do.
    """
    problems = []
    first, second = base.dataset_fingerprint, tuned.dataset_fingerprint
    if first != second:
        problems.append(f"the dataset ({first!r} and {second!r})")
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
            f"the reports differ in {', '.join(problems)}; evaluate both on the same "
            "dataset and split"
        )
        raise ConfigurationError(msg)
