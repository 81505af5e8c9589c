"""The recipe of the local tuner, on a task with a known structure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs
import numpy as np
import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.errors import ConfigurationError
from embedtune.evaluation.evaluate import evaluate
from embedtune.serving.local import LocalEmbedder
from embedtune.serving.static import StaticModel
from embedtune.tuning.choose import OptimizeFor
from embedtune.tuning.gradient import Schedule
from embedtune.tuning.learner import Candidate, Learner
from embedtune.tuning.local_recipe import Outcome, Plan, tune
from embedtune.tuning.material import gather
from embedtune.tuning.recipe import checkpoints

MakeTask = Callable[..., TuningDataset]
PLAN = Plan(
    schedule=Schedule(steps=80, batch_size=32, rate=1.0),
    optimize_for=OptimizeFor.ALL,
    seed=0,
)


@pytest.fixture(scope="module")
def model() -> StaticModel:
    """Open the bundled model, in few dimensions."""
    bundled = StaticModel.open()
    return bundled.with_table(bundled.table[:, :24], name="small")


def tuned(
    dataset: TuningDataset, model: StaticModel, plan: Plan = PLAN
) -> tuple[Outcome, list[Mapping[str, float]]]:
    """Run the recipe; return what came out and what was reported."""
    reports: list[Mapping[str, float]] = []
    material = gather(dataset, model, np.random.default_rng(3))
    return tune(material, plan, reports.append), reports


def test_learns_what_there_is_to_learn(make_task: MakeTask, model: StaticModel) -> None:
    """Where fillers drown topics, the tuned model finds what the base does not."""
    dataset = make_task(queries=270, documents=90)

    outcome, _ = tuned(dataset, model)

    assert outcome.parameters is not None
    table = outcome.parameters.folded(model.table)
    base = evaluate(LocalEmbedder(model), dataset)["nDCG@10"]
    better = LocalEmbedder(model.with_table(table, name="tuned"))
    assert evaluate(better, dataset)["nDCG@10"] > base + 0.05
    assert outcome.metrics["score"] > outcome.metrics["base_score"] + 0.03
    assert outcome.metrics["confidence"] >= 0.9
    assert outcome.metrics["chosen_step"] >= 0


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_returns_the_base_where_labels_are_noise(
    make_task: MakeTask, model: StaticModel, seed: int
) -> None:
    """Labels at random teach nothing, and the recipe says so."""
    dataset = make_task(queries=540, documents=90, shuffled=True, seed=seed)

    outcome, _ = tuned(dataset, model, attrs.evolve(PLAN, seed=seed))

    assert outcome.parameters is None
    assert "the base" == outcome.candidate
    assert outcome.reason
    assert "chosen_step" not in outcome.metrics
    assert outcome.metrics["score"] == outcome.metrics["base_score"]


def test_equal_seeds_give_equal_parameters(
    make_task: MakeTask, model: StaticModel
) -> None:
    """The recipe depends on nothing but data, plan and seed."""
    dataset = make_task(queries=180, documents=45)

    one, two = (tuned(dataset, model)[0] for _ in range(2))

    assert one.parameters is not None
    assert two.parameters is not None
    assert np.array_equal(one.parameters.matrix, two.parameters.matrix)
    assert np.array_equal(one.parameters.log_weights, two.parameters.log_weights)


def test_reports_every_step(make_task: MakeTask, model: StaticModel) -> None:
    """Each step has its loss, each measured step its score, and the count only rises."""
    _, reports = tuned(make_task(queries=270, documents=90), model)

    done = [report["done"] for report in reports]
    assert done == sorted(done)
    assert all(report["loss"] > 0 for report in reports)
    assert {160} == {report["total"] for report in reports}
    scored = [report["step"] for report in reports if "score" in report]
    assert [5, 10, 15, 20] == scored[:4]
    assert {"seen", "unseen"} <= set(reports[4])


def test_smallest_task(make_task: MakeTask, model: StaticModel) -> None:
    """Nine queries of three documents are enough to run."""
    dataset = make_task(queries=9, documents=3)
    everything = TuningDataset(
        corpus=dataset.corpus,
        queries=dataset.queries,
        train={**dataset.train, **dataset.test},
    )

    outcome, _ = tuned(everything, model)

    assert 9 == outcome.metrics["train_queries"]


def test_every_query_wants_every_document(model: StaticModel) -> None:
    """Where nothing can be held out, nothing is chosen, and the base stays."""
    dataset = TuningDataset(
        corpus={f"d{i}": f"about topic {i}" for i in range(3)},
        queries={f"q{i}": f"question {i}" for i in range(9)},
        train={f"q{i}": {f"d{j}": 1 for j in range(3)} for i in range(9)},
    )

    outcome, _ = tuned(dataset, model)

    assert outcome.parameters is None


def test_a_run_that_diverges_is_no_candidate(
    make_task: MakeTask, model: StaticModel
) -> None:
    """A learning rate beyond reason ends the run, not the job."""
    wild = attrs.evolve(PLAN, schedule=attrs.evolve(PLAN.schedule, rate=1e6))

    outcome, reports = tuned(make_task(queries=270, documents=90), model, wild)

    assert len(reports) < 80
    assert np.isfinite(outcome.metrics["score"])


def test_a_refit_that_diverges_is_an_error(
    make_task: MakeTask, model: StaticModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that left the range of numbers is never returned."""
    dataset = make_task(queries=270, documents=90)
    whole = len(dataset.train)
    is_sound = Learner.is_sound.fget
    assert is_sound is not None

    def only_parts(learner: Learner) -> bool:
        return bool(is_sound(learner)) and learner.queries < whole

    monkeypatch.setattr(Learner, "is_sound", property(only_parts))

    with pytest.raises(ConfigurationError, match="'learning_rate_multiplier'"):
        tuned(dataset, model)


def test_parameters_of_another_step_are_gone(
    make_task: MakeTask, model: StaticModel
) -> None:
    """A learner has the parameters of the steps that it took, and of warm starts."""
    material = gather(make_task(), model, np.random.default_rng(3))
    learner = Learner(material, material.train, PLAN.schedule, seed=0)
    start = learner.parameters(Candidate())

    learner.step()

    assert np.array_equal(start.matrix, learner.parameters(Candidate()).matrix)
    assert not np.array_equal(
        start.matrix, learner.parameters(Candidate(steps=1)).matrix
    )
    with pytest.raises(ValueError, match=r"'steps' must be 1 now \(got 2\)"):
        learner.parameters(Candidate(steps=2))


def test_refit_takes_as_many_passes(
    make_task: MakeTask, model: StaticModel, caplog: pytest.LogCaptureFixture
) -> None:
    """With more queries than in the hold-outs, the refit takes more steps."""
    caplog.set_level("INFO")
    dataset = make_task(queries=270, documents=90)
    plan = attrs.evolve(PLAN, schedule=attrs.evolve(PLAN.schedule, steps=400))

    outcome, reports = tuned(dataset, model, plan)

    learned = [r.args[0] for r in caplog.records if "a hold-out" in r.msg and r.args]
    times = len(dataset.train) / np.mean(learned)
    scored = {int(report["step"]) for report in reports if "score" in report}
    refit = [report for report in reports if report["done"] > 400]
    assert len(refit) in {round(step * times) for step in scored}
    assert outcome.candidate.startswith(f"{len(refit)} steps")
    assert 800 == refit[-1]["done"]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (30, [5, 10, 15, 20, 30]),
        (45, [5, 10, 15, 20, 30, 40, 45]),
        (100, [5, 10, 15, 20, 30, 40, 50, 60, 80, 100]),
    ],
)
def test_checkpoints(steps: int, expected: list[int]) -> None:
    """A run is measured often while it is young, and at its end."""
    assert expected == sorted(checkpoints(steps))


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [
        (Candidate(shrinkage=0.6, power=0.5), "whitening, shrinkage 0.6, power 0.5"),
        (Candidate(steps=40), "40 steps"),
        (Candidate(steps=40, share=0.15), "40 steps, 15% of the way"),
    ],
)
def test_candidates_have_words(candidate: Candidate, expected: str) -> None:
    """A candidate says what it is."""
    assert expected == str(candidate)
