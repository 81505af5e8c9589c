"""Base against tuned."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import numpy as np
import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.errors import ConfigurationError
from embedtune.evaluation.comparison import Comparison, compare
from embedtune.evaluation.evaluate import evaluate
from embedtune.evaluation.groups import seen_and_unseen
from embedtune.evaluation.report import EvaluationReport
from embedtune.evaluation.verdict import Outcome
from embedtune.serving.local import LocalEmbedder

ReportOf = Callable[..., EvaluationReport]


@pytest.fixture
def mixed(report_of: ReportOf) -> tuple[EvaluationReport, EvaluationReport]:
    """Return two reports of which the second wins 30, loses 5 and ties 25."""
    base = report_of([2] * 30 + [1] * 5 + [3] * 25, name="old")
    tuned = report_of([1] * 30 + [2] * 5 + [3] * 25, name="new")
    return base, tuned


def test_differences(mixed: tuple[EvaluationReport, EvaluationReport]) -> None:
    """Means, difference, wins, losses and ties are those of the queries."""
    found = compare(*mixed)["MRR@10"]

    assert ("RR@10", 30, 5, 25) == (found.measure, found.wins, found.losses, found.ties)
    assert 60 == found.queries
    assert pytest.approx((30 * 0.5 + 5 + 25 / 3) / 60) == found.base
    assert pytest.approx(25 * 0.5 / 60) == found.difference
    assert found.interval.low < found.difference < found.interval.high
    assert found.p_value < 0.01


def test_per_query(mixed: tuple[EvaluationReport, EvaluationReport]) -> None:
    """The difference of each query is kept."""
    changes = compare(*mixed).per_query["RR@10"]

    assert [0.5, -0.5, 0.0] == [changes[key] for key in ("q0", "q30", "q40")]
    assert 60 == len(changes)


def test_both_ways(mixed: tuple[EvaluationReport, EvaluationReport]) -> None:
    """Swapping the sides mirrors everything and turns the verdict around."""
    there = compare(*mixed)
    back = compare(*reversed(mixed))

    assert pytest.approx(-there["RR@10"].difference) == back["RR@10"].difference
    assert pytest.approx(-there["RR@10"].interval.low) == back["RR@10"].interval.high
    assert there["RR@10"].p_value == back["RR@10"].p_value
    assert Outcome.BETTER is there.verdict("RR@10").outcome
    assert Outcome.WORSE is back.verdict("RR@10").outcome
    assert there.verdict("RR@10").is_better
    assert back.verdict("RR@10").is_worse
    assert "rose by 0.2083" in there.verdict("RR@10").reason
    assert "is above 0" in str(there.verdict("RR@10"))
    assert "fell by 0.2083" in back.verdict("RR@10").reason
    assert "is below 0" in back.verdict("RR@10").reason


def test_undecided(report_of: ReportOf) -> None:
    """A small change among few queries decides nothing, and says why."""
    base = report_of([1, 2, 3, 1, 2, 3])
    tuned = report_of([2, 1, 3, 1, 2, 1])

    verdict = compare(base, tuned).verdict("RR@10")

    assert Outcome.UNDECIDED is verdict.outcome
    assert not verdict.is_better
    assert not verdict.is_worse
    assert "holds 0, with 6 queries" in verdict.reason


def test_few_queries_never_decide(report_of: ReportOf) -> None:
    """Three wins of three are an interval above 0, and still no proof."""
    comparison = compare(report_of([2, 3, 4]), report_of([1, 1, 1]))

    assert comparison["RR@10"].interval.low > 0
    assert Outcome.UNDECIDED is comparison.verdict("RR@10").outcome
    assert "chance alone makes this much" in comparison.verdict("RR@10").reason


def test_no_change(report_of: ReportOf) -> None:
    """Equal reports tie everywhere; changes that cancel out leave the mean."""
    same = compare(report_of([1, 2, 3]), report_of([1, 2, 3])).verdict("RR@10")
    cancelled = compare(report_of([1, 2, 3]), report_of([2, 1, 3])).verdict("RR@10")

    assert "RR@10 is the same for each of 3 queries" == same.reason
    assert "the mean RR@10 did not change" in cancelled.reason
    assert {Outcome.UNDECIDED} == {same.outcome, cancelled.outcome}


def test_seeds_and_settings(mixed: tuple[EvaluationReport, EvaluationReport]) -> None:
    """Equal seeds give equal comparisons; the settings reach the intervals."""
    first = compare(*mixed, seed=1, resamples=500, confidence=0.5)

    assert first == compare(*mixed, seed=1, resamples=500, confidence=0.5)
    assert hash(first) == hash(compare(*mixed))
    assert first["RR@10"].interval != compare(*mixed, seed=1)["RR@10"].interval
    assert 0.5 == first["RR@10"].interval.confidence
    assert (500, 0.5, 1) == (first.resamples, first.confidence, first.seed)


def test_groups(mixed: tuple[EvaluationReport, EvaluationReport]) -> None:
    """A group is the comparison of its queries alone; empty ones are left out."""
    groups = {"won": [f"q{i}" for i in range(30)], "none": []}

    comparison = compare(*mixed, groups=groups, seed=4)

    assert ["won"] == list(comparison.groups)
    assert 30 == comparison.groups["won"]["RR@10"].wins
    assert comparison.subset(groups["won"]) == comparison.groups["won"]
    assert 0.5 == comparison.groups["won"]["RR@10"].difference


def test_groups_of_unknown_queries(
    mixed: tuple[EvaluationReport, EvaluationReport],
) -> None:
    """A group that names what was not measured is refused."""
    with pytest.raises(
        ConfigurationError,
        match=r"^group 'typo' names 1 query that was not measured: 'ghost'$",
    ):
        compare(*mixed, groups={"right": ["q1"], "typo": ["q1", "ghost"]})
    with pytest.raises(
        ConfigurationError, match=r"'b' names 9 .*: 'g0', .*'g4', \.{3}"
    ):
        compare(*mixed, groups={"b": [f"g{i}" for i in range(9)]})
    with pytest.raises(TypeError, match=r"group 'one' must be several .*'q1'\)"):
        compare(*mixed, groups={"one": "q1"})


def test_order_does_not_matter(
    mixed: tuple[EvaluationReport, EvaluationReport],
) -> None:
    """Queries are matched by id, not by place."""
    base, tuned = mixed
    shuffled = tuned.subset(reversed(tuned.query_ids))

    assert compare(base, tuned).differences == compare(base, shuffled).differences


def test_measures_in_common(dataset: TuningDataset, embedder: LocalEmbedder) -> None:
    """What both measured is compared, under any name; nothing in common is an error."""
    base = evaluate(embedder, dataset, measures=("nDCG@10", "R@1", "AP"))
    tuned = evaluate(embedder, dataset, measures=("AP", "RR", "nDCG@10"))
    other = evaluate(embedder, dataset, measures="P@1")

    comparison = compare(base, tuned)

    assert ("nDCG@10", "AP") == comparison.measures
    assert base.query_ids == comparison.query_ids
    with pytest.raises(KeyError, match="'RR' was not compared, only 'nDCG@10', 'AP'"):
        comparison["RR"]
    with pytest.raises(ConfigurationError, match="no measure in common"):
        compare(base, other)


def test_everything_that_differs_is_named(report_of: ReportOf) -> None:
    """Reports of other data cannot be compared; the error says what differs."""
    base = report_of([1, 2])
    tuned = attrs.evolve(
        report_of([1, 2, 3]).subset(["q0", "q2"]),
        dataset_fingerprint="f00",
        split="validation",
    )

    with pytest.raises(
        ConfigurationError,
        match=r"the dataset \('' and 'f00'\), the split \('' and 'validation'\), "
        r"the queries \(1 only in base, 1 only in tuned\)",
    ):
        compare(base, tuned)


def test_fingerprints_are_cut(report_of: ReportOf) -> None:
    """Sixteen digits of a fingerprint are shown, as everywhere."""
    base, tuned = (
        attrs.evolve(report_of([1]), dataset_fingerprint=digit * 64) for digit in "ab"
    )

    with pytest.raises(
        ConfigurationError, match=r"the dataset \('a{16}' and 'b{16}'\);"
    ):
        compare(base, tuned)


def test_other_labels_are_other_datasets(
    dataset: TuningDataset, embedder: LocalEmbedder
) -> None:
    """A dataset with one label changed is not the same dataset."""
    changed = attrs.evolve(dataset, test={**dataset.test, "q1": {"d1": 1}})

    with pytest.raises(ConfigurationError, match="differ in the dataset"):
        compare(evaluate(embedder, dataset), evaluate(embedder, changed))


def test_text(mixed: tuple[EvaluationReport, EvaluationReport]) -> None:
    """A comparison prints its table, groups included, and the verdicts."""
    comparison = compare(*mixed, groups={"won": ["q0", "q1"]})
    lines = str(comparison).splitlines()

    assert "new (tuned) against old (base): 60 queries" == lines[0]
    assert 1 + 1 + 6 + 2 == len(lines)
    assert lines[4].startswith("all (60)")
    assert "30/5/25" in lines[4]
    assert lines[5].startswith("won (2)")
    assert lines[-2].startswith("better: nDCG@10 rose")
    assert lines[-1].startswith("won: undecided: ")
    assert str(comparison) == repr(comparison)


def test_notebook(mixed: tuple[EvaluationReport, EvaluationReport]) -> None:
    """The notebook shows the same table, with names escaped."""
    base, tuned = mixed
    evil = attrs.evolve(tuned, embedder="<script>x</script>")

    shown = compare(base, evil)._repr_html_()

    assert "&lt;script&gt;x&lt;/script&gt; (tuned) against old" in shown
    assert "<script" not in shown
    assert "<td>30/5/25</td>" in shown


def test_rounding_is_no_win(report_of: ReportOf) -> None:
    """A value that differs by rounding alone is a tie."""
    base = report_of([3, 3])
    tuned = attrs.evolve(base, values=base.values + np.array([1e-13, -1e-13]))

    found = compare(base, tuned)["RR@10"]

    assert (0, 0, 2) == (found.wins, found.losses, found.ties)


@pytest.fixture
def same_model(dataset: TuningDataset, embedder: LocalEmbedder) -> Comparison:
    """Return the comparison of the bundled model with itself."""
    report = evaluate(embedder, dataset)
    groups = seen_and_unseen(dataset)

    return compare(report, evaluate(LocalEmbedder(), dataset), groups=groups)


def test_the_base_given_back(same_model: Comparison) -> None:
    """One model on both sides is told as such, and not as the outcome of a test."""
    verdict = same_model.verdict("nDCG@10")
    lines = str(same_model).splitlines()
    group = same_model.groups["unseen"].verdict("nDCG@10")

    assert same_model.is_same_model
    assert Outcome.UNDECIDED is verdict.outcome
    assert verdict.reason.startswith("base and tuned are the same model, wordllama-256")
    assert verdict == group
    assert f"no test: {verdict.reason}" == lines[-1]
    assert "undecided" not in str(same_model)
    assert ">no test: base and tuned are the same" in same_model._repr_html_()


def test_equal_values_of_two_models(same_model: Comparison) -> None:
    """Another fingerprint, of documents or queries, is another model; none is unknown."""
    base = same_model.base
    for name in ("fingerprint", "query_fingerprint", "embedder"):
        other = compare(base, attrs.evolve(base, **{name: "another"}))

        assert not other.is_same_model
        assert "undecided: nDCG@10 is the same for each" in str(other)
    unknown = attrs.evolve(base, fingerprint="", query_fingerprint="")
    assert not compare(unknown, unknown).is_same_model


def test_one_model_that_measured_differently(same_model: Comparison) -> None:
    """Where values differ, the test is shown, whatever the fingerprints say."""
    base = same_model.base
    comparison = compare(attrs.evolve(base, values=base.values * 0.5), base)

    assert comparison.is_same_model
    assert comparison.verdict("nDCG@10").is_better
    assert "better: nDCG@10 rose" in str(comparison)


def test_what_is_no_report(report_of: ReportOf, embedder: LocalEmbedder) -> None:
    """An embedder, or groups without names, are refused by what they are."""
    report = report_of([1])
    with pytest.raises(
        TypeError, match=r"'tuned' must be an EvaluationReport \(got LocalEmbedder\)"
    ):
        compare(report, embedder)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"by the group's name \(got list\)"):
        compare(report, report, groups=[("one", ["q0"])])  # type: ignore[arg-type]
