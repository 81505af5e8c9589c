"""Checks before anything is sent: the rules of a server, on Milvus Lite as well."""

from __future__ import annotations

import enum
import uuid
from datetime import date

import numpy as np
import pytest

from embedtune.datasets.values import Document
from embedtune.errors import ConfigurationError, DatasetIntegrityError
from embedtune.vectorstore.checks import (
    check_dimension,
    check_documents,
    check_name,
)

DEEP: list[object] = []
for _ in range(100):
    DEEP = [DEEP]


class Colour(enum.StrEnum):
    """A string that is more than a string."""

    RED = "red"


@pytest.mark.parametrize("name", ["a", "_", "Kb_1", "kb__x", "in", "x" * 240])
def test_good_names(name: str) -> None:
    """Letters, digits and underscores make a name."""
    check_name(name)


@pytest.mark.parametrize(
    "name",
    ["", "1a", "a b", "a-b", "a.b", "é", "a/b", "..", "a\n", "$meta", "x" * 241],
)
def test_bad_names(name: str) -> None:
    """What no server takes as a name is refused, and the rule is told."""
    with pytest.raises(ConfigurationError, match="'name' must start with a letter"):
        check_name(name)


def test_names_of_versions() -> None:
    """A name that a version of another index could have is refused."""
    with pytest.raises(ConfigurationError, match="must not end in '__' and digits"):
        check_name("kb__12")


def test_names_are_strings() -> None:
    """A name of another type is a mistake of the program."""
    with pytest.raises(TypeError, match=r"'name' must be a string \(got None\)"):
        check_name(None)  # type: ignore[arg-type]


@pytest.mark.parametrize("dimension", [0, 1, 32_769])
def test_bad_dimensions(dimension: int) -> None:
    """No server holds vectors of such a length."""
    with pytest.raises(ConfigurationError, match=rf"from 2 to 32768 \(got {dimension}"):
        check_dimension(dimension)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -(2**63),
        2**63 - 1,
        0.5,
        np.float64(0.25),
        "",
        "日本語",
        Colour.RED,
        [],
        [[None], {"x": ()}],
        {"": {"": ""}},
    ],
)
def test_good_metadata(value: object) -> None:
    """JSON values are metadata."""
    (document,) = check_documents(
        [Document(doc_id="a", text="", metadata={"k": value})]
    )

    assert "a" == document.doc_id


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (float("inf"), "metadata['k'] is inf, which is no JSON"),
        (2**63, "metadata['k'] is an integer of more than 64 bits"),
        (b"x", "metadata['k'] is of type bytes, which is no JSON"),
        ({1, 2}, "metadata['k'] is of type set, which is no JSON"),
        (date(2026, 1, 1), "metadata['k'] is of type date, which is no JSON"),
        (uuid.UUID(int=1), "metadata['k'] is of type UUID, which is no JSON"),
        (np.float32(1), "metadata['k'] is of type float32, which is no JSON"),
        (np.zeros(2), "metadata['k'] is of type ndarray, which is no JSON"),
        (1j, "metadata['k'] is of type complex, which is no JSON"),
        ([{"x": [None, float("nan")]}], "metadata['k'][0]['x'][1] is nan"),
        ({1: 2}, "metadata['k'] has the key 1, which is no string"),
        ({"\ud800": 2}, "a key of metadata['k'] has half a surrogate pair"),
        ("a\0b", "the metadata['k'] has a NUL character; remove it"),
        ("\udfff", "half a surrogate pair at character 0"),
        (DEEP, "is nested deeper than 64 levels"),
        ("x" * 65_537, "the metadata['k'] has 65537 bytes, the most is 65536"),
        (["x" * 40_000, "y" * 40_000], "the metadata has 80013 bytes of JSON"),
    ],
)
def test_bad_metadata(value: object, problem: str) -> None:
    """What is no JSON, or too much of it, is named with its place."""
    document = Document(doc_id="a", text="", metadata={"k": value})

    with pytest.raises(DatasetIntegrityError) as info:
        check_documents([document])

    (found,) = info.value.problems
    assert problem in found
    assert found.startswith("document 'a': ")


def test_many_problems() -> None:
    """All problems are facts of the error; its message shows the first ones."""
    documents = [Document(doc_id=f"d{n}", text="\0") for n in range(50)]

    with pytest.raises(DatasetIntegrityError, match=r"50 problems.*'d0'.*45 more") as e:
        check_documents(documents)

    assert 50 == len(e.value.problems)


def test_bytes_not_characters() -> None:
    """Limits count bytes, as a server does."""
    check_documents([Document(doc_id="é" * 512, text="日" * 21_845)])

    with pytest.raises(DatasetIntegrityError, match="2 problems"):
        check_documents([Document(doc_id="é" * 513, text="日" * 21_846)])
