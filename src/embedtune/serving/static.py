"""Static models: a tokenizer, and a table with one row for every token.

The one door to `tokenizers`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import attrs
import numpy as np
import numpy.typing as npt
import orjson
import tokenizers  # noqa: TID251 -- this is the door

from embedtune.errors import (
    AlreadyExistsError,
    ConfigurationError,
    DataError,
    DimensionMismatchError,
)
from embedtune.files import new_folder, replace_file
from embedtune.serving import bundled
from embedtune.serving.folder import (
    CONFIG_FILE,
    TABLE_FILE,
    TOKENIZER_FILE,
    ModelFiles,
    checked_table,
    find_files,
    read_name,
    read_tokenizer,
    token_rows,
)
from embedtune.serving.inputs import checked_texts
from embedtune.serving.pooling import TokenBags, blank_row, bounds_of, pool
from embedtune.serving.tensors import packed, read_tensors, unpacked
from embedtune.serving.words import (
    WordBorders,
    blocks_of,
    without_lone_surrogates,
)
from embedtune.types import FloatMatrix

_RULE = b"embedtune static model 1: unit mean of token rows; title, full stop, text"
_WORDS_AT_ONCE = 32


@attrs.frozen(kw_only=True, eq=False)
class _Tokenizer:
    """Texts in, tokens out; threads may share it, for nothing changes it."""

    engine: tokenizers.Tokenizer
    settings_json: bytes
    unknown_id: int | None
    borders: WordBorders | None

    @classmethod
    def of(cls, settings_json: bytes) -> _Tokenizer:
        engine = tokenizers.Tokenizer.from_buffer(settings_json)
        settings = orjson.loads(settings_json)
        unknown_id = settings["model"].get("unk_id")  # Unigram
        unknown = settings["model"].get("unk_token")
        if unknown is not None:
            unknown_id = engine.token_to_id(unknown)
        return cls(
            engine=engine,
            settings_json=settings_json,
            unknown_id=unknown_id,
            borders=WordBorders.of(settings),
        )

    @property
    def vocabulary(self) -> int:
        """One more than the largest token number."""
        return 1 + max(self.engine.get_vocab().values(), default=-1)

    def bags(self, texts: list[str]) -> TokenBags:
        """Return the known tokens of each text."""
        if self.borders is None:
            return self._encoded(texts)
        pieces = [self.borders.pieces(text) for text in texts]
        flat = list(chain.from_iterable(pieces))
        words, others = self.borders.sorted_out(flat)
        # Words go in company: a call costs more than a word does.
        lines = [
            " ".join(words[first : first + _WORDS_AT_ONCE])
            for first in range(0, len(words), _WORDS_AT_ONCE)
        ]
        bags = self._encoded([*lines, *others])
        end = bags.starts[len(lines)]
        word_starts = np.flatnonzero(self.borders.begins_word[bags.ids[:end]])
        starts = np.concatenate([word_starts, bags.starts[len(lines) :]])
        number = {piece: i for i, piece in enumerate(chain(words, others))}
        return TokenBags(ids=bags.ids, starts=starts).joined(
            np.fromiter(map(number.__getitem__, flat), np.int64, count=len(flat)),
            np.fromiter(map(len, pieces), np.int64, count=len(pieces)),
        )

    def _encoded(self, texts: list[str]) -> TokenBags:
        encode = self.engine.encode_batch_fast
        try:
            encodings = encode(texts, add_special_tokens=False)
        except TypeError:
            repaired = [without_lone_surrogates(text) for text in texts]
            encodings = encode(repaired, add_special_tokens=False)
        lists = [encoding.ids for encoding in encodings]
        starts = bounds_of(np.fromiter(map(len, lists), np.int64, count=len(lists)))
        ids = np.fromiter(chain.from_iterable(lists), np.int32, count=int(starts[-1]))
        is_known = ids != self.unknown_id
        if self.unknown_id is None or is_known.all():
            return TokenBags(ids=ids, starts=starts)
        return TokenBags(ids=ids[is_known], starts=bounds_of(is_known)[starts])


@attrs.frozen(kw_only=True, eq=False)
class StaticModel:
    """A tokenizer, and a table with one row for every token.

    Attributes:
        name: What a person calls the model.
        table: One row for every token, float32, read-only.
    """

    name: str
    table: FloatMatrix = attrs.field(repr=False)
    _tokenizer: _Tokenizer = attrs.field(alias="tokenizer", repr=False)
    _known_fingerprint: str = attrs.field(
        default="", alias="known_fingerprint", repr=False
    )

    @classmethod
    def open(cls, source: str | Path = bundled.NAME) -> StaticModel:
        """Open the bundled model, or a folder in the model2vec format.

        Args:
            source: `"wordllama-256"`, or a folder with `model.safetensors`,
                `tokenizer.json` and `config.json`; also one that
                sentence-transformers wrote for a `StaticEmbedding`.

        Raises:
            ConfigurationError: If *source* is neither, or the package that brings the
                bundled weights is missing or brings others.
            DataError: If a file of the folder is missing or wrong.
        """
        if source == bundled.NAME:
            return _open_bundled()
        folder = Path(source)
        if not folder.is_dir():
            msg = (
                f"model {str(source)!r} is neither {bundled.NAME!r} nor a folder;"
                " give the path of a folder in the model2vec format"
            )
            raise ConfigurationError(msg)
        return _open_folder(folder)

    @property
    def dimension(self) -> int:
        """The length of a row."""
        return int(self.table.shape[1])

    @cached_property
    def fingerprint(self) -> str:
        """The identity of the document space, made of table, tokenizer and pooling."""
        if self._known_fingerprint:
            return self._known_fingerprint
        tokenizer = orjson.dumps(
            orjson.loads(self._tokenizer.settings_json), option=orjson.OPT_SORT_KEYS
        )
        digest = hashlib.sha256(_RULE)
        digest.update(hashlib.sha256(tokenizer).digest())
        digest.update(repr(self.table.shape).encode())
        digest.update(self.table.astype("<f4", copy=False).data)
        return digest.hexdigest()[:32]

    @cached_property
    def blank(self) -> npt.NDArray[np.float32]:
        """The unit row of a text without tokens, opposite to the mean token."""
        return blank_row(self.table)

    def tokenize(self, texts: Sequence[str]) -> TokenBags:
        """Return the tokens of *texts*: all of them but unknown ones.

        Half a surrogate pair, which no tokenizer accepts, is read as U+FFFD.

        Raises:
            TypeError: If *texts* is no sequence of strings.
        """
        parts = [
            self._tokenizer.bags(block) for block in blocks_of(checked_texts(texts))
        ]
        ids = np.concatenate([np.zeros(0, np.int32), *(bags.ids for bags in parts)])
        lengths = [np.zeros(0, np.int64), *(np.diff(bags.starts) for bags in parts)]
        return TokenBags(ids=ids, starts=bounds_of(np.concatenate(lengths)))

    def embed(self, texts: Sequence[str]) -> FloatMatrix:
        """Return one unit row for each of *texts*: the mean of its tokens' rows.

        A row depends on its own text alone, to the last bit. Beside the rows, memory is
        needed for one block of texts at a time.

        Raises:
            TypeError: If *texts* is no sequence of strings.
        """
        values = checked_texts(texts)
        rows = np.empty((len(values), self.dimension), dtype=np.float32)
        first = 0
        for block in blocks_of(values):
            last = first + len(block)
            rows[first:last] = pool(
                self.table, self._tokenizer.bags(block), blank=self.blank
            )
            first = last
        return rows

    def with_table(self, table: npt.ArrayLike, *, name: str) -> StaticModel:
        """Return a model with the same tokenizer and another table.

        Args:
            table: One row for every token; the rows may have another length.
            name: What a person calls the new model.

        Raises:
            DimensionMismatchError: If the number of rows differs.
            DataError: If *table* is no matrix of finite numbers.
        """
        with np.errstate(over="ignore"):  # what leaves the range is found below
            new = checked_table(np.array(table, dtype=np.float32), "the new table")
        if len(new) != len(self.table):
            msg = (
                f"a table for {self.name!r} has {len(self.table)} rows (got {len(new)})"
            )
            raise DimensionMismatchError(msg, expected=len(self.table), actual=len(new))
        return attrs.evolve(self, name=name, table=new, known_fingerprint="")

    def save(
        self,
        folder: str | Path,
        *,
        facts: Mapping[str, object],
        dtype: Literal["float32", "float16"] = "float32",
    ) -> None:
        """Write the model into a new folder, whole or not at all.

        The folder holds `model.safetensors` (the table, as `embeddings`),
        `tokenizer.json` and `config.json` (what model2vec needs; *facts* and the
        model's name under `embedtune`). model2vec's `from_pretrained` opens it.

        Args:
            folder: Must not exist, or be empty.
            facts: JSON values by name that say how the model came to be.
            dtype: `"float16"` halves the file. Unless the table came from float16, the
                rounded model has a fingerprint of its own.

        Raises:
            AlreadyExistsError: If *folder* exists and is not empty.
            DataError: If *facts* are no JSON values, or the table leaves the range of
                *dtype*.
        """
        folder = Path(folder)
        files = {
            TABLE_FILE: packed({"embeddings": self._rounded(dtype)}),
            TOKENIZER_FILE: self._tokenizer.settings_json,
            CONFIG_FILE: self._config(facts, dtype),
        }
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            with new_folder(folder) as new:
                for name, data in files.items():
                    replace_file(new / name, data)
        except FileExistsError as e:
            msg = f"folder {str(folder)!r} exists already; choose a new one"
            raise AlreadyExistsError(msg, operation="model.save") from e

    def _rounded(self, dtype: str) -> npt.NDArray[Any]:
        if dtype not in {"float32", "float16"}:
            msg = f"'dtype' must be 'float32' or 'float16' (got {dtype!r})"
            raise ValueError(msg)
        with np.errstate(over="ignore"):
            table = self.table.astype(dtype, copy=False)
        if not np.isfinite(table).all():
            msg = f"the table of {self.name!r} does not fit float16; use float32"
            raise DataError(msg)
        return table

    def _config(self, facts: Mapping[str, object], dtype: str) -> bytes:
        config = {
            "model_type": "model2vec",
            "architectures": ["StaticModel"],
            "hidden_dim": self.dimension,
            "embedding_dtype": dtype,
            "max_length": None,  # read every text to its end
            "normalize": True,
            "embedtune": {**facts, "name": self.name},
        }
        try:
            return orjson.dumps(config, option=orjson.OPT_INDENT_2)
        except TypeError as e:
            msg = f"'facts' must be JSON values by name ({e})"
            raise DataError(msg) from e


def _open_bundled() -> StaticModel:
    tensors = unpacked(bundled.read_bundled(bundled.WEIGHTS))
    table = tensors["embedding.weight"].astype(np.float32)
    return StaticModel(
        name=bundled.NAME,
        table=checked_table(table, bundled.NAME),
        tokenizer=_Tokenizer.of(bundled.read_bundled(bundled.TOKENIZER)),
        known_fingerprint=bundled.FINGERPRINT,
    )


def _open_folder(folder: Path) -> StaticModel:
    files = find_files(folder)
    name = read_name(files)
    try:
        tokenizer = _Tokenizer.of(read_tokenizer(files.tokenizer))
    except ValueError as e:
        msg = f"{str(files.tokenizer)!r} is no tokenizer that can be opened ({e})"
        raise DataError(msg) from e
    table = token_rows(_tensors(files), files.key, tokenizer.vocabulary, files.table)
    return StaticModel(name=name, table=table, tokenizer=tokenizer)


def _tensors(files: ModelFiles) -> dict[str, npt.NDArray[Any]]:
    path = str(files.table)
    tensors, names = read_tensors(files.table, (files.key, "weights", "mapping"))
    if files.key not in tensors:
        msg = (
            f"{path!r} has no tensor {files.key!r} (got {len(names)} others);"
            " this is no static model"
        )
        raise DataError(msg)
    return tensors
