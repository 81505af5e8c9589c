"""Adapters: linear maps over the rows of an embedder that cannot be changed itself."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import orjson

from embedtune.datasets.values import Document
from embedtune.errors import (
    AlreadyExistsError,
    ConfigurationError,
    DataError,
    DimensionMismatchError,
    NotFoundError,
)
from embedtune.files import new_folder, replace_file
from embedtune.serving.base import Embedder, query_fingerprint
from embedtune.serving.inputs import check_embedder
from embedtune.serving.linear import LinearMap, mapped_units
from embedtune.serving.tensors import Tensors, packed, read_tensors
from embedtune.types import FloatMatrix

FACTS_FILE = "adapter.json"
TENSORS_FILE = "adapter.safetensors"

_FORMAT = 1
_RULE = b"embedtune adapter 1: the unit row along x W"
_NAMES: Mapping[int, tuple[str, ...]] = {
    0: (),
    1: ("matrix",),
    2: ("left", "right"),
}  # of the factors, by their number


class AdapterMode(StrEnum):
    """Which rows an adapter maps.

    `QUERY` maps queries alone: the document space, and all that was embedded in it,
    stays. `SHARED` maps queries and documents alike. `BOTH` has a map for each.
    """

    QUERY = "query"
    SHARED = "shared"
    BOTH = "both"


@attrs.frozen(kw_only=True, eq=False)
class Adapter:
    """The maps of queries and of documents.

    Attributes:
        mode: What there is a map for.
        maps: One map; two for `BOTH`: that of queries, then that of documents.
    """

    mode: AdapterMode
    maps: tuple[LinearMap, ...]

    @classmethod
    def identity(cls, mode: AdapterMode) -> Adapter:
        """Return the adapter that changes nothing."""
        return cls(mode=mode, maps=(LinearMap(),) * (1 + (mode is AdapterMode.BOTH)))

    @property
    def queries(self) -> LinearMap:
        """The map of queries."""
        return self.maps[0]

    @property
    def documents(self) -> LinearMap:
        """The map of documents."""
        return LinearMap() if self.mode is AdapterMode.QUERY else self.maps[-1]


class AdaptedEmbedder:
    """An embedder whose rows go through an adapter.

    With an adapter of the query side, the fingerprint is that of the base: a collection
    that the base has filled serves this embedder, too.

    Example:
        >>> from embedtune.serving.local import LocalEmbedder
        >>> base = LocalEmbedder()
        >>> adapted = AdaptedEmbedder.open("adapters/support", base)  # doctest: +SKIP
        >>> adapted.fingerprint == base.fingerprint  # doctest: +SKIP
        True
    """

    def __init__(self, base: Embedder, adapter: Adapter, *, name: str = "") -> None:
        """Put an adapter on an embedder.

        Args:
            base: What embeds the texts.
            adapter: What was tuned over its rows.
            name: What a person calls the whole; empty for the name of *base*.

        Raises:
            TypeError: If *base* is no embedder; the message names what it lacks.
            DimensionMismatchError: If the adapter is for rows of another length.
        """
        check_embedder(base)
        for linear in adapter.maps:
            for factor in linear.factors:
                _check_dimension(base, len(factor))
        self._base = base
        self._adapter = adapter
        self._name = name or base.name

    @classmethod
    def open(cls, folder: str | Path, base: Embedder) -> AdaptedEmbedder:
        """Open an adapter that was saved, over the embedder that it was tuned for.

        Args:
            folder: What :meth:`save` wrote.
            base: Must have the fingerprints of the base that it was saved with.

        Raises:
            NotFoundError: If there is no such folder.
            DataError: If a file of it is damaged.
            ConfigurationError: If *base* is another embedder.
            DimensionMismatchError: If it is, and its rows have another length.
        """
        path = Path(folder)
        facts = read_facts(path)
        check_embedder(base)
        try:
            check_base(base, facts)
            adapter = _read_adapter(path, facts)
            return cls(base, adapter, name=facts["name"])
        except (KeyError, TypeError, ValueError) as e:
            if isinstance(e, ConfigurationError | DataError):
                raise
            msg = f"{str(path)!r} holds no adapter that can be opened; copy it again"
            raise DataError(msg) from e

    def __repr__(self) -> str:
        """Name the base and the mode."""
        return f"AdaptedEmbedder({self._base!r}, mode={str(self._adapter.mode)!r})"

    @property
    def base(self) -> Embedder:
        """What embeds the texts."""
        return self._base

    @property
    def adapter(self) -> Adapter:
        """The maps of queries and of documents."""
        return self._adapter

    @property
    def name(self) -> str:
        """What a person calls the whole."""
        return self._name

    @property
    def dimension(self) -> int:
        """The length of a row."""
        return self._base.dimension

    @property
    def fingerprint(self) -> str:
        """The identity of the document space; that of the base, unless it is mapped."""
        return _fingerprint(self._base.fingerprint, self._adapter.documents)

    @property
    def query_fingerprint(self) -> str:
        """The identity of the query side."""
        return _fingerprint(query_fingerprint(self._base), self._adapter.queries)

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """Return one unit row for each of *texts*, in their order."""
        return mapped_units(self._base.embed_queries(texts), self._adapter.queries)

    def embed_documents(self, documents: Sequence[Document | str]) -> FloatMatrix:
        """Return one unit row for each of *documents*, in their order."""
        rows = self._base.embed_documents(documents)
        return mapped_units(rows, self._adapter.documents)

    def save(
        self, folder: str | Path, *, facts: Mapping[str, object] | None = None
    ) -> None:
        """Write the adapter, without its base, into a new folder, whole or not at all.

        The folder holds `adapter.safetensors` (the matrices) and `adapter.json` (which
        base it is for, by name and fingerprints, and *facts*).

        Args:
            folder: Must not exist, or be empty.
            facts: JSON values by name that say how the adapter came to be.

        Raises:
            AlreadyExistsError: If *folder* exists and is not empty.
            DataError: If *facts* are no JSON values.
        """
        described = {
            **(facts or {}),
            "name": self.name,
            "base_name": self._base.name,
            "base_fingerprint": self._base.fingerprint,
            "base_query_fingerprint": query_fingerprint(self._base),
            "dimension": self.dimension,
        }
        save_adapter(self._adapter, Path(folder), described)


def save_adapter(adapter: Adapter, folder: Path, facts: Mapping[str, object]) -> None:
    """Write an adapter into a new folder, whole or not at all.

    Args:
        adapter: The maps.
        folder: Must not exist, or be empty.
        facts: The name, and which base it is for, as :meth:`AdaptedEmbedder.save` says.

    Raises:
        AlreadyExistsError: If *folder* exists and is not empty.
        DataError: If *facts* are no JSON values.
    """
    described = {
        **facts,
        "format": _FORMAT,
        "mode": str(adapter.mode),
        "factors": [len(linear.factors) for linear in adapter.maps],
    }
    try:
        content = orjson.dumps(described, option=orjson.OPT_INDENT_2)
    except TypeError as e:
        msg = f"'facts' must be JSON values by name ({e})"
        raise DataError(msg) from e
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        with new_folder(folder) as new:
            replace_file(new / TENSORS_FILE, packed(_tensors(adapter)))
            replace_file(new / FACTS_FILE, content)
    except FileExistsError as e:
        msg = f"folder {str(folder)!r} exists already; choose a new one"
        raise AlreadyExistsError(msg, operation="model.save") from e


def read_facts(folder: Path) -> dict[str, Any]:
    """Return what `adapter.json` says.

    Raises:
        NotFoundError: If there is no such folder.
        DataError: If the file is damaged, or of another version.
    """
    path = folder / FACTS_FILE
    try:
        facts = orjson.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError) as e:
        msg = f"there is no adapter in {str(folder)!r}"
        raise NotFoundError(msg, operation="model.open") from e
    except orjson.JSONDecodeError as e:
        msg = f"{str(path)!r} is no JSON; copy the adapter again"
        raise DataError(msg) from e
    version = facts.get("format") if isinstance(facts, dict) else None
    if version != _FORMAT:
        msg = (
            f"{str(path)!r} must be of format {_FORMAT} (got {version!r});"
            " open it with the version of embedtune that wrote it"
        )
        raise DataError(msg)
    known: dict[str, Any] = facts
    return known


def check_base(base: Embedder, facts: Mapping[str, Any]) -> None:
    """Refuse an embedder that an adapter was not tuned for.

    Raises:
        ConfigurationError: If it is another one.
        DimensionMismatchError: If it is, and its rows have another length.
    """
    own = (base.fingerprint, query_fingerprint(base))
    wanted = (facts["base_fingerprint"], facts["base_query_fingerprint"])
    if own == wanted:
        _check_dimension(base, facts["dimension"])
        return
    what = (
        f"the adapter was tuned for {facts['base_name']!r}"
        f" ({_both(wanted)}, dimension {facts['dimension']}), not for"
        f" {base.name!r} ({_both(own)}, dimension {base.dimension});"
        " give the former, or tune a new adapter"
    )
    if base.dimension != facts["dimension"]:
        raise DimensionMismatchError(
            what, expected=facts["dimension"], actual=base.dimension
        )
    raise ConfigurationError(what)


def _both(fingerprints: tuple[str, str]) -> str:
    documents, queries = fingerprints
    if documents == queries:
        return f"fingerprint {documents!r}"
    return f"fingerprint {documents!r}, of queries {queries!r}"


def _check_dimension(base: Embedder, dimension: int) -> None:
    if base.dimension != dimension:
        msg = (
            f"the adapter is for rows of length {dimension}, those of {base.name!r}"
            f" have {base.dimension}"
        )
        raise DimensionMismatchError(msg, expected=dimension, actual=base.dimension)


def _fingerprint(base: str, linear: LinearMap) -> str:
    if linear.is_identity:
        return base
    digest = hashlib.sha256(_RULE)
    digest.update(hashlib.sha256(base.encode("utf-8", "surrogatepass")).digest())
    for factor in linear.factors:
        digest.update(repr(factor.shape).encode())
        digest.update(np.ascontiguousarray(factor, dtype="<f4").data)
    return digest.hexdigest()[:32]


def _sides(mode: AdapterMode) -> tuple[str, ...]:
    return ("query", "document") if mode is AdapterMode.BOTH else (str(mode),)


def _tensors(adapter: Adapter) -> Tensors:
    return {
        f"{side}.{name}": factor.astype(np.float32)
        for side, linear in zip(_sides(adapter.mode), adapter.maps, strict=True)
        for name, factor in zip(
            _NAMES[len(linear.factors)], linear.factors, strict=True
        )
    }


def _read_adapter(folder: Path, facts: Mapping[str, Any]) -> Adapter:
    mode = AdapterMode(facts["mode"])
    path = folder / TENSORS_FILE
    if not path.is_file():
        msg = f"{str(folder)!r} has no {TENSORS_FILE!r}; copy the adapter again"
        raise DataError(msg)
    tensors, _ = read_tensors(path)
    maps = tuple(
        LinearMap(factors=tuple(tensors[f"{side}.{name}"] for name in _NAMES[count]))
        for side, count in zip(_sides(mode), facts["factors"], strict=True)
    )
    for linear in maps:
        for factor in linear.factors:
            is_whole = factor.ndim == 2 and factor.dtype == np.float32  # noqa: PLR2004
            if not is_whole or not np.isfinite(factor).all():
                msg = f"{str(path)!r} must hold finite float32 matrices"
                raise DataError(msg)
    return Adapter(mode=mode, maps=maps)
