"""Whatever a dataset holds, files give it back as it was."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.values import Document, Query

TEXTS = st.text(max_size=30) | st.text(alphabet='ab \t\n\r"\x00\x1c\x85\u2028\ufeff,;')
IDS = TEXTS.filter(bool)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(TEXTS, children, max_size=3)
    ),
    max_leaves=6,
)
METADATA = st.dictionaries(TEXTS, JSON, max_size=3)


@st.composite
def datasets(draw: st.DrawFn) -> TuningDataset:
    """Draw a dataset of any content, with labels for known and unknown ids."""
    doc_ids = draw(st.lists(IDS, unique=True, max_size=5))
    query_ids = draw(st.lists(IDS, unique=True, max_size=5))
    labels = st.dictionaries(
        st.sampled_from(query_ids) | IDS if query_ids else IDS,
        st.dictionaries(
            st.sampled_from(doc_ids) | IDS if doc_ids else IDS,
            st.integers(0, 2**31 - 1),
            max_size=4,
        ),
        max_size=4,
    )
    return TuningDataset(
        corpus={
            key: Document(
                doc_id=key, text=draw(TEXTS), title=draw(TEXTS), metadata=draw(METADATA)
            )
            for key in doc_ids
        },
        queries={
            key: Query(query_id=key, text=draw(TEXTS), metadata=draw(METADATA))
            for key in query_ids
        },
        train=draw(labels),
        validation=draw(labels),
        test=draw(labels),
    )


@given(dataset=datasets())
def test_beir_folder(dataset: TuningDataset) -> None:
    """A dataset written and read is equal to the one written, order included."""
    with tempfile.TemporaryDirectory() as folder:
        dataset.to_beir(Path(folder) / "data")
        again = TuningDataset.from_beir(Path(folder) / "data")

    assert dataset == again
    assert dataset.fingerprint == again.fingerprint
    assert list(dataset.corpus) == list(again.corpus)
    assert list(dataset.train.items()) == list(again.train.items())
    metadata = [document.metadata for document in dataset.corpus.values()]
    assert repr(metadata) == repr([d.metadata for d in again.corpus.values()])


@given(dataset=datasets())
def test_check_never_crashes(dataset: TuningDataset) -> None:
    """The check and the summary take any content, and agree about unknown ids."""
    report = dataset.check("text-embedding-005")
    splits = (dataset.train, dataset.validation, dataset.test)
    has_unknown = any(set(split) - set(dataset.queries) for split in splits)

    assert has_unknown == any(p.rule == "unknown-query" for p in report)
    assert str(report)
    assert report._repr_html_()
    assert str(dataset.summary())


@given(
    pairs=st.lists(
        st.tuples(
            TEXTS.filter(lambda text: text.strip()),
            TEXTS.filter(lambda text: text.strip()),
        ),
        max_size=6,
    ),
    delimiter=st.sampled_from(",;\t|"),
)
def test_csv_and_pairs_agree(pairs: list[tuple[str, str]], delimiter: str) -> None:
    """Pairs written as CSV by the standard library make the dataset of the pairs."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter=delimiter)
            writer.writerow(["q", "d"])
            writer.writerows(pairs)
        dataset = TuningDataset.from_table(
            path, query="q", document="d", delimiter=delimiter
        )

    assert TuningDataset.from_pairs(pairs) == dataset
