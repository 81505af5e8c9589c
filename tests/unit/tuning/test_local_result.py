"""What a local tuning job gives: a better model, or the base model unchanged."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import model2vec
import numpy as np
import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.errors import DataError, NotFoundError, UnsupportedOperationError
from embedtune.evaluation.search import top_k
from embedtune.serving.base import Embedder
from embedtune.serving.local import LocalEmbedder
from embedtune.serving.static import StaticModel
from embedtune.tuning.local import LocalTuner
from embedtune.tuning.local_model import LocalModel
from embedtune.tuning.spec import TuningSpec

PATIENCE = 60.0  # seconds for what takes one or two

MakeTask = Callable[..., TuningDataset]


@pytest.fixture(scope="module")
def spec(base_folder: Path) -> TuningSpec:
    """Ask for a short run."""
    return TuningSpec(base_model=str(base_folder), train_steps=30, batch_size=32)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Name a folder for jobs."""
    return tmp_path_factory.mktemp("result") / "runs"


@pytest.fixture(scope="module")
def tuned(make_task: MakeTask, spec: TuningSpec, runs: Path) -> LocalModel:
    """Tune on a task with something to learn."""
    return LocalTuner(runs).submit(make_task(), spec).wait(PATIENCE).result()


@pytest.fixture(scope="module")
def unchanged(make_task: MakeTask, spec: TuningSpec, runs: Path) -> LocalModel:
    """Tune on labels that mean nothing."""
    task = make_task(shuffled=True)
    return LocalTuner(runs).submit(task, spec).wait(PATIENCE).result()


def successes(embedder: Embedder, dataset: TuningDataset) -> float:
    """Return for how many test queries the right document comes first."""
    documents = embedder.embed_documents(list(dataset.corpus.values()))
    texts = [dataset.queries[query_id].text for query_id in dataset.test]
    found, _ = top_k(embedder.embed_queries(texts), documents, 1)
    names = np.array(list(dataset.corpus))[found[:, 0]]
    pairs = zip(dataset.test.values(), names.tolist(), strict=True)
    return float(np.mean([name in labels for labels, name in pairs]))


def test_something_to_learn(
    tuned: LocalModel, make_task: MakeTask, base_folder: Path
) -> None:
    """Which words count is learned: queries never seen find more right answers."""
    task = make_task()
    fresh = make_task(seed=1)  # other documents, other queries, same words
    base, better = LocalEmbedder(base_folder), tuned.embedder()

    assert not tuned.is_base
    assert successes(better, task) >= successes(base, task) + 0.03
    assert successes(better, fresh) >= successes(base, fresh) + 0.03
    assert tuned.metrics["score"] > tuned.metrics["base_score"]
    assert "gains" in tuned.reason
    assert base.fingerprint != better.fingerprint


def test_the_chosen_step_is_marked(
    tuned: LocalModel, unchanged: LocalModel, runs: Path
) -> None:
    """The history marks the step that was chosen, and none where the base came back."""
    jobs = {job.result().name: job for job in LocalTuner(runs).jobs()}
    chosen = [row for row in jobs[tuned.name].history if "chosen" in row]
    steps = [0.0, *(row["step"] for row in chosen)]

    assert len(chosen) <= 1
    assert tuned.metrics["chosen_step"] == steps[-1]
    assert all("score" in row for row in chosen)
    job = next(job for name, job in jobs.items() if job.result().is_base)
    assert not [row for row in job.history if "chosen" in row]
    assert tuned.facts["job"] == jobs[tuned.name].config


def test_nothing_to_learn(unchanged: LocalModel, base_folder: Path) -> None:
    """Labels without meaning give the base, to the last bit, with the reason."""
    base, result = LocalEmbedder(base_folder), unchanged.embedder()
    texts = ["please help with my guitar", "", "piano? pirate!"]

    assert unchanged.is_base
    assert "base" == unchanged.facts["candidate"].removeprefix("the ")
    assert any(
        words in unchanged.reason
        for words in ("are needed", "no candidate is better", "loses too much")
    )
    assert base.fingerprint == result.fingerprint
    rows = result.embed_queries(texts)
    assert base.embed_queries(texts).tobytes() == rows.tobytes()
    assert base.name == result.name == unchanged.name
    assert unchanged.metrics["score"] == unchanged.metrics["base_score"]


def test_poisoned_test_labels(
    tuned: LocalModel, make_task: MakeTask, spec: TuningSpec, tmp_path: Path
) -> None:
    """Other test labels and test queries give the same model, bit by bit."""
    task = make_task()
    queries = {
        query_id: "guitar " * 9 if query_id in task.test else query
        for query_id, query in task.queries.items()
    }
    poisoned = TuningDataset(
        corpus=task.corpus,
        queries=queries,
        train=task.train,
        test={query_id: {"d0": 1, "d1": 3} for query_id in task.test},
    )
    job = LocalTuner(tmp_path / "runs").submit(poisoned, spec)
    model = job.wait(PATIENCE).result()

    assert tuned.folder.parent.name == job.name
    for path in tuned.folder.iterdir():
        assert path.read_bytes() == (model.folder / path.name).read_bytes()


def test_seeds(make_task: MakeTask, spec: TuningSpec, tuned: LocalModel) -> None:
    """Another seed is another job, whether or not it comes to the same model."""
    tuner = LocalTuner(tuned.folder.parents[1], seed=1)
    other = tuner.submit(make_task(), spec).wait(PATIENCE).result()

    assert (0, 1) == (tuned.facts["job"]["seed"], other.facts["job"]["seed"])
    assert tuned.name != other.name
    assert not other.is_base


def test_opens_in_model2vec(tuned: LocalModel) -> None:
    """The folder is a model2vec model, and its vectors are ours."""
    texts = ["please help with my guitar", "piano? pirate!", "desert " * 600]
    theirs = model2vec.StaticModel.from_pretrained(tuned.folder)
    rows = theirs.encode(texts, max_length=None)

    ours = tuned.embedder().embed_queries(texts)
    assert np.allclose(ours, rows, rtol=0, atol=2e-3)  # theirs are float16 inside
    table = theirs.embedding.astype(np.float32)
    assert StaticModel.open(tuned.folder).table.tobytes() == table.tobytes()


def test_says_how_it_came_to_be(
    tuned: LocalModel, make_task: MakeTask, spec: TuningSpec
) -> None:
    """A model names its base, its job's settings and the data's fingerprint."""
    job = tuned.facts["job"]

    assert spec.base_model == tuned.base_model == job["spec"]["base_model"]
    assert 30 == job["spec"]["train_steps"]
    assert LocalEmbedder(spec.base_model).fingerprint == job["base_fingerprint"]
    assert "small-" + tuned.folder.parent.name.removeprefix("local-") == tuned.name
    assert tuned.name == tuned.embedder().name
    assert {"model.safetensors", "tokenizer.json", "config.json"} == {
        path.name for path in tuned.folder.iterdir()
    }


def test_a_copy_opens(tuned: LocalModel, tmp_path: Path) -> None:
    """The folder can be copied elsewhere, without its job."""
    copy = LocalModel.open(shutil.copytree(tuned.folder, tmp_path / "copy"))

    assert tuned.embedder().fingerprint == copy.embedder().fingerprint
    assert (tuned.name, tuned.facts) == (copy.name, copy.facts)


def test_a_tuned_model_is_a_base_model(
    unchanged: LocalModel, make_task: MakeTask, spec: TuningSpec, runs: Path
) -> None:
    """What came out can be tuned again; what it is called, and why, stays true."""
    again = TuningSpec(
        base_model=str(unchanged.folder), train_steps=30, batch_size=spec.batch_size
    )
    model = LocalTuner(runs).submit(make_task(), again).wait(PATIENCE).result()

    assert str(unchanged.folder) == model.base_model
    assert not model.is_base
    assert model.name.startswith("small-")


def test_deploy(tuned: LocalModel) -> None:
    """A local model has no endpoint, and says what to do instead."""
    with pytest.raises(
        UnsupportedOperationError, match=r"cannot be deployed; embedder\(\) runs it"
    ) as e:
        tuned.deploy(machine_type="n1-standard-4")

    assert "model.deploy" == e.value.operation
    assert isinstance(e.value, NotImplementedError)


def test_no_model_there(tuned: LocalModel, tmp_path: Path) -> None:
    """A folder that does not exist, or a file, is a NotFoundError."""
    for path in (tmp_path / "ghost", tmp_path, tuned.folder / "config.json"):
        with pytest.raises(NotFoundError, match="there is no model in") as e:
            LocalModel.open(path)

        assert "tuning.model" == e.value.operation


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (b"{", "is no JSON; copy the model again"),
        (b"[]", "does not say its 'name'; open it as LocalEmbedder"),
        (b'{"embedtune": 3}', "does not say its 'name'; open it as LocalEmbedder"),
        (b'{"embedtune": {"name": "x"}}', "does not say its 'base_model'; open it"),
    ],
)
def test_another_model(tmp_path: Path, config: bytes, message: str) -> None:
    """A model that came from elsewhere is a DataError that says how to open it."""
    (tmp_path / "config.json").write_bytes(config)
    with pytest.raises(DataError, match=message):
        LocalModel.open(tmp_path)


def test_the_base_itself_is_no_result(tuned: LocalModel, base_folder: Path) -> None:
    """A static model that no job made is not taken for a result."""
    with pytest.raises(DataError, match="is not the model of a local tuning job"):
        LocalModel.open(base_folder)
