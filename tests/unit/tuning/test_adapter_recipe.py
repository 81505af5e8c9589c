"""Learning adapters from frozen rows: warm starts, gradients, and the recipe."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import numpy as np
import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.evaluation.evaluate import evaluate
from embedtune.serving.adapter import AdaptedEmbedder, Adapter, AdapterMode
from embedtune.serving.linear import LinearMap
from embedtune.serving.local import LocalEmbedder
from embedtune.serving.static import StaticModel
from embedtune.tuning.adapter_gradient import loss_and_gradient
from embedtune.tuning.adapter_recipe import AdapterLearner, AdapterTask
from embedtune.tuning.batches import Batch
from embedtune.tuning.candidates import START, Candidate, Schedule
from embedtune.tuning.choose import OptimizeFor
from embedtune.tuning.frozen import FrozenMaterial, gather
from embedtune.tuning.recipe import Outcome, Plan, tune
from embedtune.tuning.spectrum import Spectrum
from embedtune.tuning.training_data import training_data
from embedtune.tuning.whitening import whitening

MakeTask = Callable[..., TuningDataset]
MODES = list(AdapterMode)
PLAN = Plan(
    schedule=Schedule(steps=60, batch_size=32, rate=1.0),
    optimize_for=OptimizeFor.ALL,
    seed=0,
)


@pytest.fixture(scope="module")
def base() -> LocalEmbedder:
    """Open the bundled model in few dimensions."""
    model = StaticModel.open()
    return LocalEmbedder(model.with_table(model.table[:, :24], name="small"))


def material_of(dataset: TuningDataset, base: LocalEmbedder) -> FrozenMaterial:
    """Embed and gather a task."""
    data = training_data(dataset)
    queries = [data.queries[key].text for key in sorted(data.queries)]
    documents = [data.corpus[key] for key in sorted(data.corpus)]
    return gather(
        data,
        base.embed_queries(queries),
        base.embed_documents(documents),
        np.random.default_rng(3),
    )


def tuned(
    dataset: TuningDataset,
    base: LocalEmbedder,
    mode: AdapterMode,
    rank: int | None = None,
) -> Outcome[Adapter]:
    """Run the recipe."""
    task = AdapterTask(material=material_of(dataset, base), mode=mode, rank=rank)
    return tune(task, PLAN, lambda _: None)


@pytest.mark.parametrize("rank", [None, 12])
@pytest.mark.parametrize("mode", MODES)
def test_learns_what_there_is_to_learn(
    make_task: MakeTask, base: LocalEmbedder, mode: AdapterMode, rank: int | None
) -> None:
    """An adapter of every mode and form finds what the base does not."""
    dataset = make_task(queries=270, documents=90)

    outcome = tuned(dataset, base, mode, rank)

    assert outcome.parameters is not None
    assert mode is outcome.parameters.mode
    assert 1 if rank is None else 2 == len(outcome.parameters.queries.factors)
    adapted = AdaptedEmbedder(base, outcome.parameters)
    gain = evaluate(adapted, dataset)["nDCG@10"] - evaluate(base, dataset)["nDCG@10"]
    assert gain > 0.02


@pytest.mark.parametrize("mode", MODES)
def test_returns_the_base_where_labels_are_noise(
    make_task: MakeTask, base: LocalEmbedder, mode: AdapterMode
) -> None:
    """Labels at random teach nothing, and the recipe says so."""
    dataset = make_task(queries=540, documents=90, shuffled=True)

    outcome = tuned(dataset, base, mode)

    assert outcome.parameters is None
    assert outcome.reason


@pytest.mark.parametrize("rank", [None, 3])
@pytest.mark.parametrize("mode", MODES)
def test_gradient(mode: AdapterMode, rank: int | None) -> None:
    """The gradient is what differences of the loss say, in every factor."""
    generator = np.random.default_rng(0)
    rows = generator.normal(0, 1, (12, 6))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    material: FrozenMaterial = FrozenMaterial.__new__(FrozenMaterial)
    object.__setattr__(material, "queries", rows[:5])
    object.__setattr__(material, "documents", rows[5:])
    maps = []
    for _ in range(2 if mode is AdapterMode.BOTH else 1):
        shapes = [(6, 6)] if rank is None else [(6, rank)] * 2
        maps.append(
            LinearMap(factors=tuple(generator.normal(0, 1, each) for each in shapes))
        )
    adapter = Adapter(mode=mode, maps=tuple(maps))
    batch = Batch(
        queries=np.arange(5),
        candidates=np.arange(7),
        targets=np.eye(5, 7, dtype=np.float32),
        hidden=None,
    )

    _, slopes = loss_and_gradient(material, adapter, batch)

    for linear, by_factor in zip(adapter.maps, slopes, strict=True):
        for factor, slope in zip(linear.factors, by_factor, strict=True):
            direction = generator.normal(0, 1, factor.shape)
            losses = []
            for sign in (1, -1):
                factor += sign * 1e-5 * direction  # noqa: PLW2901 -- in place
                losses.append(loss_and_gradient(material, adapter, batch)[0])
                factor -= sign * 1e-5 * direction  # noqa: PLW2901 -- in place
            expected = (losses[0] - losses[1]) / 2e-5
            assert np.isclose(expected, (slope * direction).sum(), rtol=1e-4)


@pytest.mark.parametrize(("shrinkage", "power"), [(0.1, 0.5), (0.6, 0.25)])
def test_spectrum_is_whitening(shrinkage: float, power: float) -> None:
    """All warm starts of one decomposition are those that `whitening` gives."""
    rows = np.random.default_rng(0).normal(0, 1, (50, 8)) * np.arange(1, 9)
    spectrum = Spectrum.of(rows)

    found = spectrum.map(shrinkage=shrinkage, power=power, rank=None)

    expected = whitening(rows, shrinkage=shrinkage, power=power)
    np.testing.assert_allclose(expected, found.matrix(8), atol=1e-10)
    whole = spectrum.map(shrinkage=shrinkage, power=power, rank=8).matrix(8)
    scale = np.linalg.norm(whole) / np.linalg.norm(expected)
    np.testing.assert_allclose(expected * scale, whole, atol=1e-8)
    low = spectrum.map(shrinkage=shrinkage, power=power, rank=2).matrix(8)
    assert 2 == np.linalg.matrix_rank(low - np.eye(8), tol=1e-6)


def test_equal_pairs_teach_nothing() -> None:
    """Where queries and their documents are equal, the warm start is the identity."""
    spectrum = Spectrum.of(np.zeros((5, 4), np.float32))

    full = spectrum.map(shrinkage=0.3, power=0.5, rank=None)

    np.testing.assert_allclose(np.eye(4), full.matrix(4), atol=1e-6)


def test_the_query_map_ranks_as_the_shared_one_does_without_norms(
    make_task: MakeTask, base: LocalEmbedder
) -> None:
    """The warm start of queries alone is the shared one twice."""
    material = material_of(make_task(), base)
    maps = {}
    for mode in (AdapterMode.QUERY, AdapterMode.SHARED):
        task = AdapterTask(material=material, mode=mode, rank=None)
        learner = AdapterLearner(task, material.train, PLAN.schedule, seed=0)
        maps[mode] = learner.parameters(START).queries.matrix(24)

    twice = maps[AdapterMode.SHARED] @ maps[AdapterMode.SHARED].T
    twice *= np.linalg.norm(maps[AdapterMode.QUERY]) / np.linalg.norm(twice)
    np.testing.assert_allclose(maps[AdapterMode.QUERY], twice, atol=1e-5)


def test_adapters_of_another_step_are_gone(
    make_task: MakeTask, base: LocalEmbedder
) -> None:
    """A learner has the adapters of the steps that it took, and of warm starts."""
    material = material_of(make_task(), base)
    task = AdapterTask(material=material, mode=AdapterMode.SHARED, rank=None)
    learner = AdapterLearner(task, material.train, PLAN.schedule, seed=0)
    learner.step()

    assert learner.parameters(None).queries.is_identity
    assert not learner.parameters(Candidate(steps=1)).queries.is_identity
    with pytest.raises(ValueError, match=r"'steps' must be 1 now \(got 2\)"):
        learner.parameters(Candidate(steps=2))


def test_large_corpora_are_searched_in_part(
    make_task: MakeTask, base: LocalEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More documents than can be searched often are searched in part."""
    monkeypatch.setattr("embedtune.tuning.adapter_recipe.MOST_DOCUMENTS", 70)
    dataset = make_task(queries=270, documents=90)

    outcome = tuned(dataset, base, AdapterMode.QUERY)

    assert outcome.metrics["score"] >= outcome.metrics["base_score"]


def test_equal_texts_are_one_query(make_task: MakeTask, base: LocalEmbedder) -> None:
    """Queries of equal text have one row and the labels of all."""
    dataset = make_task()
    first, second, *_ = sorted(dataset.train)
    text = dataset.queries[first].text
    queries = {
        **dataset.queries,
        second: attrs.evolve(dataset.queries[first], query_id=second),
    }
    twin = TuningDataset(corpus=dataset.corpus, queries=queries, train=dataset.train)

    material = material_of(twin, base)

    assert len(dataset.train) - 1 == len(material.train)
    labels = material.train.take(np.array([0]))
    assert 2 == len(labels.documents)
    row = base.embed_queries([text])[0]
    np.testing.assert_array_equal(row, material.queries[labels.queries[0]])
