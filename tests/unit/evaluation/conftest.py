"""A small dataset, the bundled model, and reports of known values."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.evaluation.external import evaluate_run
from embedtune.evaluation.report import EvaluationReport
from embedtune.serving.local import LocalEmbedder


@pytest.fixture
def dataset() -> TuningDataset:
    """Return twelve answers and as many questions about them."""
    topics = ["password", "invoice", "refund", "parcel", "address", "language"]
    corpus = {f"d{i}": f"How to change your {topic}" for i, topic in enumerate(topics)}
    corpus |= {f"e{i}": f"Who pays for the {topic}" for i, topic in enumerate(topics)}
    queries = {f"q{i}": f"my {topic} is wrong" for i, topic in enumerate(topics)}
    queries |= {f"r{i}": f"cost of the {topic}" for i, topic in enumerate(topics)}
    labels = {f"q{i}": {f"d{i}": 2, f"e{i}": 1} for i in range(6)}
    labels |= {f"r{i}": {f"e{i}": 1} for i in range(6)}
    return TuningDataset(
        corpus=corpus,
        queries=queries,
        train={key: labels[key] for key in ("q0", "r1")},
        test={key: row for key, row in labels.items() if key not in {"q0", "r1"}},
    )


@pytest.fixture(scope="session")
def embedder() -> LocalEmbedder:
    """Return the bundled model."""
    return LocalEmbedder()


@pytest.fixture
def report_of() -> Callable[..., EvaluationReport]:
    """Return a function that makes a report whose RR@10 is 1 / rank for each query."""

    def report(ranks: Sequence[int], **facts: str) -> EvaluationReport:
        labels = {f"q{i}": {"right": 1} for i in range(len(ranks))}
        run = {
            query_id: {f"wrong{n}": 2.0 for n in range(rank - 1)} | {"right": 1.0}
            for query_id, rank in zip(labels, ranks, strict=True)
        }
        return evaluate_run(run, labels, **facts)

    return report
