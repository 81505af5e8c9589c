"""Jobs of adapters: what is embedded when, refusals, restarts, and the model."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import attrs
import numpy as np
import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.values import Document
from embedtune.errors import (
    ConfigurationError,
    DataError,
    JobFailedError,
    NotFoundError,
)
from embedtune.evaluation.evaluate import evaluate
from embedtune.serving.adapter import AdaptedEmbedder
from embedtune.serving.cached import CachedEmbedder
from embedtune.serving.local import LocalEmbedder
from embedtune.tuning.adapter import AdapterTuner
from embedtune.tuning.adapter_model import AdapterModel
from embedtune.tuning.spec import TuningSpec
from embedtune.types import FloatMatrix, JobState

MakeTask = Callable[..., TuningDataset]
PATIENCE = 60.0
SPEC = TuningSpec(train_steps=30, batch_size=32)


class Counting:
    """An embedder that counts its texts, and stops at one of them."""

    dimension = 24
    name = "closed"
    fingerprint = "closed, version 1"

    def __init__(self, folder: Path, *, stop_at: int = 1_000_000) -> None:
        self._inner = LocalEmbedder(folder)
        self.stop_at = stop_at
        self.texts = 0

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """Embed, or fail as a service does."""
        if self.texts + len(texts) > self.stop_at:
            msg = "the service is down"
            raise ConnectionError(msg)
        self.texts += len(texts)
        return self._inner.embed_queries(texts)

    def embed_documents(self, documents: Sequence[Document | str]) -> FloatMatrix:
        """Embed texts of documents."""
        return self.embed_queries(
            [d if isinstance(d, str) else d.embedding_text for d in documents]
        )


@pytest.fixture
def embedder(base_folder: Path) -> Counting:
    """Open a model that cannot be changed."""
    return Counting(base_folder)


def test_each_text_is_embedded_once(
    embedder: Counting, make_task: MakeTask, tmp_path: Path
) -> None:
    """Neither finding a job, nor another one, nor its model embeds a text again."""
    dataset = make_task()
    tuner = AdapterTuner(embedder, tmp_path / "runs", progress=False)
    job = tuner.submit(dataset, SPEC)
    once = embedder.texts

    again = tuner.submit(dataset, SPEC)
    other = AdapterTuner(embedder, tmp_path / "runs", mode="both", progress=False)
    second = other.submit(dataset, SPEC)

    assert len(dataset.corpus) + len(dataset.train) == once
    assert once == embedder.texts
    assert job.name == again.name != second.name
    assert {job.name, second.name} == {each.name for each in tuner.jobs()}
    assert "AdapterTuner(" in repr(tuner)
    for each in (job, second):
        each.wait(PATIENCE, progress=False)
    assert once == embedder.texts


def test_a_submit_that_fails_goes_on(
    base_folder: Path, make_task: MakeTask, tmp_path: Path
) -> None:
    """What was embedded before the service failed is not embedded again."""
    dataset = make_task()
    embedder = Counting(base_folder, stop_at=100)
    tuner = AdapterTuner(embedder, tmp_path / "runs", progress=False)

    with pytest.raises(ConnectionError):
        tuner.submit(dataset, SPEC)
    assert () == tuner.jobs()
    known = embedder.texts
    embedder.stop_at = 1_000_000
    job = tuner.submit(dataset, SPEC)

    assert 0 < known < embedder.texts
    assert len(dataset.corpus) + len(dataset.train) == embedder.texts
    assert JobState.SUCCEEDED is job.wait(PATIENCE, progress=False).state


def test_the_cache_can_be_elsewhere(
    embedder: Counting, make_task: MakeTask, tmp_path: Path
) -> None:
    """A named file keeps the rows; an embedder that remembers needs none."""
    named = AdapterTuner(
        embedder, tmp_path / "a", cache=tmp_path / "rows.db", progress=False
    )
    named.submit(make_task(), SPEC).cancel()
    with CachedEmbedder(embedder, tmp_path / "rows.db") as cached:
        own = AdapterTuner(cached, tmp_path / "b", progress=False)
        own.submit(make_task(), SPEC).cancel()

        assert 0 == cached.misses
    assert not (tmp_path / "a" / "embeddings.db").exists()
    assert not (tmp_path / "b" / "embeddings.db").exists()


def test_the_model_over_its_base(
    embedder: Counting, make_task: MakeTask, tmp_path: Path
) -> None:
    """The model sits on the tuner's embedder, or on its equal elsewhere, no other."""
    dataset = make_task(queries=270, documents=90)
    tuner = AdapterTuner(embedder, tmp_path / "runs", progress=False)
    model = tuner.submit(dataset, TuningSpec(train_steps=60)).result()
    adapted = model.embedder()

    assert isinstance(adapted, AdaptedEmbedder)
    assert not model.is_base
    assert embedder.fingerprint == adapted.fingerprint
    assert embedder.fingerprint != adapted.query_fingerprint
    assert model.name == adapted.name != embedder.name
    score = evaluate(adapted, dataset, progress=False)["nDCG@10"]
    assert score > evaluate(embedder, dataset, progress=False)["nDCG@10"]
    elsewhere = AdapterModel.open(model.folder, embedder)
    assert adapted.query_fingerprint == elsewhere.embedder().query_fingerprint
    with pytest.raises(ConfigurationError, match="'closed'"):
        AdapterModel.open(model.folder).embedder()
    other = LocalEmbedder(embedder._inner.model)  # noqa: SLF001 -- the same rows
    with pytest.raises(ConfigurationError, match="'closed'"):
        AdapterTuner(other, tmp_path / "runs").job(model.folder.parent.name).result()


def test_nothing_helps(embedder: Counting, make_task: MakeTask, tmp_path: Path) -> None:
    """With labels at random the model is the base, and says why."""
    dataset = make_task(queries=540, documents=90, shuffled=True)
    tuner = AdapterTuner(embedder, tmp_path / "runs", mode="shared", progress=False)

    model = tuner.submit(dataset, SPEC).result()

    assert model.is_base
    assert model.reason
    assert embedder.name == model.name
    assert embedder.fingerprint == model.embedder().fingerprint


def test_adapter_without_a_job(
    embedder: Counting, tmp_path: Path, make_task: MakeTask
) -> None:
    """An adapter that was saved by hand is no model of a job."""
    tuner = AdapterTuner(embedder, tmp_path / "runs", progress=False)
    adapted = tuner.submit(make_task(), SPEC).result().embedder()
    assert isinstance(adapted, AdaptedEmbedder)
    adapted.save(tmp_path / "copy")

    with pytest.raises(DataError, match=r"AdaptedEmbedder\.open\(\)"):
        AdapterModel.open(tmp_path / "copy")
    with pytest.raises(NotFoundError, match="ghost"):
        AdapterModel.open(tmp_path / "ghost")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"mode": "document"}, "'mode' must be one of 'query', 'shared', 'both'"),
        ({"rank": 0}, r"'rank' must be None or an integer from 1 to 24.*got 0"),
        ({"rank": 25}, r"got 25"),
        ({"rank": True}, r"got True"),
        ({"optimize_for": "fun"}, "'optimize_for'"),
        ({"seed": -1}, "'seed'"),
    ],
)
def test_wrong_settings(
    embedder: Counting, tmp_path: Path, setting: dict[str, object], said: str
) -> None:
    """A wrong setting is refused before anything is written."""
    with pytest.raises(ConfigurationError, match=said):
        AdapterTuner(embedder, tmp_path / "runs", **setting)  # type: ignore[arg-type]
    assert not (tmp_path / "runs").exists()


def test_no_embedder(tmp_path: Path) -> None:
    """What is no embedder is refused at once."""
    with pytest.raises(TypeError, match="'embed_queries'"):
        AdapterTuner("closed", tmp_path)  # type: ignore[arg-type]


def test_wrong_spec(embedder: Counting, make_task: MakeTask, tmp_path: Path) -> None:
    """All that a spec asks for in vain is named, and nothing is embedded."""
    spec = TuningSpec(
        base_model="other", output_dimensionality=12, task_type="CLUSTERING"
    )

    with pytest.raises(ConfigurationError) as info:
        AdapterTuner(embedder, tmp_path / "runs").submit(make_task(), spec)

    for part in ("'base_model' must be 'closed'", "None or 24", "'CLUSTERING'"):
        assert part in str(info.value)
    assert 0 == embedder.texts


def test_the_embedders_name_is_the_default(
    embedder: Counting, make_task: MakeTask, tmp_path: Path
) -> None:
    """A spec that names the embedder, and one that names nothing, are one job."""
    tuner = AdapterTuner(embedder, tmp_path / "runs", progress=False)
    one = tuner.submit(make_task(), SPEC)
    two = tuner.submit(make_task(), attrs.evolve(SPEC, base_model="closed"))

    assert one.name == two.name
    one.cancel()


def test_a_killed_worker_and_damaged_rows(
    embedder: Counting, make_task: MakeTask, tmp_path: Path
) -> None:
    """Whoever is killed: the job says so, and starts once more with whole rows."""
    dataset = make_task()
    tuner = AdapterTuner(embedder, tmp_path / "runs", progress=False)
    job = tuner.submit(dataset, TuningSpec(train_steps=100_000))
    end = time.monotonic() + PATIENCE
    while not job.history:
        assert time.monotonic() < end
        time.sleep(0.005)
    pid = job._folder.status().pid  # noqa: SLF001 -- who to kill
    os.kill(pid, signal.SIGKILL)
    while job.state is JobState.RUNNING:
        assert time.monotonic() < end
        time.sleep(0.005)

    assert JobState.FAILED is job.state
    np.save(job.folder / "documents.npy", np.zeros((2, 2), np.float32))
    (job.folder / "queries.npy").write_bytes(b"no rows")
    texts = embedder.texts
    again = tuner.submit(dataset, TuningSpec(train_steps=100_000))
    assert job.name == again.name
    while not again.history:
        assert again.state is not JobState.FAILED, again.reason
        assert time.monotonic() < end
        time.sleep(0.005)
    again.cancel()
    assert texts == embedder.texts


@pytest.mark.parametrize("content", [b"no rows", None])
def test_damaged_rows(
    embedder: Counting,
    make_task: MakeTask,
    tmp_path: Path,
    content: bytes | None,
) -> None:
    """A worker that finds other rows than it needs says which file is wrong."""
    from embedtune.tuning.adapter_work import work
    from embedtune.tuning.folder import JobFolder

    tuner = AdapterTuner(embedder, tmp_path / "runs", progress=False)
    job = tuner.submit(make_task(), SPEC)
    job.cancel()
    folder = JobFolder(job.folder)
    if job.state is JobState.SUCCEEDED:  # it was faster
        folder.model.rename(tmp_path / "model")
    if content is None:
        np.save(job.folder / "documents.npy", np.zeros((2, 2), np.float32))
    else:
        (job.folder / "documents.npy").write_bytes(content)

    with pytest.raises(DataError, match=r"documents\.npy"):
        work(folder, lambda _: None)


def test_a_cancelled_job_has_no_model(
    embedder: Counting, make_task: MakeTask, tmp_path: Path
) -> None:
    """A job that was stopped says so."""
    tuner = AdapterTuner(embedder, tmp_path / "runs", progress=False)
    job = tuner.submit(make_task(), TuningSpec(train_steps=100_000))
    job.cancel()

    with pytest.raises(JobFailedError, match="cancelled"):
        job.result()
