"""What a release is held to: a least gain, and no harm to some groups of queries."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from numbers import Real

import attrs

from embedtune.errors import ConfigurationError
from embedtune.evaluation.correction import holm
from embedtune.evaluation.tables import queries
from embedtune.evaluation.verdict import Difference, Outcome, Verdict, judged


def check_gain(min_gain: float) -> None:
    """Refuse a least gain that is below 0 or no number.

    Raises:
        ValueError: If it is.
    """
    is_number = isinstance(min_gain, Real) and math.isfinite(min_gain)
    if not is_number or min_gain < 0:
        msg = f"'min_gain' must be a number >= 0 (got {min_gain!r})"
        raise ValueError(msg)


def named_groups(names: str | Iterable[str] | None, known: Iterable[str]) -> list[str]:
    """Return the groups asked for.

    Raises:
        ConfigurationError: If one is not known.
    """
    wanted = [names] if isinstance(names, str) else list(names or ())
    have = list(known)
    unknown = [name for name in wanted if name not in have]
    if unknown:
        shown = f"only {', '.join(map(repr, have))}" if have else "nor any other"
        msg = (
            f"the comparison has no group {', '.join(map(repr, unknown))}, {shown}; "
            "name one that it has, or give it to compare() with a query or more: a "
            "group without queries is left out"
        )
        raise ConfigurationError(msg)
    return wanted


def guarded(verdict: Verdict, groups: Mapping[str, Difference]) -> Verdict:
    """Return *verdict*, or that tuned is worse for at least one of *groups*.

    Their p-values are corrected for being several, by Holm's method.
    """
    corrected = holm({name: found.p_value for name, found in groups.items()})
    note = f", corrected for {len(groups)} groups" if len(groups) > 1 else ""
    found = {
        name: judged(group, p_value=corrected[name], note=note)
        for name, group in groups.items()
    }
    harmed = {name: each for name, each in found.items() if each.is_worse}
    if not harmed:
        return verdict
    parts = [
        f"in group {name!r} ({queries(groups[name].queries)}) {each.reason}"
        for name, each in harmed.items()
    ]
    reason = f"{'; '.join(parts)}; over all queries: {verdict}"
    return attrs.evolve(verdict, outcome=Outcome.WORSE, reason=reason)
