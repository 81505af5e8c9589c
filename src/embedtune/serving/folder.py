"""What the folder of a static model holds: which files, and how a table is made of them.

Three layouts are known: model2vec's own, and the two in which sentence-transformers
writes a `StaticEmbedding`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt
import orjson

from embedtune.errors import DataError
from embedtune.types import FloatMatrix

TABLE_FILE = "model.safetensors"
TOKENIZER_FILE = "tokenizer.json"
CONFIG_FILE = "config.json"

# Configuration, folder of the other two files, name of the table.
_LAYOUTS = (
    (CONFIG_FILE, "", "embeddings"),
    ("config_sentence_transformers.json", "", "embedding.weight"),
    ("config_sentence_transformers.json", "0_StaticEmbedding", "embedding.weight"),
)


@attrs.frozen(kw_only=True)
class ModelFiles:
    """The files of one static model.

    Attributes:
        config: Settings, JSON.
        table: Tensors, safetensors.
        tokenizer: The tokenizer, JSON.
        key: The name of the tensor that is the table.
    """

    config: Path
    table: Path
    tokenizer: Path
    key: str


def find_files(folder: Path) -> ModelFiles:
    """Return the files of the model in *folder*.

    Raises:
        DataError: If one is missing.
    """
    for config, inner, key in _LAYOUTS:
        files = ModelFiles(
            config=folder / config,
            table=folder / inner / TABLE_FILE,
            tokenizer=folder / inner / TOKENIZER_FILE,
            key=key,
        )
        if all(p.is_file() for p in (files.config, files.table, files.tokenizer)):
            return files
    expected = (CONFIG_FILE, TABLE_FILE, TOKENIZER_FILE)
    missing = [name for name in expected if not (folder / name).is_file()]
    msg = (
        f"folder {str(folder)!r} is no static model, without"
        f" {', '.join(map(repr, missing))}; copy all files that model2vec saved"
    )
    raise DataError(msg)


def read_name(files: ModelFiles) -> str:
    """Return what the model calls itself, or else its folder's name.

    Raises:
        DataError: If the configuration is no JSON object.
    """
    facts = _json_object(files.config).get("embedtune")
    name = facts.get("name") if isinstance(facts, dict) else None
    if isinstance(name, str) and name:
        return name
    return files.config.resolve().parent.name


def read_tokenizer(path: Path) -> bytes:
    """Return the tokenizer without padding and truncation: a text is read to its end.

    Raises:
        DataError: If the file is no JSON object.
    """
    settings = _json_object(path)
    if settings.get("padding") is None and settings.get("truncation") is None:
        return path.read_bytes()
    return orjson.dumps(settings | {"padding": None, "truncation": None})


def token_rows(
    tensors: Mapping[str, npt.NDArray[Any]], key: str, vocabulary: int, path: Path
) -> FloatMatrix:
    """Return one row for every token: mapped and weighted, where the file says so.

    Args:
        tensors: The table under *key*; `mapping` (token to row of the table) and
            `weights` (one factor a token), where the vocabulary was quantised.
        key: The name of the table.
        vocabulary: How many tokens the tokenizer has.
        path: Where the tensors come from.

    Raises:
        DataError: If the tensors do not fit each other or the tokenizer.
    """
    where = repr(str(path))
    rows = checked_table(tensors[key], where)
    mapping, weights = tensors.get("mapping"), tensors.get("weights")
    if mapping is None:
        rows = _for_tokens(rows, key, vocabulary, where)
    else:
        mapping = _for_tokens(mapping, "mapping", vocabulary, where)
        is_row = (mapping >= 0) & (mapping < len(rows))
        if mapping.dtype.kind not in "iu" or not is_row.all():
            msg = f"{where}: 'mapping' names rows that the table does not have"
            raise DataError(msg)
        rows = rows[mapping]
    if weights is not None:
        weights = _for_tokens(weights, "weights", vocabulary, where)
        with np.errstate(over="ignore", invalid="ignore"):
            rows = rows * weights.reshape(vocabulary, 1)
    return checked_table(rows, where)


def checked_table(table: npt.NDArray[Any], where: str) -> FloatMatrix:
    """Return *table* as a read-only matrix of float32.

    Raises:
        DataError: If it is no matrix of finite numbers.
    """
    if table.ndim != 2 or 0 in table.shape or table.dtype.kind not in "fiu":  # noqa: PLR2004 -- a matrix
        msg = (
            f"{where}: a table must be a matrix of numbers"
            f" (got {table.dtype.name} of shape {table.shape})"
        )
        raise DataError(msg)
    with np.errstate(over="ignore"):
        rows = np.ascontiguousarray(table, dtype=np.float32)
    is_finite = np.isfinite(rows).all(axis=1)
    if not is_finite.all():
        bad = int((~is_finite).sum())
        msg = f"{where}: {bad} of {len(rows)} rows are not finite; the table is damaged"
        raise DataError(msg)
    rows.setflags(write=False)
    return rows


def _for_tokens(
    values: npt.NDArray[Any], name: str, vocabulary: int, where: str
) -> npt.NDArray[Any]:
    """Return the part of *values* that tokens use; the rest is padding."""
    if name in {"mapping", "weights"} and values.ndim != 1:
        msg = f"{where}: {name!r} must be one number a token (got {values.shape})"
        raise DataError(msg)
    if len(values) < vocabulary:
        msg = (
            f"{where}: {name!r} has {len(values)} rows for a tokenizer of {vocabulary}"
            " tokens; the two files are of different models"
        )
        raise DataError(msg)
    return values[:vocabulary]


def _json_object(path: Path) -> dict[str, Any]:
    try:
        value = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as e:
        msg = f"{str(path)!r} is no JSON ({e}); copy the model's files again"
        raise DataError(msg) from e
    if not isinstance(value, dict):
        msg = f"{str(path)!r} must hold a JSON object (got {type(value).__name__})"
        raise DataError(msg)
    return value
