"""Several candidates against one base."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import numpy as np
import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.errors import ConfigurationError
from embedtune.evaluation.candidates import compare_all
from embedtune.evaluation.comparison import compare
from embedtune.evaluation.correction import holm
from embedtune.evaluation.evaluate import evaluate
from embedtune.evaluation.report import EvaluationReport
from embedtune.evaluation.verdict import Outcome
from embedtune.serving.local import LocalEmbedder

ReportOf = Callable[..., EvaluationReport]


def test_holm() -> None:
    """The smallest p counts as often as there are tests, the next once less."""
    corrected = holm({"a": 0.04, "b": 0.001, "c": 0.03, "d": 0.6})

    assert ["a", "b", "c", "d"] == list(corrected)
    assert pytest.approx([0.09, 0.004, 0.09, 0.6]) == list(corrected.values())
    assert {"x": 0.7, "y": 1.0, "z": 1.0} == pytest.approx(
        holm({"y": 0.9, "z": 0.9, "x": 0.7 / 3})
    )
    assert {} == holm({})


@pytest.fixture
def reports(report_of: ReportOf) -> dict[str, EvaluationReport]:
    """Return a base, and candidates of which two are better, by 8 and by 20 queries."""
    ranks = {"base": [2] * 40, "same": [2] * 40, "worse": [3] * 40}
    ranks |= {"good": [1] * 7 + [2] * 33, "best": [1] * 20 + [2] * 20}
    return {name: report_of(row, name=name) for name, row in ranks.items()}


def test_verdicts_use_corrected_p_values(reports: dict[str, EvaluationReport]) -> None:
    """What is better alone need not be so as one of several, and the reason says why."""
    base = reports.pop("base")
    alone = compare(base, reports["good"])
    noisy = attrs.evolve(reports["good"], embedder="noisy")
    found = compare_all(base, {**reports, "noisy": noisy}, "RR@10")

    assert alone.verdict("RR@10").is_better
    assert alone.differences == found["good"].differences
    p_value = alone["RR@10"].p_value
    assert pytest.approx(3 * p_value) == found.p_values["good"]
    expected = Outcome.BETTER if 3 * p_value < 0.05 else Outcome.UNDECIDED
    assert expected is found.verdict("good").outcome
    assert found.verdict("best").is_better
    assert found.verdict("worse").is_worse
    assert ", corrected for 5 candidates)" in found.verdict("best").reason
    assert "is the same for each" in found.verdict("same").reason


def test_undecided_by_correction(reports: dict[str, EvaluationReport]) -> None:
    """An interval above 0 is no proof if chance had many candidates to try."""
    base, good = reports["base"], reports["good"]
    many = {f"c{n}": good for n in range(8)}
    found = compare_all(base, many)

    assert found["c0"]["RR@10"].interval.low > 0
    assert Outcome.UNDECIDED is found.verdict("c0").outcome
    assert (
        "of the cases, corrected for 8 candidates, with" in found.verdict("c0").reason
    )
    assert found.best() is None
    assert str(found).endswith("best: none is surely better than the base")


def test_best(reports: dict[str, EvaluationReport]) -> None:
    """The best has the largest mean of those that are surely better."""
    base = reports.pop("base")
    found = compare_all(base, reports, "RR@10")

    assert "best" == found.best()
    assert "RR@10" == found.measure
    assert hash(found) == hash(compare_all(base, reports, "RR@10"))
    assert found == compare_all(base, reports, "MRR@10")
    assert "nDCG@10" == compare_all(base, reports).measure


def test_text_and_notebook(reports: dict[str, EvaluationReport]) -> None:
    """The table has a row for each candidate, and names are escaped."""
    base = reports.pop("base")
    found = compare_all(base, {"<b>": reports["best"], **reports}, "RR@10")
    lines = str(found).splitlines()

    assert "5 candidates against base (base), by RR@10: 40 queries" == lines[0]
    assert 1 + 1 + 5 + 1 == len(lines)
    assert lines[1].split()[0] == "candidate"
    assert lines[2].split()[-1] == "better"
    assert lines[-1].startswith("best: <b>; RR@10 rose by 0.2500")
    assert repr(found) == str(found)
    assert "<b>" not in found._repr_html_()
    assert "&lt;b&gt;" in found._repr_html_()


def test_a_candidate_that_is_the_base(
    dataset: TuningDataset, embedder: LocalEmbedder
) -> None:
    """A tuner that gave the base back is told as such."""
    base = evaluate(embedder, dataset)
    found = compare_all(base, {"tuned": base}, groups={"some": base.query_ids[:3]})

    assert "base and tuned are the same model" in found.verdict("tuned").reason
    assert "on the test split" in str(found).splitlines()[0]
    assert ["some"] == list(found["tuned"].groups)


def test_refusals(reports: dict[str, EvaluationReport], report_of: ReportOf) -> None:
    """No candidate, other queries, and a measure that one lacks are refused."""
    base = reports.pop("base")
    with pytest.raises(ConfigurationError, match="'candidates' must name at least one"):
        compare_all(base, {})
    with pytest.raises(
        ConfigurationError, match="base and the candidate 'other' differ in the queries"
    ):
        compare_all(base, {"good": reports["good"], "other": report_of([1])})
    with pytest.raises(KeyError, match="'P@5' was not compared"):
        compare_all(base, reports, "P@5")
    with pytest.raises(TypeError, match=r"must be reports by name \(got list\)"):
        compare_all(base, [base])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="'wrong' must be an EvaluationReport"):
        compare_all(base, {"wrong": None})  # type: ignore[dict-item]


def test_a_candidate_that_is_not_there(reports: dict[str, EvaluationReport]) -> None:
    """The message names those that are."""
    found = compare_all(reports["base"], {"good": reports["good"]})

    with pytest.raises(KeyError, match="no candidate 'god', only 'good'"):
        found["god"]
    with pytest.raises(KeyError, match="no candidate 'god', only 'good'"):
        found.verdict("god")


def test_family_is_rarely_wrong(report_of: ReportOf) -> None:
    """Among five candidates that are no better, one passes in at most 5 % of cases."""
    rng = np.random.default_rng(0)
    base = report_of([1] * 40)
    wrong = 0
    for seed in range(60):
        noise = rng.normal(0, 0.2, (5, *base.values.shape))
        candidates = {
            f"c{n}": attrs.evolve(base, values=base.values + part)
            for n, part in enumerate(noise)
        }
        found = compare_all(base, candidates, "RR@10", resamples=300, seed=seed)
        wrong += found.best() is not None

    assert wrong / 60 <= 0.05
