"""The audit finds what was planted, and only other labels judge a label."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import attrs
import numpy as np
import pytest

from embedtune.curation.audit import audit_labels
from embedtune.curation.audited import AuditedLabels
from embedtune.curation.label_audit import LabelAudit
from embedtune.curation.mixture import fit_mixture
from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.values import Document
from embedtune.errors import ConfigurationError, DataError, DatasetIntegrityError
from embedtune.serving.local import LocalEmbedder
from embedtune.types import FloatMatrix

TABLE = Path(__file__).parents[3] / "examples" / "data" / "tidewheel_support.csv"


@pytest.fixture(scope="module")
def embedder() -> LocalEmbedder:
    """Return the bundled model."""
    return LocalEmbedder()


@pytest.fixture(scope="module")
def support() -> TuningDataset:
    """Return the support questions of the examples."""
    return TuningDataset.from_table(
        TABLE, query="question", document="answer", title="answer_title"
    )


@pytest.fixture(scope="module")
def spoiled(support: TuningDataset) -> tuple[TuningDataset, set[str]]:
    """Return the support questions with every twentieth label wrong, and which."""
    return planted(support, share=0.05, seed=0)


@pytest.fixture(scope="module")
def audit(
    spoiled: tuple[TuningDataset, set[str]], embedder: LocalEmbedder
) -> LabelAudit:
    """Return the audit of the spoiled questions."""
    return audit_labels(spoiled[0], embedder)


class Shortened:
    """The first half of another embedder's rows: a worse one."""

    name = "shortened"
    fingerprint = "shortened"

    def __init__(self, embedder: LocalEmbedder) -> None:
        self._embedder = embedder
        self.dimension = embedder.dimension // 2

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """Return one shorter row a text."""
        return self._cut(self._embedder.embed_queries(texts))

    def embed_documents(self, documents: Sequence[Document | str]) -> FloatMatrix:
        """Return one shorter row a document."""
        return self._cut(self._embedder.embed_documents(documents))

    def _cut(self, rows: FloatMatrix) -> FloatMatrix:
        rows = rows[:, : self.dimension]
        norms: FloatMatrix = np.linalg.norm(rows, axis=1, keepdims=True)
        return rows / norms


def planted(
    dataset: TuningDataset, *, share: float, seed: int
) -> tuple[TuningDataset, set[str]]:
    """Return the dataset with labels for random other documents, and their queries."""
    rng = np.random.default_rng(seed)
    labels = {query_id: dict(row) for query_id, row in dataset.train.items()}
    chosen = rng.permutation(sorted(labels))[: round(share * len(labels))].tolist()
    for query_id in chosen:
        others = [d for d in dataset.corpus if d not in labels[query_id]]
        labels[query_id] = {others[rng.integers(len(others))]: 1}
    return attrs.evolve(dataset, train=labels), set(chosen)


def test_planted_labels_come_first(
    spoiled: tuple[TuningDataset, set[str]], audit: LabelAudit
) -> None:
    """Four of five planted mistakes are among the first tenth."""
    first = {item.query_id for item in audit.wrong[: len(audit.wrong) // 10]}

    assert len(audit.wrong) == len(spoiled[0].train)
    assert len(first & spoiled[1]) >= 0.8 * len(spoiled[1])


def test_alternative_is_the_right_document(
    support: TuningDataset, spoiled: tuple[TuningDataset, set[str]], audit: LabelAudit
) -> None:
    """What should stand there instead is mostly what stood there."""
    found = [item for item in audit.wrong if item.query_id in spoiled[1]]
    right = [item.alternative in support.train[item.query_id] for item in found]

    assert sum(right) >= 0.7 * len(right)


def test_share_is_in_the_interval(audit: LabelAudit) -> None:
    """The interval of the share of wrong labels holds the share that was planted."""
    interval = audit.noise.interval

    assert interval.low <= 0.05 <= interval.high
    assert interval.low <= audit.noise.share <= interval.high
    assert audit.errors[0].measured <= audit.errors[0].if_right


def test_few_wrong_labels_are_missed_as_missing(audit: LabelAudit) -> None:
    """A query whose only label is probably wrong has no missing ones."""
    suspects = {item.query_id for item in audit.wrong if item.suspicion >= 0.5}

    assert set() == suspects & {item.query_id for item in audit.missing}
    assert all(item.preference >= 0.5 for item in audit.missing)


def test_label_does_not_judge_itself(
    spoiled: tuple[TuningDataset, set[str]], embedder: LocalEmbedder
) -> None:
    """Wrong labels of queries with one text all stay suspicious: they share a fold."""
    dataset, chosen = spoiled
    query_id = min(chosen)
    (wrong,) = dataset.train[query_id]
    text = dataset.queries[query_id].text
    queries = {key: value.text for key, value in dataset.queries.items()}
    queries |= {f"twin-{n}": f" {text.upper()}" for n in range(5)}
    labels = {key: dict(row) for key, row in dataset.train.items()}
    labels |= {f"twin-{n}": {wrong: 1} for n in range(5)}
    twins = TuningDataset(corpus=dataset.corpus, queries=queries, train=labels)

    dealt = AuditedLabels.of(twins, ("train",), folds=5, seed=0)
    numbers = [dealt.query_ids.index(f"twin-{n}") for n in range(5)]
    numbers.append(dealt.query_ids.index(query_id))

    assert 1 == len(set(dealt.fold[numbers].tolist()))


def test_same_seed_same_audit(
    spoiled: tuple[TuningDataset, set[str]], embedder: LocalEmbedder, audit: LabelAudit
) -> None:
    """Equal seeds give equal audits, whatever the size of a block."""
    again = audit_labels(spoiled[0], embedder, block_bytes=16_000)

    assert [item.query_id for item in audit.wrong] == [
        item.query_id for item in again.wrong
    ]
    assert np.allclose(
        [item.suspicion for item in audit.wrong],
        [item.suspicion for item in again.wrong],
        atol=1e-5,
    )


def test_several_embedders(
    spoiled: tuple[TuningDataset, set[str]], embedder: LocalEmbedder
) -> None:
    """Each embedder has its evidence and its own measured error."""
    audit = audit_labels(spoiled[0], [embedder, Shortened(embedder)])
    first = {item.query_id for item in audit.wrong[: len(audit.wrong) // 10]}

    assert 2 == len(audit.errors) == len(audit.wrong[0].evidence)
    assert len(first & spoiled[1]) >= 0.8 * len(spoiled[1])


def test_equal_documents_are_missing_labels(embedder: LocalEmbedder) -> None:
    """A second document of the same text is named, and marked as equal."""
    corpus = {f"d{n}": f"All about the {word}." for n, word in enumerate(_WORDS)}
    corpus["copy"] = f" all about the {_WORDS[0].upper()}."
    queries = {f"q{n}": word for n, word in enumerate(_WORDS)}
    labels = {f"q{n}": {f"d{n}": 2} for n in range(len(_WORDS))}
    dataset = TuningDataset(corpus=corpus, queries=queries, train=labels)

    first = audit_labels(dataset, embedder).missing[0]

    assert ("q0", "copy", "d0", 2, "equal") == (
        first.query_id,
        first.doc_id,
        first.positive,
        first.relevance,
        first.likeness,
    )


def test_nearly_equal_documents_are_marked(embedder: LocalEmbedder) -> None:
    """A better document that is a positive's text but for a letter is marked as near."""
    text = "How to pay an invoice by card, and what to do if the card is refused"
    corpus = {f"d{n}": f"All about the {word}." for n, word in enumerate(_WORDS)}
    corpus |= {"d1": text.replace("card,", "cart,"), "better": text}
    queries = {f"q{n}": word for n, word in enumerate(_WORDS)} | {"q1": text}
    labels = {f"q{n}": {f"d{n}": 1} for n in range(len(_WORDS))}
    dataset = TuningDataset(corpus=corpus, queries=queries, train=labels)

    missing = audit_labels(dataset, embedder).missing

    assert [("better", "near")] == [
        (item.doc_id, item.likeness) for item in missing if item.query_id == "q1"
    ]


def test_votes_are_those_of_the_nearest_queries(embedder: LocalEmbedder) -> None:
    """Neighbours that have the document vote for it, and only the first are asked."""
    words = ["password", "invoice", "refund"]
    corpus = {word: f"All about the {word}." for word in words}
    queries = {f"{word}{n}": f"{word} {n}" for word in words for n in range(400)}
    labels = {key: {key.rstrip("0123456789"): 1} for key in queries}
    dataset = TuningDataset(corpus=corpus, queries=queries, train=labels)

    wrong = audit_labels(dataset, embedder).wrong

    assert {10} == {item.votes for item in wrong[:1000]}
    assert {0} == {item.alternative_votes for item in wrong[:1000]}
    assert {None} == {item.votes for item in wrong[1000:]}


def test_hidden_positive_is_missing(embedder: LocalEmbedder) -> None:
    """A better document without a label is named; a judged one is not."""
    corpus = {f"d{n}": f"All about the {word}." for n, word in enumerate(_WORDS)}
    corpus["better"] = "How to pay an invoice by card"
    corpus["judged"] = "How to pay an invoice by card today"
    queries = {f"q{n}": word for n, word in enumerate(_WORDS)}
    queries["q1"] = "pay an invoice by card"
    labels = {f"q{n}": {f"d{n}": 1} for n in range(len(_WORDS))}
    labels["q1"]["judged"] = 0
    dataset = TuningDataset(corpus=corpus, queries=queries, train=labels)

    found = [
        item.doc_id
        for item in audit_labels(dataset, embedder).missing
        if item.query_id == "q1"
    ]

    assert ["better"] == found


def test_all_documents_relevant(embedder: LocalEmbedder) -> None:
    """Where nothing else could stand, there is no alternative."""
    corpus = {"d0": "the password", "d1": "the invoice"}
    queries = {"q0": "password", "q1": "invoice"}
    labels = {"q0": {"d0": 1, "d1": 1}, "q1": {"d1": 1}}
    dataset = TuningDataset(corpus=corpus, queries=queries, train=labels)

    audit = audit_labels(dataset, embedder, folds=2)

    assert [None, None] == [i.alternative for i in audit.wrong if i.query_id == "q0"]


def test_prints_no_markup_of_texts(embedder: LocalEmbedder) -> None:
    """Texts are escaped in a notebook, and the printed form has ids only."""
    corpus = {f"d{n}": f"<b>{word}</b>" for n, word in enumerate(_WORDS)}
    queries = {f"q{n}": f"<i>{word}" for n, word in enumerate(_WORDS)}
    labels = {f"q{n}": {f"d{n}": 1} for n in range(len(_WORDS))}
    dataset = TuningDataset(corpus=corpus, queries=queries, train=labels)
    audit = audit_labels(dataset, embedder)

    html = audit._repr_html_()

    assert "<b>" not in html
    assert "&lt;b&gt;password" in html
    assert "password" not in str(audit)
    assert "6 labels of train audited" in repr(audit)


def test_refusals(support: TuningDataset, embedder: LocalEmbedder) -> None:
    """What cannot be audited is refused, with what is wrong."""
    empty = TuningDataset(corpus={"d": "a"}, queries={"q": "b"}, train={"q": {"d": 1}})
    unknown = attrs.evolve(support, train={"ghost": {"d": 1}})

    with pytest.raises(ConfigurationError, match="'folds' must be >= 2"):
        audit_labels(support, embedder, folds=1)
    with pytest.raises(ConfigurationError, match=r"'folds' must be .*got '5'"):
        audit_labels(support, embedder, folds="5")
    with pytest.raises(DataError, match="at least 2 documents"):
        audit_labels(empty, embedder)
    with pytest.raises(DatasetIntegrityError, match="ghost"):
        audit_labels(unknown, embedder)
    with pytest.raises(ValueError, match="'split' must be"):
        audit_labels(support, embedder, split="dev")
    with pytest.raises(TypeError, match="at least one embedder"):
        audit_labels(support, [])


def test_all_splits(support: TuningDataset, embedder: LocalEmbedder) -> None:
    """With `"all"`, every positive is audited and says where it stands."""
    audit = audit_labels(support.split(test=0.3), embedder, split="all")

    assert ("train", "test") == audit.splits
    assert len(audit.wrong) == len(support.train)
    assert {"train", "test"} == {item.split for item in audit.wrong}


def test_mixture_finds_its_own_share() -> None:
    """Labels drawn from a known mixture give back its share, within its error."""
    rng = np.random.default_rng(0)
    documents, labels, share = 100, 5_000, 0.1
    is_random = rng.random(labels) < share
    # A model that gives the right document 0.8, and every other 0.2 / 99.
    hits = np.where(is_random, rng.random(labels) < 0.01, rng.random(labels) < 0.8)
    probabilities = np.where(hits, 0.8, 0.2 / 99)[:, None]

    # The other 20 % of a right label are like chance: this mixture cannot tell.
    found = fit_mixture(probabilities, documents)

    assert 0 <= found.chance <= share + 4 * found.error


@pytest.mark.parametrize("seed", range(3))
def test_banking77(seed: int, embedder: LocalEmbedder) -> None:
    """On banking77 four of five planted mistakes are among the first tenth."""
    folder = Path(os.environ.get("EMBEDTUNE_DATA", "")) / "banking77"
    if not os.environ.get("EMBEDTUNE_DATA") or not folder.is_dir():
        pytest.skip("EMBEDTUNE_DATA names no folder with banking77")
    dataset, chosen = planted(TuningDataset.from_beir(folder), share=0.05, seed=seed)

    audit = audit_labels(dataset, embedder, seed=seed)
    first = {item.query_id for item in audit.wrong[: len(audit.wrong) // 10]}

    assert len(first & chosen) >= 0.8 * len(chosen)


_WORDS = ["password", "invoice", "refund", "parcel", "address", "language"]
