"""Datasets from tables: every kind of source gives the same dataset."""

from __future__ import annotations

import csv
import datetime as dt
import decimal
import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.values import Document
from embedtune.errors import DatasetFormatError, DatasetIntegrityError

ROWS = [
    {"subject": "lost card", "answer": "Block it.", "head": "Cards", "grade": 2},
    {"subject": "new card", "answer": 'Say "new",\nthen wait.', "head": "", "grade": 1},
    {"subject": "lost card", "answer": "Café: call us.", "head": None, "grade": 0},
]
COLUMNS = {
    "query": "subject",
    "document": "answer",
    "title": "head",
    "relevance": "grade",
}


def as_csv(folder: Path) -> object:
    """Write a CSV file as a spreadsheet does, byte order mark included."""
    return delimited(folder / "t.csv", ",", "utf-8-sig")


def as_tsv(folder: Path) -> object:
    """Write a TSV file."""
    return delimited(folder / "t.TSV", "\t", "utf-8")


def as_packed_csv(folder: Path) -> object:
    """Write a packed CSV file."""
    path = folder / "t.csv.gz"
    data = delimited(folder / "t.csv", ",", "utf-8").read_bytes()
    path.write_bytes(gzip.compress(data))
    return path


def delimited(path: Path, delimiter: str, encoding: str) -> Path:
    """Write the rows with a header."""
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(ROWS[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(ROWS)
        file.write(delimiter * 3 + "\r\n\r\n")  # what spreadsheets leave at the end
    return path


def as_jsonl(folder: Path) -> object:
    """Write JSON Lines, empty cells left out."""
    lines = (json.dumps({k: v for k, v in row.items() if v != ""}) for row in ROWS)
    path = folder / "t.jsonl"
    path.write_text("\n\n".join(lines), encoding="utf-8")
    return str(path)


def as_parquet(folder: Path) -> object:
    """Write a Parquet file of two row groups."""
    pq.write_table(pa.Table.from_pylist(ROWS), folder / "t.parquet", row_group_size=2)
    return folder / "t.parquet"


def as_pandas(_: Path) -> object:
    """Make a pandas frame with an index of its own and a categorical column."""
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(ROWS, index=[7, 8, 9])
    frame["subject"] = frame["subject"].astype("category")
    frame["grade"] = frame["grade"].astype("float64")
    return frame


def as_polars(_: Path) -> object:
    """Make a Polars frame."""
    pl = pytest.importorskip("polars")
    return pl.DataFrame(ROWS)


def as_arrow(_: Path) -> object:
    """Make an Arrow table."""
    return pa.Table.from_pylist(ROWS)


def as_mappings(_: Path) -> object:
    """Give mappings one by one."""
    return iter(ROWS)


SOURCES = [
    as_csv,
    as_tsv,
    as_packed_csv,
    as_jsonl,
    as_parquet,
    as_pandas,
    as_polars,
    as_arrow,
    as_mappings,
]


@pytest.mark.parametrize("make", SOURCES)
def test_every_source_gives_the_same(
    make: Callable[[Path], object], tmp_path: Path
) -> None:
    """Texts, titles and relevances are the same whatever the table is."""
    dataset = TuningDataset.from_table(make(tmp_path), **COLUMNS)
    queries = {query_id: query.text for query_id, query in dataset.queries.items()}
    found = [
        (queries[query_id], dataset.corpus[doc_id].text, relevance)
        for query_id, row in dataset.train.items()
        for doc_id, relevance in row.items()
    ]

    assert [
        ("lost card", "Block it.", 2),
        ("lost card", "Café: call us.", 0),
        ("new card", 'Say "new",\nthen wait.', 1),
    ] == found
    assert ["Cards", "", ""] == [d.title for d in dataset.corpus.values()]
    again = TuningDataset.from_table(ROWS, **COLUMNS)
    assert again.fingerprint == dataset.fingerprint


@pytest.mark.parametrize(
    ("make", "places"),
    [
        (as_csv, ["t.csv:2", "t.csv:3", "t.csv:5"]),
        (as_jsonl, ["t.jsonl:1", "t.jsonl:3", "t.jsonl:5"]),
        (as_parquet, ["t.parquet row 0", "t.parquet row 1", "t.parquet row 2"]),
        (as_polars, ["row 0", "row 1", "row 2"]),
    ],
)
def test_places_of_rows(
    make: Callable[[Path], object], places: list[str], tmp_path: Path
) -> None:
    """Checks can name the line where a row begins, or its number."""
    origin = TuningDataset.from_table(make(tmp_path), **COLUMNS).origin

    assert origin is not None
    assert places == [origin.corpus[index] for index in range(3)]
    assert [places[0], places[2], places[1]] == [
        origin.labels["train"][index] for index in range(3)
    ]


def test_without_relevance_every_row_is_positive() -> None:
    """Without a column for it, the relevance is 1."""
    dataset = TuningDataset.from_table(ROWS, query="subject", document="answer")

    assert {1} == {r for row in dataset.train.values() for r in row.values()}


def test_own_ids() -> None:
    """Ids may be columns; integers, and floats that pandas made of them, are ids."""
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(
        {"q": ["a", "b"], "d": ["x", "y"], "n": [1.0, 2.0], "k": ["k1", "k2"]}
    )
    dataset = TuningDataset.from_table(
        frame, query="q", document="d", query_id="n", document_id="k"
    )

    assert {"1": {"k1": 1}, "2": {"k2": 1}} == dataset.train


def test_metadata_columns() -> None:
    """Other columns are kept as JSON: dates and decimals as text, gaps as null."""
    table = pa.table(
        {
            "q": ["a", "b"],
            "d": ["x", "y"],
            "day": [dt.date(2026, 1, 31), None],
            "price": [decimal.Decimal("1.50"), None],
            "score": [0.5, float("nan")],
            "tags": [["one"], []],
        }
    )
    dataset = TuningDataset.from_table(
        table, query="q", document="d", metadata=["day", "price", "score", "tags"]
    )

    assert [
        {"day": "2026-01-31", "price": "1.50", "score": 0.5, "tags": ["one"]},
        {"day": None, "price": None, "score": None, "tags": []},
    ] == [dict(document.metadata) for document in dataset.corpus.values()]


def test_metadata_that_json_does_not_have() -> None:
    """A cell of bytes is named as a problem of its row."""
    with pytest.raises(ValueError, match="row 0: column 'b' holds a bytes"):
        TuningDataset.from_table(
            [{"q": "a", "d": "x", "b": b"1"}], query="q", document="d", metadata=["b"]
        )


def test_same_text_under_two_titles() -> None:
    """A document is its title and its text together."""
    rows = [{"q": "a", "d": "x", "t": "1"}, {"q": "a", "d": "x", "t": "2"}]
    dataset = TuningDataset.from_table(rows, query="q", document="d", title="t")

    assert [("x", "1"), ("x", "2")] == [
        (document.text, document.title) for document in dataset.corpus.values()
    ]


def test_other_encodings_and_delimiters(tmp_path: Path) -> None:
    """What a spreadsheet in another country writes can be read."""
    path = tmp_path / "t.csv"
    path.write_bytes("frage;antwort\nWie?;Schön so.\n".encode("cp1252"))
    dataset = TuningDataset.from_table(
        path, query="frage", document="antwort", encoding="cp1252", delimiter=";"
    )

    assert ["Schön so."] == [document.text for document in dataset.corpus.values()]


def test_utf_16_can_be_asked_for(tmp_path: Path) -> None:
    """The encoding argument goes for any encoding; wrong bytes in it are refused."""
    path = tmp_path / "t.csv"
    path.write_bytes("q,d\na,b\n".encode("utf-16"))
    dataset = TuningDataset.from_table(path, query="q", document="d", encoding="utf-16")

    assert ["b"] == [document.text for document in dataset.corpus.values()]

    path.write_bytes(b"\xff\xfea")
    with pytest.raises(ValueError, match=r"t\.csv: is not UTF-16"):
        TuningDataset.from_table(path, query="q", document="d", encoding="utf-16")


@pytest.mark.parametrize("rows", [8, 20_000])
def test_encoding_and_delimiter_are_told_together(tmp_path: Path, rows: int) -> None:
    """What spreadsheets write in many countries needs one error, not two in a row."""
    path = tmp_path / "t.csv"
    text = "Frage;Antwort\n" + "Wie?;Schon.\n" * rows + "Wie?;Schön.\n" * 3
    path.write_bytes(text.encode("cp1252"))

    with pytest.raises(DatasetFormatError) as info:
        TuningDataset.from_table(path, query="Frage", document="Antwort")

    assert {
        "t.csv:1: has one column, 'Frage;Antwort'; pass delimiter=';'",
        (
            f"t.csv:{rows + 2}: is not UTF-8 in 3 lines (here byte 0xf6 at position 9); "
            "save the file as UTF-8, or pass encoding='cp1252'"
        ),
    } == set(info.value.problems)


def test_header_in_another_encoding(tmp_path: Path) -> None:
    """The delimiter is seen in a header that cannot be decoded, too."""
    path = tmp_path / "t.csv"
    path.write_bytes("Räume;Größe\na;b\n".encode("cp1252"))

    with pytest.raises(DatasetFormatError) as info:
        TuningDataset.from_table(path, query="Räume", document="Größe")

    encoding, delimiter = info.value.problems

    assert encoding.startswith("t.csv:1: is not UTF-8 in 1 line (")
    assert "t.csv:1: has one column, 'Räume;Größe'; pass delimiter=';'" == delimiter


def test_other_encodings_are_no_way_out_of_themselves(tmp_path: Path) -> None:
    """Who passes an encoding that is wrong is not told to pass the same."""
    path = tmp_path / "t.csv"
    path.write_bytes(b"q,d\na,\x81\n")

    with pytest.raises(DatasetFormatError, match=r"encoding='utf-8'$"):
        TuningDataset.from_table(path, query="q", document="d", encoding="cp1252")


def test_utf_16_is_no_wrong_delimiter(tmp_path: Path) -> None:
    """In a file of two bytes a character no delimiter is looked for."""
    path = tmp_path / "t.csv"
    path.write_bytes("q;d\na;b\n".encode("utf-16"))

    with pytest.raises(DatasetFormatError) as info:
        TuningDataset.from_table(path, query="q", document="d")

    assert ("t.csv:1: is UTF-16; save it as UTF-8",) == info.value.problems


def test_problems_of_rows_in_memory() -> None:
    """The error says what has how many problems, and how rows are counted."""
    rows = [{"q": "a", "d": ""}, {"q": "", "d": "x"}]

    with pytest.raises(DatasetIntegrityError) as info:
        TuningDataset.from_table(rows, query="q", document="d")

    assert [
        "the table has 2 problems (rows count from 0):",
        "  row 0: column 'd' is empty; fill the cell or leave the row out",
        "  row 1: column 'q' is empty; fill the cell or leave the row out",
    ] == str(info.value).splitlines()


def test_damaged_packed_table(tmp_path: Path) -> None:
    """A packed file cut short is a problem of the file."""
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"q,d\n" + b"a,b\n" * 9)[:-9])

    with pytest.raises(ValueError, match=r"t\.csv\.gz:\d+: cannot be unpacked"):
        TuningDataset.from_table(path, query="q", document="d")


def test_cells_of_any_length(tmp_path: Path) -> None:
    """A cell beyond the csv module's limit is read, and the limit stays as it was."""
    before = csv.field_size_limit()
    long = "word " * 50_000
    path = tmp_path / "t.csv"
    path.write_text(f"q,d\na,{long}\n")
    dataset = TuningDataset.from_table(path, query="q", document="d")

    assert [long] == [document.text for document in dataset.corpus.values()]
    assert before == csv.field_size_limit()


def test_empty_tables(tmp_path: Path) -> None:
    """A table without rows makes an empty dataset; one without a header does not."""
    (tmp_path / "t.csv").write_text("q,d\n")
    (tmp_path / "e.csv").write_text("")
    empty = TuningDataset(corpus={}, queries={}, train={})

    assert empty == TuningDataset.from_table(
        tmp_path / "t.csv", query="q", document="d"
    )
    assert empty == TuningDataset.from_table([], query="q", document="d")
    with pytest.raises(ValueError, match="no column 'q', 'd'; it has none"):
        TuningDataset.from_table(tmp_path / "e.csv", query="q", document="d")


def test_csv_needs_no_table_package(tmp_path: Path) -> None:
    """Reading a CSV file loads neither pyarrow nor pandas nor Polars."""
    (tmp_path / "t.csv").write_text("q,d\na,b\n")
    run_alone(
        f"from_table({str(tmp_path / 't.csv')!r}, query='q', document='d')",
        unloaded="{'pyarrow', 'pandas', 'polars'}",
    )


def test_polars_needs_no_pandas() -> None:
    """A Polars frame is read without pandas."""
    pytest.importorskip("polars")
    run_alone(
        "import polars\n"
        "frame = polars.DataFrame({'q': ['a'], 'd': ['b']})\n"
        "from_table(frame, query='q', document='d')",
        unloaded="{'pandas'}",
    )


def run_alone(code: str, *, unloaded: str) -> None:
    """Run code in a fresh process and look at what it imported."""
    code = (
        "import sys\n"
        "from embedtune.datasets.dataset import TuningDataset\n"
        "from_table = TuningDataset.from_table\n"
        f"{code}\n"
        f"assert not {unloaded} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert (0, "") == (done.returncode, done.stderr)


def test_document_ids_join_rows() -> None:
    """Rows with one document id are labels of one document."""
    rows = [{"q": "a", "d": "x", "k": 1}, {"q": "b", "d": "x", "k": 1}]
    dataset = TuningDataset.from_table(rows, query="q", document="d", document_id="k")

    assert {"1": Document(doc_id="1", text="x")} == dataset.corpus
