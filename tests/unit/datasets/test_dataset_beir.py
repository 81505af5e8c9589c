"""BEIR folders: every layout that is read, and what is written."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.values import Document, Query
from embedtune.errors import DataError, DatasetFormatError

CORPUS = '{"_id": "d1", "title": "T", "text": "one"}\n{"_id": "d2", "text": "two"}\n'
QUERIES = '{"_id": "q1", "text": "first"}\n{"_id": "q2", "text": "second"}\n'
HEADER = "query-id\tcorpus-id\tscore\n"

AWKWARD = TuningDataset(
    corpus={
        key: Document(doc_id=key, text=f"{key} text", title=key)
        for key in [
            'a"b',
            '"',
            '""',
            "a\tb",
            "a\nb",
            "a\r\nb",
            "a\rb",
            "\x00",
            "\u2028",
        ]
    }
    | {
        " ": Document(
            doc_id=" ",
            text="line\u2028separator\x85\x1c\x00 \r\n\t end\ufeff",
            metadata={"nested": {"list": [1, -0.5, None, True, "\u2028"]}},
        ),
    },
    queries={
        "a\tb": Query(query_id="a\tb", text="\ufeff", metadata={"text": "kept"}),
        "\ufeff": "x",
    },
    train={"a\tb": {'a"b': 3, "a\nb": 0}},
    validation={"\ufeff": {"\x00": 1, '"': 1, '""': 2, "a\r\nb": 1, "a\rb": 1}},
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder with a corpus and queries, yet without labels."""
    (tmp_path / "corpus.jsonl").write_text(CORPUS, newline="")
    (tmp_path / "queries.jsonl").write_text(QUERIES, newline="")
    return tmp_path


def put(path: Path, text: str) -> None:
    """Write a file and the folder for it."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode())


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train.tsv", "train"),
        ("validation.tsv", "validation"),
        ("dev.tsv", "validation"),
        ("test.tsv", "test"),
        ("qrels/train.tsv", "train"),
        ("qrels/dev.tsv", "validation"),
        ("qrels/validation.tsv", "validation"),
        ("qrels/test.tsv", "test"),
    ],
)
def test_both_layouts_are_read(folder: Path, name: str, split: str) -> None:
    """Labels are found beside the corpus and in `qrels`, by BEIR's names and ours."""
    put(folder / name, HEADER + "q1\td1\t2\n")
    dataset = TuningDataset.from_beir(str(folder))

    assert {"q1": {"d1": 2}} == dataset.labels(split)
    assert 1 == sum(len(dataset.labels(s)) for s in ("train", "validation", "test"))


def test_texts_and_titles(folder: Path) -> None:
    """Titles are kept apart from texts; a missing or null title is empty."""
    put(folder / "train.tsv", HEADER)
    put(
        folder / "corpus.jsonl",
        CORPUS + '{"_id": "d3", "text": "three", "title": null}',
    )
    dataset = TuningDataset.from_beir(folder)

    assert Document(doc_id="d1", title="T", text="one") == dataset.corpus["d1"]
    assert Document(doc_id="d2", text="two") == dataset.corpus["d2"]
    assert Document(doc_id="d3", text="three") == dataset.corpus["d3"]
    assert {} == dataset.train


def test_numbers_as_ids_become_strings(folder: Path) -> None:
    """An `_id` that is a JSON integer is the id that labels write without quotes."""
    put(folder / "corpus.jsonl", '{"_id": 7, "text": "seven"}\n')
    put(folder / "queries.jsonl", '{"_id": 0, "text": "zero"}\n')
    put(folder / "test.tsv", HEADER + "0\t7\t1\n")
    dataset = TuningDataset.from_beir(folder)

    assert ["7"] == list(dataset.corpus)
    assert ["0"] == list(dataset.queries)
    assert ["no-train-labels"] == [problem.rule for problem in dataset.check()]


def test_other_keys_are_metadata(folder: Path) -> None:
    """Nothing in a line is lost: unknown keys join what `metadata` holds."""
    put(
        folder / "corpus.jsonl",
        '{"_id": "a", "text": "x", "url": "u", "metadata": {"topic": ["t"]}}\n'
        '{"_id": "b", "text": "x", "metadata": {}}\n'
        '{"_id": "c", "text": "x", "metadata": null, "title": ""}\n'
        '{"_id": "d", "text": "x", "metadata": "plain"}\n',
    )
    put(folder / "queries.jsonl", '{"_id": "q", "text": "x", "title": "kept"}\n')
    put(folder / "train.tsv", HEADER)
    dataset = TuningDataset.from_beir(folder)

    assert {"topic": ["t"], "url": "u"} == dataset.corpus["a"].metadata
    assert {} == dataset.corpus["b"].metadata
    assert {} == dataset.corpus["c"].metadata
    assert {"metadata": "plain"} == dataset.corpus["d"].metadata
    assert {"title": "kept"} == dataset.queries["q"].metadata


@pytest.mark.parametrize(
    "labels",
    [
        "query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t3\n",
        "\ufeffquery-id\tcorpus-id\tscore\r\nq1\td1\t1\r\nq2\td2\t3",
        "score\tcorpus-id\tquery-id\n1\td1\tq1\n3\td2\tq2\n",
        "query-id\titer\tcorpus-id\tscore\nq1\t0\td1\t1\nq2\t0\td2\t3\n",
        "Query-ID\tCorpus-ID\tScore\n\nq1\td1\t1.0\n\nq2\td2\t3\n\n",
        "query-id\tcorpus-id\tscore\nq1\td1\t\nq2\td2\t 3\n",
        'query-id\tcorpus-id\tscore\n"q1"\td1\t1\nq2\t"d2"\t"3"\n',
        "query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t3\nq1\td1\t1\n",
    ],
    ids=[
        "plain",
        "mark and CRLF",
        "order",
        "more columns",
        "blank lines",
        "no score",
        "quotes",
        "twice the same",
    ],
)
def test_label_files_are_read_with_patience(folder: Path, labels: str) -> None:
    """Columns go by name; marks, blank lines, quotes and repetitions do no harm."""
    put(folder / "train.tsv", labels)

    assert {"q1": {"d1": 1}, "q2": {"d2": 3}} == TuningDataset.from_beir(folder).train


def test_without_score_the_relevance_is_one(folder: Path) -> None:
    """The score column may be missing altogether."""
    put(folder / "train.tsv", "corpus-id\tquery-id\nd1\tq1\n")

    assert {"q1": {"d1": 1}} == TuningDataset.from_beir(folder).train


def test_packed_and_marked_files(folder: Path) -> None:
    """The JSON Lines files may be packed, and may begin with a byte order mark."""
    (folder / "corpus.jsonl").unlink()
    (folder / "corpus.jsonl.gz").write_bytes(gzip.compress(CORPUS.encode()))
    (folder / "queries.jsonl").write_bytes(QUERIES.encode("utf-8-sig"))
    put(folder / "train.tsv", HEADER)
    dataset = TuningDataset.from_beir(folder)

    assert ["d1", "d2"] == list(dataset.corpus)
    assert ["q1", "q2"] == list(dataset.queries)
    assert dataset.origin is not None
    assert "corpus.jsonl.gz:2" == dataset.origin.corpus[1]


def test_problems_of_all_files_come_together(folder: Path) -> None:
    """One error names every problem of every file, in the order of files and lines."""
    put(folder / "corpus.jsonl", '{"_id": "d1"}\n' + CORPUS + "[]\n" + CORPUS)
    put(folder / "queries.jsonl", "nonsense\n")
    put(folder / "train.tsv", HEADER + "q1\td1\t-1\nq1\td1\t1\nq1\td1\t2\n")
    put(folder / "qrels/dev.tsv", HEADER + "q1\n")

    with pytest.raises(DatasetFormatError) as info:
        TuningDataset.from_beir(folder)

    places = [problem.split(": ")[0] for problem in info.value.problems]

    assert [
        "corpus.jsonl:1",
        "corpus.jsonl:4",
        "corpus.jsonl:5",
        "corpus.jsonl:6",
        "queries.jsonl:1",
        "train.tsv:2",
        "train.tsv:4",
        "qrels/dev.tsv:2",
    ] == places
    assert (str(folder / "corpus.jsonl"), 1) == (info.value.path, info.value.line)
    assert [
        f"{str(folder)!r} cannot be read: 8 problems",
        *(f"  {problem}" for problem in info.value.problems),
    ] == str(info.value).splitlines()


def test_twenty_problems_are_shown(folder: Path) -> None:
    """A message has up to twenty problems, a line each; beyond that it says where."""
    put(folder / "train.tsv", HEADER + "q1\n" * 20)
    with pytest.raises(DatasetFormatError) as twenty:
        TuningDataset.from_beir(folder)

    put(folder / "train.tsv", HEADER + "q1\n" * 23)
    with pytest.raises(DatasetFormatError) as more:
        TuningDataset.from_beir(folder)

    lines = str(more.value).splitlines()

    assert ".problems" not in str(twenty.value)
    assert 21 == len(str(twenty.value).splitlines())
    assert [f"  {problem}" for problem in more.value.problems[:20]] == lines[1:21]
    assert ["  and 3 more; .problems has all of them"] == lines[21:]
    assert 23 == len(more.value.problems)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("trian.tsv", "did you mean 'train.tsv'?"),
        ("Training.tsv", "did you mean 'train.tsv'?"),
        ("val.tsv", "did you mean 'validation.tsv'?"),
        ("train.tsv.gz", "unpack it to 'train.tsv'"),
        ("notes.tsv", "rename it or move it away"),
    ],
)
def test_unknown_labels_are_refused(folder: Path, name: str, hint: str) -> None:
    """Labels under another name in `qrels` are an error with the names there are."""
    put(folder / "train.tsv", HEADER)
    put(folder / "qrels" / name, HEADER)

    with pytest.raises(DatasetFormatError) as info:
        TuningDataset.from_beir(folder)

    assert 1 == len(info.value.problems)
    assert str(info.value.problems[0]).startswith(f"qrels/{name}: names no split;")
    assert "train.tsv, dev.tsv, validation.tsv, test.tsv" in str(info.value)
    assert str(info.value).endswith(hint)


def test_misspelt_labels_are_named_as_missing(folder: Path) -> None:
    """Where there are no labels, files that may be meant are part of the error."""
    put(folder / "trian.tsv", HEADER)
    put(folder / "qrels" / "tst.tsv", HEADER)

    with pytest.raises(DatasetFormatError) as info:
        TuningDataset.from_beir(folder)

    missing, misspelt = info.value.problems

    assert missing.startswith("train.tsv: is missing; ")
    assert missing.endswith("there is 'trian.tsv' (did you mean 'train.tsv'?)")
    assert misspelt.startswith("qrels/tst.tsv: names no split")


def test_other_files_beside_the_corpus_are_named_by_the_check(folder: Path) -> None:
    """What is not read is a warning of the check, before and after a split."""
    put(folder / "train.tsv", HEADER + "q1\td1\t1\nq2\td2\t1\n")
    put(folder / "tset.tsv", HEADER)
    put(folder / ".hidden.tsv", HEADER)
    put(folder / "readme.txt", "x")
    dataset = TuningDataset.from_beir(folder)

    for made in (dataset, dataset.split(test=0.5)):
        found = [p for p in made.check().warnings if p.rule == "ignored-file"]

        assert [("'tset.tsv' (did you mean 'test.tsv'?)",)] == [
            problem.examples for problem in found
        ]
    put(folder / "notes.tsv", "x")
    warning = TuningDataset.from_beir(folder).check().warnings[0]

    assert "2 .tsv files named like no split" in warning.message
    assert "'notes.tsv'" in warning.examples


def test_known_names_in_other_case(folder: Path) -> None:
    """A link to a labels file, or its name in other case where that is equal, is it."""
    put(folder / "qrels" / "train.tsv", HEADER + "q1\td1\t1\n")
    (folder / "qrels" / "TRAIN.TSV").hardlink_to(folder / "qrels" / "train.tsv")

    assert {"q1": {"d1": 1}} == TuningDataset.from_beir(folder).train


def test_unknown_labels_are_in_the_way(folder: Path) -> None:
    """No dataset is written where it could not be read again."""
    put(folder / "qrels" / "extra.tsv", HEADER)

    with pytest.raises(DataError, match=r"holds 'qrels/extra\.tsv'"):
        AWKWARD.to_beir(folder)


def test_wrong_encoding_is_told_once(folder: Path) -> None:
    """A file in another encoding is one problem: the first line, and how many."""
    line = '{"_id": "d%d", "text": "caf\u00e9"}\n'
    lines = "".join(line % number for number in range(30))
    (folder / "corpus.jsonl").write_bytes(CORPUS.encode() + lines.encode("latin-1"))
    put(folder / "train.tsv", HEADER)
    rows = "q1\td\u00e9\t1\n" * 30
    (folder / "train.tsv").write_bytes((HEADER + rows).encode("latin-1"))

    with pytest.raises(DatasetFormatError) as info:
        TuningDataset.from_beir(folder)

    assert [
        (
            "corpus.jsonl:3: is not UTF-8 in 30 lines (here byte 0xe9 at position 27); "
            "save the file as UTF-8"
        ),
        (
            "train.tsv:2: is not UTF-8 in 30 lines (here byte 0xe9 at position 5); "
            "save the file as UTF-8"
        ),
    ] == list(info.value.problems)


def test_places_follow_skipped_lines(folder: Path) -> None:
    """Lines are counted in the file, whatever was blank, and labels wherever they are."""
    put(folder / "corpus.jsonl", "\n" + CORPUS.replace("\n", "\n\n"))
    put(folder / "train.tsv", HEADER + "q1\td1\t1\nq2\td1\t1\n\nq1\td2\t1\n")
    origin = TuningDataset.from_beir(folder).origin

    assert origin is not None
    assert ["corpus.jsonl:2", "corpus.jsonl:4"] == [origin.corpus[i] for i in range(2)]
    assert ["queries.jsonl:1", "queries.jsonl:2"] == [
        origin.queries[i] for i in range(2)
    ]
    assert ["train.tsv:2", "train.tsv:5", "train.tsv:3"] == [
        origin.labels["train"][i] for i in range(3)
    ]


def test_awkward_content_comes_back(tmp_path: Path) -> None:
    """Tabs, quotes, line breaks, NUL and odd white space survive the files."""
    AWKWARD.to_beir(tmp_path / "data")
    again = TuningDataset.from_beir(tmp_path / "data")

    assert AWKWARD == again
    assert AWKWARD.fingerprint == again.fingerprint
    assert list(AWKWARD.corpus) == list(again.corpus)


def test_more_than_one_buffer(tmp_path: Path) -> None:
    """Files of any length are written in pieces and come back whole."""
    dataset = TuningDataset(
        corpus={f"d{i}": f"{i} " * 400 for i in range(500)},
        queries={"q": "x"},
        train={"q": {f"d{i}": i for i in range(500)}},
    )
    dataset.to_beir(tmp_path / "data")

    assert 500_000 < (tmp_path / "data" / "corpus.jsonl").stat().st_size
    assert dataset == TuningDataset.from_beir(tmp_path / "data")


def test_written_files(tmp_path: Path) -> None:
    """The files have BEIR's names and form; splits without labels have none."""
    AWKWARD.to_beir(tmp_path / "new" / "data")
    data = tmp_path / "new" / "data"
    first = json.loads((data / "corpus.jsonl").read_bytes().split(b"\n")[0])

    assert ["corpus.jsonl", "qrels", "queries.jsonl"] == sorted(
        path.name for path in data.iterdir()
    )
    assert ["dev.tsv", "train.tsv"] == sorted(
        p.name for p in (data / "qrels").iterdir()
    )
    assert {"_id": 'a"b', "title": 'a"b', "text": 'a"b text'} == first
    assert (data / "qrels" / "train.tsv").read_bytes().startswith(HEADER.encode())


def test_writing_again_replaces(folder: Path) -> None:
    """A dataset written over another one is there alone, old splits included."""
    AWKWARD.to_beir(folder)
    small = TuningDataset(corpus={"d": "x"}, queries={"q": "y"}, train={})
    small.to_beir(folder)

    assert small == TuningDataset.from_beir(folder)
    assert ["train.tsv"] == [path.name for path in (folder / "qrels").iterdir()]


def test_failed_write_changes_nothing(folder: Path) -> None:
    """A dataset that cannot be written leaves the older one as it was."""
    AWKWARD.to_beir(folder)
    bad = TuningDataset(
        corpus={"fine": "x"},
        queries={
            "q": Query(query_id="q", text="x", metadata={"bad": "\ud800"}),
            "good": Query(query_id="good", text="x", metadata={"good": 1}),
        },
        train={"\ud800": {"fine": 1}},
    )

    with pytest.raises(DataError, match="'q' has a lone surrogate") as info:
        bad.to_beir(folder)

    assert 2 == len(info.value.problems)
    assert AWKWARD == TuningDataset.from_beir(folder)
    assert [] == [path.name for path in folder.iterdir() if path.name[0] == "."]
    with pytest.raises(DataError, match="lone surrogate"):
        bad.to_beir(folder / "fresh")
    assert not (folder / "fresh").exists()


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # it leaves its files open
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_beir_reads_what_is_written(tmp_path: Path) -> None:
    """BEIR's own loader finds the same documents, queries and labels."""
    loader = pytest.importorskip("beir.datasets.data_loader")
    dataset = TuningDataset(
        corpus={'a"b': Document(doc_id='a"b', text="one", title="t"), "c\td": "two"},
        queries={"q\t1": "first", 'q"2': "second"},
        train={"q\t1": {'a"b': 2}},
        validation={'q"2': {"c\td": 1}},
    )
    dataset.to_beir(tmp_path / "data")
    found = loader.GenericDataLoader(str(tmp_path / "data")).load(split="dev")

    assert {
        'a"b': {"title": "t", "text": "one"},
        "c\td": {"title": "", "text": "two"},
    } == found[0]
    assert {'q"2': "second"} == found[1]
    assert dataset.validation == found[2]
