"""What a tuned model forgets, and how much of it is taken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

import embedtune as et
from embedtune.serving.linear import LinearMap
from embedtune.serving.static import StaticModel
from embedtune.tuning.candidates import Schedule
from embedtune.tuning.choose import OptimizeFor
from embedtune.tuning.encoder import Parameters
from embedtune.tuning.forgetting import FINE_SHARES, SHARES, Watched, trade_off
from embedtune.tuning.local_recipe import tune
from embedtune.tuning.material import gather
from embedtune.tuning.probes import Watch, general_probe
from embedtune.tuning.task import Plan

MakeTask = Callable[..., et.TuningDataset]


@attrs.frozen
class Falling:
    """A probe that loses in proportion to the share."""

    name: str
    loss: float
    queries: int = 10

    def measure(self, parameters: float) -> float:
        """Return what is left at a share."""
        return 0.8 - self.loss * parameters


PROBES = [Falling("own", 0.1), Falling("other", -0.1)]


@pytest.mark.parametrize(
    ("limit", "share"), [(None, 1.0), (0.2, 1.0), (0.051, 0.5), (0.0, 0.0)]
)
def test_share(limit: float | None, share: float) -> None:
    """The farthest model is taken at which no probe loses more than the limit."""
    watched = Watched(probes=lambda: PROBES, max_forgetting=limit)

    found = trade_off(watched, watched.shares, watched.shares)

    assert share == found.share
    assert [share] == [point.share for point in found.points if point.is_chosen]
    own, other = found.probes
    assert pytest.approx(-0.1 * share) == own.change
    assert pytest.approx(0.1 * share) == other.change
    assert min(own.change, other.change) == found.to_metrics()["worst_change"]


def test_no_gain_within_the_limit() -> None:
    """Where what keeps to the limit gains nothing, the base is kept."""
    watched = Watched(probes=lambda: PROBES, max_forgetting=0.051)
    gains = [share - 0.7 if share else 0.0 for share in watched.shares]

    assert 0 == trade_off(watched, watched.shares, gains).share


def test_shares() -> None:
    """A limit is kept in finer steps than a curve is shown in; both have both ends."""
    shown = Watched(probes=lambda: PROBES)

    assert (0.0, 0.25, 0.5, 0.75, 1.0) == shown.shares == SHARES
    assert FINE_SHARES == attrs.evolve(shown, max_forgetting=0.1).shares
    assert (11, 0.0, 1.0) == (len(FINE_SHARES), FINE_SHARES[0], FINE_SHARES[-1])


def test_wrong_settings(make_task: MakeTask) -> None:
    """Names and limits are checked at once, and all problems named."""
    probes = {"general": make_task(), "": make_task()}

    with pytest.raises(et.errors.ConfigurationError) as info:
        et.LocalTuner("runs", probes=probes, max_forgetting=-1.0)
    for words in ("'general'", "not empty", "'max_forgetting' must be a finite"):
        assert words in str(info.value)
    with pytest.raises(et.errors.ConfigurationError, match=r"\(got '1 %'\)"):
        et.LocalTuner("runs", max_forgetting="1 %")  # type: ignore[arg-type]
    with pytest.raises(et.errors.ConfigurationError, match="needs a probe"):
        et.LocalTuner("runs", general_probe=False, max_forgetting=0.1)


@pytest.mark.parametrize(
    ("probes", "got"),
    [("dataset", "TuningDataset"), ([], "list"), ({"mine": ["a"]}, "list for 'mine'")],
)
def test_probes_that_are_no_datasets(
    make_task: MakeTask, probes: Any, got: str
) -> None:
    """The message shows the shape that is wanted."""
    probes = make_task() if probes == "dataset" else probes

    with pytest.raises(TypeError, match=rf"as in .* \(got {got}\)"):
        et.LocalTuner("runs", probes=probes)


def test_wrong_labels(make_task: MakeTask) -> None:
    """A probe that cannot be measured is refused before a job begins."""
    broken = attrs.evolve(make_task(), train={}, test={"ghost": {"d0": 1, "x": 1}})
    empty = attrs.evolve(make_task(), train={}, test={})

    with pytest.raises(et.errors.DatasetIntegrityError, match="'ghost'"):
        Watch.of({"mine": broken}, has_general=False, max_forgetting=None)
    with pytest.raises(et.errors.DatasetIntegrityError, match="'mine' cannot be"):
        Watch.of({"mine": empty}, has_general=False, max_forgetting=None)


def test_general_probe() -> None:
    """It is small, and has a relevant document for each query."""
    probe = general_probe()

    assert (1000, 300) == (len(probe.corpus), len(probe.test))
    assert all(labels.keys() <= probe.corpus.keys() for labels in probe.test.values())


@pytest.mark.parametrize("kind", ["local", "adapter"])
def test_job(kind: str, make_task: MakeTask, base_folder: Path, tmp_path: Path) -> None:
    """A job measures its probes, its model has the curve, and they agree."""
    dataset, probe = make_task(queries=120), make_task(seed=1)
    base, runs = et.LocalEmbedder(base_folder), tmp_path / "runs"
    probes = {"must not break": probe}
    if kind == "local":
        tuner = et.LocalTuner(runs, probes=probes, general_probe=False)
        spec = attrs.evolve(tuner.DEFAULTS, base_model=str(base_folder), train_steps=60)
        job = tuner.submit(dataset, spec)
    else:
        job = et.AdapterTuner(base, runs, probes=probes, progress=False).submit(dataset)
    model = job.result()
    labels = attrs.evolve(probe, train={}, test={**probe.train, **probe.test})
    before, after = (
        et.evaluate(embedder, labels)["nDCG@10"]
        for embedder in (base, model.embedder())
    )

    assert not model.is_base
    (score,) = model.probes
    assert pytest.approx(before, abs=1e-3) == score.base
    assert pytest.approx(after, abs=2e-2) == score.tuned
    assert list(SHARES) == [point.share for point in model.tradeoff]
    assert model.tradeoff[-1].is_chosen
    assert pytest.approx(model.metrics["score"] - model.metrics["base_score"]) == (
        model.tradeoff[-1].gain
    )
    assert score.tuned == job.metrics["probe must not break"]
    assert score.base == job.metrics["base_probe must not break"]


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "made again"])
def test_limit(
    kept: bool,
    make_task: MakeTask,
    base_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A limit that the tuned model breaks gives a model on the way, or the base."""
    if not kept:
        monkeypatch.setattr("embedtune.tuning.holdouts.KEPT_SIZE", 0)
    base = StaticModel.open(base_folder)
    material = gather(make_task(queries=120), base, np.random.default_rng(3))
    plan = Plan(
        schedule=Schedule(steps=40, batch_size=32, rate=1.0),
        optimize_for=OptimizeFor.ALL,
        seed=0,
    )

    def drift(parameters: Parameters) -> float:
        return float(np.abs(parameters.matrix - np.eye(24)).sum())

    whole = tune(material, plan, lambda _: None)
    assert whole.parameters
    watched = Watched(
        probes=lambda: [Drifting(drift(whole.parameters))], max_forgetting=0.55
    )

    outcome = tune(material, plan, lambda _: None, watched)

    assert 0.5 == outcome.metrics["share"]
    assert "50% of the way from the base is the farthest" in outcome.reason
    assert outcome.parameters
    assert pytest.approx(drift(whole.parameters) / 2, rel=1e-3) == (
        drift(outcome.parameters)
    )
    none = tune(material, plan, lambda _: None, attrs.evolve(watched, max_forgetting=0))
    assert none.parameters is None
    assert "the base is kept" in none.reason


@attrs.frozen
class Drifting:
    """A probe that loses as the matrix leaves the identity: 1 for the tuned one."""

    whole: float
    name: str = "drift"
    queries: int = 10

    def measure(self, parameters: Parameters) -> float:
        """Return what is left."""
        drift = np.abs(parameters.matrix - np.eye(24)).sum()
        return float(1 - drift / self.whole)


@pytest.mark.parametrize("factors", [0, 1, 2])
def test_shrunk_map(factors: int) -> None:
    """A share of a map is that share of the way from the identity."""
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(3, 4)).astype(np.float32)
    shapes = {0: [], 1: [(4, 4)], 2: [(4, 2), (4, 2)]}[factors]
    linear = LinearMap(
        factors=tuple(generator.normal(size=s).astype(np.float32) for s in shapes)
    )

    mixed = linear.shrunk(0.3).apply(rows)

    np.testing.assert_allclose(
        0.7 * rows + 0.3 * linear.apply(rows), mixed, rtol=1e-4, atol=1e-5
    )
