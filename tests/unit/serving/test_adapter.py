"""Adapters over an embedder: rows, identities, files, and the base they belong to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import orjson
import pytest

from embedtune.errors import (
    AlreadyExistsError,
    ConfigurationError,
    DataError,
    DimensionMismatchError,
    NotFoundError,
)
from embedtune.serving.adapter import AdaptedEmbedder, Adapter, AdapterMode
from embedtune.serving.base import query_fingerprint
from embedtune.serving.linear import LinearMap, mapped_units
from embedtune.serving.local import LocalEmbedder
from embedtune.serving.static import StaticModel

TEXTS = ["a lost card", "the fee", "", "a new pin for a lost card"]
MODES = list(AdapterMode)


@pytest.fixture(scope="module")
def base() -> LocalEmbedder:
    """Open the bundled model in few dimensions."""
    model = StaticModel.open()
    return LocalEmbedder(model.with_table(model.table[:, :24], name="small"))


def full(seed: int, size: int = 24) -> LinearMap:
    """Make a matrix near the identity."""
    noise = np.random.default_rng(seed).normal(0, 0.1, (size, size))
    return LinearMap(factors=((np.eye(size) + noise).astype(np.float32),))


def low(seed: int, size: int = 24, rank: int = 3) -> LinearMap:
    """Make a map of low rank."""
    noise = np.random.default_rng(seed).normal(0, 0.3, (2, size, rank))
    return LinearMap(factors=tuple(noise.astype(np.float32)))


def adapter(mode: AdapterMode, kind: object = full) -> Adapter:
    """Make an adapter of a mode."""
    seeds = (1, 2) if mode is AdapterMode.BOTH else (1,)
    return Adapter(mode=mode, maps=tuple(kind(seed) for seed in seeds))  # type: ignore[operator]


@pytest.mark.parametrize("kind", [full, low])
@pytest.mark.parametrize("mode", MODES)
def test_rows_are_mapped_and_of_norm_one(
    base: LocalEmbedder, mode: AdapterMode, kind: object
) -> None:
    """Each side gets the unit rows along its own mapped rows, or keeps its rows."""
    tuned = AdaptedEmbedder(base, adapter(mode, kind))
    rows = base.embed_queries(TEXTS)

    for linear, found in (
        (tuned.adapter.queries, tuned.embed_queries(TEXTS)),
        (tuned.adapter.documents, tuned.embed_documents(TEXTS)),
    ):
        expected = rows.astype(np.float64) @ linear.matrix(24)
        expected /= np.linalg.norm(expected, axis=1, keepdims=True)
        np.testing.assert_allclose(expected, found, atol=1e-6)


def test_a_row_that_is_lost_stays_what_it_was() -> None:
    """A singular map cannot make a row of norm 0."""
    rows = np.eye(2, dtype=np.float32)
    singular = LinearMap(factors=(np.diag([1, 0]).astype(np.float32),))

    assert np.array_equal(rows, mapped_units(rows, singular))


@pytest.mark.parametrize("size", [24, 256, 384, 768])
@pytest.mark.parametrize("kind", [full, low])
def test_company_does_not_matter(size: int, kind: object) -> None:
    """A row is the same to the last bit, whatever stands beside it."""
    linear = kind(0, size)  # type: ignore[operator]
    rows = np.random.default_rng(3).normal(0, 1, (53, size)).astype(np.float32)
    together = mapped_units(rows, linear)

    for first, last in ((0, 1), (7, 8), (5, 53), (16, 33)):
        alone = mapped_units(rows[first:last], linear)
        assert together[first:last].tobytes() == alone.tobytes()


@pytest.mark.parametrize("kind", [full, low])
@pytest.mark.parametrize("mode", MODES)
def test_fingerprints(base: LocalEmbedder, mode: AdapterMode, kind: object) -> None:
    """A side that is mapped has a new identity; documents that are not keep theirs."""
    tuned = AdaptedEmbedder(base, adapter(mode, kind))
    again = AdaptedEmbedder(base, adapter(mode, kind))

    is_kept = mode is AdapterMode.QUERY
    assert is_kept == (tuned.fingerprint == base.fingerprint)
    assert tuned.query_fingerprint != query_fingerprint(base)
    assert (tuned.fingerprint, tuned.query_fingerprint) == (
        again.fingerprint,
        again.query_fingerprint,
    )
    over = AdaptedEmbedder(tuned, adapter(mode, kind))
    assert over.query_fingerprint not in {tuned.query_fingerprint, base.fingerprint}


@pytest.mark.parametrize("mode", MODES)
def test_the_identity_is_the_base(base: LocalEmbedder, mode: AdapterMode) -> None:
    """An adapter that changes nothing has the base's rows and identities."""
    same = AdaptedEmbedder(base, Adapter.identity(mode))

    assert base.fingerprint == same.fingerprint == same.query_fingerprint
    assert base.name == same.name
    rows = base.embed_queries(TEXTS)
    assert rows.tobytes() == same.embed_queries(TEXTS).tobytes()
    assert rows.tobytes() == same.embed_documents(TEXTS).tobytes()


@pytest.mark.parametrize("kind", [full, low, lambda _: LinearMap()])
@pytest.mark.parametrize("mode", MODES)
def test_saved_and_opened(
    base: LocalEmbedder, mode: AdapterMode, kind: object, tmp_path: Path
) -> None:
    """What was saved opens over the same base, with equal rows and identities."""
    tuned = AdaptedEmbedder(base, adapter(mode, kind), name="support")
    tuned.save(tmp_path / "new" / "adapter", facts={"by": "hand"})

    found = AdaptedEmbedder.open(tmp_path / "new" / "adapter", base)

    assert "support" == found.name
    assert base is found.base
    assert "LocalEmbedder('small')" in repr(found)
    assert tuned.fingerprint == found.fingerprint
    assert tuned.query_fingerprint == found.query_fingerprint
    assert (
        tuned.embed_documents(TEXTS).tobytes() == found.embed_documents(TEXTS).tobytes()
    )
    facts = orjson.loads((tmp_path / "new/adapter/adapter.json").read_bytes())
    assert ("hand", str(mode), 24) == (facts["by"], facts["mode"], facts["dimension"])


OTHER_PROCESS = """
import sys
from embedtune.serving.adapter import AdaptedEmbedder
from embedtune.serving.local import LocalEmbedder

found = AdaptedEmbedder.open(sys.argv[1], LocalEmbedder())
print(found.fingerprint, found.query_fingerprint)
"""


def test_fingerprints_are_those_of_another_process(tmp_path: Path) -> None:
    """Identities follow from content alone."""
    shared = Adapter(mode=AdapterMode.SHARED, maps=(full(5, 256),))
    tuned = AdaptedEmbedder(LocalEmbedder(), shared)
    tuned.save(tmp_path / "adapter")
    command = [sys.executable, "-c", OTHER_PROCESS, str(tmp_path / "adapter")]

    output = subprocess.check_output(command, text=True)

    assert [tuned.fingerprint, tuned.query_fingerprint] == output.split()


def test_another_base_is_refused(base: LocalEmbedder, tmp_path: Path) -> None:
    """The message names what the adapter was tuned for, and what was given."""
    AdaptedEmbedder(base, adapter(AdapterMode.QUERY)).save(tmp_path / "adapter")
    table = base.model.table[:, ::-1]
    other = LocalEmbedder(base.model.with_table(table, name="other"))

    with pytest.raises(ConfigurationError, match=r"'small'.*'other'") as info:
        AdaptedEmbedder.open(tmp_path / "adapter", other)
    assert base.fingerprint in str(info.value)
    assert other.fingerprint in str(info.value)
    with pytest.raises(DimensionMismatchError, match=r"'small'.*'wordllama-256'") as no:
        AdaptedEmbedder.open(tmp_path / "adapter", LocalEmbedder())
    assert (24, 256) == (no.value.expected, no.value.actual)
    with pytest.raises(DimensionMismatchError, match="length 24"):
        AdaptedEmbedder(LocalEmbedder(), adapter(AdapterMode.QUERY))


def test_the_query_side_of_the_base_counts(base: LocalEmbedder, tmp_path: Path) -> None:
    """A base that embeds documents alike and queries otherwise is another base."""
    inner = AdaptedEmbedder(base, adapter(AdapterMode.QUERY))
    AdaptedEmbedder(inner, adapter(AdapterMode.QUERY)).save(tmp_path / "adapter")

    with pytest.raises(ConfigurationError, match="of queries"):
        AdaptedEmbedder.open(tmp_path / "adapter", base)


def test_no_adapter(base: LocalEmbedder, tmp_path: Path) -> None:
    """A folder that is not there, or holds something else, is named."""
    with pytest.raises(NotFoundError, match="ghost"):
        AdaptedEmbedder.open(tmp_path / "ghost", base)
    with pytest.raises(TypeError, match="'fingerprint'"):
        AdaptedEmbedder("base", adapter(AdapterMode.QUERY))  # type: ignore[arg-type]


def test_nothing_is_overwritten(base: LocalEmbedder, tmp_path: Path) -> None:
    """A folder that holds something stays as it is; facts must be JSON."""
    tuned = AdaptedEmbedder(base, adapter(AdapterMode.QUERY))
    tuned.save(tmp_path / "adapter")

    with pytest.raises(AlreadyExistsError, match="choose a new one"):
        tuned.save(tmp_path / "adapter")
    with pytest.raises(DataError, match="'facts'"):
        tuned.save(tmp_path / "other", facts={"by": object()})
    assert ["adapter"] == [path.name for path in tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("adapter.json", b"{", "no JSON"),
        ("adapter.json", b"[]", "format 1"),
        ("adapter.json", b'{"format": 2}', r"format 1 \(got 2\)"),
        ("adapter.json", b'{"format": 1}', "copy it again"),
        ("adapter.safetensors", b"{}", "safetensors"),
        ("adapter.safetensors", None, "has no 'adapter.safetensors'"),
    ],
)
def test_damaged_files(
    base: LocalEmbedder, tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    """A damaged file is a DataError that names it."""
    AdaptedEmbedder(base, adapter(AdapterMode.BOTH)).save(tmp_path / "adapter")
    path = tmp_path / "adapter" / name
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)

    with pytest.raises(DataError, match=said):
        AdaptedEmbedder.open(tmp_path / "adapter", base)


def test_numbers_that_are_none(base: LocalEmbedder, tmp_path: Path) -> None:
    """A matrix with NaN is refused when it is opened."""
    broken = LinearMap(factors=(np.full((24, 24), np.nan, np.float32),))
    shared = Adapter(mode=AdapterMode.SHARED, maps=(broken,))
    AdaptedEmbedder(base, shared).save(tmp_path / "adapter")

    with pytest.raises(DataError, match="finite float32"):
        AdaptedEmbedder.open(tmp_path / "adapter", base)


def test_mixing() -> None:
    """Between two maps there are others; of low rank, one of the same rank."""
    for kind, exact in ((full, True), (low, False)):
        one, two = kind(0), kind(1)
        wanted = 0.25 * one.matrix(24) + 0.75 * two.matrix(24)
        mixed = one.mixed(two, 0.75)
        assert [f.shape for f in one.factors] == [f.shape for f in mixed.factors]
        error = np.linalg.norm(mixed.matrix(24) - wanted)
        if exact:
            assert error < 1e-5
        else:
            values = np.linalg.svd(wanted - np.eye(24), compute_uv=False)
            assert np.isclose(error, np.linalg.norm(values[3:]), rtol=1e-3)
    assert LinearMap().mixed(LinearMap(), 0.5).is_identity
