"""An index lives through any script as a dictionary and exact search do."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedtune.datasets.values import Document
from embedtune.errors import DataError, EmbedtuneError, NotFoundError
from embedtune.serving.local import LocalEmbedder
from embedtune.vectorstore.index import MilvusIndex
from embedtune.vectorstore.values import Hit

# Few ids and words, so that documents change, go and come back.
IDS = ["a", "b", "o'brien", 'x"] or doc_id in ["a', "\\", "new\nline", "日", "%", "a "]
WORDS = ["", "card", "refund", "parcel delay", "card refund", "日本語", "' or 1 == 1"]

ids = st.sampled_from(IDS)
words = st.sampled_from(WORDS)
metadata = st.dictionaries(
    st.sampled_from(["k", "ü", "'"]), st.none() | st.integers(0, 2) | words, max_size=2
)
documents = st.builds(Document, doc_id=ids, text=words, title=words, metadata=metadata)
corpora = st.lists(documents, max_size=9, unique_by=lambda document: document.doc_id)

Outcome: TypeAlias = object


@attrs.frozen
class Sync:
    """Bring in step."""

    documents: Sequence[Document]
    share: float


@attrs.frozen
class Search:
    """Search for one text."""

    text: str
    limit: int


@attrs.frozen
class Get:
    """Read some documents."""

    doc_ids: Sequence[str]


@attrs.frozen
class Count:
    """Count all."""


@attrs.frozen
class Reopen:
    """Close and open again."""


Step: TypeAlias = Sync | Search | Get | Count | Reopen
steps = (
    st.builds(Sync, corpora, st.sampled_from([0.5, 1.0]))
    | st.builds(Search, words, st.integers(1, 12))
    | st.builds(Get, st.lists(ids, max_size=4))
    | st.just(Count())
    | st.just(Reopen())
)


class Model:
    """A dictionary, and a search that compares with everything."""

    def __init__(self, embedder: LocalEmbedder) -> None:
        self._embedder = embedder
        self._documents: dict[str, Document] | None = None

    def play(self, step: Step) -> Outcome:
        """Do what the step says."""
        if isinstance(step, Sync):
            return self._sync(step)
        if isinstance(step, Reopen):
            return None
        if self._documents is None:
            raise NotFoundError("never filled")
        match step:
            case Search():
                return self._search(step)
            case Get():
                found = self._documents
                return {one: found[one] for one in step.doc_ids if one in found}
            case Count():
                return len(self._documents)

    def _sync(self, step: Sync) -> Outcome:
        old = self._documents or {}
        new = {document.doc_id: document for document in step.documents}
        gone = old.keys() - new.keys()
        self._documents = old
        if len(gone) > step.share * len(old):
            raise DataError("too many")
        self._documents = new
        added = new.keys() - old.keys()
        unchanged = {one for one in new if new[one] == old.get(one)}
        changed = new.keys() - added - unchanged
        return len(added), len(changed), len(unchanged), len(gone)

    def _search(self, step: Search) -> list[Hit]:
        assert self._documents is not None
        listed = list(self._documents.values())
        (query,) = self._embedder.embed_queries([step.text])
        scores = self._embedder.embed_documents(listed) @ query
        best = np.argsort(-scores, kind="stable")[: step.limit]
        return [_hit(listed[i], float(scores[i])) for i in best]


class Real:
    """The index, on Milvus Lite."""

    def __init__(self, path: Path, embedder: LocalEmbedder) -> None:
        self._open: Callable[[], MilvusIndex] = lambda: MilvusIndex(
            path, "kb", embedder
        )
        self.index = self._open()

    def play(self, step: Step) -> Outcome:
        """Do what the step says."""
        match step:
            case Sync():
                report = self.index.sync(step.documents, max_deleted_share=step.share)
                return report.added, report.changed, report.unchanged, report.deleted
            case Search():
                return self.index.search(step.text, limit=step.limit)
            case Get():
                return self.index.get(step.doc_ids)
            case Count():
                return self.index.count()
            case Reopen():
                self.index.close()
                self.index = self._open()
                return None


@contextmanager
def fresh(embedder: LocalEmbedder) -> Iterator[Real]:
    """Give an index in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        real = Real(Path(folder, "kb.db"), embedder)
        try:
            yield real
        finally:
            real.index.close()


@pytest.fixture(scope="module")
def embedder() -> LocalEmbedder:
    """Open the bundled model."""
    return LocalEmbedder()


def outcome(player: Model | Real, step: Step) -> Outcome:
    """Return what a step gives: a value, or the class of an error."""
    try:
        return player.play(step)
    except EmbedtuneError as e:
        return type(e)


def check_hits(expected: list[Hit], actual: list[Hit]) -> None:
    """Compare scores with a tolerance, and documents above the lowest score."""
    scores = [hit.score for hit in actual]

    assert [hit.score for hit in expected] == pytest.approx(scores, abs=1e-5)
    lowest = min(scores, default=0.0) + 1e-4
    for one, other in ((expected, actual), (actual, expected)):
        shown = {hit.doc_id: attrs.evolve(hit, score=0.0) for hit in one}
        for hit in other:
            assert hit.score <= lowest or attrs.evolve(hit, score=0.0) == shown.get(
                hit.doc_id
            )


def _hit(document: Document, score: float) -> Hit:
    return Hit(
        doc_id=document.doc_id,
        score=score,
        text=document.text,
        title=document.title,
        metadata=document.metadata,
    )


# A story on Milvus Lite takes as long as five others.
@settings(max_examples=max(10, settings.default.max_examples // 5))  # type: ignore[union-attr]
@given(script=st.lists(steps, min_size=1, max_size=14))
def test_story(embedder: LocalEmbedder, script: list[Step]) -> None:
    """Any sequence of operations has the outcome that the model has."""
    model = Model(embedder)
    with fresh(embedder) as real:
        for step in [*script, Count(), Get(IDS), Search("card", 20)]:
            expected, actual = outcome(model, step), outcome(real, step)
            if isinstance(step, Search) and isinstance(expected, list):
                assert isinstance(actual, list)
                check_hits(expected, actual)
            else:
                assert expected == actual
