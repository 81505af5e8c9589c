"""A dataset whose hard negatives were mined."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs

from embedtune.curation.ledger import MiningLedger
from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.values import Document, Query
from embedtune.types import Qrels, Split


@attrs.frozen(kw_only=True, repr=False, eq=False)
class MinedDataset(TuningDataset):
    """A :class:`~embedtune.TuningDataset` with hard negatives, and how they came to be.

    The hard negatives are labels of relevance 0.

    Attributes:
        ledger: What was asked, found and dropped.
    """

    ledger: MiningLedger

    def __hash__(self) -> int:
        """Hash as any dataset does."""
        return super().__hash__()

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        """Pickle through plain dictionaries; a mapping proxy does not pickle."""
        rebuild, (corpus, queries, labels) = super().__reduce__()
        return _rebuilt, (rebuild, corpus, queries, labels, self.ledger)


def _rebuilt(
    rebuild: Callable[..., TuningDataset],
    corpus: Mapping[str, Document],
    queries: Mapping[str, Query],
    labels: Mapping[Split, Qrels],
    ledger: MiningLedger,
) -> MinedDataset:
    plain = rebuild(corpus, queries, labels)
    return MinedDataset(
        corpus=plain.corpus,
        queries=plain.queries,
        train=plain.train,
        validation=plain.validation,
        test=plain.test,
        ledger=ledger,
    )
