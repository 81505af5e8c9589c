"""A dataset as the arrays that the local recipe works on."""

from __future__ import annotations

import numpy as np
import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.serving.static import StaticModel
from embedtune.tuning.encoder import Parameters, encode
from embedtune.tuning.material import HARD, Material, gather

CORPUS = {
    "b": "block a lost card in the app",
    "a": "open a new account",
    "c": "Block a  lost card in the APP",
    "d": "exchange rates of the day",
    "e": "",
    "f": "",
}
ROW = {doc_id: row for row, doc_id in enumerate(sorted(CORPUS))}


@pytest.fixture(scope="module")
def model() -> StaticModel:
    """Open the bundled model."""
    return StaticModel.open()


def material(
    model: StaticModel,
    train: dict[str, dict[str, int]],
    validation: dict[str, dict[str, int]] | None = None,
    queries: dict[str, str] | None = None,
) -> Material:
    """Gather a dataset over the corpus of this module."""
    dataset = TuningDataset(
        corpus=CORPUS,
        queries=queries or {f"q{i}": f"question number {i}" for i in range(9)},
        train=train,
        validation=validation or {},
    )
    return gather(dataset, model, np.random.default_rng(0))


def positives(material: Material, place: int = 0) -> dict[int, float]:
    """Return the training labels of one query."""
    labels = material.train.take(np.array([place]))
    return dict(zip(labels.documents.tolist(), labels.relevance.tolist(), strict=True))


def test_documents_of_equal_text_share_labels(model: StaticModel) -> None:
    """A duplicate is as relevant as the document that has the label."""
    found = positives(material(model, {"q0": {"b": 2}}))

    assert {ROW["b"]: 2, ROW["c"]: 2} == found


def test_empty_documents_are_no_duplicates(model: StaticModel) -> None:
    """Documents without a text have nothing in common."""
    assert {ROW["e"]: 1} == positives(material(model, {"q0": {"e": 1}}))


def test_queries_of_equal_text_are_one(model: StaticModel) -> None:
    """Labels of a query that is there twice are joined, the higher relevance wins."""
    found = material(
        model,
        {"q0": {"a": 1, "d": 1}, "q1": {"d": 3}},
        queries={"q0": "Rates?", "q1": " rates? "},
    )

    assert 1 == len(found.train)
    assert {ROW["a"]: 1, ROW["d"]: 3} == positives(found)


def test_validation_queries_that_are_trained_on_are_left_out(
    model: StaticModel,
) -> None:
    """Nothing is chosen by a query that was learned."""
    found = material(
        model,
        {"q0": {"a": 1}},
        {"q1": {"a": 1}, "q2": {"d": 1}},
        queries={"q0": "rates", "q1": "RATES", "q2": "accounts"},
    )

    assert [1] == found.validation.queries.tolist()


def test_hard_negatives(model: StaticModel) -> None:
    """They are those labelled so, then the best of the base, never a positive."""
    found = material(model, {"q0": {"b": 1, "d": 0}}, queries={"q0": "lost card"})

    hard = found.hard[0].tolist()
    assert HARD == len(hard)
    assert ROW["d"] == hard[0]
    assert {ROW["a"], ROW["d"], ROW["e"], ROW["f"]} == set(hard) - {-1}
    assert ROW["a"] == hard[1]


def test_order_of_the_input_does_not_matter(model: StaticModel) -> None:
    """Documents and queries stand in the order of their ids."""
    labels = {"q0": {"a": 1}, "q1": {"d": 1}}
    one = material(model, labels)
    two = material(model, dict(reversed(labels.items())))

    for name in ("queries", "starts", "documents", "relevance"):
        assert np.array_equal(getattr(one.train, name), getattr(two.train, name))
    assert np.array_equal(one.hard, two.hard)


def test_rows_are_those_of_the_embedder(model: StaticModel) -> None:
    """What is learned on is what the embedder of the base model gives."""
    texts = material(model, {"q0": {"a": 1}}).texts
    rows = encode(texts.table, Parameters.base(texts.table), texts.documents).units

    expected = model.embed([CORPUS[doc_id] for doc_id in sorted(CORPUS)])

    has_tokens = [ROW[doc_id] for doc_id in "abcd"]
    np.testing.assert_allclose(expected[has_tokens], rows[has_tokens], atol=1e-6)


@pytest.mark.parametrize(
    ("train", "expected"),
    [
        ({"q0": {"a": 1}}, (1 / 6 + 0) / 2),
        ({"q0": {"a": 1}, "q1": {"a": 1}}, (1 / 6 + 1) / 2),
        ({"q0": {"a": 1}, "q1": {"a": 1}, "q2": {"d": 1}}, (2 / 6 + 2 / 3) / 2),
        ({"q0": {"a": 1, "d": 1}, "q1": {"a": 1}}, (2 / 6 + 1) / 2),
    ],
)
def test_share_of_seen_documents(
    model: StaticModel, train: dict[str, dict[str, int]], expected: float
) -> None:
    """It is the mean of the labelled documents and of the shared ones' queries."""
    np.testing.assert_allclose(expected, material(model, train).seen_share)


def test_too_many_queries_are_drawn_from(
    model: StaticModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More training queries than a limit are learned from in part, at random."""
    monkeypatch.setattr("embedtune.tuning.material.MOST_QUERIES", 4)
    labels = {f"q{i}": {"a": 1} for i in range(9)}

    found = material(model, labels)

    assert 4 == len(found.train)
    assert 4 == len(found.texts.queries)
