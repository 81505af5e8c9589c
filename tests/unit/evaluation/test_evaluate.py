"""Evaluating embedders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs
import numpy as np
import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.values import Document
from embedtune.errors import (
    ConfigurationError,
    DataError,
    DatasetIntegrityError,
    DimensionMismatchError,
)
from embedtune.evaluation.evaluate import evaluate
from embedtune.progress import ProgressEvent
from embedtune.serving.local import LocalEmbedder
from embedtune.types import FloatMatrix

A, B, C = (1.0, 0.0), (0.0, 1.0), (0.6, 0.8)

Change = Callable[[FloatMatrix], FloatMatrix]


class TableEmbedder:
    """Looks each text up in a table of vectors: an embedder that can be checked."""

    def __init__(
        self, table: Mapping[str, Sequence[float]], name: str = "table"
    ) -> None:
        self.name = name
        self.dimension = len(next(iter(table.values())))
        self.fingerprint = f"{name}-1"
        self.table = table
        self.batches: list[int] = []

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """Return the rows of *texts*."""
        return self._rows(list(texts))

    def embed_documents(self, documents: Sequence[Document | str]) -> FloatMatrix:
        """Return the rows of *documents*."""
        texts = [d if isinstance(d, str) else d.embedding_text for d in documents]
        self.batches.append(len(texts))
        return self._rows(texts)

    def _rows(self, texts: list[str]) -> FloatMatrix:
        return np.array([self.table[text] for text in texts], np.float32)


@pytest.fixture
def small() -> TuningDataset:
    """Return three documents and queries whose vectors are easy."""
    return TuningDataset(
        corpus={"x": "one", "y": "two", "z": "one again"},
        queries={"q1": "first", "q2": "second", "q3": "third", "other": "unused"},
        train={"other": {"x": 1}},
        test={"q1": {"x": 1, "z": 1}, "q2": {"x": 2}, "q3": {"y": 0}},
    )


@pytest.fixture
def table() -> TableEmbedder:
    """Return an embedder for that dataset."""
    return TableEmbedder(
        {"one": A, "two": B, "one again": A, "first": C, "second": B, "third": A}
    )


def test_worked_out_by_hand(small: TuningDataset, table: TableEmbedder) -> None:
    """Ranking, ties, grades and queries without positives are as documented."""
    report = evaluate(table, small, measures=("RR@10", "R@2", "nDCG@3"))

    assert {"q1": 0.5, "q2": 0.5, "q3": 0.0} == report.per_query["RR@10"]
    assert {"q1": 0.5, "q2": 1.0, "q3": 0.0} == report.per_query["R@2"]
    assert pytest.approx(1 / 3) == report["RR@10"]
    assert ("y", "x", "z") == tuple(doc_id for doc_id, _ in report.run["q1"])
    assert (("y", 1.0), ("x", 0.0), ("z", 0.0)) == report.run["q2"]
    assert 1 == report.without_positive


def test_facts(small: TuningDataset, table: TableEmbedder) -> None:
    """The report says what was measured, on what."""
    report = evaluate(table, small)

    assert ("table", "table-1", "table-1") == (
        report.embedder,
        report.fingerprint,
        report.query_fingerprint,
    )
    assert small.fingerprint == report.dataset_fingerprint
    assert ("test", 3) == (report.split, report.documents)
    assert ("nDCG@10", "R@10", "RR@10") == report.measures
    assert ("q1", "q2", "q3") == report.query_ids


def test_query_side_of_its_own(small: TuningDataset, table: TableEmbedder) -> None:
    """An embedder that has another query side is recorded with both."""
    table.query_fingerprint = "adapter-7"  # type: ignore[attr-defined]

    report = evaluate(table, small)

    assert ("table-1", "adapter-7") == (report.fingerprint, report.query_fingerprint)


@pytest.mark.parametrize("batch_size", [1, 5, 100])
def test_batches_change_nothing(
    dataset: TuningDataset, embedder: LocalEmbedder, batch_size: int
) -> None:
    """Documents that arrive in any batches give the same report."""
    whole = evaluate(embedder, dataset)

    assert whole == evaluate(embedder, dataset, batch_size=batch_size, block_bytes=64)


def test_batches_are_as_large_as_asked(
    small: TuningDataset, table: TableEmbedder
) -> None:
    """The embedder never gets more texts at once."""
    evaluate(table, small, batch_size=2)

    assert [2, 1] == table.batches


def test_depth(dataset: TuningDataset, embedder: LocalEmbedder) -> None:
    """Hits are kept as deep as the largest cutoff, all that there are, or as asked."""
    assert 10 == evaluate(embedder, dataset, measures="RR@1").run.depth
    assert 12 == evaluate(embedder, dataset, measures="RR@50").run.depth
    assert 12 == evaluate(embedder, dataset, measures="AP").run.depth
    assert 11 == evaluate(embedder, dataset, measures=("R@3", "AP"), depth=11).run.depth
    with pytest.raises(ConfigurationError, match="'depth' must be >= 20"):
        evaluate(embedder, dataset, measures=("R@20", "AP"), depth=19)


def test_real_model(dataset: TuningDataset, embedder: LocalEmbedder) -> None:
    """The bundled model finds most of what its labels name."""
    report = evaluate(embedder, dataset, measures=("Success@3", "recall@12"))

    assert report["Success@3"] > 0.8
    assert 1.0 == report["R@12"]


def test_progress(small: TuningDataset, table: TableEmbedder) -> None:
    """Every query and document is reported."""
    events: list[ProgressEvent] = []

    evaluate(table, small, batch_size=2, progress=events.append)

    assert [0, 2, 3, 5, 6] == [event.done for event in events]
    assert {6} == {event.total for event in events}


def test_split_without_labels(small: TuningDataset, table: TableEmbedder) -> None:
    """The error says which splits have labels."""
    with pytest.raises(DataError, match=r"'validation' has no labels; .*'train' \(1 q"):
        evaluate(table, small, split="validation")
    with pytest.raises(DataError, match="no labels; add some"):
        evaluate(table, attrs.evolve(small, train={}, test={}))
    with pytest.raises(ValueError, match="'split' must be one of"):
        evaluate(table, small, split="dev")  # type: ignore[arg-type]


def test_labels_of_unknown_things(small: TuningDataset, table: TableEmbedder) -> None:
    """All unknown queries and documents are named at once."""
    wrong = attrs.evolve(small, test={"q1": {"ghost": 1, "x": 1}, "q9": {"spook": 1}})

    with pytest.raises(DatasetIntegrityError) as e:
        evaluate(table, wrong)

    assert (
        "query 'q9' is not among the queries",
        "document 'ghost' of query 'q1' is not in the corpus",
        "document 'spook' of query 'q9' is not in the corpus",
    ) == e.value.problems


BROKEN: dict[str, tuple[Change, type[Exception], str]] = {
    "too few rows": (lambda r: r[:1], DataError, r"gave shape \(1, 2\) for 3 texts"),
    "a vector": (lambda r: r[0], DataError, "a row each is needed"),
    "NaN": (lambda r: r * np.nan, DataError, "NaN or infinity for 3 of 3 texts"),
    "long rows": (lambda r: r * 2, DataError, r"norm other than 1 for 3 of 3 .* 2\)"),
    "narrow": (lambda r: r[:, :1], DimensionMismatchError, "dimension 1, its .* is 2"),
}


@pytest.mark.parametrize("verb", ["embed_queries", "embed_documents"])
@pytest.mark.parametrize("case", BROKEN)
def test_broken_embedders(
    small: TuningDataset,
    table: TableEmbedder,
    monkeypatch: pytest.MonkeyPatch,
    case: str,
    verb: str,
) -> None:
    """An embedder that breaks its contract is named, whichever side it breaks."""
    change, error, message = BROKEN[case]
    right = getattr(table, verb)
    monkeypatch.setattr(table, verb, lambda texts: change(right(texts)))

    with pytest.raises(error, match=message) as e:
        evaluate(table, small)

    assert "'table'" in str(e.value)


def test_wrong_arguments(small: TuningDataset, table: TableEmbedder) -> None:
    """What is no embedder, no batch size and no measure is refused at once."""
    with pytest.raises(TypeError, match=r"must be an embedder \(got str\)"):
        evaluate("wordllama-256", small)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'batch_size' must be >= 1"):
        evaluate(table, small, batch_size=0)
    with pytest.raises(ConfigurationError, match="there is no measure 'nDGC@10'"):
        evaluate(table, small, measures="nDGC@10")

    assert [] == table.batches
