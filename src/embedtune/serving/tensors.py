"""Named arrays as bytes in the safetensors format: the one door to `safetensors`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import safetensors  # noqa: TID251 -- this is the door
import safetensors.numpy  # noqa: TID251 -- this is the door

from embedtune.errors import DataError

Tensors: TypeAlias = dict[str, npt.NDArray[Any]]


def packed(tensors: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Return the content of a file with these arrays."""
    return safetensors.numpy.save(
        {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    )


def unpacked(data: bytes) -> Tensors:
    """Return the arrays of a file's content, which must be right."""
    return safetensors.numpy.load(data)


def read_tensors(
    path: Path, wanted: Collection[str] | None = None
) -> tuple[Tensors, set[str]]:
    """Return arrays of a file by name, and the names of all.

    Args:
        path: The file, which must exist.
        wanted: The names of those to read, where they are there; `None` for all.

    Raises:
        DataError: If the file is damaged, or holds numbers that NumPy does not know.
    """
    open_file: Any = safetensors.safe_open  # its stub has no types
    try:
        with open_file(str(path), framework="numpy") as file:
            names = set(file.keys())
            known = (
                sorted(names) if wanted is None else [n for n in wanted if n in names]
            )
            return {name: file.get_tensor(name) for name in known}, names
    except (safetensors.SafetensorError, TypeError) as e:
        msg = f"{str(path)!r} cannot be read as safetensors of NumPy's types ({e})"
        raise DataError(msg) from e
