"""Which documents become hard negatives, and which do not."""

from __future__ import annotations

import copy
import csv
import math
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from embedtune.curation.ledger import Fate
from embedtune.curation.mined import MinedDataset
from embedtune.curation.mining import mine_hard_negatives
from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.values import Document
from embedtune.errors import ConfigurationError, DataError, DatasetIntegrityError
from embedtune.progress import ProgressEvent
from embedtune.serving.local import LocalEmbedder
from embedtune.types import FloatMatrix

SCORES = {"a": 0.9, "b": 0.8, "c": 0.7, "d": 0.6, "e": 0.5, "f": 0.4, "g": -0.2}


class Scripted:
    """Embeds every query alike, and each document so that its score is known."""

    dimension = 2

    def __init__(self, scores: Mapping[str, float]) -> None:
        self.name = self.fingerprint = f"scripted {sorted(scores.items())}"
        self._scores = scores

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """Return the same row for each."""
        return np.tile(np.array([1, 0], np.float32), (len(texts), 1))

    def embed_documents(self, documents: Sequence[Document | str]) -> FloatMatrix:
        """Return rows at the angles that give the scores."""
        texts = [d if isinstance(d, str) else d.text for d in documents]
        cosines = [self._scores[text.casefold().strip()] for text in texts]
        rows = [(c, math.sqrt(1 - c * c)) for c in cosines]
        return np.array(rows, np.float32).reshape(len(texts), 2)


def dataset(**parts: Mapping[str, object]) -> TuningDataset:
    """Return documents a to g and one query, to which c is relevant."""
    facts = {
        "corpus": {name: name for name in SCORES},
        "queries": {"q": "query"},
        "train": {"q": {"c": 1}},
    }
    return TuningDataset(**{**facts, **parts})


def negatives(mined: TuningDataset, query_id: str = "q") -> list[str]:
    """Return the documents labelled 0, in their order."""
    return [doc_id for doc_id, grade in mined.train[query_id].items() if not grade]


def mine(data: TuningDataset | None = None, **rules: object) -> MinedDataset:
    """Mine by scripted scores, without a margin unless there is one in *rules*."""
    facts = {"relative_margin": None, "near_duplicates": None, "per_query": 2}
    return mine_hard_negatives(
        data or dataset(), Scripted(SCORES), **{**facts, **rules}
    )


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({}, ["a", "b"]),
        ({"per_query": 3}, ["a", "b", "d"]),
        ({"margin": 0.0}, ["d", "e"]),
        ({"margin": 0.15}, ["e", "f"]),
        ({"margin": -0.15}, ["b", "d"]),
        ({"relative_margin": 0.2}, ["e", "f"]),
        ({"max_score": 0.85}, ["b", "d"]),
        ({"max_score": 0.55, "min_score": 0.45}, ["e"]),
        ({"rank_window": (1, 4)}, ["b", "d"]),
        ({"rank_window": (1, 4), "margin": 0.0}, ["e"]),
        ({"rank_window": (0, 2), "margin": 0.0}, []),
        ({"rank_window": (5, 100)}, ["g"]),
    ],
)
def test_rules(rules: dict[str, object], expected: list[str]) -> None:
    """Each rule drops what it names, and the best of what is left are taken."""
    assert expected == negatives(mine(**rules))


def test_a_negative_score_has_a_margin_below_it() -> None:
    """The relative margin is a share of the score's size, so it never raises a bound."""
    scores = {"good": -0.5, "near": -0.52, "far": -0.6}
    data = TuningDataset(
        corpus={name: name for name in scores},
        queries={"q": "query"},
        train={"q": {"good": 1}},
    )

    mined = mine_hard_negatives(
        data, Scripted(scores), per_query=1, relative_margin=0.1
    )

    assert ["far"] == negatives(mined)


def test_the_lowest_positive_counts() -> None:
    """With several positives, margins are measured from the one with the lowest score."""
    data = dataset(train={"q": {"a": 2, "d": 1}})

    assert ["e", "f"] == negatives(mine(data, margin=0.0))


def test_queries_of_equal_text_share_their_positives() -> None:
    """What is relevant to a query of the same text, in any split, is no negative."""
    data = dataset(
        queries={"q": "query", "twin": " QUERY", "later": "query"},
        train={"q": {"c": 1}, "twin": {"a": 1}},
        test={"later": {"b": 1}},
    )

    mined = mine(data)

    assert ["d", "e"] == negatives(mined) == negatives(mined, "twin")
    assert {"b": 1} == mined.test["later"]


def test_copies_are_masked_by_content() -> None:
    """No copy of a labelled document or of the query is taken; other copies are one."""
    corpus = {
        "a": "A ",
        "a2": "a",
        "b": "b",
        "c": "c",
        "c2": Document(doc_id="c2", text="C", title="Another title"),
        "d": "d",
        "e": "e",
    }
    data = dataset(corpus=corpus, queries={"q": "D"}, train={"q": {"c": 1, "b": 0}})

    mined = mine(data, per_query=3)

    assert ["b", "a", "e"] == negatives(mined)
    counts = dict(zip(Fate, mined.ledger.counts[0].tolist(), strict=True))
    assert (1, 1, 3) == (
        counts[Fate.POSITIVE],
        counts[Fate.JUDGED],
        counts[Fate.COPY],
    )


def test_near_duplicates_of_a_positive_are_masked() -> None:
    """A document that differs from the positive by a word is no negative."""
    text = (
        "Hold both buttons for five seconds until the lamp blinks twice, then let go."
    )
    data = TuningDataset(
        corpus={"one": text, "same": f"{text} Now.", "other": "Wash it in cold water."},
        queries={"q": "Which buttons do I hold until the lamp blinks?"},
        train={"q": {"one": 1}},
    )

    mined = mine_hard_negatives(data, LocalEmbedder(), relative_margin=None)
    exact = mine_hard_negatives(
        data, LocalEmbedder(), relative_margin=None, near_duplicates=None
    )

    assert ["other"] == negatives(mined)
    assert 1 == mined.ledger.dropped["near_duplicate"]
    assert ["same", "other"] == negatives(exact)


@pytest.mark.parametrize(
    ("margin", "expected"), [(None, ["b", "d"]), (0.15, ["e", "f"])]
)
def test_second_opinion(margin: float | None, expected: list[str]) -> None:
    """What the other embedder does not rank below the positive is dropped."""
    other = Scripted({**SCORES, "a": 0.99, "b": 0.1, "c": 0.7})

    mined = mine(second_opinion=other, margin=margin)

    assert expected == negatives(mined)


def test_random_choice() -> None:
    """A random choice stays within the window, and depends on the seed alone."""
    data = dataset(
        queries={f"q{i}": f"query {i}" for i in range(40)},
        train={f"q{i}": {"c": 1} for i in range(40)},
    )
    rules = {"sampling": "random", "rank_window": (1, 5)}

    mined = mine(data, seed=1, **rules)

    found = [tuple(negatives(mined, query_id)) for query_id in mined.train]
    assert {"b", "d", "e", "f"} == {name for names in found for name in names}
    assert all(list(names) == sorted(names) for names in found)
    assert mined == mine(data, seed=1, block_bytes=1, **rules)
    assert mined != mine(data, seed=2, **rules)


def test_ledger_adds_up() -> None:
    """Found and dropped make all candidates, and what is missing is counted once."""
    data = dataset(
        queries={"q": "query", "r": "other", "s": "no positive"},
        train={"q": {"c": 1}, "r": {"f": 2, "a": 0}, "s": {"a": 0}},
    )

    ledger = mine(data, margin=0.15, max_score=0.45).ledger

    assert {"q": 2, "r": 1} == ledger.found
    assert {"r": 1} == ledger.missing
    assert 1 == ledger.without_positive
    assert [7, 7] == ledger.counts.sum(axis=1).tolist()
    assert 14 == sum(ledger.dropped.values()) + 3
    assert 1 == ledger.dropped["judged"]


def test_ledger_shows_itself(tmp_path: Path) -> None:
    """A ledger prints its totals, names short queries, and writes a line a query."""
    data = dataset(
        queries={"q": "query", "s": "no positive"},
        train={"q": {"e": 1}, "s": {"a": 0}},
    )
    ledger = mine(data, margin=0.0, per_query=3).ledger

    ledger.to_csv(tmp_path / "ledger.csv")

    text = str(ledger)
    assert "1 query, 3 hard negatives each: 3 asked, 2 found" in text
    assert "within the margin of the positive" in text
    assert "1 is missing, for 1 query ('q')" in text
    assert "1 query without a positive not asked" in text
    assert "within the margin" in ledger._repr_html_()
    with (tmp_path / "ledger.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [("q", "3", "2", "4")] == [
        (row["query_id"], row["asked"], row["found"], row["margin"]) for row in rows
    ]
    facts = ledger.to_dict()
    assert (1, 2, 1) == (facts["queries"], facts["found"], facts["missing"])
    assert 4 == facts["dropped"]["margin"]


def test_it_is_a_dataset(tmp_path: Path) -> None:
    """What was mined is a dataset that checks, splits, and goes through files."""
    data = dataset()
    mined = mine(data)

    assert mined.check().ok
    assert data.check().problems == mined.check().problems
    mined.to_beir(tmp_path / "beir")
    back = TuningDataset.from_beir(tmp_path / "beir")
    assert mined.fingerprint == back.fingerprint
    assert {"c": 1, "a": 0, "b": 0} == back.train["q"]
    mined.to_vertex(tmp_path / "vertex")
    assert "q\ta\t0\n" in (tmp_path / "vertex" / "train.tsv").read_text()


def test_it_copies_and_pickles() -> None:
    """Copies keep the labels and the ledger."""
    mined = mine()

    for again in (pickle.loads(pickle.dumps(mined)), copy.deepcopy(mined)):  # noqa: S301
        assert isinstance(again, MinedDataset)
        assert mined == again
        assert hash(mined) == hash(again)
        assert mined.ledger.found == again.ledger.found


def test_the_certificate_of_a_split_stays() -> None:
    """A dataset that was split keeps what the split certified."""
    data = dataset(
        queries={"q": "query", "r": "other"}, train={"q": {"c": 1}, "r": {"a": 1}}
    ).split(test=0.5)

    assert data.certificate is not None
    assert data.certificate == mine(data).certificate


def test_a_split_by_document_stays_one() -> None:
    """No document of another part, nor what is near to one, becomes a negative."""
    long = "{} is a long text about one thing that is said in one way only"
    texts = {name: name for name in SCORES} | {
        "a": long.format("a"),
        "copy": long.format("a") + "!",  # near to what the test asks for, no label
    }
    scores = {texts[name]: SCORES[name[:1]] for name in texts}
    data = dataset(
        corpus=texts,
        queries={"q": "query", "r": "other", "s": "third"},
        train={"q": {"c": 1}, "r": {"a": 1}, "s": {"f": 1}},
    )
    parts = next(
        found
        for found in (data.split(test=1 / 3, by="document", seed=s) for s in range(20))
        if "r" in found.test
    )

    mined = mine_hard_negatives(
        parts, Scripted(scores), relative_margin=None, per_query=2
    )

    assert ["b", "d"] == negatives(mined)
    assert mined.certificate is not None
    assert 0 == mined.certificate.verify(mined).either
    assert 2 == mined.ledger.elsewhere == mined.ledger.to_dict()["elsewhere"]
    assert "2 documents of other parts of the split" in str(mined.ledger)


def test_nothing_else_to_choose_from() -> None:
    """No wider window is advised where no rule dropped anything."""
    alone = mine(dataset(corpus={"c": "c"}))

    assert "all that ranked high enough is relevant, judged or a" in str(alone.ledger)


def test_other_splits() -> None:
    """Another split is mined when it is named, and the rest stays as it was."""
    data = dataset(validation={"q": {"c": 1}})

    mined = mine(data, split="validation")

    assert data.train == mined.train
    assert {"c": 1, "a": 0, "b": 0} == mined.validation["q"]


def test_progress_counts_all_texts() -> None:
    """Every text of every embedder is one step."""
    events: list[ProgressEvent] = []

    mine(second_opinion=Scripted(SCORES), progress=events.append)

    assert (16, 16) == (events[-1].done, events[-1].total)


def test_rows_go_to_the_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Rows beyond the block stand in a file without a name, and change nothing."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    assert mine() == mine(block_bytes=1)
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"per_query": 0}, "'per_query' must be >= 1"),
        ({"per_query": "3"}, "'per_query' must be >= 1 .got '3'"),
        ({"rank_window": 5}, "'rank_window' must be two ranks.*got 5"),
        ({"rank_window": (3, 3)}, "'rank_window' must be two ranks"),
        ({"rank_window": (-1, 3)}, "'rank_window' must be two ranks"),
        ({"rank_window": (9, 10)}, "'per_query' must be <= 1"),
        ({"margin": math.nan}, "'margin' must be a number or None"),
        ({"max_score": 0.1, "min_score": 0.2}, "'min_score' must be <= 'max_score'"),
        ({"sampling": "best"}, "'sampling' must be 'top' or 'random'"),
    ],
)
def test_wrong_rules(rules: dict[str, object], message: str) -> None:
    """A rule that cannot be is refused by name before anything is embedded."""
    with pytest.raises(ConfigurationError, match=message):
        mine(**rules)


def test_all_wrong_rules_at_once() -> None:
    """One error names every wrong rule."""
    with pytest.raises(ConfigurationError, match=r"'per_query'.*'sampling'"):
        mine(per_query=0, sampling="best")


def test_wrong_arguments() -> None:
    """What is no embedder, no threshold or no size is refused."""
    with pytest.raises(TypeError, match="'embedder' must be an embedder"):
        mine(second_opinion="minilm")
    with pytest.raises(ValueError, match="threshold"):
        mine(near_duplicates=0.1)
    with pytest.raises(ValueError, match="'block_bytes' must be >= 1"):
        mine(block_bytes=0)


def test_labels_that_cannot_be_mined() -> None:
    """No labels, no positive and unknown documents are errors of the data."""
    with pytest.raises(DataError, match="no labels"):
        mine(split="test")
    with pytest.raises(DataError, match="no query of 'train' has a positive"):
        mine(dataset(train={"q": {"a": 0}}))
    with pytest.raises(DatasetIntegrityError, match="'ghost'"):
        mine(dataset(train={"q": {"ghost": 1}}))


def test_unknown_labels_of_other_splits_do_no_harm() -> None:
    """Only the split that is mined must fit the dataset."""
    data = dataset(test={"ghost": {"a": 1}, "q": {"ghost": 1}})

    assert ["a", "b"] == negatives(mine(data))
