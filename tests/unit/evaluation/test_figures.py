"""The plots of a comparison as matplotlib figures."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.errors import ConfigurationError
from embedtune.evaluation.comparison import Comparison, compare
from embedtune.evaluation.evaluate import evaluate
from embedtune.evaluation.external import evaluate_run
from embedtune.evaluation.tradeoff import TradeoffPoint
from embedtune.serving.local import LocalEmbedder

HISTORY = [
    {"step": 1, "loss": 2.0, "score": 0.3},
    {"step": 2, "loss": 1.0, "score": 0.4},
    {"step": 1, "loss": 1.5},
]
POINTS = [
    TradeoffPoint(share=0, gain=0, changes={"_$a": 0.0}),
    TradeoffPoint(share=0.5, gain=0.1, changes={"_$a": -0.1}, is_chosen=True),
]


@pytest.fixture
def comparison(dataset: TuningDataset, embedder: LocalEmbedder) -> Comparison:
    """Return a comparison in which two queries lose, with a name full of dollars."""
    base = evaluate(embedder, dataset)
    run = {**base.run.to_mapping(), "q1": {"d0": 1.0}, "q2": {"d0": 1.0}}
    tuned = evaluate_run(run, dataset)
    return compare(base, tuned, groups={"_$x$": ["q1", "q2"]}, resamples=50)


def test_every_kind_is_drawn(comparison: Comparison, dataset: TuningDataset) -> None:
    """Each plot shows itself as a picture, without warnings."""
    pytest.importorskip("matplotlib")
    plots = {
        "intervals": comparison.plot(),
        "queries": comparison.plot("queries", measure="R@10"),
        "margins": comparison.plot("margins", dataset=dataset),
        "learning": comparison.plot("learning", history=HISTORY),
        "losses": comparison.plot("learning", history=[{"step": 1, "loss": 1.0}]),
        "tradeoff": comparison.plot("tradeoff", tradeoff=POINTS),
        "unchosen": comparison.plot("tradeoff", tradeoff=[POINTS[0], _end()]),
    }

    sizes = {}
    for name, plot in plots.items():
        png = plot._repr_png_()
        sizes[name] = struct.unpack(">II", png[16:24])
    assert {840} == {width for width, _ in sizes.values()}
    assert sizes["learning"][1] > sizes["losses"][1] > 300


def test_what_is_drawn(comparison: Comparison, dataset: TuningDataset) -> None:
    """Axes carry the measure and the groups, and as many queries as there are."""
    pytest.importorskip("matplotlib")
    (axes,) = comparison.plot().axes
    labels = [label.get_text() for label in axes.get_yticklabels()]
    margins = comparison.plot("margins", dataset=dataset)

    assert "all: nDCG@10" == labels[0]
    assert r" _\$x\$: nDCG@10" == labels[3]
    assert "95 %" in axes.get_xlabel()
    (axes,) = comparison.plot("queries", measure="R@10").axes
    assert "R@10, tuned minus base" == axes.get_ylabel()
    assert "2 not found" in margins.axes[1].get_title()


def test_what_a_plot_needs(comparison: Comparison, dataset: TuningDataset) -> None:
    """A plot without its data, or of no kind, is refused before anything is drawn."""
    with pytest.raises(ConfigurationError, match="'margins' needs 'dataset'"):
        comparison.plot("margins")
    with pytest.raises(ConfigurationError, match="'learning' needs 'history'"):
        comparison.plot("learning", dataset=dataset)
    with pytest.raises(ConfigurationError, match="'tradeoff' needs 'tradeoff'"):
        comparison.plot("tradeoff")
    with pytest.raises(ConfigurationError, match=r"'kind' must be one of .*'pie'"):
        comparison.plot("pie")  # type: ignore[arg-type]


def test_without_matplotlib(tmp_path: Path) -> None:
    """The report needs no matplotlib; a figure says what to install."""
    script = (
        "import sys\n"
        "sys.modules['matplotlib'] = None\n"  # as if it were not there
        "import embedtune as et\n"
        "run = {'q': {'d': 1.0}}\n"
        "report = et.evaluate_run(run, {'q': {'d': 1}})\n"
        "comparison = et.compare(report, report)\n"
        f"comparison.to_html({str(tmp_path / 'r.html')!r})\n"
        "comparison._repr_html_()\n"
        "try:\n"
        "    comparison.plot()\n"
        "except et.errors.MissingDependencyError as error:\n"
        "    print(error)\n"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    ).stdout

    assert (
        "'matplotlib' is not installed; run: pip install 'embedtune[plots]'\n" == shown
    )


def _end() -> TradeoffPoint:
    return TradeoffPoint(share=1, gain=0.1, changes={"_$a": 0.2})
