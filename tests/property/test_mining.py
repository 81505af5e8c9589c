"""Hard negatives of any data."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from embedtune.curation.mining import mine_hard_negatives
from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.text import normalised
from embedtune.serving.local import LocalEmbedder

WORDS = ["card", "PIN", "fee", "lost", "Card ", "pin"]
EMBEDDER = LocalEmbedder()
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)


@st.composite
def datasets(draw: st.DrawFn) -> TuningDataset:
    """Draw a dataset with many copies, twins, and labels of both kinds."""
    corpus = {f"d{i}": t for i, t in enumerate(draw(st.lists(TEXTS, min_size=2)))}
    queries = {f"q{i}": t for i, t in enumerate(draw(st.lists(TEXTS, min_size=1)))}
    pairs = st.dictionaries(
        st.sampled_from(sorted(corpus)), st.integers(0, 2), min_size=1, max_size=4
    )
    labels = draw(st.dictionaries(st.sampled_from(sorted(queries)), pairs, min_size=1))
    some = draw(st.dictionaries(st.sampled_from(sorted(queries)), pairs, max_size=2))
    first = next(iter(labels))
    labels[first] = {**labels[first], draw(st.sampled_from(sorted(corpus))): 1}
    return TuningDataset(corpus=corpus, queries=queries, train=labels, test=some)


@settings(max_examples=60)
@given(
    data=datasets(),
    per_query=st.integers(1, 3),
    first=st.integers(0, 2),
    margin=st.none() | st.floats(-0.5, 0.5),
    sampling=st.sampled_from(["top", "random"]),
    block_bytes=st.integers(1, 3_000),
)
def test_no_relevant_text_is_a_negative(
    data: TuningDataset,
    per_query: int,
    first: int,
    margin: float | None,
    sampling: str,
    block_bytes: int,
) -> None:
    """Negatives are not relevant, distinct, counted, and the same for any block."""

    def mine(block_bytes: int) -> TuningDataset:
        return mine_hard_negatives(
            data,
            EMBEDDER,
            per_query=per_query,
            rank_window=(first, first + 5),
            margin=margin,
            relative_margin=None,
            sampling=sampling,  # type: ignore[arg-type]
            block_bytes=block_bytes,
        )

    mined = mine(2**20)
    again = mine(block_bytes)

    assert mined == again
    assert (mined.ledger.counts == again.ledger.counts).all()
    relevant: dict[str, set[str]] = {}
    for labels in (data.train, data.test):
        for query_id, row in labels.items():
            texts = relevant.setdefault(normalised(data.queries[query_id].text), set())
            texts |= {
                normalised(data.corpus[d].text) for d, grade in row.items() if grade
            }
    for query_id, row in mined.train.items():
        new = row.keys() - data.train[query_id].keys()
        texts = [normalised(data.corpus[doc_id].text) for doc_id in new]
        query = normalised(data.queries[query_id].text)
        assert len(texts) == len(set(texts)) == mined.ledger.found.get(query_id, 0)
        assert not {*texts} & {*relevant[query], query}
        assert len(texts) <= per_query
        assert data.train[query_id].items() <= row.items()
