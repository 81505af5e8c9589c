"""The contract of embedders: one body, every embedder."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedtune.datasets.values import Document
from embedtune.serving.adapter import AdaptedEmbedder, Adapter, AdapterMode
from embedtune.serving.base import Embedder
from embedtune.serving.cached import CachedEmbedder
from embedtune.serving.linear import LinearMap
from embedtune.serving.local import LocalEmbedder
from embedtune.serving.static import StaticModel

TEXTS = [
    "How do I reset my password?",
    "My card was charged twice",
    "",
    "\u65e5\u672c\u8a9e \U0001f600 \x00 \ud800",
    "word " * 700,
    "My card was charged twice",
    " \n\t ",
]
DOCUMENTS = [
    Document(doc_id="a", title="Passwords", text="Open the settings and choose reset."),
    Document(doc_id="b", text="Open the settings and choose reset."),
    "Open the settings and choose reset.",
    Document(doc_id="c", title="", text=""),
    "A refund takes five days. " * 60,
]
VERBS = ["embed_queries", "embed_documents"]
EMBEDDERS = ["bundled", "folder", "adapted", "cached cold", "cached warm"]


@pytest.fixture(scope="module")
def bundled() -> LocalEmbedder:
    """Open the model that is installed with the library."""
    return LocalEmbedder()


@pytest.fixture(scope="module")
def folder(bundled: LocalEmbedder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a model of another table and dimension in the model2vec format."""
    path = tmp_path_factory.mktemp("model") / "small"
    table = bundled.model.table[:, :48] + np.float32(0.01)
    bundled.model.with_table(table, name="small").save(path, facts={})
    return path


@pytest.fixture(scope="module")
def small(folder: Path) -> LocalEmbedder:
    """Open that model."""
    return LocalEmbedder(folder)


@pytest.fixture(params=EMBEDDERS)
def embedder(
    request: pytest.FixtureRequest,
    bundled: LocalEmbedder,
    small: LocalEmbedder,
    tmp_path: Path,
) -> Iterator[Embedder]:
    """Give each embedder in turn."""
    if request.param == "bundled":
        yield bundled
    elif request.param == "folder":
        yield small
    elif request.param == "adapted":
        noise = np.random.default_rng(0).normal(0, 0.1, (2, 256, 256))
        maps = tuple(LinearMap(factors=(n.astype(np.float32),)) for n in noise)
        yield AdaptedEmbedder(bundled, Adapter(mode=AdapterMode.BOTH, maps=maps))
    else:
        with CachedEmbedder(small, tmp_path / "cache.db") as cached:
            if request.param == "cached warm":
                cached.embed_queries([*TEXTS, *map(str, DOCUMENTS)])
                cached.embed_documents([*TEXTS, *DOCUMENTS])
            yield cached


def test_is_an_embedder(embedder: Embedder) -> None:
    """An embedder has what the protocol asks for, of the right types."""
    assert isinstance(embedder, Embedder)
    assert isinstance(embedder.name, str)
    assert embedder.name
    assert isinstance(embedder.dimension, int)
    assert isinstance(embedder.fingerprint, str)
    assert embedder.fingerprint


@pytest.mark.parametrize("verb", VERBS)
def test_unit_rows(embedder: Embedder, verb: str) -> None:
    """A row a text: float32, contiguous, finite, of norm 1, of the stated dimension."""
    rows = getattr(embedder, verb)(TEXTS)

    assert (len(TEXTS), embedder.dimension) == rows.shape
    assert np.float32 == rows.dtype
    assert rows.flags["C_CONTIGUOUS"]
    norms = np.linalg.norm(rows.astype(np.float64), axis=1)
    assert np.allclose(1, norms, rtol=0, atol=1e-6)


@pytest.mark.parametrize("verb", VERBS)
def test_no_texts(embedder: Embedder, verb: str) -> None:
    """No texts give a matrix without rows that has the dimension."""
    rows = getattr(embedder, verb)([])

    assert (0, embedder.dimension) == rows.shape
    assert np.float32 == rows.dtype


@pytest.mark.parametrize("verb", VERBS)
def test_order_and_company(embedder: Embedder, verb: str) -> None:
    """A text has the same row to the last bit, wherever it stands and beside whom."""
    embed = getattr(embedder, verb)
    together = embed(TEXTS)
    alone = np.vstack([embed([text]) for text in TEXTS])
    order = np.random.default_rng(0).permutation(len(TEXTS))
    shuffled = embed([TEXTS[i] for i in order])
    crowd = embed([*TEXTS, *(f"filler {i} " * (i % 60) for i in range(900)), *TEXTS])

    assert together.tobytes() == alone.tobytes()
    assert together[order].tobytes() == shuffled.tobytes()
    assert together.tobytes() == crowd[: len(TEXTS)].tobytes()
    assert together.tobytes() == crowd[-len(TEXTS) :].tobytes()
    assert together[1].tobytes() == together[5].tobytes()


def test_different_texts_differ(embedder: Embedder) -> None:
    """Texts that say different things have different rows."""
    rows = embedder.embed_queries(TEXTS)

    scores = rows[[0, 1, 3, 4]] @ rows[[0, 1, 3, 4]].T
    assert (scores - np.eye(4) < 0.9).all()


def test_titles(embedder: Embedder) -> None:
    """A title changes a document; a string is a document without one."""
    rows = embedder.embed_documents(DOCUMENTS)

    assert rows[1].tobytes() == rows[2].tobytes()
    assert rows[0] @ rows[1] < 0.999
    assert rows[3].tobytes() == embedder.embed_documents([""])[0].tobytes()


def test_arguments_stay_as_they_are(embedder: Embedder) -> None:
    """The caller may change the rows without changing those of the next call."""
    first = embedder.embed_queries(TEXTS)
    before = first.copy()
    first[:] = 0

    assert before.tobytes() == embedder.embed_queries(TEXTS).tobytes()


@pytest.mark.parametrize("kind", [tuple, np.array])
def test_any_sequence_will_do(embedder: Embedder, kind: type) -> None:
    """A tuple and an array of strings are embedded as a list is."""
    texts = [text for text in TEXTS if "\x00" not in text]  # NumPy drops zeros

    expected = embedder.embed_queries(texts)
    assert expected.tobytes() == embedder.embed_queries(kind(texts)).tobytes()


@pytest.mark.parametrize(
    ("verb", "wrong", "message"),
    [
        *((verb, "text", r"sequence of .*\(got str\)") for verb in VERBS),
        *((verb, b"text", r"sequence of .*\(got bytes\)") for verb in VERBS),
        *((verb, None, r"\(got NoneType\)") for verb in VERBS),
        *((verb, {"a": "b"}, r"\(got dict\)") for verb in VERBS),
        *((verb, {"a"}, r"\(got set\)") for verb in VERBS),
        *((verb, iter(["a"]), r"\(got list_iterator\)") for verb in VERBS),
        *((verb, ["a", 3], r"\(got int at 1\)") for verb in VERBS),
        *((verb, ["a", "b", None], r"\(got NoneType at 2\)") for verb in VERBS),
        *((verb, [b"a"], r"\(got bytes at 0\)") for verb in VERBS),
        ("embed_queries", [DOCUMENTS[0]], r"\(got Document at 0\)"),
        ("embed_documents", DOCUMENTS[0], r"\(got Document\)"),
    ],
)
def test_wrong_arguments(
    embedder: Embedder, verb: str, wrong: object, message: str
) -> None:
    """What is no sequence of texts is a TypeError that says where."""
    with pytest.raises(TypeError, match=message):
        getattr(embedder, verb)(wrong)


def test_threads(embedder: Embedder) -> None:
    """Eight threads at once get the rows that one gets."""
    expected = (embedder.embed_queries(TEXTS), embedder.embed_documents(DOCUMENTS))

    def both(_: int) -> tuple[bytes, bytes]:
        queries = embedder.embed_queries(TEXTS)
        return queries.tobytes(), embedder.embed_documents(DOCUMENTS).tobytes()

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(both, range(24)))

    assert {tuple(rows.tobytes() for rows in expected)} == set(results)


CHILD = """
import hashlib, sys
from pathlib import Path
from embedtune.serving.cached import CachedEmbedder
from embedtune.serving.linear import LinearMap
from embedtune.serving.local import LocalEmbedder
kind, model, cache = sys.argv[1:]
embedder = LocalEmbedder("wordllama-256" if kind == "bundled" else model)
if kind.startswith("cached"):
    embedder = CachedEmbedder(embedder, cache)
texts = ["reset my password", "", "charged twice " * 300]
rows = embedder.embed_queries(texts)
print(embedder.fingerprint, hashlib.sha256(rows.tobytes()).hexdigest())
"""


@pytest.mark.parametrize("kind", ["bundled", "folder", "cached"])
def test_processes(
    kind: str,
    bundled: LocalEmbedder,
    small: LocalEmbedder,
    folder: Path,
    tmp_path: Path,
) -> None:
    """Another process, with other settings, gets the same fingerprint and rows."""
    embedder = bundled if kind == "bundled" else small
    rows = embedder.embed_queries(["reset my password", "", "charged twice " * 300])
    command = [sys.executable, "-W", "ignore::ResourceWarning", "-c", CHILD, kind]
    variables = {"PYTHONHASHSEED": "7", "TOKENIZERS_PARALLELISM": "false"}
    output = subprocess.check_output(
        [*command, folder, tmp_path / "c.db"], text=True, env=os.environ | variables
    )

    digest = hashlib.sha256(rows.tobytes()).hexdigest()
    assert f"{embedder.fingerprint} {digest}\n" == output


def test_fingerprints(
    bundled: LocalEmbedder, small: LocalEmbedder, folder: Path, tmp_path: Path
) -> None:
    """Equal models have equal fingerprints, whoever wraps them; others differ."""
    turned = StaticModel.open(folder).with_table(small.model.table[:, ::-1], name="x")
    with CachedEmbedder(small, tmp_path / "cache.db") as cached:
        wrapped = cached.fingerprint

    assert small.fingerprint == LocalEmbedder(StaticModel.open(folder)).fingerprint
    assert small.fingerprint == wrapped
    assert bundled.fingerprint == LocalEmbedder().fingerprint
    different = {e.fingerprint for e in (bundled, small, LocalEmbedder(turned))}
    assert 3 == len(different)


any_text = st.text(st.characters(exclude_categories=()), max_size=200)


@pytest.fixture(scope="module")
def all_embedders(
    bundled: LocalEmbedder,
    small: LocalEmbedder,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[list[Embedder]]:
    """Give all embedders; the cache fills while they are used."""
    path = tmp_path_factory.mktemp("cache") / "cache.db"
    with CachedEmbedder(small, path) as cached:
        yield [bundled, small, cached]


@given(texts=st.lists(any_text, max_size=6), title=any_text)
def test_any_text(all_embedders: list[Embedder], texts: list[str], title: str) -> None:
    """Any string at all has a unit row, and the same one the next time."""
    documents = [Document(doc_id="d", title=title, text=text) for text in texts]
    for embedder in all_embedders:
        rows = np.vstack(
            [embedder.embed_queries(texts), embedder.embed_documents(documents)]
        )
        again = np.vstack(
            [embedder.embed_queries(texts), embedder.embed_documents(documents)]
        )

        assert np.allclose(1, np.linalg.norm(rows, axis=1), rtol=0, atol=1e-6)
        assert rows.tobytes() == again.tobytes()
