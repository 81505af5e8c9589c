"""The contract of tuners: one body, every tuner."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import orjson
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers

from embedtune.datasets.dataset import TuningDataset
from embedtune.errors import (
    ConfigurationError,
    DataError,
    DatasetIntegrityError,
    JobFailedError,
    JobTimeoutError,
    NotFoundError,
    UnsupportedOperationError,
)
from embedtune.progress import ProgressEvent
from embedtune.serving.base import Embedder
from embedtune.serving.local import LocalEmbedder
from embedtune.tuning.adapter import AdapterJob, AdapterTuner
from embedtune.tuning.adapter_model import AdapterModel
from embedtune.tuning.base import Tuner, TuningJob
from embedtune.tuning.jobs import FolderJob, LocalJob
from embedtune.tuning.local import LocalTuner
from embedtune.tuning.local_model import LocalModel
from embedtune.tuning.model import TunedModel
from embedtune.tuning.spec import TuningSpec
from embedtune.types import JobState

TUNERS = ["local", "adapter"]
CLASSES = {
    "adapter": {Tuner: AdapterTuner, TuningJob: AdapterJob, TunedModel: AdapterModel},
    "local": {Tuner: LocalTuner, TuningJob: LocalJob, TunedModel: LocalModel},
}
PATIENCE = 60.0  # seconds for what takes one or two

NOUNS = ["apple", "bridge", "candle", "desert", "engine", "falcon", "guitar", "harbor"]
FILLERS = ["please", "about", "which", "could", "would", "there"]

MakeTuner = Callable[[], Tuner]


@pytest.fixture(scope="module", params=TUNERS)
def kind(request: pytest.FixtureRequest) -> str:
    """Name each tuner in turn."""
    return str(request.param)


def tuner_of(kind: str, folder: Path, runs: Path) -> Tuner:
    """Make a tuner for the model in a folder."""
    if kind == "local":
        return LocalTuner(runs)
    return AdapterTuner(LocalEmbedder(folder), runs, mode="shared")


@pytest.fixture(scope="module")
def base_folder(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a small base model that the tuner can tune."""
    folder = tmp_path_factory.mktemp("base") / "small"
    folder.mkdir()
    vocabulary = {word: i for i, word in enumerate(["[UNK]", *NOUNS, *FILLERS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))  # noqa: S106
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    generator = np.random.default_rng(0)
    table = generator.standard_normal((len(vocabulary), 12), dtype=np.float32)
    save_file({"embeddings": table}, folder / "model.safetensors")
    (folder / "config.json").write_bytes(orjson.dumps({"normalize": True}))
    return folder


@pytest.fixture(scope="module")
def base_model(kind: str, base_folder: Path) -> str:
    """Name the base model."""
    return str(base_folder) if kind == "local" else LocalEmbedder(base_folder).name


@pytest.fixture(scope="module")
def spec(base_model: str) -> TuningSpec:
    """Ask for a short run."""
    return TuningSpec(base_model=base_model, train_steps=30, batch_size=16)


@pytest.fixture(scope="module")
def dataset() -> TuningDataset:
    """Make a task: of many words, one pair of nouns says which document is right."""
    generator = np.random.default_rng(1)
    pairs = [f"{a} {b}" for i, a in enumerate(NOUNS) for b in NOUNS[i + 1 :]]
    noise = generator.choice(FILLERS, (3 * len(pairs), 6))
    texts = [" ".join([pairs[i % len(pairs)], *row]) for i, row in enumerate(noise)]
    size = len(pairs)
    labels = {f"q{i}": {f"d{i % size}": 1} for i in range(2 * size)}
    return TuningDataset(
        corpus={f"d{i}": text for i, text in enumerate(texts[:size])},
        queries={f"q{i}": text for i, text in enumerate(texts[size:])},
        train=dict(list(labels.items())[:size]),
        test=dict(list(labels.items())[size:]),
    )


@pytest.fixture(scope="module")
def make_tuner(
    kind: str, base_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> MakeTuner:
    """Return what makes a tuner that shares its jobs with all others it makes."""
    runs = tmp_path_factory.mktemp("shared") / "runs"
    return lambda: tuner_of(kind, base_folder, runs)


@pytest.fixture
def fresh(kind: str, base_folder: Path, tmp_path: Path) -> Iterator[Tuner]:
    """Give a tuner without jobs; at the end, none of them runs."""
    tuner = tuner_of(kind, base_folder, tmp_path / "runs")
    yield tuner
    for job in tuner.jobs():
        job.cancel()


@pytest.fixture(scope="module")
def done(make_tuner: MakeTuner, dataset: TuningDataset, spec: TuningSpec) -> TuningJob:
    """Run a job to its end."""
    return make_tuner().submit(dataset, spec).wait(PATIENCE)


def test_what_they_are(make_tuner: MakeTuner, done: TuningJob) -> None:
    """Tuner, job and model have what their protocols ask for."""
    model = done.result()

    assert isinstance(make_tuner(), Tuner)
    assert isinstance(done, TuningJob)
    assert isinstance(model, TunedModel)
    assert isinstance(done.name, str)
    assert isinstance(model.name, str)
    assert isinstance(model.is_base, bool)
    assert {float} == {type(value) for value in model.metrics.values()}


@pytest.mark.parametrize("protocol", [Tuner, TuningJob, TunedModel])
def test_signatures(kind: str, protocol: type) -> None:
    """Methods take what the protocol says, by the same names, with equal defaults."""
    names = [name for name in vars(protocol) if not name.startswith("_")]
    methods = [name for name in names if inspect.isfunction(getattr(protocol, name))]

    assert methods
    for name in methods:
        expected = inspect.signature(getattr(protocol, name)).parameters
        actual = inspect.signature(getattr(CLASSES[kind][protocol], name)).parameters
        assert list(expected.values()) == list(actual.values()), name


def test_submit_and_wait(
    fresh: Tuner, dataset: TuningDataset, spec: TuningSpec
) -> None:
    """A job is on its way, then it has succeeded, and then it does not change."""
    job = fresh.submit(dataset, spec)
    first = job.state

    assert first in {JobState.PENDING, JobState.RUNNING, JobState.SUCCEEDED}
    assert job is job.wait(PATIENCE, progress=False)
    assert JobState.SUCCEEDED is job.state
    job.cancel()
    assert JobState.SUCCEEDED is job.state
    assert job is job.wait(0)


def test_the_same_job(
    make_tuner: MakeTuner, done: TuningJob, dataset: TuningDataset, spec: TuningSpec
) -> None:
    """Equal input finds the job that is done, from any tuner; other input does not."""
    without_test = TuningDataset(
        corpus=dataset.corpus, queries=dataset.queries, train=dataset.train
    )
    again = make_tuner().submit(without_test, spec)

    assert done.name == again.name
    assert JobState.SUCCEEDED is again.state
    assert done.metrics == again.metrics
    assert [done.name] == [job.name for job in make_tuner().jobs()]


def test_found_by_name(make_tuner: MakeTuner, done: TuningJob) -> None:
    """A job is found by its name, and is what it was."""
    found = make_tuner().job(done.name)

    assert (done.name, done.state, done.metrics) == (
        found.name,
        found.state,
        found.metrics,
    )


def test_unknown_job(fresh: Tuner) -> None:
    """A job that was never submitted is NotFoundError with every tuner."""
    with pytest.raises(NotFoundError, match="'ghost'") as info:
        fresh.job("ghost")

    assert "tuning.job" == info.value.operation
    assert [] == list(fresh.jobs())


def test_all_jobs_the_latest_first(
    fresh: Tuner, dataset: TuningDataset, spec: TuningSpec, base_model: str
) -> None:
    """All jobs are listed, the latest first, whatever became of them."""
    other = TuningSpec(base_model=base_model, train_steps=31, batch_size=16)
    first = fresh.submit(dataset, spec)
    first.cancel()
    second = fresh.submit(dataset, other)

    assert first.name != second.name
    assert [second.name, first.name] == [job.name for job in fresh.jobs()]


def test_cancel_and_start_again(
    fresh: Tuner, dataset: TuningDataset, spec: TuningSpec, done: TuningJob
) -> None:
    """A cancelled job gives no model until it is submitted again: the same job."""
    job = fresh.submit(dataset, spec)
    job.cancel()

    assert JobState.CANCELLED is job.state
    for ask in (job.wait, job.result):
        with pytest.raises(JobFailedError, match=job.name) as info:
            ask()
        assert job.name == info.value.job.name
    again = fresh.submit(dataset, spec).wait(PATIENCE)
    assert job.name == again.name
    assert JobState.SUCCEEDED is job.state
    expected = done.result().embedder().fingerprint
    assert expected == again.result().embedder().fingerprint


def test_waiting_has_an_end(
    fresh: Tuner, dataset: TuningDataset, spec: TuningSpec
) -> None:
    """Who waits no time at all gets a JobTimeoutError, and the job goes on."""
    job = fresh.submit(dataset, spec)
    with pytest.raises(JobTimeoutError, match=job.name) as info:
        job.wait(0)

    assert job.name == info.value.job.name
    assert isinstance(info.value, TimeoutError)
    assert JobState.SUCCEEDED is job.wait(PATIENCE).state


def test_progress(done: TuningJob) -> None:
    """A callback sees the first and the last moment; the bar is full in the end."""
    events: list[ProgressEvent] = []
    done.wait(progress=events.append)

    assert 0 == events[0].done
    assert events[-1].total == events[-1].done


def test_the_model(done: TuningJob, dataset: TuningDataset, base_model: str) -> None:
    """The model embeds, names its base, and is better by the tuner's own numbers."""
    model = done.result()
    embedder = model.embedder()

    assert isinstance(embedder, Embedder)
    assert base_model == model.base_model
    assert not model.is_base
    assert model.name == embedder.name
    rows = embedder.embed_documents(list(dataset.corpus.values()))
    assert (len(dataset.corpus), embedder.dimension) == rows.shape


def test_deploy_or_embedder(done: TuningJob) -> None:
    """A model that has no endpoint says that it runs in this process."""
    model = done.result()
    with pytest.raises(UnsupportedOperationError, match=r"embedder\(\)") as info:
        model.deploy()

    assert "model.deploy" == info.value.operation


@pytest.mark.parametrize(
    ("part", "value", "error"),
    [
        ("train", {}, DataError),
        ("train", {"q0": {"ghost": 1}}, DatasetIntegrityError),
        ("train", {"ghost": {"d0": 1}}, DatasetIntegrityError),
        ("validation", {"q0": {"d0": 0}}, DatasetIntegrityError),
        ("corpus", {}, DatasetIntegrityError),
    ],
)
def test_wrong_data(
    fresh: Tuner,
    dataset: TuningDataset,
    spec: TuningSpec,
    part: str,
    value: dict[str, dict[str, int]],
    error: type[DataError],
) -> None:
    """The same mistake in a dataset is the same error, and no job."""
    parts = {
        "corpus": dataset.corpus,
        "queries": dataset.queries,
        "train": dataset.train,
    }
    wrong = TuningDataset(**(parts | {part: value}))
    with pytest.raises(error) as info:
        fresh.submit(wrong, spec)

    assert error is type(info.value)
    assert [] == list(fresh.jobs())


def test_wrong_base_model(fresh: Tuner, dataset: TuningDataset) -> None:
    """A base model that nobody knows is a ConfigurationError, and no job."""
    with pytest.raises(ConfigurationError, match="'ghost'"):
        fresh.submit(dataset, TuningSpec(base_model="ghost"))

    assert [] == list(fresh.jobs())


OTHER_PROCESS = """
import sys
import embedtune as et

runs, name, kind, base = sys.argv[1:]
if kind == "local":
    tuner = et.LocalTuner(runs)
else:
    tuner = et.AdapterTuner(et.LocalEmbedder(base), runs)
job = tuner.job(name)
print(job.state, job.result().embedder().fingerprint)
"""


def test_another_process(done: TuningJob, kind: str, base_folder: Path) -> None:
    """A process that only knows the name finds the job and its result."""
    assert isinstance(done, FolderJob)
    arguments = [str(done.folder.parent), done.name, kind, str(base_folder)]
    output = subprocess.check_output(
        [sys.executable, "-c", OTHER_PROCESS, *arguments], text=True, env=os.environ
    )

    assert f"SUCCEEDED {done.result().embedder().fingerprint}\n" == output
