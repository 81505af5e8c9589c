"""Splits never leak, whatever the data."""

from __future__ import annotations

import random
import unicodedata
from itertools import combinations

from hypothesis import given, reject
from hypothesis import strategies as st

from embedtune.datasets.dataset import TuningDataset
from embedtune.errors import DataError
from embedtune.types import SPLITS

TEXTS = st.sampled_from(
    ["a", "A", " a", "\uff21", "b", "b c", "B\tC", "\u00df", "ss", "", " ", "d", "e"]
) | st.text(max_size=3)


@st.composite
def labelled(draw: st.DrawFn) -> TuningDataset:
    """Draw labels over texts that repeat each other in many ways."""
    documents = draw(st.integers(1, 25))
    queries = draw(st.integers(1, 25))
    row = st.dictionaries(
        st.integers(0, documents - 1).map("d{}".format), st.integers(0, 2), max_size=3
    )
    parts: dict[str, dict[str, dict[str, int]]] = {split: {} for split in SPLITS}
    for number in range(queries):
        labels = draw(row)
        if labels:
            parts[draw(st.sampled_from(SPLITS))][f"q{number}"] = labels
    return TuningDataset(
        corpus={f"d{i}": draw(TEXTS) for i in range(documents)},
        queries={f"q{i}": draw(TEXTS) for i in range(queries)},
        **parts,
    )


SHARES = st.sampled_from([(0.2, 0.0), (0.2, 0.1), (0.5, 0.25), (0.05, 0.0), (0.9, 0.0)])


def same(text: str) -> str:
    """Normalise independently of the library."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def queries_of(dataset: TuningDataset, split: str) -> set[str]:
    """Return the texts of the queries that have labels in a split."""
    return {same(dataset.queries[key].text) for key in dataset.labels(split)}


def documents_of(dataset: TuningDataset, split: str) -> set[str]:
    """Return the texts of the documents that have labels in a split."""
    return {
        same(dataset.corpus[key].text)
        for row in dataset.labels(split).values()
        for key in row
    }


def attempt(dataset: TuningDataset, **arguments: object) -> TuningDataset:
    """Split; data that is refused for good reason is no example."""
    try:
        parts = dataset.split(**arguments)
    except DataError as e:
        reason = str(e)
    else:
        return parts
    assert "whole groups" in reason or "no labels" in reason
    return reject()


@given(dataset=labelled(), shares=SHARES, seed=st.integers(-5, 10**12))
def test_equal_queries_are_never_divided(
    dataset: TuningDataset, shares: tuple[float, float], seed: int
) -> None:
    """No query text is on two sides, no label is lost, and every part has a query."""
    parts = attempt(dataset, test=shares[0], validation=shares[1], seed=seed)

    for one, other in combinations(SPLITS, 2):
        assert not queries_of(parts, one) & queries_of(parts, other)
    before = {**dataset.train, **dataset.validation, **dataset.test}
    assert before == {**parts.train, **parts.validation, **parts.test}
    assert parts.train
    assert parts.test
    assert bool(shares[1]) == bool(parts.validation)


@given(dataset=labelled(), shares=SHARES, seed=st.integers(-5, 10**12))
def test_documents_are_never_divided(
    dataset: TuningDataset, shares: tuple[float, float], seed: int
) -> None:
    """By document, no labelled text is on two sides, and only zeros are left out."""
    parts = attempt(
        dataset, test=shares[0], validation=shares[1], seed=seed, by="document"
    )

    for one, other in combinations(SPLITS, 2):
        assert not documents_of(parts, one) & documents_of(parts, other)
        assert not queries_of(parts, one) & queries_of(parts, other)
    before = {**dataset.train, **dataset.validation, **dataset.test}
    after = {**parts.train, **parts.validation, **parts.test}
    kept = {(q, d, r) for q, row in after.items() for d, r in row.items()}
    given_labels = {(q, d, r) for q, row in before.items() for d, r in row.items()}
    assert kept <= given_labels
    assert all(relevance == 0 for _, _, relevance in given_labels - kept)
    assert "leaked-query" not in {problem.rule for problem in parts.check()}
    assert "shared-document" not in {problem.rule for problem in parts.check()}


@given(
    dataset=labelled(),
    seed=st.integers(0, 100),
    by=st.sampled_from(["query", "document"]),
    mix=st.randoms(use_true_random=False),
)
def test_order_makes_no_difference(
    dataset: TuningDataset, seed: int, by: str, mix: random.Random
) -> None:
    """The split follows from content and seed, not from the order of the data."""

    def mixed(part: object) -> dict[str, object]:
        items = list(dict(part).items())
        mix.shuffle(items)
        return dict(items)

    other = TuningDataset(
        corpus=mixed(dataset.corpus),
        queries=mixed(dataset.queries),
        train={key: mixed(row) for key, row in mixed(dataset.train).items()},
        validation=mixed(dataset.validation),
        test=mixed(dataset.test),
    )

    assert attempt(dataset, test=0.3, seed=seed, by=by) == (
        other.split(test=0.3, seed=seed, by=by)
    )


@given(
    count=st.integers(3, 200),
    test=st.floats(0.05, 0.6),
    validation=st.just(0.0) | st.floats(0.05, 0.35),
    seed=st.integers(0, 100),
)
def test_shares_are_exact_without_groups(
    count: int, test: float, validation: float, seed: int
) -> None:
    """Where no query is tied to another, the sizes are the shares, rounded."""
    dataset = TuningDataset(
        corpus={"d": "x"},
        queries={f"q{i}": f"text {i}" for i in range(count)},
        train={f"q{i}": {"d": 1} for i in range(count)},
    )
    parts = dataset.split(test=test, validation=validation, seed=seed)

    assert abs(len(parts.test) - count * test) < 1
    assert abs(len(parts.validation) - count * validation) < 1
    assert bool(validation) == bool(parts.validation)
    assert parts.test
    assert parts.train


@given(dataset=labelled())
def test_sizes_are_near_the_shares(dataset: TuningDataset) -> None:
    """A part is never below half of what was asked for, nor above double."""
    total = sum(len(dataset.labels(split)) for split in SPLITS)
    parts = attempt(dataset, test=0.4)
    wanted = max(1, round(total * 0.4))

    assert wanted / 2 <= len(parts.test) <= max(2 * wanted, wanted + 1)
