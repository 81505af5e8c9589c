"""The collections behind an index's name, and what each says of itself.

The name is an alias. Behind it stands a collection `<name>__<number>`, so that a new
version can be filled beside it and the name moved in one step. Its properties hold the
embedder's identity: Milvus Lite drops descriptions, properties are kept everywhere.
"""

from __future__ import annotations

import re

import attrs

from embedtune._version import __version__
from embedtune.errors import (
    AlreadyExistsError,
    ConfigurationError,
    DimensionMismatchError,
    NotFoundError,
)
from embedtune.serving.base import Embedder
from embedtune.vectorstore.milvus import Client

LAYOUT = 1
"""The version of the rows' and properties' layout."""

_PREFIX = "embedtune."
_TRIES = 5


@attrs.frozen(kw_only=True)
class Version:
    """One collection of an index.

    Attributes:
        index: The index's name.
        collection: The collection's own name.
        embedder: What a person calls the embedder that filled it.
        fingerprint: The identity of its document space.
        dimension: The length of its vectors.
        library: The version of embedtune that created it.
        layout: The layout of its rows.
    """

    index: str
    collection: str
    embedder: str
    fingerprint: str
    dimension: int = attrs.field(converter=int)
    library: str = __version__
    layout: int = attrs.field(default=LAYOUT, converter=int)

    def to_properties(self) -> dict[str, str]:
        """Return what the collection's properties say."""
        facts = attrs.asdict(self)
        del facts["collection"]
        return {_PREFIX + name: str(value) for name, value in facts.items()}


def find_version(client: Client, name: str, operation: str) -> Version | None:
    """Return the version that a name stands for; `None` if there is no such name.

    Raises:
        ConfigurationError: If the name stands for a collection of somebody else's, or
            of a newer embedtune.
    """
    found = client.describe(name, operation)
    if found is None:
        return None
    collection, properties = found
    version = _from_properties(collection, properties)
    if version is None or version.index != name or collection == name:
        msg = (
            f"collection {name!r} exists and is no index of embedtune;"
            " choose another name"
        )
        raise ConfigurationError(msg)
    if version.layout > LAYOUT:
        msg = (
            f"index {name!r} was made by embedtune {version.library}, in layout"
            f" {version.layout}, and this is {__version__}, which knows {LAYOUT};"
            " upgrade embedtune"
        )
        raise ConfigurationError(msg)
    return version


def existing_version(
    client: Client, name: str, embedder: Embedder, operation: str
) -> Version:
    """Return the version that a name stands for, if *embedder* fits it.

    Raises:
        NotFoundError: If there is no such index.
        ConfigurationError: If the embedder has another space.
        DimensionMismatchError: If its rows are of another length.
    """
    version = find_version(client, name, operation)
    if version is None:
        msg = f"collection {name!r} does not exist; fill it with sync() first"
        raise NotFoundError(msg, operation=operation)
    check_space(version, embedder)
    return version


def check_space(version: Version, embedder: Embedder) -> None:
    """Refuse an embedder of another space than the one a version was filled with.

    Raises:
        ConfigurationError: If the fingerprints differ.
        DimensionMismatchError: If the rows are of another length.
    """
    way_out = f"open it with {version.embedder!r}, or use another name or path"
    if embedder.dimension != version.dimension:
        msg = (
            f"index {version.index!r} holds vectors of {version.embedder!r} with"
            f" dimension {version.dimension}, and embedder {embedder.name!r} has"
            f" {embedder.dimension}; {way_out}"
        )
        raise DimensionMismatchError(
            msg, expected=version.dimension, actual=embedder.dimension
        )
    if embedder.fingerprint != version.fingerprint:
        msg = (
            f"index {version.index!r} holds vectors of {version.embedder!r}"
            f" (fingerprint {version.fingerprint}), which are not comparable with those"
            f" of {embedder.name!r} (fingerprint {embedder.fingerprint}); {way_out}"
        )
        raise ConfigurationError(msg)


def create_version(
    client: Client, name: str, embedder: Embedder, operation: str
) -> Version:
    """Make the first version of an index, or finish one that was left half made."""
    version = _left_half_made(client, name, embedder, operation)
    if version is None:
        version = _created(client, name, embedder, operation)
    client.create_index(version.collection, operation)
    client.load(version.collection, operation)
    try:
        client.create_alias(version.collection, name, operation)  # now it is whole
    except AlreadyExistsError:  # another process was faster
        return existing_version(client, name, embedder, operation)
    return version


def _created(client: Client, name: str, embedder: Embedder, operation: str) -> Version:
    # A process that is killed while Milvus Lite creates a collection leaves a folder
    # that is neither a collection nor free; then a later number is taken.
    number = 1 + max([0, *_numbers(client.collections(operation), name)])
    last = number + _TRIES
    while True:
        version = Version(
            index=name,
            collection=f"{name}__{number}",
            embedder=embedder.name,
            fingerprint=embedder.fingerprint,
            dimension=embedder.dimension,
        )
        try:
            client.create(
                version.collection,
                dimension=version.dimension,
                properties=version.to_properties(),
                operation=operation,
            )
        except AlreadyExistsError:
            number += 1
            if number == last:
                raise
        else:
            return version


def _left_half_made(
    client: Client, name: str, embedder: Embedder, operation: str
) -> Version | None:
    numbers = _numbers(client.collections(operation), name)
    for number in sorted(numbers, reverse=True):
        found = client.describe(f"{name}__{number}", operation)
        version = _from_properties(*found) if found else None
        if (
            version is not None
            and version.index == name
            and version.fingerprint == embedder.fingerprint
            and version.dimension == embedder.dimension
            and version.layout == LAYOUT
        ):
            return version
    return None


def _numbers(collections: list[str], name: str) -> list[int]:
    pattern = re.compile(re.escape(name) + r"__(\d+)")
    matches = (pattern.fullmatch(collection) for collection in collections)
    return [int(match[1]) for match in matches if match]


def _from_properties(collection: str, properties: dict[str, str]) -> Version | None:
    facts = {
        field.name: properties[_PREFIX + field.name]
        for field in attrs.fields(Version)
        if _PREFIX + field.name in properties
    }
    if len(facts) != len(attrs.fields(Version)) - 1:
        return None
    return Version(
        index=facts["index"],
        collection=collection,
        embedder=facts["embedder"],
        fingerprint=facts["fingerprint"],
        dimension=facts["dimension"],
        library=facts["library"],
        layout=facts["layout"],
    )
