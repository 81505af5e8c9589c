"""The public names in use; read by mypy and pyright, never run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import assert_type

import numpy as np
import numpy.typing as npt

import embedtune as et
from embedtune.tuning.adapter import AdapterJob
from embedtune.tuning.adapter_model import AdapterModel
from embedtune.tuning.jobs import LocalJob
from embedtune.tuning.local_model import LocalModel

# Backends keep the contract of their layer.
_local_embedder: type[et.Embedder] = et.LocalEmbedder
_cached_embedder: type[et.Embedder] = et.CachedEmbedder
_adapted_embedder: type[et.Embedder] = et.AdaptedEmbedder
_local_tuner: type[et.Tuner] = et.LocalTuner
_local_job: type[et.TuningJob] = LocalJob
_local_model: type[et.TunedModel] = LocalModel
_adapter_tuner: type[et.Tuner] = et.AdapterTuner
_adapter_job: type[et.TuningJob] = AdapterJob
_adapter_model: type[et.TunedModel] = AdapterModel


def datasets(folder: Path) -> et.TuningDataset:
    """A dataset comes from a folder, pairs, a table or mappings."""
    document = et.Document(doc_id="d1", text="text", title="title")
    query = et.Query(query_id="q1", text="text", metadata={"topic": "cards"})
    labels: et.Qrels = {"q1": {"d1": 1}}
    et.TuningDataset(
        corpus={"d1": document, "d2": "plain"}, queries={"q1": query}, train=labels
    )
    et.TuningDataset.from_pairs([("query", "document"), ("query", "other", 2)])
    et.TuningDataset.from_table("t.csv", query="subject", document="answer")
    dataset = et.TuningDataset.from_beir(folder)
    assert_type(dataset.corpus, Mapping[str, et.Document])
    assert_type(dataset.queries, Mapping[str, et.Query])
    assert_type(dataset.train, et.Qrels)
    assert_type(dataset.fingerprint, str)
    dataset.to_beir(folder)
    assert_type(str(dataset.summary()), str)
    assert_type(et.stdlib_dataset(second_queries=True, limit=500), et.TuningDataset)
    return dataset.split(test=0.2, validation=0.1, seed=0, by="document")


def knowledge() -> int:
    """The catalog knows each base model; progress goes where one wants."""

    def show(event: et.progress.ProgressEvent) -> None:
        assert_type(event.done, int)

    with et.progress.track("looking", 1, show) as bar:
        bar.advance()
    return et.catalog.get("text-embedding-005").dimension


def checks(dataset: et.TuningDataset) -> list[str]:
    """A check gives a report of problems."""
    report = dataset.check(model="text-embedding-005")
    assert_type(report, et.DatasetReport)
    assert_type(report.ok, bool)
    report.raise_for_errors()
    first: et.Problem = report.problems[0]
    return [first.rule, first.message, first.hint]


def embedders(texts: Sequence[str], documents: Sequence[et.Document]) -> None:
    """Every embedder has a method for queries and one for documents."""
    with et.CachedEmbedder(et.LocalEmbedder(), "cache.db") as embedder:
        assert_type(embedder.embed_queries(texts), npt.NDArray[np.float32])
        assert_type(embedder.embed_documents(documents), npt.NDArray[np.float32])
        assert_type(embedder.name, str)
        assert_type(embedder.dimension, int)
        assert_type(embedder.fingerprint, str)


def advice(dataset: et.TuningDataset, embedder: et.Embedder) -> bool:
    """An advice says what to do, and why."""
    found = et.advise(dataset, embedder, model="text-embedding-005", seconds=60)
    assert_type(found, et.Advice)
    assert_type(found.reasons, tuple[str, ...])
    assert_type(found.curve.points[-1].gain, float)
    return found.recommendation is et.Recommendation.LEAVE


def tuning(dataset: et.TuningDataset) -> et.Embedder:
    """A tuner gives a job, a job gives a model, a model gives an embedder."""
    spec = et.TuningSpec(
        base_model="wordllama-256",
        train_steps=300,
        batch_size=64,
        learning_rate_multiplier=1.0,
        task_type=et.TaskType.DEFAULT,
    )
    tuner = et.LocalTuner("runs/")
    job: et.TuningJob = tuner.submit(dataset, spec)
    again: et.TuningJob = tuner.job(job.name)
    if again.state is et.JobState.SUCCEEDED or job.state.is_final:
        job.wait(timeout=60.0)
    model: et.TunedModel = job.result()
    assert_type(model.is_base, bool)
    return model.embedder()


def evaluation(
    base: et.Embedder, tuned: et.Embedder, dataset: et.TuningDataset
) -> et.Comparison:
    """Two reports make a comparison."""
    before = et.evaluate(base, dataset, split="test", measures=("nDCG@10", "R@10"))
    after = et.evaluate(tuned, dataset, split="test")
    assert_type(before, et.EvaluationReport)
    assert_type(before["nDCG@10"], float)
    assert_type(before.per_query, Mapping[str, Mapping[str, float]])
    run = {"q1": {"d1": 0.9, "d2": 0.4}}
    assert_type(et.evaluate_run(run, dataset), et.EvaluationReport)
    comparison = et.compare(before, after, groups=et.seen_and_unseen(dataset))
    verdict: et.Verdict = comparison.verdict("nDCG@10")
    assert_type(verdict.is_better, bool)
    return comparison


def showing(
    comparison: et.Comparison, job: LocalJob, dataset: et.TuningDataset
) -> None:
    """A comparison becomes a file, and figures."""
    tradeoff = [
        et.TradeoffPoint(share=0.0, gain=0.0, changes={"general": 0.0}),
        et.TradeoffPoint(share=0.5, gain=0.1, changes={"general": -0.01}),
    ]
    path = comparison.to_html(
        "report.html",
        dataset=dataset,
        history=job.history,
        tradeoff=tradeoff,
        facts={"job": job.name, "config": job.config, "metrics": job.metrics},
    )
    assert_type(path, Path)
    comparison.plot("margins", dataset=dataset).savefig("margins.png")


def index(embedder: et.Embedder, dataset: et.TuningDataset) -> list[et.Hit]:
    """An index is kept in step, and searched."""
    retry = et.RetryPolicy(attempts=3, total_time=10.0)
    with et.MilvusIndex("support.db", "kb", embedder, retry=retry) as kb:
        report: et.SyncReport = kb.sync(dataset.corpus.values())
        assert_type(report.added, int)
        assert_type(kb.count(), int)
        hits = kb.search("my card was charged twice", limit=10)
        assert_type(hits, list[et.Hit])
        assert_type(hits[0].doc_id, str)
        assert_type(hits[0].score, float)
        return hits


def failures(job: et.TuningJob) -> str:
    """Errors carry their facts."""
    try:
        job.result()
    except et.errors.JobFailedError as error:
        return str(error)
    except et.errors.BackendError as error:
        return error.operation if error.retryable else str(error.retry_after)
    except et.errors.EmbedtuneError:
        return et.__version__
    return ""
