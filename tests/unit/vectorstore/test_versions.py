"""Versions: the collections behind a name, found again however they were left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from pytest_mock import MockerFixture

from embedtune.datasets.values import Document
from embedtune.errors import AlreadyExistsError, ConfigurationError
from embedtune.retry import RetryPolicy
from embedtune.serving.local import LocalEmbedder
from embedtune.vectorstore import lite, versions
from embedtune.vectorstore.index import MilvusIndex
from embedtune.vectorstore.milvus import Client
from embedtune.vectorstore.versions import Version, create_version, find_version

OPERATION = "index.sync"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Name a folder."""
    return tmp_path / "kb.db"


@pytest.fixture
def client(folder: Path) -> Iterator[Client]:
    """Connect to Milvus Lite."""
    engine = lite.acquire(folder)
    opened = Client(
        engine.uri,
        token="",
        timeout=5.0,
        retry=RetryPolicy(attempts=1),
        label="kb.db",
    )
    yield opened
    opened.close()
    lite.release(engine)


def version(embedder: LocalEmbedder, number: int = 1) -> Version:
    """Describe a version of index `kb`."""
    return Version(
        index="kb",
        collection=f"kb__{number}",
        embedder=embedder.name,
        fingerprint=embedder.fingerprint,
        dimension=embedder.dimension,
    )


def create(client: Client, one: Version) -> None:
    """Create its collection, and nothing else."""
    client.create(
        one.collection,
        dimension=one.dimension,
        properties=one.to_properties(),
        operation=OPERATION,
    )


def test_a_version_says_what_it_is(client: Client, embedder: LocalEmbedder) -> None:
    """All facts of a version are read back through its alias."""
    assert find_version(client, "kb", OPERATION) is None

    created = create_version(client, "kb", embedder, OPERATION)

    assert version(embedder) == created == find_version(client, "kb", OPERATION)


def test_a_half_made_version_is_finished(
    client: Client, embedder: LocalEmbedder
) -> None:
    """A collection without its alias is what a killed process leaves; it is used."""
    create(client, version(embedder, 3))
    create(client, attrs.evolve(version(embedder, 4), fingerprint="another"))

    assert "kb__3" == create_version(client, "kb", embedder, OPERATION).collection
    assert {"kb__3", "kb__4"} == set(client.collections(OPERATION))


def test_a_new_number_follows_the_highest(
    client: Client, embedder: LocalEmbedder
) -> None:
    """Versions of another space, and other names, are left as they are."""
    create(client, attrs.evolve(version(embedder, 7), fingerprint="another"))
    create(client, attrs.evolve(version(embedder), collection="kb2__9", index="kb2"))

    assert "kb__8" == create_version(client, "kb", embedder, OPERATION).collection


def test_a_number_that_is_taken_is_passed_over(
    folder: Path, embedder: LocalEmbedder
) -> None:
    """A folder that is neither a collection nor free does not stop anybody."""
    (folder / "collections" / "kb__1").mkdir(parents=True)
    (folder / "collections" / "kb__2").mkdir()
    with MilvusIndex(folder, "kb", embedder) as index:
        index.sync([Document(doc_id="a", text="b")])

        assert 1 == index.count()
    assert (folder / "collections" / "kb__3" / "schema.json").exists()


def test_too_many_numbers_are_taken(
    folder: Path, client: Client, embedder: LocalEmbedder
) -> None:
    """After five of them it is told."""
    for number in range(1, 6):
        (folder / "collections" / f"kb__{number}").mkdir(parents=True)

    with pytest.raises(AlreadyExistsError):
        create_version(client, "kb", embedder, OPERATION)


def test_another_process_was_faster(
    client: Client, embedder: LocalEmbedder, mocker: MockerFixture
) -> None:
    """Of two that create one index at once, both use the one that got the name."""
    first = create_version(client, "kb", embedder, OPERATION)
    mocker.patch.object(versions, "_left_half_made", return_value=None)

    assert first == create_version(client, "kb", embedder, OPERATION)


def test_a_newer_layout_is_refused(
    folder: Path, client: Client, embedder: LocalEmbedder
) -> None:
    """Rows in a layout that this version does not know are left alone."""
    create(client, attrs.evolve(version(embedder), layout=2, library="9.0"))
    client.create_alias("kb__1", "kb", OPERATION)

    with pytest.raises(ConfigurationError, match=r"embedtune 9\.0.*layout 2.*upgrade"):
        MilvusIndex(folder, "kb", embedder)


def test_the_name_of_another_index(
    folder: Path, client: Client, embedder: LocalEmbedder
) -> None:
    """An alias that points to another index's collection is no index."""
    create(client, version(embedder))
    client.create_alias("kb__1", "other", OPERATION)

    with pytest.raises(ConfigurationError, match="'other' exists and is no index"):
        MilvusIndex(folder, "other", embedder)


def test_bad_settings(folder: Path, embedder: LocalEmbedder) -> None:
    """Settings are checked before anything is opened."""
    with pytest.raises(ValueError, match=r"'timeout' must be > 0 \(got 0\)"):
        MilvusIndex(folder, "kb", embedder, timeout=0)
    with pytest.raises(ConfigurationError, match="'name' must start"):
        MilvusIndex(folder, "k b", embedder)

    assert not folder.exists()


def test_repr(folder: Path, embedder: LocalEmbedder) -> None:
    """An index shows where it is, and by what it finds."""
    with MilvusIndex(str(folder), "kb", embedder) as index:
        assert f"MilvusIndex('{folder}', 'kb', 'wordllama-256')" == repr(index)
