"""Reports as values."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import orjson
import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.errors import ConfigurationError, DataError
from embedtune.evaluation.bootstrap import mean_interval
from embedtune.evaluation.evaluate import evaluate
from embedtune.evaluation.external import evaluate_run
from embedtune.evaluation.report import EvaluationReport
from embedtune.serving.local import LocalEmbedder


@pytest.fixture
def report(dataset: TuningDataset, embedder: LocalEmbedder) -> EvaluationReport:
    """Return a real report."""
    return evaluate(embedder, dataset, measures=("nDCG@10", "R@1", "AP"))


def test_any_spelling(report: EvaluationReport) -> None:
    """A measure is found under each of its names."""
    assert report["nDCG@10"] == report["ndcg@10"] == report.means["nDCG@10"]
    assert "recall@1" in report
    assert "R@2" not in report
    assert "nonsense" not in report


def test_what_was_not_measured(report: EvaluationReport) -> None:
    """A missing measure is a KeyError, a name that means nothing a setting's error."""
    with pytest.raises(
        KeyError, match=r"'R@2' was not measured, only 'nDCG@10', 'R@1'"
    ):
        report["R@2"]
    with pytest.raises(ConfigurationError, match="there is no measure"):
        report["nonsense"]


def test_mean_and_interval_are_of_the_queries(report: EvaluationReport) -> None:
    """The mean is that of the values per query, and so is the interval."""
    values = list(report.per_query["nDCG@10"].values())

    assert pytest.approx(np.mean(values)) == report["nDCG@10"]
    assert mean_interval(values, confidence=0.8, seed=3) == report.interval(
        "ndcg@10", confidence=0.8, seed=3
    )


def test_subset(report: EvaluationReport) -> None:
    """A part holds the values, positives and hits of its queries, in the order asked."""
    part = report.subset(["r3", "q2", "r3"])

    assert ("r3", "q2") == part.query_ids
    assert [1, 2] == part.positives.tolist()
    assert report.run["r3"] == part.run["r3"]
    assert report.per_query["AP"]["q2"] == part.per_query["AP"]["q2"]
    assert (
        pytest.approx((part.per_query["AP"]["q2"] + part.per_query["AP"]["r3"]) / 2)
        == (part["AP"])
    )


def test_wrong_subsets(report: EvaluationReport) -> None:
    """Unknown queries are counted and named; no query is no report."""
    unknown = [f"x{i}" for i in range(7)]

    with pytest.raises(
        ConfigurationError, match=r"lacks 7 queries: 'x0', .*'x4', \.\.\."
    ):
        report.subset(["q2", *unknown])
    with pytest.raises(ConfigurationError, match="lacks 1 query: 'q0'"):
        report.subset(["q0"])
    with pytest.raises(ConfigurationError, match="at least one query"):
        report.subset([])


def test_json_round_trip(report: EvaluationReport) -> None:
    """Through JSON and back, nothing changes."""
    text = orjson.dumps(report.to_dict())

    again = EvaluationReport.from_dict(orjson.loads(text))

    assert report == again
    assert hash(report) == hash(again)
    assert report.per_query == again.per_query
    assert report.run.to_mapping() == again.run.to_mapping()


def test_json_of_uneven_runs() -> None:
    """Queries with fewer hits than others, or none, survive the round trip."""
    for run in ({"q1": {"a": 1.0, "b": 0.5}, "q2": {}}, {}):
        report = evaluate_run(run, {"q1": {"a": 1}, "q2": {"a": 1}})
        text = orjson.dumps(report.to_dict())

        assert report == EvaluationReport.from_dict(orjson.loads(text))


DAMAGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "no format": lambda data: data.pop("format"),
    "no values": lambda data: data.pop("values"),
    "no run": lambda data: data.pop("run"),
    "no split": lambda data: data.pop("split"),
    "a later format": lambda data: data.update(format="embedtune-evaluation-999"),
    "a measure short": lambda data: data["values"].pop(),
    "a value too many": lambda data: data["values"][0].append(1.0),
    "positives short": lambda data: data["positives"].pop(),
    "a row of hits short": lambda data: data["run"]["documents"].pop(),
    "a document short": lambda data: data["run"]["doc_ids"].pop(),
    "no query": lambda data: data.update(query_ids=[], values=[[]] * 3, positives=[]),
    "text for values": lambda data: data.update(values="text"),
    "nothing for run": lambda data: data.update(run=None),
}


@pytest.mark.parametrize("case", DAMAGES)
def test_damaged_json(report: EvaluationReport, case: str) -> None:
    """What is no whole report is refused as wrong data."""
    data = copy.deepcopy(report.to_dict())
    DAMAGES[case](data)

    with pytest.raises(DataError, match="evaluation report"):
        EvaluationReport.from_dict(data)


def test_text(report: EvaluationReport) -> None:
    """The report prints as a table with every measure and its interval."""
    lines = str(report).splitlines()

    assert "wordllama-256 on the test split: 10 queries, 12 documents" == lines[0]
    assert ["measure", "mean", "95", "%", "interval"] == lines[1].split()
    assert f"{report['AP']:.4f}" in lines[4]
    assert str(report.interval("AP")) in lines[4]
    assert 5 == len(lines)
    assert str(report) == repr(report)


def test_queries_without_positive_are_told() -> None:
    """The reader learns why a mean cannot reach 1."""
    report = evaluate_run({"q1": {"d": 1.0}}, {"q1": {"d": 1}, "q2": {"d": 0}})
    more = evaluate_run({}, {"q1": {"d": 0}, "q2": {"d": 0}})

    assert "1 query has no positive; " in str(report)
    assert "2 queries have no positive; " in str(more)
    assert "run: 2 queries, 1 document\n" in str(report)


def test_notebook(report: EvaluationReport) -> None:
    """The notebook shows the same, with names escaped."""
    shown = attrs.evolve(report, embedder="<img src=x>")._repr_html_()

    assert "&lt;img src=x&gt; on the test split" in shown
    assert "<img" not in shown
    assert f"<td>{report['AP']:.4f}</td>" in shown


def test_arrays_are_read_only(report: EvaluationReport) -> None:
    """A report is a value: nobody changes it by accident."""
    for array in (report.values, report.positives, report.of("AP")):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_empty_reports_cannot_be_made(report: EvaluationReport) -> None:
    """No queries, or values of another shape, are refused."""
    with pytest.raises(ValueError, match="at least one query"):
        attrs.evolve(report, query_ids=())
    with pytest.raises(ValueError, match="must fit"):
        attrs.evolve(report, values=np.zeros((1, 10)))
