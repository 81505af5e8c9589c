"""What a release is held to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import pytest

from embedtune.errors import ConfigurationError, NotBetterError
from embedtune.evaluation.comparison import Comparison, compare
from embedtune.evaluation.report import EvaluationReport
from embedtune.evaluation.verdict import Outcome

ReportOf = Callable[..., EvaluationReport]


@pytest.fixture
def gain(report_of: ReportOf) -> Comparison:
    """Return a gain of 0.19 in which the last ten of 110 queries lose."""
    base = report_of([2] * 50 + [3] * 50 + [1] * 10, name="old")
    tuned = report_of([1] * 50 + [3] * 50 + [2] * 10, name="new")
    groups = {
        "gained": [f"q{i}" for i in range(50)],
        "lost": [f"q{i}" for i in range(100, 110)],
        "few": ["q100", "q101"],
        "none": [],
    }
    return compare(base, tuned, groups=groups)


def test_a_gain_has_to_exceed_what_is_asked(gain: Comparison) -> None:
    """The whole interval must be above the least gain; else the reason names both."""
    assert 0.18 < gain["RR@10"].difference < 0.19
    assert gain.verdict("RR@10", min_gain=0.1).is_better
    assert "is above 0.1 (p = 0.01" in gain.verdict("RR@10", min_gain=0.1).reason
    refused = gain.verdict("RR@10", min_gain=0.15)
    assert Outcome.UNDECIDED is refused.outcome
    assert "is not all above the 0.15 asked for, with 110 queries" in refused.reason
    detectable = gain["RR@10"].detectable
    assert detectable is not None
    assert f"shown a gain of {0.15 + detectable:.4f} or more" in refused.reason


def test_a_loss_is_worse_whatever_gain_is_asked(report_of: ReportOf) -> None:
    """Asking for a gain does not hide a loss, nor that nothing changed."""
    good, bad = report_of([1] * 60), report_of([2] * 60)
    loss = compare(good, bad).verdict("RR@10", min_gain=0.1)
    same = compare(good, report_of([1] * 60)).verdict("RR@10", min_gain=0.1)

    assert loss.is_worse
    assert "RR@10 is the same for each of 60 queries" == same.reason


def test_few_queries_do_not_reach_a_gain(report_of: ReportOf) -> None:
    """The randomisation test is put to the gain asked for, not to 0."""
    comparison = compare(report_of([2, 3, 4]), report_of([1, 1, 1]))
    verdict = comparison.verdict("RR@10", min_gain=0.01)

    assert comparison["RR@10"].interval.low > 0.01
    assert Outcome.UNDECIDED is verdict.outcome
    assert "is above 0.01, but chance alone makes this much in p = " in verdict.reason
    assert "3 queries, too few to show any difference" in verdict.reason


@pytest.mark.parametrize(
    "min_gain", [-0.1, float("nan"), float("inf"), "0.1", None, "high"]
)
def test_impossible_gains(gain: Comparison, min_gain: Any) -> None:
    """A least gain below 0, or that is no number, is refused."""
    with pytest.raises(ValueError, match="'min_gain' must be a number >= 0"):
        gain.verdict("RR@10", min_gain=min_gain)


def test_a_group_that_is_worse(gain: Comparison) -> None:
    """A sure loss of a group that was named makes the whole worse, with both reasons."""
    assert gain.verdict("RR@10").is_better
    assert gain.verdict("RR@10", groups=["gained", "few"]).is_better
    verdict = gain.verdict("RR@10", groups=("gained", "lost"))

    assert verdict.is_worse
    assert verdict.reason.startswith("in group 'lost' (10 queries) RR@10 fell by 0.5")
    assert ", corrected for 2 groups)" in verdict.reason
    assert "; over all queries: better: RR@10 rose by 0.18" in verdict.reason
    assert verdict == gain.verdict("RR@10", groups=iter(["gained", "lost"]))
    assert "corrected" not in gain.verdict("RR@10", groups="lost").reason


def test_many_groups_need_a_stronger_sign(report_of: ReportOf) -> None:
    """Seven losses of seven are worse alone, and undecided as one of five groups."""
    base, tuned = report_of([1] * 7 + [2] * 40), report_of([2] * 7 + [1] * 40)
    groups = {"lost": [f"q{i}" for i in range(7)]} | {
        f"g{n}": [f"q{i}" for i in range(7 + 10 * n, 13 + 10 * n)] for n in range(4)
    }
    comparison = compare(base, tuned, groups=groups)

    assert comparison.verdict("RR@10", groups=["lost"]).is_worse
    assert comparison.verdict("RR@10", groups=list(groups)).is_better


def test_unknown_groups(gain: Comparison, report_of: ReportOf) -> None:
    """A group that was not compared cannot pass in silence."""
    with pytest.raises(
        ConfigurationError, match=r"no group 'ghost', only 'gained', 'lost', 'few'; "
    ):
        gain.verdict("RR@10", groups=["lost", "ghost"])
    with pytest.raises(ConfigurationError, match=r"'none', only .* a group without"):
        gain.require_better(groups="none")
    with pytest.raises(ConfigurationError, match="'any', nor any other"):
        compare(report_of([1]), report_of([1])).verdict("RR@10", groups="any")


def test_require_better(gain: Comparison) -> None:
    """What is better passes with its verdict; the first measure counts if none is named."""
    verdict = gain.require_better("MRR@10", min_gain=0.05, groups=["gained"])

    assert verdict == gain.verdict("RR@10", min_gain=0.05)
    assert "nDCG@10" == gain.require_better().measure


def test_not_better(gain: Comparison) -> None:
    """Whatever is not surely better raises, with the verdict and its reason."""
    with pytest.raises(
        NotBetterError, match=r"^'new' is not surely better: undecided: "
    ):
        gain.require_better("RR@10", min_gain=0.15)
    with pytest.raises(NotBetterError, match="worse: in group 'lost'") as info:
        gain.require_better("RR@10", groups=["lost"])
    with pytest.raises(NotBetterError, match="'old' is not surely better: worse: "):
        compare(gain.tuned, gain.base).require_better()

    assert gain.verdict("RR@10", groups="lost") == info.value.verdict


def test_smallest_difference(report_of: ReportOf) -> None:
    """A true difference of that size is found in about 80 % of test sets as large."""
    rng = np.random.default_rng(0)
    deviation, queries, experiments = 0.2, 60, 150
    first = compare(report_of([1] * 60), report_of([1, 2] * 30))["RR@10"]
    size = (1.95996 + 0.84162) * first.deviation / np.sqrt(60)
    assert pytest.approx(size, abs=1e-5) == first.detectable

    true = (1.95996 + 0.84162) * deviation / np.sqrt(queries)
    base = report_of([1] * queries)
    found = 0
    for seed in range(experiments):
        change = rng.normal(true, deviation, (len(base.measures), queries))
        tuned = attrs.evolve(base, values=base.values + change)
        found += (
            compare(base, tuned, resamples=400, seed=seed).verdict("RR@10").is_better
        )

    assert 0.7 <= found / experiments <= 0.9


def test_no_smallest_difference(report_of: ReportOf) -> None:
    """Where nothing differs, or too few queries could, there is none."""
    same = compare(report_of([1] * 9), report_of([1] * 9))["RR@10"]
    equal_gain = compare(report_of([2] * 9), report_of([1] * 9))["RR@10"]
    few = compare(report_of([2, 1, 3, 1, 1]), report_of([1] * 5))["RR@10"]
    enough = compare(report_of([2, 1, 3, 1, 1, 2]), report_of([1] * 6))["RR@10"]
    one = compare(report_of([2]), report_of([1]))["RR@10"]

    assert [None] * 4 == [f.detectable for f in (same, equal_gain, few, one)]
    assert [0.0] * 3 == [f.deviation for f in (same, equal_gain, one)]
    assert enough.detectable is not None


def test_undecided_says_what_could_have_been_shown(report_of: ReportOf) -> None:
    """The reason and the table of an undecided comparison have the same number."""
    comparison = compare(report_of([1, 2] * 20), report_of([2, 1] * 19 + [1, 1]))
    size = f"{comparison['RR@10'].detectable:.4f}"
    reason = comparison.verdict("RR@10").reason

    assert reason.endswith(
        f"this test set could have shown a difference of {size} or more"
    )
    assert size in str(comparison).splitlines()[4].split()
