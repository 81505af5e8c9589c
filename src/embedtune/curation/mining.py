"""Hard negatives: documents that look right to an embedder and are not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.curation.candidates import Candidates, View
from embedtune.curation.contents import Contents, Known
from embedtune.curation.ledger import Fate, MiningLedger
from embedtune.curation.mined import MinedDataset
from embedtune.curation.rows import BATCH, corpus_rows
from embedtune.curation.rules import MiningRules, Sampling
from embedtune.datasets.bulk import trusted_dataset
from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.near_duplicates import THRESHOLD
from embedtune.datasets.ties import documents_elsewhere
from embedtune.errors import DataError
from embedtune.evaluation.embedding import embedded_queries
from embedtune.evaluation.scoring import labels_of
from embedtune.evaluation.search import BLOCK_BYTES, top_k
from embedtune.progress import Progress, ProgressOption, track
from embedtune.serving.base import Embedder
from embedtune.serving.inputs import check_embedder
from embedtune.types import SPLITS, FloatMatrix, Qrels, Split

_MOST_QUERIES = 16_384  # of a block
_CELL_BYTES = 64  # of a candidate, with all that is decided about it


def mine_hard_negatives(  # noqa: PLR0913 -- one keyword a rule is what callers write
    dataset: TuningDataset,
    embedder: Embedder,
    *,
    per_query: int = 4,
    split: Split = "train",
    rank_window: tuple[int, int] = (0, 100),
    margin: float | None = None,
    relative_margin: float | None = 0.05,
    min_score: float | None = None,
    max_score: float | None = None,
    sampling: Sampling = "top",
    near_duplicates: float | None = THRESHOLD,
    second_opinion: Embedder | None = None,
    seed: int = 0,
    progress: ProgressOption = False,
    block_bytes: int = BLOCK_BYTES,
) -> MinedDataset:
    """Label documents that rank high for a query, and are not relevant, with 0.

    All documents are ranked for each query that has a positive, exactly. Never taken
    are documents that any split labels relevant to the query or to one of the same
    text, their copies and near-duplicates, documents that are labelled 0 already, and
    the query's own text; and after a split by document, the documents of other parts
    and what is equal or near to them, so that the split stays one. What is left is filtered by score, cut to the ranks asked
    for, and chosen from. Queries of equal text share their positives; the lowest score
    of a query's positives is what margins are measured from.

    Args:
        dataset: Its labels stay as they are; those found are added.
        embedder: Whose ranking is used; best the one that is to be tuned.
        per_query: How many hard negatives to find for each query.
        split: Whose queries are asked.
        rank_window: `(first, last)`: skip the *first* documents that pass all rules,
            and look no further than rank *last*; positives take no rank.
        margin: Drop what scores more than the positive's score less *margin*.
        relative_margin: The same with this share of the positive's score.
        min_score: Drop what scores less.
        max_score: Drop what scores more.
        sampling: `"top"` takes the best that are left, `"random"` any.
        near_duplicates: The similarity from which on a document counts as a copy of a
            positive, see `near_duplicate_groups` in `embedtune.datasets`; `None` for
            equal texts only.
        second_opinion: Another embedder, which must rank a hard negative below the
            positive as well, by the same margins.
        seed: Of a random choice.
        progress: See :mod:`embedtune.progress`.
        block_bytes: Memory for the search; does not change the result.

    Returns:
        The dataset with the labels found, and a ledger of what was asked, found and
        dropped.

    Raises:
        ConfigurationError: If a rule is out of range; it names every one.
        DataError: If the split has no positive, or an embedder breaks its contract.
        DatasetIntegrityError: If labels name unknown queries or documents.

    >>> from embedtune.serving.local import LocalEmbedder
    >>> dataset = TuningDataset(
    ...     corpus={
    ...         "lost": "Report a lost card in the app.",
    ...         "new": "Order a new card in the app.",
    ...         "fees": "Transfers abroad cost two euros.",
    ...     },
    ...     queries={"q": "I lost my card"},
    ...     train={"q": {"lost": 1}},
    ... )
    >>> mined = mine_hard_negatives(dataset, LocalEmbedder(), per_query=1)
    >>> dict(mined.train["q"])
    {'lost': 1, 'new': 0}
    """
    rules = MiningRules(
        per_query=per_query,
        rank_window=rank_window,
        margin=margin,
        relative_margin=relative_margin,
        min_score=min_score,
        max_score=max_score,
        sampling=sampling,
        near_duplicates=near_duplicates,
        seed=seed,
    )
    embedders = [embedder] if second_opinion is None else [embedder, second_opinion]
    for one in embedders:
        check_embedder(one)
    if block_bytes < 1:
        msg = f"'block_bytes' must be >= 1 (got {block_bytes!r})"
        raise ValueError(msg)
    labels_of(dataset, split)
    mining = _Mining.prepare(dataset, split, rules, block_bytes)
    texts = len(mining.contents.documents) + len(mining.known)
    found: dict[str, list[str]] = {}
    counts = [np.empty((0, len(Fate)), np.int64)]
    with ExitStack() as stack:
        bar = stack.enter_context(track("mining", texts * len(embedders), progress))
        documents = mining.contents.documents
        corpora = [
            stack.enter_context(corpus_rows(one, documents, block_bytes, bar))
            for one in embedders
        ]
        for block, candidates, fates in mining.blocks(embedders, corpora, bar):
            found.update(mining.found(block, candidates, fates))
            counts.append(mining.counts(candidates, fates))
    ledger = MiningLedger(
        query_ids=mining.known.query_ids,
        asked=per_query,
        counts=np.concatenate(counts),
        without_positive=mining.known.without_positive,
        elsewhere=mining.elsewhere,
    )
    return _labelled(dataset, split, found, ledger)


@attrs.frozen(kw_only=True, eq=False)
class _Mining:
    """One search for hard negatives."""

    dataset: TuningDataset
    contents: Contents
    known: Known
    rules: MiningRules
    depth: int
    rows: int
    block_bytes: int
    elsewhere: int

    @classmethod
    def prepare(
        cls, dataset: TuningDataset, split: Split, rules: MiningRules, block_bytes: int
    ) -> _Mining:
        elsewhere = _elsewhere(dataset, split)
        corpus = {k: d for k, d in dataset.corpus.items() if k not in elsewhere}
        contents = Contents.gather(corpus, rules.near_duplicates, rules.seed)
        known = Known.of(dataset, split, contents)
        if not len(known):
            msg = (
                f"no query of {split!r} has a positive, so nothing tells hard negatives "
                "from relevant documents; label some"
            )
            raise DataError(msg)
        depth = rules.rank_window[1] + _room(known, contents, rules)
        return cls(
            dataset=dataset,
            contents=contents,
            known=known,
            rules=rules,
            depth=depth,
            block_bytes=block_bytes,
            elsewhere=len(elsewhere),
            rows=max(1, min(_MOST_QUERIES, block_bytes // (_CELL_BYTES * depth))),
        )

    def blocks(
        self,
        embedders: Sequence[Embedder],
        corpora: Sequence[FloatMatrix],
        bar: Progress,
    ) -> Iterator[tuple[slice, Candidates, npt.NDArray[np.int8]]]:
        """Yield block by block the candidates of queries and what became of them."""
        generator = np.random.default_rng(self.rules.seed)
        queries, known = self.dataset.queries, self.known
        for start in range(0, len(known), self.rows):
            block = slice(start, min(start + self.rows, len(known)))
            texts = [queries[query_id].text for query_id in known.query_ids[block]]
            views = [
                View(queries=embedded_queries(one, texts, BATCH, bar), documents=corpus)
                for one, corpus in zip(embedders, corpora, strict=True)
            ]
            places, scores = top_k(
                views[0].queries, corpora[0], self.depth, block_bytes=self.block_bytes
            )
            candidates = Candidates(places=places, scores=scores, block=block)
            # Drawn query by query, so that blocks do not change what is drawn.
            draws = generator.random(places.shape)
            yield (
                block,
                candidates,
                candidates.fates(known, self.contents, self.rules, views, draws),
            )

    def counts(
        self, candidates: Candidates, fates: npt.NDArray[np.int8]
    ) -> npt.NDArray[np.int64]:
        """Return for each query how many documents met each fate."""
        counts = np.stack([(fates == fate).sum(axis=1) for fate in Fate], axis=1)
        counts[:, Fate.COPY] += (self.contents.sizes[candidates.places] - 1).sum(axis=1)
        return counts

    def found(
        self, block: slice, candidates: Candidates, fates: npt.NDArray[np.int8]
    ) -> Mapping[str, list[str]]:
        """Return the ids of the hard negatives of each query, best first."""
        documents = self.contents.documents
        rows, columns = np.nonzero(fates == Fate.FOUND)
        ids = [documents[i].doc_id for i in candidates.places[rows, columns].tolist()]
        ends = np.cumsum(np.bincount(rows, minlength=len(fates))).tolist()
        starts = [0, *ends[:-1]]
        return {
            query_id: ids[start:end]
            for query_id, start, end in zip(
                self.known.query_ids[block], starts, ends, strict=True
            )
        }


def _elsewhere(dataset: TuningDataset, split: Split) -> set[str]:
    """Return the documents of other parts, if a certificate says that none is shared."""
    certificate = dataset.certificate
    if certificate is None or certificate.by != "document":
        return set()
    return documents_elsewhere(dataset, split, certificate.near_duplicates)


def _room(known: Known, contents: Contents, rules: MiningRules) -> int:
    """Return how many ranks the masked contents of any query may take."""
    sizes = np.bincount(contents.copies)
    room = max(int(sizes[groups].sum()) for groups in known.copies)
    if contents.near is not None:
        sizes = np.bincount(contents.near)
        around = (np.unique(contents.near[found]) for found in known.relevant)
        most = max(int((sizes[groups] - 1).sum()) for groups in around)
        room += min(most, rules.rank_window[1])  # a large group must not cost the rest
    return room


def _labelled(
    dataset: TuningDataset,
    split: Split,
    found: Mapping[str, Sequence[str]],
    ledger: MiningLedger,
) -> MinedDataset:
    """Return the dataset with labels of relevance 0 added."""
    labels: dict[Split, Qrels] = {name: dataset.labels(name) for name in SPLITS}
    labels[split] = {
        query_id: {**row, **dict.fromkeys(found.get(query_id, ()), 0)}
        for query_id, row in labels[split].items()
    }
    plain = trusted_dataset(
        dataset.corpus, dataset.queries, labels, certificate=dataset.certificate
    )
    return MinedDataset.of(plain, ledger)
