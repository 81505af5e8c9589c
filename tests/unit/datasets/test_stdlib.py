"""The search task that is made from the standard library."""

from __future__ import annotations

import sys

import pytest

import embedtune as et
from embedtune.datasets.stdlib import sentences_of, stdlib_sample


@pytest.fixture(scope="module")
def one() -> et.TuningDataset:
    """One query a document."""
    return et.stdlib_dataset()


@pytest.fixture(scope="module")
def two() -> et.TuningDataset:
    """A second query where the docstring is long enough."""
    return et.stdlib_dataset(second_queries=True)


def test_pairs(one: et.TuningDataset) -> None:
    """Each document has one query, whose text is not in the document."""
    assert len(one.corpus) == len(one.queries) == len(one.train)
    assert 1_500 < len(one.corpus) < 4_000
    for query_id, labels in one.train.items():
        ((doc_id, relevance),) = labels.items()
        query = one.queries[query_id].text

        assert 1 == relevance
        assert len(query.split()) >= 4
        assert query not in one.corpus[doc_id].text
        assert doc_id == one.corpus[doc_id].title


def test_sample(one: et.TuningDataset) -> None:
    """It has as many pairs as were asked for, and a larger one keeps them."""
    small, large = stdlib_sample(20), stdlib_sample(100)

    assert (20, 100) == (len(small.train), len(large.train))
    assert list(small.corpus) == list(large.corpus)[:20]
    assert list(small.queries) == list(large.queries)[:20]
    for query_id, labels in large.train.items():
        ((doc_id, relevance),) = labels.items()

        assert 1 == relevance
        assert doc_id == large.corpus[doc_id].title
        if doc_id in one.corpus:
            assert one.corpus[doc_id] == large.corpus[doc_id]
            assert one.queries[query_id] == large.queries[query_id]


def test_size_with_one_python(one: et.TuningDataset) -> None:
    """Python 3.11.7, whole, gives 2,643 pairs; the published figures rest on them."""
    if sys.version_info[:3] != (3, 11, 7) or "tkinter" not in one.corpus:
        pytest.skip("another Python, or one without all of its modules")

    assert 2_643 == len(one.corpus)


def test_what_is_public(one: et.TuningDataset) -> None:
    """Functions, methods and modules are there; private names and tests are not."""
    names = {"cmd", "http.server.BaseHTTPRequestHandler", "threading.Condition.wait"}

    assert names <= set(one.corpus)
    for doc_id, document in one.corpus.items():
        module, name = doc_id.split(".")[0], doc_id.split(".")[-1]

        assert module not in {"test", "idlelib", "lib2to3", "site-packages"}
        assert document.text.startswith(name)
        if document.text.startswith(f"{name}("):
            assert not name.startswith("_")


def test_second_queries(one: et.TuningDataset, two: et.TuningDataset) -> None:
    """A second query leaves the text, and a split by query gives both kinds."""
    assert list(one.corpus) == list(two.corpus)
    seconds = [query_id for query_id in two.queries if query_id.endswith("#2")]
    assert len(two.queries) == len(one.queries) + len(seconds)
    assert len(seconds) > 800
    for query_id in seconds:
        (doc_id,) = two.train[query_id]
        query = two.queries[query_id].text

        assert query in one.corpus[doc_id].text
        assert query not in two.corpus[doc_id].text
        assert len(two.corpus[doc_id].text) >= 30

    divided = two.split(test=0.25)
    trained = {doc_id for labels in divided.train.values() for doc_id in labels}
    seen = [labels.keys() <= trained for labels in divided.test.values()]
    assert 0.3 < sum(seen) / len(seen) < 0.7


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Do it. Then stop.", ["Do it.", "Then stop."]),
        ("Use e.g. this one. Or i.e. that.", ["Use e.g. this one.", "Or i.e. that."]),
        ("Calls a.b.c of 3.11 only. Really!", ["Calls a.b.c of 3.11 only.", "Really!"]),
        ("Root of x. It is real.", ["Root of x.", "It is real."]),
        ("Files, pipes etc. are fine. Ok.", ["Files, pipes etc. are fine.", "Ok."]),
        ("Files, pipes etc. All fine.", ["Files, pipes etc.", "All fine."]),
        ('Say "stop." Go on.', ['Say "stop."', "Go on."]),
        ("Wait ... and see. End.", ["Wait ... and see.", "End."]),
        (
            "A heading\n\nA text over\n two lines.",
            ["A heading", "A text over two lines."],
        ),
        ("Is it? Yes!", ["Is it?", "Yes!"]),
    ],
)
def test_sentences(text: str, sentences: list[str]) -> None:
    """A sentence ends where a reader would end it."""
    assert sentences == sentences_of(text)


def test_nothing_is_run(one: et.TuningDataset) -> None:
    """Modules that do something when they are imported are read, not run."""
    assert any(doc_id.startswith("turtle.") for doc_id in one.corpus)
    assert {"antigravity", "this", "turtle"}.isdisjoint(sys.modules)


def test_limit(two: et.TuningDataset) -> None:
    """A part is drawn by name: from all modules, and the smaller in the larger."""
    small = et.stdlib_dataset(second_queries=True, limit=100)
    large = et.stdlib_dataset(second_queries=True, limit=300)

    assert 100 == len(small.corpus)
    assert 300 == len(large.corpus)
    assert small.corpus.keys() < large.corpus.keys()
    assert [key for key in two.corpus if key in large.corpus] == list(large.corpus)
    for doc_id in large.corpus:
        assert two.corpus[doc_id] == large.corpus[doc_id]
    for query_id, labels in two.train.items():
        assert (query_id in large.train) == (set(labels) <= large.corpus.keys())
    assert len({doc_id.split(".")[0] for doc_id in small.corpus}) > 30


def test_wrong_limit() -> None:
    """A limit below 1 is refused."""
    with pytest.raises(ValueError, match=r"'limit' must be >= 1 or None \(got 0\)"):
        et.stdlib_dataset(limit=0)
