"""Fine-tune text embeddings on labelled data, prove the gain, search with Milvus.

Every public name is here; each is loaded when it is first used, so that
`import embedtune` costs nothing and loads no SDK.

What you have is measured like this:

>>> import embedtune as et
>>> pairs = [("a new pin", "Change the PIN here."), ("fees", "A transfer costs 2 euros.")]
>>> dataset = et.TuningDataset.from_pairs(pairs)
>>> report = et.evaluate(et.LocalEmbedder(), dataset, split="train")
>>> report["nDCG@10"]
1.0

From there on, `LocalTuner` tunes, `compare` says whether that was worth it, and
`MilvusIndex` keeps documents in step and searches them. `catalog.models()` lists the
base models, and `errors` has all that can go wrong.
"""

from __future__ import annotations

import typing as _typing
from importlib import import_module as _import_module

from embedtune import errors
from embedtune._version import __version__

__all__ = [
    "AdaptedEmbedder",
    "AdapterTuner",
    "Advice",
    "CachedEmbedder",
    "Comparison",
    "DatasetReport",
    "Document",
    "Embedder",
    "EvaluationReport",
    "Hit",
    "JobState",
    "LocalEmbedder",
    "LocalTuner",
    "MilvusIndex",
    "Problem",
    "Qrels",
    "Query",
    "Recommendation",
    "RetryPolicy",
    "SyncReport",
    "TaskType",
    "TradeoffPoint",
    "TunedModel",
    "Tuner",
    "TuningDataset",
    "TuningJob",
    "TuningSpec",
    "Verdict",
    "__version__",
    "advise",
    "catalog",
    "compare",
    "errors",
    "evaluate",
    "evaluate_run",
    "progress",
    "seen_and_unseen",
    "stdlib_dataset",
]

_HOME = {
    "AdaptedEmbedder": "embedtune.serving.adapter",
    "AdapterTuner": "embedtune.tuning.adapter",
    "Advice": "embedtune.advice.advice",
    "CachedEmbedder": "embedtune.serving.cached",
    "Comparison": "embedtune.evaluation.comparison",
    "DatasetReport": "embedtune.datasets.report",
    "Document": "embedtune.datasets.values",
    "Embedder": "embedtune.serving.base",
    "EvaluationReport": "embedtune.evaluation.report",
    "Hit": "embedtune.vectorstore.values",
    "JobState": "embedtune.types",
    "LocalEmbedder": "embedtune.serving.local",
    "LocalTuner": "embedtune.tuning.local",
    "MilvusIndex": "embedtune.vectorstore.index",
    "Problem": "embedtune.datasets.report",
    "Qrels": "embedtune.types",
    "Query": "embedtune.datasets.values",
    "Recommendation": "embedtune.advice.values",
    "RetryPolicy": "embedtune.retry",
    "SyncReport": "embedtune.vectorstore.values",
    "TaskType": "embedtune.types",
    "TradeoffPoint": "embedtune.evaluation.tradeoff",
    "TunedModel": "embedtune.tuning.model",
    "Tuner": "embedtune.tuning.base",
    "TuningDataset": "embedtune.datasets.dataset",
    "TuningJob": "embedtune.tuning.base",
    "TuningSpec": "embedtune.tuning.spec",
    "Verdict": "embedtune.evaluation.verdict",
    "advise": "embedtune.advice.advise",
    "catalog": "embedtune",
    "compare": "embedtune.evaluation.comparison",
    "evaluate": "embedtune.evaluation.evaluate",
    "evaluate_run": "embedtune.evaluation.external",
    "progress": "embedtune",
    "seen_and_unseen": "embedtune.evaluation.groups",
    "stdlib_dataset": "embedtune.datasets.stdlib",
}
"""Where each name that loads on first use is at home."""

if _typing.TYPE_CHECKING:
    from embedtune import catalog, progress
    from embedtune.advice.advice import Advice
    from embedtune.advice.advise import advise
    from embedtune.advice.values import Recommendation
    from embedtune.datasets.dataset import TuningDataset
    from embedtune.datasets.report import DatasetReport, Problem
    from embedtune.datasets.stdlib import stdlib_dataset
    from embedtune.datasets.values import Document, Query
    from embedtune.evaluation.comparison import Comparison, compare
    from embedtune.evaluation.evaluate import evaluate
    from embedtune.evaluation.external import evaluate_run
    from embedtune.evaluation.groups import seen_and_unseen
    from embedtune.evaluation.report import EvaluationReport
    from embedtune.evaluation.tradeoff import TradeoffPoint
    from embedtune.evaluation.verdict import Verdict
    from embedtune.retry import RetryPolicy
    from embedtune.serving.adapter import AdaptedEmbedder
    from embedtune.serving.base import Embedder
    from embedtune.serving.cached import CachedEmbedder
    from embedtune.serving.local import LocalEmbedder
    from embedtune.tuning.adapter import AdapterTuner
    from embedtune.tuning.base import Tuner, TuningJob
    from embedtune.tuning.local import LocalTuner
    from embedtune.tuning.model import TunedModel
    from embedtune.tuning.spec import TuningSpec
    from embedtune.types import JobState, Qrels, TaskType
    from embedtune.vectorstore.index import MilvusIndex
    from embedtune.vectorstore.values import Hit, SyncReport
else:  # hidden from type checkers, which would accept any name

    def __getattr__(name: str) -> object:
        if name not in _HOME:
            msg = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(msg)
        if _HOME[name] == __name__:
            return _import_module(f"{__name__}.{name}")
        return getattr(_import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
