"""Equal fingerprints mean equal content, and the other way round."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.values import Document, Query

# Few and treacherous: digits and colons look like the framing of fields.
TEXTS = st.text(alphabet="01:a\u00e9", max_size=3)
IDS = st.text(alphabet="01:", min_size=1, max_size=2)
METADATA = st.dictionaries(TEXTS, TEXTS, max_size=2)
LABELS = st.dictionaries(
    IDS, st.dictionaries(IDS, st.integers(0, 2), max_size=2), max_size=2
)


@st.composite
def datasets(draw: st.DrawFn) -> TuningDataset:
    """Draw a small dataset from few contents, so that equal ones do occur."""
    return TuningDataset(
        corpus={
            key: Document(
                doc_id=key, text=draw(TEXTS), title=draw(TEXTS), metadata=draw(METADATA)
            )
            for key in draw(st.sets(IDS, max_size=2))
        },
        queries={
            key: Query(query_id=key, text=draw(TEXTS), metadata=draw(METADATA))
            for key in draw(st.sets(IDS, max_size=2))
        },
        train=draw(LABELS),
        validation=draw(LABELS),
        test=draw(LABELS),
    )


@given(one=datasets(), other=datasets())
def test_fingerprints_are_equal_where_contents_are(
    one: TuningDataset, other: TuningDataset
) -> None:
    """Two datasets have one fingerprint exactly if they are equal."""
    assert (one == other) == (one.fingerprint == other.fingerprint)


@given(dataset=datasets())
def test_order_is_no_content(dataset: TuningDataset) -> None:
    """Turning every mapping round leaves the fingerprint as it is."""

    def turned(part: object) -> dict[str, object]:
        return dict(reversed(list(dict(part).items())))

    other = TuningDataset(
        corpus=turned(dataset.corpus),
        queries=turned(dataset.queries),
        train={key: turned(row) for key, row in turned(dataset.train).items()},
        validation=turned(dataset.validation),
        test=turned(dataset.test),
    )

    assert dataset.fingerprint == other.fingerprint
    assert hash(dataset) == hash(other)
