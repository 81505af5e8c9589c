"""Static models: opening, tokenizing, saving."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import attrs
import model2vec
import numpy as np
import orjson
import pytest
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

from embedtune.errors import (
    AlreadyExistsError,
    ConfigurationError,
    DataError,
    DimensionMismatchError,
    MissingDependencyError,
)
from embedtune.serving import bundled
from embedtune.serving.pooling import pool
from embedtune.serving.static import StaticModel

WriteModel = Callable[..., Path]

TEXTS = [
    "the cat sat on my mat",
    "The cats sat, sitting: unknownword",
    "reset my password",
    "",
    " ",
    "  two  spaces   three ",
    "nothingatallisknown \u65e5\u672c",
    "dog",
    "dog dog cat",
    "line\nbreak\tand tab cat",
    "\u2581\u2581cat\u2581 dog",
    "card was charged twice " * 20,
]


@pytest.fixture(scope="module")
def default() -> StaticModel:
    """Open the bundled model."""
    return StaticModel.open()


def unit(rows: np.ndarray) -> np.ndarray:
    """Return rows over their norms, zero rows as they are."""
    rows = rows.astype(np.float32)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-30)


def has_tokens(model: StaticModel, texts: list[str]) -> np.ndarray:
    """Say of each text whether the model knows a token of it."""
    return np.diff(model.tokenize(texts).starts) > 0


def test_bundled_model(default: StaticModel) -> None:
    """The bundled model has a float32 row of 256 numbers for 32,000 tokens."""
    assert "wordllama-256" == default.name
    assert (32_000, 256) == default.table.shape
    assert np.float32 == default.table.dtype
    assert 256 == default.dimension


def test_bundled_fingerprint(default: StaticModel) -> None:
    """The fingerprint written down for the bundled model is what the rule gives."""
    computed = attrs.evolve(default, known_fingerprint="").fingerprint

    assert computed == default.fingerprint
    assert 32 == len(computed)


def test_bundled_tokens(default: StaticModel, request: pytest.FixtureRequest) -> None:
    """The tokens are the tokenizer's own known ones; the word cache changes none."""
    plain = Tokenizer.from_buffer(bundled.read_bundled(bundled.TOKENIZER))
    source = Path(request.path).read_text(encoding="utf-8")
    texts = [*TEXTS, source, "<s> a </s>", "a \u2581\u2581 b", "x" * 999, "\r\n \x00"]

    bags = default.tokenize(texts)

    expected = [
        [i for i in plain.encode(text, add_special_tokens=False).ids if i]
        for text in texts
    ]
    assert expected == [part.tolist() for part in np.split(bags.ids, bags.starts[1:-1])]
    assert len(texts) == len(bags)
    assert (np.int32, np.int64) == (bags.ids.dtype, bags.starts.dtype)


def test_unknown_tokens_are_left_out(default: StaticModel) -> None:
    """The token for unknown text is dropped, and the others stay with their texts."""
    bags = default.tokenize(["<unk>", "cat<unk>", "dog", "<unk><unk>"])
    known = default.tokenize(["", "cat", "dog", ""])

    assert 0 < len(known.ids)
    assert known.ids.tolist() == bags.ids.tolist()
    assert known.starts.tolist() == bags.starts.tolist()


def test_lone_surrogates(default: StaticModel) -> None:
    """Half a surrogate pair is read as the replacement character, a pair as its own."""
    broken = default.embed(["cat \ud800 dog", "plain", "\ud83d\ude00"])

    assert np.array_equal(
        default.embed(["cat \ufffd dog", "plain", "\U0001f600"]), broken
    )


def test_nothing_of_the_package_is_imported() -> None:
    """Embedding with the bundled weights imports nothing of the package of theirs."""
    code = (
        "import sys; from embedtune.serving.local import LocalEmbedder;"
        "LocalEmbedder().embed_queries(['a']); print('wordllama' in sys.modules)"
    )
    output = subprocess.check_output([sys.executable, "-c", code], text=True)

    assert "False\n" == output


def test_bundled_weights_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package of the weights the error says what to install."""
    monkeypatch.setitem(sys.modules, "wordllama", None)

    with pytest.raises(
        MissingDependencyError, match="pip install 'wordllama=="
    ) as info:
        StaticModel.open()

    assert "wordllama" == info.value.package


@pytest.fixture
def other_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Put a package of the same name in front; give its folder and the true one."""
    original = Path(bundled.find_package())
    package = tmp_path / "wordllama"
    for name in ("weights", "tokenizers"):
        (package / name).mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    return package, original


def test_bundled_weights_are_others(other_package: tuple[Path, Path]) -> None:
    """Other weights than those this version was built on are refused by name."""
    package, _ = other_package
    (package / bundled.WEIGHTS).write_bytes(b"others")

    with pytest.raises(
        ConfigurationError, match=r"supercat_256.* is missing or differs"
    ):
        StaticModel.open()


def test_bundled_tokenizer_with_other_line_ends(
    default: StaticModel, other_package: tuple[Path, Path]
) -> None:
    """The wheel for Windows has CR LF in its JSON and gives the same model."""
    package, original = other_package
    (package / bundled.WEIGHTS).symlink_to(original / bundled.WEIGHTS)
    tokenizer = (original / bundled.TOKENIZER).read_bytes()
    (package / bundled.TOKENIZER).write_bytes(tokenizer.replace(b"\n", b"\r\n"))

    model = StaticModel.open()

    assert default.fingerprint == model.fingerprint
    assert np.array_equal(default.embed(TEXTS), model.embed(TEXTS))


def test_fingerprint_is_of_table_and_tokenizer(
    write_model: WriteModel, tokenizer: Tokenizer
) -> None:
    """Equal files give equal fingerprints; another table or tokenizer another one."""
    first = StaticModel.open(write_model("first", tokenizer=tokenizer))
    again = StaticModel.open(write_model("again", tokenizer=tokenizer))
    table = first.table.copy()
    table[-1, -1] += 1e-3
    settings = orjson.loads(tokenizer.to_str())
    settings["normalizer"] = {"type": "NFKC"}
    changed = Tokenizer.from_str(orjson.dumps(settings).decode())
    other = StaticModel.open(write_model("other", tokenizer=changed))

    assert first.fingerprint == again.fingerprint
    assert first.fingerprint != first.with_table(table, name="x").fingerprint
    assert first.fingerprint != other.fingerprint
    assert "first" == first.name


@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [("float32", 1e-6), ("float64", 1e-6), ("int8", 1e-6), ("float16", 2e-3)],
)
def test_rows_equal_model2vec(
    tmp_path: Path, tokenizer: Tokenizer, dtype: str, tolerance: float
) -> None:
    """A folder that model2vec wrote gives the rows that model2vec gives.

    With a table of float16 model2vec rounds its means to float16, and we do not.
    """
    generator = np.random.default_rng(3)
    table = generator.normal(scale=40, size=(tokenizer.get_vocab_size(), 16))
    theirs = model2vec.StaticModel(table.astype(dtype), tokenizer, normalize=True)
    theirs.save_pretrained(tmp_path / "model")
    ours = StaticModel.open(tmp_path / "model")

    known = has_tokens(ours, TEXTS)
    assert 3 < known.sum() < len(TEXTS)
    expected = unit(theirs.encode(TEXTS))
    assert np.allclose(expected[known], ours.embed(TEXTS)[known], atol=tolerance)
    assert not expected[~known].any()


@pytest.mark.parametrize("parts", [("mapping",), ("weights",), ("mapping", "weights")])
def test_quantised_vocabulary(
    tmp_path: Path, tokenizer: Tokenizer, parts: tuple[str, ...]
) -> None:
    """Tokens that share rows, and weights of tokens, give the rows of model2vec."""
    size = tokenizer.get_vocab_size()
    generator = np.random.default_rng(4)
    arrays = {
        "mapping": generator.integers(0, 6, size),
        "weights": generator.uniform(0.1, 2, size),
    }
    rows = 6 if "mapping" in parts else size
    theirs = model2vec.StaticModel(
        generator.standard_normal((rows, 16), dtype=np.float32),
        tokenizer,
        token_mapping=arrays["mapping"] if "mapping" in parts else None,
        weights=arrays["weights"] if "weights" in parts else None,
    )
    theirs.save_pretrained(tmp_path / "model")
    ours = StaticModel.open(tmp_path / "model")

    known = has_tokens(ours, TEXTS)
    expected = unit(theirs.encode(TEXTS))
    assert np.allclose(expected[known], ours.embed(TEXTS)[known], atol=1e-6)


def test_padding_and_truncation_are_ignored(
    write_model: WriteModel, tokenizer: Tokenizer
) -> None:
    """A tokenizer that was saved with padding and truncation reads whole texts."""
    plain = StaticModel.open(write_model("plain", tokenizer=tokenizer))
    tokenizer.enable_truncation(2)
    tokenizer.enable_padding(length=7)
    model = StaticModel.open(write_model("cutting", tokenizer=tokenizer))

    assert np.array_equal(plain.embed(TEXTS), model.embed(TEXTS))
    assert plain.fingerprint == model.fingerprint


@pytest.mark.parametrize("inner", ["", "0_StaticEmbedding"])
def test_sentence_transformers_folders(
    write_model: WriteModel, tmp_path: Path, inner: str
) -> None:
    """The two layouts of sentence-transformers open, too."""
    source = write_model()
    folder = tmp_path / "model"
    (folder / inner).mkdir(parents=True)
    table = load_file(source / "model.safetensors")["embeddings"]
    save_file({"embedding.weight": table}, folder / inner / "model.safetensors")
    (source / "tokenizer.json").rename(folder / inner / "tokenizer.json")
    (folder / "config_sentence_transformers.json").write_text("{}")

    model = StaticModel.open(folder)

    assert np.array_equal(table, model.table)
    assert "model" == model.name


def test_rows_beyond_the_vocabulary(write_model: WriteModel) -> None:
    """A table that was padded with rows no token has opens without them."""
    table = np.ones((40, 4), dtype=np.float32)

    assert (15, 4) == StaticModel.open(write_model(embeddings=table)).table.shape


def damaged(folder: Path, how: str) -> None:
    """Damage the folder of a model."""
    name, _, what = how.partition(" ")
    path = folder / name
    if what == "missing":
        path.unlink()
    elif what == "cut":
        path.write_bytes(path.read_bytes()[:40])
    elif what == "empty":
        path.write_bytes(b"")
    else:
        path.write_text(what)


@pytest.mark.parametrize(
    "how",
    [
        "config.json missing",
        "model.safetensors missing",
        "tokenizer.json missing",
        "config.json empty",
        "config.json []",
        "model.safetensors cut",
        "model.safetensors empty",
        "tokenizer.json cut",
        "tokenizer.json {}",
        'tokenizer.json {"model": {"type": "Nonsense"}}',
    ],
)
def test_damaged_folders(write_model: WriteModel, how: str) -> None:
    """A missing or damaged file is a DataError that names it."""
    folder = write_model()
    damaged(folder, how)

    with pytest.raises(DataError, match=how.split(" ", 1)[0]):
        StaticModel.open(folder)


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"embeddings": np.ones((9, 4), np.float32)}, "9 rows for a tokenizer of 15"),
        ({"embeddings": np.ones(15, np.float32)}, r"matrix .*shape \(15,\)"),
        ({"embeddings": np.ones((15, 0), np.float32)}, r"shape \(15, 0\)"),
        ({"embeddings": np.ones((15, 4), bool)}, "got bool"),
        (
            {"embeddings": np.full((15, 4), np.nan, np.float32)},
            "15 of 15 rows are not f",
        ),
        ({"embeddings": np.full((15, 4), 1e300)}, "15 of 15 rows are not finite"),
        ({"embeddings": None, "weight": np.ones((15, 4))}, "no tensor 'embeddings'"),
        ({"weights": np.ones(3)}, "'weights' has 3 rows"),
        ({"weights": np.ones((15, 2))}, "'weights' must be one number a token"),
        ({"weights": np.full(15, np.inf)}, "rows are not finite"),
        ({"mapping": np.zeros(3, int)}, "'mapping' has 3 rows"),
        ({"mapping": np.full(15, 99)}, "'mapping' names rows"),
        ({"mapping": np.full(15, -1)}, "'mapping' names rows"),
        ({"mapping": np.zeros(15)}, "'mapping' names rows"),
        ({"mapping": np.zeros((15, 2), int)}, "'mapping' must be one number a token"),
    ],
)
def test_wrong_tensors(
    write_model: WriteModel, tensors: dict[str, np.ndarray], message: str
) -> None:
    """Tensors that fit neither each other nor the tokenizer are named, with the file."""
    folder = write_model(**tensors)

    with pytest.raises(DataError, match=message) as info:
        StaticModel.open(folder)

    assert "model.safetensors" in str(info.value)


def test_types_that_numpy_has_not(write_model: WriteModel) -> None:
    """A table of bfloat16 is refused by the name of its type."""
    folder = write_model()
    header = {"embeddings": {"dtype": "BF16", "shape": [1, 4], "data_offsets": [0, 8]}}
    text = orjson.dumps(header)
    data = len(text).to_bytes(8, "little") + text + bytes(8)
    (folder / "model.safetensors").write_bytes(data)

    with pytest.raises(DataError, match="bfloat16"):
        StaticModel.open(folder)


@pytest.mark.parametrize("source", ["wordllama-512", Path("nowhere")])
def test_no_such_model(source: str | Path) -> None:
    """A source that is no model and no folder is refused with the ways out."""
    with pytest.raises(
        ConfigurationError, match="neither 'wordllama-256' nor a folder"
    ):
        StaticModel.open(source)


def test_save_and_open(
    write_model: WriteModel, tmp_path: Path, tokenizer: Tokenizer
) -> None:
    """What was saved opens as the same model, with the facts in its configuration."""
    model = StaticModel.open(write_model(tokenizer=tokenizer))
    tuned = model.with_table(model.table[:, ::-1] * 2, name="tuned on support mail")
    folder = tmp_path / "deep" / "er"
    tuned.save(folder, facts={"base": "tiny", "steps": 300})
    again = StaticModel.open(folder)

    assert tuned.fingerprint == again.fingerprint
    assert "tuned on support mail" == again.name
    assert np.array_equal(tuned.embed(TEXTS), again.embed(TEXTS))
    names = sorted(path.name for path in folder.iterdir())
    assert ["config.json", "model.safetensors", "tokenizer.json"] == names
    config = orjson.loads((folder / "config.json").read_bytes())
    facts = {"base": "tiny", "steps": 300, "name": "tuned on support mail"}
    assert facts == config["embedtune"]


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_saved_models_open_with_model2vec(
    write_model: WriteModel, tmp_path: Path, tokenizer: Tokenizer, dtype: str
) -> None:
    """model2vec opens what was saved and gives the same rows, of long texts, too."""
    model = StaticModel.open(write_model(tokenizer=tokenizer))
    model.save(tmp_path / "saved", facts={}, dtype=dtype)
    theirs = model2vec.StaticModel.from_pretrained(tmp_path / "saved")
    long = ["cat mat " * 300 + "dog " * 100]

    known = has_tokens(model, TEXTS)
    tolerance = 1e-6 if dtype == "float32" else 2e-3
    expected = unit(theirs.encode(TEXTS))
    assert theirs.normalize
    assert np.allclose(expected[known], model.embed(TEXTS)[known], atol=tolerance)
    # Its sums of many float32 are less exact than ours; cut it would be another row.
    assert np.allclose(theirs.encode(long), model.embed(long), atol=5 * tolerance)
    assert not np.allclose(
        theirs.encode(long), model.embed([long[0][:1600]]), atol=0.05
    )


def test_bundled_model_saves_without_loss(default: StaticModel, tmp_path: Path) -> None:
    """The bundled table comes from float16: saved so, it is the same model."""
    default.save(tmp_path / "copy", facts={}, dtype="float16")
    copy = StaticModel.open(tmp_path / "copy")
    theirs = model2vec.StaticModel.from_pretrained(tmp_path / "copy")
    texts = [text for text in TEXTS if text]

    assert default.fingerprint == copy.fingerprint
    assert np.array_equal(default.embed(TEXTS), copy.embed(TEXTS))
    assert np.allclose(theirs.encode(texts), default.embed(texts), atol=1e-3)


def test_save_keeps_what_is_there(write_model: WriteModel, tmp_path: Path) -> None:
    """A folder that holds something is not overwritten, and no other one is left."""
    folder = write_model()
    before = {path: path.read_bytes() for path in folder.iterdir()}

    with pytest.raises(AlreadyExistsError, match=r"'.*tiny' exists already"):
        StaticModel.open(folder).save(folder, facts={})

    assert before == {path: path.read_bytes() for path in folder.iterdir()}
    assert [folder] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("facts", "scale", "message"),
    [
        ({"when": object()}, 1, "'facts' must be JSON values"),
        ({}, 1e6, "'tiny' does not fit float16; use float32"),
    ],
)
def test_save_refuses(
    write_model: WriteModel,
    tmp_path: Path,
    facts: dict[str, object],
    scale: float,
    message: str,
) -> None:
    """What cannot be written is refused before a folder is made."""
    folder = write_model(embeddings=np.full((15, 4), scale, np.float32))

    with pytest.raises(DataError, match=message):
        StaticModel.open(folder).save(tmp_path / "new", facts=facts, dtype="float16")

    assert not (tmp_path / "new").exists()


def test_save_in_an_unknown_dtype(write_model: WriteModel, tmp_path: Path) -> None:
    """Only the two types that model2vec shares are written."""
    with pytest.raises(ValueError, match=r"'float32' or 'float16' \(got 'int8'\)"):
        StaticModel.open(write_model()).save(tmp_path / "x", facts={}, dtype="int8")


def test_with_table(write_model: WriteModel) -> None:
    """Another table of any width goes with the same tokenizer; it is copied."""
    model = StaticModel.open(write_model())
    table = np.random.default_rng(5).standard_normal((15, 3))
    other = model.with_table(table, name="other")
    table[:] = 0

    assert ("other", 3) == (other.name, other.dimension)
    assert other.table.any()
    assert np.allclose(1, np.linalg.norm(other.embed(TEXTS), axis=1), atol=1e-6)
    bags = other.tokenize(["the cat", ""])
    assert np.array_equal(pool(other.table, bags), other.embed(["the cat", ""]))


def test_table_is_read_only(write_model: WriteModel) -> None:
    """A model's table cannot be changed under its fingerprint."""
    model = StaticModel.open(write_model())

    with pytest.raises(ValueError, match="read-only"):
        model.table[0, 0] = 1


def test_with_wrong_table(write_model: WriteModel) -> None:
    """A table with other rows, or with numbers that are none, is refused."""
    model = StaticModel.open(write_model())

    with pytest.raises(DimensionMismatchError, match=r"15 rows \(got 5\)") as info:
        model.with_table(np.ones((5, 3)), name="x")
    assert (15, 5) == (info.value.expected, info.value.actual)
    with pytest.raises(DataError, match="1 of 15 rows are not finite"):
        model.with_table(np.diag([1.0] * 14 + [1e300]), name="x")
    with pytest.raises(DataError, match=r"shape \(15,\)"):
        model.with_table(np.ones(15), name="x")
