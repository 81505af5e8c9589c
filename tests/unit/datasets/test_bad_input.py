"""Every kind of bad input gives its stated error: class, value, place, way out."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import attrs
import numpy as np
import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.values import Document, Query
from embedtune.errors import (
    ConfigurationError,
    DataError,
    DatasetFormatError,
    DatasetIntegrityError,
)

CORPUS = '{"_id": "d1", "text": "one"}\n{"_id": "d2", "text": "two"}\n'
QUERIES = '{"_id": "q1", "text": "first"}\n{"_id": "q2", "text": "second"}\n'
LABELS = "query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t1\n"


@attrs.frozen
class Case:
    """One kind of bad input: how it is made, and the facts its error must state."""

    name: str
    make: Callable[[Path], object]
    error: type[Exception]
    facts: tuple[str, ...]


def beir(files: Mapping[str, str | bytes | None]) -> Callable[[Path], object]:
    """Read a good folder in which some files are replaced, or missing (`None`)."""

    def make(folder: Path) -> object:
        good = {"corpus.jsonl": CORPUS, "queries.jsonl": QUERIES, "train.tsv": LABELS}
        for name, content in {**good, **files}.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            if content is not None:
                data = content.encode() if isinstance(content, str) else content
                path.write_bytes(data)
        return TuningDataset.from_beir(folder)

    return make


def corpus(content: str | bytes) -> Callable[[Path], object]:
    """Read a good folder with another corpus."""
    return beir({"corpus.jsonl": content})


def labels(content: str | bytes) -> Callable[[Path], object]:
    """Read a good folder with other labels."""
    return beir({"train.tsv": content})


def table(
    name: str, content: str | bytes, **columns: object
) -> Callable[[Path], object]:
    """Read a file as a table."""

    def make(folder: Path) -> object:
        path = folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        named = {"query": "q", "document": "d", **columns}
        return TuningDataset.from_table(path, **named)

    return make


def frame(source: object, **columns: object) -> Callable[[Path], object]:
    """Read a table in memory."""
    named = {"query": "q", "document": "d", **columns}
    return lambda _: TuningDataset.from_table(source, **named)


def optional_frame(
    package: str, kind: str, data: Mapping[str, object]
) -> Callable[[Path], object]:
    """Read a table of a package that may be missing."""

    def make(folder: Path) -> object:
        source = getattr(pytest.importorskip(package), kind)(data)
        return frame(source)(folder)

    return make


def pairs(*items: object) -> Callable[[Path], object]:
    """Read pairs."""
    return lambda _: TuningDataset.from_pairs(items)


def dataset(**parts: object) -> TuningDataset:
    """Make a good dataset of ten queries with a document each, some parts replaced."""
    good: dict[str, object] = {
        "corpus": {f"d{i}": f"answer {i}" for i in range(10)},
        "queries": {f"q{i}": f"question {i}" for i in range(10)},
        "train": {f"q{i}": {f"d{i}": 1} for i in range(10)},
    }
    return TuningDataset(**{**good, **parts})


def made(**parts: object) -> Callable[[Path], object]:
    """Make a dataset of parts in memory."""
    return lambda _: dataset(**parts)


def split(**arguments: object) -> Callable[[Path], object]:
    """Split a good dataset in a bad way."""
    return lambda _: dataset().split(**arguments)


def one_component() -> TuningDataset:
    """Make a dataset in which every query shares one document."""
    return dataset(train={f"q{i}": {"d0": 1, f"d{i}": 1} for i in range(10)})


def checked(model: str | None = None, **parts: object) -> Callable[[Path], object]:
    """Check a dataset and raise for its errors."""
    return lambda _: dataset(**parts).check(model).raise_for_errors()


def written(how: str, **parts: object) -> Callable[[Path], object]:
    """Write a dataset that cannot be written."""
    return lambda folder: getattr(dataset(**parts), how)(folder / "out")


def into(how: str, other: str) -> Callable[[Path], object]:
    """Write a good dataset where another file is in the way."""

    def make(folder: Path) -> object:
        (folder / other).parent.mkdir(exist_ok=True)
        (folder / other).write_text("x")
        return getattr(dataset(), how)(folder)

    return make


CASES = [
    # BEIR folders: files
    Case(
        "no folder",
        lambda folder: TuningDataset.from_beir(folder / "nowhere"),
        DatasetFormatError,
        ("nowhere", "is no folder", "corpus.jsonl"),
    ),
    Case(
        "no corpus",
        beir({"corpus.jsonl": None}),
        DatasetFormatError,
        ("1 problem", "corpus.jsonl: is missing"),
    ),
    Case(
        "no queries",
        beir({"queries.jsonl": None}),
        DatasetFormatError,
        ("queries.jsonl: is missing",),
    ),
    Case(
        "no labels",
        beir({"train.tsv": None}),
        DatasetFormatError,
        ("train.tsv: is missing", "validation.tsv or test.tsv", "qrels"),
    ),
    Case(
        "labels twice",
        beir({"qrels/train.tsv": LABELS}),
        DatasetFormatError,
        ("qrels/train.tsv", "beside 'train.tsv'", "remove one"),
    ),
    Case(
        "corpus packed and not",
        beir({"corpus.jsonl.gz": gzip.compress(CORPUS.encode())}),
        DatasetFormatError,
        ("corpus.jsonl", "beside 'corpus.jsonl.gz'"),
    ),
    Case(
        "damaged gzip",
        beir(
            {
                "corpus.jsonl": None,
                "corpus.jsonl.gz": gzip.compress(CORPUS.encode())[:-12],
            }
        ),
        DatasetFormatError,
        ("corpus.jsonl.gz: cannot be unpacked", "copy the file again"),
    ),
    # BEIR folders: lines of JSON
    Case(
        "not JSON",
        corpus(CORPUS + '{"_id": "d3", text: "x"}\n'),
        DatasetFormatError,
        ("corpus.jsonl:3: is not JSON", "at character 15"),
    ),
    Case(
        "half a line",
        corpus(CORPUS + '{"_id": "d3", "te'),
        DatasetFormatError,
        ("corpus.jsonl:3: is not JSON",),
    ),
    Case(
        "an array of documents",
        corpus('["d1", "one"]\n'),
        DatasetFormatError,
        ("corpus.jsonl:1: holds an array", "must be a JSON object"),
    ),
    Case(
        "not UTF-8",
        corpus('{"_id": "d1", "text": "café"}\n'.encode("latin-1")),
        DatasetFormatError,
        ("corpus.jsonl:1: is not UTF-8", "byte 0xe9 at position 27", "as UTF-8"),
    ),
    Case(
        "UTF-16",
        corpus(CORPUS.encode("utf-16")),
        DatasetFormatError,
        ("corpus.jsonl:1: is UTF-16; save it as UTF-8",),
    ),
    Case(
        "lone surrogate in a file",
        corpus('{"_id": "d1", "text": "\\ud800"}\n'),
        DatasetFormatError,
        ("corpus.jsonl:1: is not JSON", "surrogate"),
    ),
    Case(
        "no _id",
        corpus('{"id": "d1", "text": "one"}\n'),
        DatasetFormatError,
        ("corpus.jsonl:1: has no '_id'", "keys are", "'id', 'text'"),
    ),
    Case(
        "_id is null",
        corpus('{"_id": null, "text": "one"}\n'),
        DatasetFormatError,
        ("'_id' must be a string (got None)",),
    ),
    Case(
        "_id is true",
        corpus('{"_id": true, "text": "one"}\n'),
        DatasetFormatError,
        ("'_id' must be a string (got True)",),
    ),
    Case(
        "_id is a fraction",
        corpus('{"_id": 1.5, "text": "one"}\n'),
        DatasetFormatError,
        ("'_id' must be a string (got 1.5)",),
    ),
    Case(
        "_id is empty",
        corpus('{"_id": "", "text": "one"}\n'),
        DatasetFormatError,
        ("'_id' is empty", "an id of its own"),
    ),
    Case(
        "no text",
        beir({"queries.jsonl": '{"_id": "q1", "query": "x"}\n'}),
        DatasetFormatError,
        ("queries.jsonl:1: has no 'text'", "'_id', 'query'"),
    ),
    Case(
        "text is a number",
        corpus('{"_id": "d1", "text": 7}\n'),
        DatasetFormatError,
        ("'text' must be a string (got int)",),
    ),
    Case(
        "title is a list",
        corpus('{"_id": "d1", "text": "one", "title": []}\n'),
        DatasetFormatError,
        ("'title' must be a string (got list)",),
    ),
    Case(
        "id twice",
        corpus(CORPUS + '\n{"_id": "d1", "text": "again"}\n'),
        DatasetFormatError,
        ("corpus.jsonl:4: '_id' 'd1' stands at line 1 already",),
    ),
    Case(
        "key inside and beside metadata",
        corpus('{"_id": "d1", "text": "x", "url": 1, "metadata": {"url": 2}}\n'),
        DatasetFormatError,
        ("corpus.jsonl:1: has 'url' beside and inside 'metadata'", "keep one"),
    ),
    # BEIR folders: labels
    Case(
        "empty label file",
        labels(""),
        DatasetFormatError,
        ("train.tsv:1: is empty", "query-id, corpus-id, score"),
    ),
    Case(
        "TREC qrels",
        labels("q1 0 d1 1\n"),
        DatasetFormatError,
        ("train.tsv:1: has no header", "TREC", "query-id, corpus-id, score"),
    ),
    Case(
        "no header",
        labels("q1\td1\t1\nq2\td2\t1\n"),
        DatasetFormatError,
        ("train.tsv:1: has no header", "('q1', 'd1', '1')"),
    ),
    Case(
        "commas in place of tabs",
        labels(LABELS.replace("\t", ",")),
        DatasetFormatError,
        ("no column 'query-id' and no column 'corpus-id'", "with tabs between"),
    ),
    Case(
        "missing column",
        labels("query-id\tdoc\tscore\nq1\td1\t1\n"),
        DatasetFormatError,
        ("train.tsv:1: has no column 'corpus-id'", "'doc'"),
    ),
    Case(
        "column twice",
        labels("query-id\tquery-id\tcorpus-id\nq1\tq1\td1\n"),
        DatasetFormatError,
        ("column 'query-id' twice", "rename one"),
    ),
    Case(
        "too few cells",
        labels(LABELS + "q2\td1\n"),
        DatasetFormatError,
        ("train.tsv:4: has 2 columns where the header has 3",),
    ),
    Case(
        "empty id",
        labels(LABELS + "\td1\t1\n"),
        DatasetFormatError,
        ("train.tsv:4: column 'query-id' is empty",),
    ),
    Case(
        "negative score",
        labels(LABELS + "q2\td1\t-1\n"),
        DatasetFormatError,
        ("train.tsv:4: relevance must be >= 0", "'-1'", "write 0"),
    ),
    Case(
        "fraction as score",
        labels(LABELS + "q2\td1\t0.5\n"),
        DatasetFormatError,
        ("train.tsv:4: relevance must be a whole number", "'0.5'"),
    ),
    Case(
        "word as score",
        labels(LABELS + "q2\td1\thigh\n"),
        DatasetFormatError,
        ("train.tsv:4", "'high'"),
    ),
    Case(
        "score far too large",
        labels(LABELS + "q2\td1\t99999999999999999999\n"),
        DatasetFormatError,
        ("train.tsv:4: relevance must be >= 0 and <= 2147483647",),
    ),
    Case(
        "contradicting rows",
        labels(LABELS + "q1\td1\t2\n"),
        DatasetFormatError,
        ("train.tsv:4", "'q1' and document 'd1'", "2 here and 1 at line 2"),
    ),
    Case(
        "open quote",
        labels(LABELS + 'q2\t"d1\t1\n'),
        DatasetFormatError,
        ("train.tsv:4: is not tab-separated text", "quote"),
    ),
    Case(
        "labels in Latin-1",
        labels(LABELS.encode() + "q2\tdé\t1\n".encode("latin-1")),
        DatasetFormatError,
        ("train.tsv:4: is not UTF-8", "byte 0xe9"),
    ),
    # pairs
    Case(
        "pairs from a string",
        lambda _: TuningDataset.from_pairs("ab"),
        TypeError,
        ("'pairs' must be an iterable of (query, document)", "got str"),
    ),
    Case(
        "pairs from a mapping",
        lambda _: TuningDataset.from_pairs({"q": "d"}),
        TypeError,
        ("got dict",),
    ),
    Case(
        "a string as a pair",
        pairs(("q", "d"), "qd"),
        DatasetIntegrityError,
        ("pair 1: is a str", "(query, document)"),
    ),
    Case(
        "four parts",
        pairs(("q", "d", 1, 2)),
        DatasetIntegrityError,
        ("pair 0: is a tuple of 4",),
    ),
    Case(
        "triplet with a negative",
        pairs(("q", "good", "bad")),
        DatasetIntegrityError,
        ("pair 0: its third part is a text", "(query, document, 0)"),
    ),
    Case(
        "pair without a document",
        pairs(("q", None)),
        DatasetIntegrityError,
        ("pair 0: its document is a NoneType", "a text or a Document"),
    ),
    Case(
        "blank query",
        pairs((" \n", "d")),
        DatasetIntegrityError,
        ("pair 0: its query is empty", "leave the pair out"),
    ),
    Case(
        "negative relevance",
        pairs(("q", "d", -1)),
        DatasetIntegrityError,
        ("pair 0: relevance must be >= 0", "got -1"),
    ),
    Case(
        "a number as a query",
        pairs((5, "d")),
        DatasetIntegrityError,
        ("pair 0: its query is a int", "a text or a Query"),
    ),
    Case(
        "one id, two queries",
        pairs(
            ("q", "a"),
            (Query(query_id="x", text="1"), "a"),
            (Query(query_id="x", text="2"), "a"),
        ),
        DatasetIntegrityError,
        ("pair 2: query 'x' has other content",),
    ),
    Case(
        "a long text as relevance",
        frame([{"q": "a", "d": "b", "r": "a whole text of the user"}], relevance="r"),
        DatasetIntegrityError,
        ("row 0: relevance must be", "a text of 24 characters"),
    ),
    Case(
        "NumPy's truth value as relevance",
        pairs(("q", "d", np.True_)),
        DatasetIntegrityError,
        ("pair 0: relevance must be a whole number",),
    ),
    Case(
        "a number as a table",
        frame(5),
        TypeError,
        ("'source' must be a path, a table or mappings (got int)",),
    ),
    Case(
        "a truth value as an id",
        frame([{"q": "a", "d": "b", "k": True}], document_id="k"),
        DatasetIntegrityError,
        ("row 0: column 'k' must hold ids, texts or integers (got True)",),
    ),
    Case(
        "text as relevance in memory",
        made(train={"q1": {"d1": "1"}}),
        DatasetIntegrityError,
        ("relevance '1'", "must be an integer >= 0"),
    ),
    Case(
        "a list as relevance",
        frame([{"q": "a", "d": "b", "r": [1]}], relevance="r"),
        DatasetIntegrityError,
        ("row 0: relevance must be a whole number >= 0 (got [1])",),
    ),
    Case(
        "underscores in a relevance",
        labels(LABELS + "q2\td1\t1_0\n"),
        DatasetFormatError,
        ("train.tsv:4: relevance must be", "'1_0'"),
    ),
    Case(
        "a packed Parquet file",
        table("t.parquet.gz", b""),
        ConfigurationError,
        ("'t.parquet.gz'", ".parquet"),
    ),
    Case(
        "no _id at all in a number",
        corpus("7\n"),
        DatasetFormatError,
        ("corpus.jsonl:1: holds a number",),
    ),
    Case(
        "a number as labels",
        made(train={"q1": 3}),
        DatasetIntegrityError,
        ("train: query 'q1' has a int for labels",),
    ),
    Case(
        "truth value as relevance",
        pairs(("q", "d", True)),
        DatasetIntegrityError,
        ("relevance must be a whole number >= 0 (got True)",),
    ),
    Case(
        "contradicting pairs",
        pairs(("q", "d"), ("q", "e"), ("q", "d", 0)),
        DatasetIntegrityError,
        ("pair 2", "relevance 0 here and 1 at pair 0", "keep one"),
    ),
    Case(
        "one id, two documents",
        pairs(
            ("q", Document(doc_id="a", text="one")),
            ("p", Document(doc_id="a", text="two")),
        ),
        DatasetIntegrityError,
        ("pair 1: document 'a' has other content", "an id of its own"),
    ),
    Case(
        "metadata that JSON does not have",
        pairs((Query(query_id="q", text="x", metadata={"a": {1}}), "d")),
        DatasetIntegrityError,
        ("pair 0: its metadata has a set",),
    ),
    # tables
    Case(
        "no such file",
        lambda folder: TuningDataset.from_table(
            folder / "x.csv", query="q", document="d"
        ),
        DatasetFormatError,
        ("x.csv: is missing",),
    ),
    Case(
        "a workbook",
        table("t.xlsx", b"PK"),
        ConfigurationError,
        ("'t.xlsx'", ".csv, .tsv, .jsonl", "save the sheet as CSV"),
    ),
    Case(
        "one JSON array",
        table("t.json", "[]"),
        ConfigurationError,
        ("'t.json'", "one object a line", ".jsonl"),
    ),
    Case(
        "wrong column of a CSV file",
        table("t.csv", "q,d\na,b\n", relevance="grade"),
        ConfigurationError,
        ("'t.csv' has no column 'grade'", "it has 'q', 'd'"),
    ),
    Case(
        "semicolons in place of commas",
        table("t.csv", "q;d\na;b\n"),
        ConfigurationError,
        ("one column, 'q;d'", "delimiter=';'"),
    ),
    Case(
        "two columns of a name",
        table("t.csv", "q,d,d\na,b,c\n"),
        ConfigurationError,
        ("2 columns 'd'", "rename"),
    ),
    Case(
        "wrong number of cells",
        table("t.csv", "q,d\na,b\nc,d,e\n"),
        DatasetFormatError,
        ("t.csv:3: has 3 cells where the header has 2", "quote cells"),
    ),
    Case(
        "empty cell after a cell of two lines",
        table("t.csv", 'q,d\n"a\nb",c\n,d\n'),
        DatasetFormatError,
        ("t.csv:4: column 'q' is empty", "leave the row out"),
    ),
    Case(
        "wrong encoding of a CSV file",
        table("t.csv", "q,d\na,café\n".encode("cp1252")),
        DatasetFormatError,
        ("t.csv:2: is not UTF-8", "byte 0xe9", "encoding='cp1252'"),
    ),
    Case(
        "unknown encoding",
        table("t.csv", "q,d\na,b\n", encoding="utf-99"),
        ConfigurationError,
        ("'encoding' 'utf-99' is unknown", "'utf-8-sig'"),
    ),
    Case(
        "long delimiter",
        table("t.csv", "q,d\na,b\n", delimiter="||"),
        ConfigurationError,
        ("'delimiter' must be one character", "'||'"),
    ),
    Case(
        "broken CSV",
        table("t.csv", 'q,d\na,"b"c\n'),
        DatasetFormatError,
        ("t.csv:2: is not CSV", "quote"),
    ),
    Case(
        "bad relevance in a table",
        table("t.csv", "q,d,r\na,b,good\n", relevance="r"),
        DatasetFormatError,
        ("t.csv:2: relevance must be a whole number", "'good'"),
    ),
    Case(
        "empty relevance in a table",
        table("t.csv", "q,d,r\na,b,\n", relevance="r"),
        DatasetFormatError,
        ("t.csv:2: column 'r' is empty",),
    ),
    Case(
        "column in no line",
        table("t.jsonl", '{"q": "a", "doc": "b"}\n'),
        ConfigurationError,
        ("'t.jsonl' has no column 'd'", "it has 'q', 'doc'"),
    ),
    Case(
        "number as text",
        table("t.jsonl", '{"q": "a", "d": 5}\n'),
        DatasetFormatError,
        ("t.jsonl:1: column 'd' must hold texts (got int)",),
    ),
    Case(
        "no Parquet file",
        table("t.parquet", b"PAR2"),
        DatasetFormatError,
        ("t.parquet: is no Parquet file",),
    ),
    Case(
        "wrong column of a frame",
        optional_frame("pandas", "DataFrame", {"q": ["a"], "text": ["b"]}),
        ConfigurationError,
        ("'DataFrame' has no column 'd'", "it has 'q', 'text'"),
    ),
    Case(
        "missing cell of a frame",
        optional_frame("polars", "DataFrame", {"q": ["a", None], "d": ["b", "c"]}),
        DatasetIntegrityError,
        ("row 1: column 'q' is empty",),
    ),
    Case(
        "mixed types in a frame",
        optional_frame("pandas", "DataFrame", {"q": ["a", 3], "d": ["b", "c"]}),
        DatasetIntegrityError,
        ("DataFrame cannot be read", "column q"),
    ),
    Case(
        "one id, two texts",
        frame(
            [{"q": "a", "d": "b", "k": 7}, {"q": "a", "d": "c", "k": 7}],
            document_id="k",
        ),
        DatasetIntegrityError,
        ("row 1: document '7' has other content",),
    ),
    Case(
        "an id that is none",
        frame([{"q": "a", "d": "b", "k": 1.5}], query_id="k"),
        DatasetIntegrityError,
        ("row 0: column 'k' must hold ids", "1.5"),
    ),
    Case(
        "tuples as rows",
        frame([("a", "b")]),
        TypeError,
        ("row 0 must be a mapping", "from_pairs()"),
    ),
    Case(
        "a lazy frame",
        optional_frame("polars", "LazyFrame", {"q": ["a"], "d": ["b"]}),
        TypeError,
        ("got LazyFrame", "collected"),
    ),
    Case("a column by number", frame([], title=3), TypeError, ("by its name", "3")),
    # the constructor
    Case(
        "corpus as a list",
        made(corpus=["d"]),
        TypeError,
        ("'corpus' must be a mapping", "list"),
    ),
    Case(
        "key is not the id",
        made(corpus={"a": Document(doc_id="b", text="x")}),
        DatasetIntegrityError,
        ("document 'a' has the doc_id 'b'", "must be equal"),
    ),
    Case(
        "a tuple as a document",
        made(corpus={"a": ("t", "x")}),
        DatasetIntegrityError,
        ("document 'a' is a tuple", "give a Document or its text"),
    ),
    Case(
        "a number as an id",
        made(queries={7: "x"}),
        DatasetIntegrityError,
        ("query 7: an id must be a string",),
    ),
    Case(
        "metadata with a date",
        made(corpus={"a": Document(doc_id="a", text="x", metadata={"at": {1}})}),
        DatasetIntegrityError,
        ("document 'a' has metadata with a set", "must be JSON"),
    ),
    Case(
        "relevance as a fraction",
        made(train={"q1": {"d1": 1.0}}),
        DatasetIntegrityError,
        ("train: query 'q1' and document 'd1'", "relevance 1.0", "integer >= 0"),
    ),
    Case(
        "relevance as a truth value",
        made(test={"q1": {"d1": True}}),
        DatasetIntegrityError,
        ("test: query 'q1'", "relevance True"),
    ),
    Case(
        "documents as a list",
        made(validation={"q1": ["d1"]}),
        DatasetIntegrityError,
        ("validation: query 'q1' has a list", "{doc_id: relevance}"),
    ),
    Case(
        "labels with wrong ids",
        made(train={"": {"d1": 1}, "q1": {3: 1}}),
        DatasetIntegrityError,
        ("2 problems", "query id '' must be", "document id 3 must be"),
    ),
    # splits
    Case("share of 0", split(test=0), ValueError, ("'test' must be > 0", "got 0")),
    Case("share of 1", split(test=1.0), ValueError, ("< 1 (got 1.0)",)),
    Case(
        "shares above 1",
        split(test=0.6, validation=0.5),
        ValueError,
        ("'test' + 'validation' must be < 1 (got 1.1)",),
    ),
    Case(
        "negative validation",
        split(test=0.2, validation=-0.1),
        ValueError,
        ("'validation' must be >= 0", "-0.1"),
    ),
    Case("share as text", split(test="20%"), TypeError, ("'test'", "'20%'")),
    Case("wrong seed", split(test=0.2, seed="x"), TypeError, ("'seed'", "'x'")),
    Case("wrong by", split(test=0.2, by="topic"), ValueError, ("'by'", "'topic'")),
    Case(
        "nothing to split",
        lambda _: dataset(train={}).split(test=0.2),
        DataError,
        ("no labels to split", "'train'"),
    ),
    Case(
        "too few queries",
        lambda _: dataset(train={"q1": {"d1": 1}}).split(test=0.2),
        DataError,
        ("the train part would have 0 queries", "add queries"),
    ),
    Case(
        "one component",
        lambda _: one_component().split(test=0.2, by="document"),
        DataError,
        ("share documents", "largest", "has 10", "by='query'"),
    ),
    Case(
        "splits that contradict each other",
        lambda _: dataset(test={"q1": {"d1": 2}}).split(test=0.2),
        DatasetIntegrityError,
        ("'q1' and document 'd1'", "relevance 2 in test and 1 before"),
    ),
    # checks
    Case(
        "unknown model",
        checked("text-embeding-005"),
        ConfigurationError,
        ("'text-embeding-005'", "'text-embedding-005'"),
    ),
    Case(
        "labels for unknown ids",
        checked(train={"q1": {"x": 1}, "y": {"d1": 1}}),
        DatasetIntegrityError,
        ("2 problems", "[unknown-query]", "'y'", "[unknown-document]", "'x'"),
    ),
    Case(
        "too small for the service",
        checked("text-embedding-005", corpus={"d0": "answer"}, train={}),
        DatasetIntegrityError,
        ("tuning 'text-embedding-005'", "at least 9 documents (got 1)", "add some"),
    ),
    # writers
    Case(
        "lone surrogate",
        written("to_beir", corpus={"bad": "\ud800"}),
        DatasetIntegrityError,
        ("cannot be written as UTF-8", "document 'bad' has a lone surrogate"),
    ),
    Case(
        "tab in an id for Vertex AI",
        written("to_vertex", corpus={"a\tb": "x"}),
        DatasetIntegrityError,
        (r"document 'a\tb' has a tab", "rename"),
    ),
    Case(
        "label files of the other layout",
        into("to_beir", "train.tsv"),
        DataError,
        ("holds 'train.tsv'", "choose another folder"),
    ),
    Case(
        "other files in the folder for Vertex AI",
        into("to_vertex", "notes.txt"),
        DataError,
        ("1 other files ('notes.txt')", "a folder of its own"),
    ),
    Case(
        "wrong split",
        lambda _: dataset().labels("dev"),
        ValueError,
        ("'split' must be one of", "'validation'", "'dev'"),
    ),
]


def test_there_are_forty_kinds() -> None:
    """The table covers at least forty kinds, each under a name of its own."""
    assert len({case.name for case in CASES}) == len(CASES) >= 40


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input_is_explained(case: Case, tmp_path: Path) -> None:
    """The error has the stated class and names value, place and way out."""
    with pytest.raises(case.error) as info:
        case.make(tmp_path)

    message = str(info.value)

    assert [] == [fact for fact in case.facts if fact not in message]
    assert not re.search(r"\.$", message.splitlines()[-1])


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if issubclass(case.error, DatasetFormatError)],
    ids=lambda case: case.name,
)
def test_format_errors_name_the_file(case: Case, tmp_path: Path) -> None:
    """A format error carries path, line and problems, as its message tells them."""
    with pytest.raises(DatasetFormatError) as info:
        case.make(tmp_path)

    error = info.value
    first = error.problems[0]
    place = Path(error.path).name + (f":{error.line}" if error.line else "")

    assert Path(error.path).is_relative_to(tmp_path)
    assert f"{place}: " in first
    assert first in str(error)
