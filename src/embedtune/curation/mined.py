"""A dataset whose hard negatives were mined."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from embedtune.curation.ledger import MiningLedger
from embedtune.datasets.dataset import TuningDataset
from embedtune.types import SPLITS


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


def with_ledger(dataset: TuningDataset, ledger: MiningLedger) -> MinedDataset:
    """Return *dataset* and *ledger* as one value."""
    labels = {split: dataset.labels(split) for split in SPLITS}
    return MinedDataset(
        corpus=dataset.corpus, queries=dataset.queries, ledger=ledger, **labels
    )


def _rebuilt(
    rebuild: Callable[..., TuningDataset],
    corpus: object,
    queries: object,
    labels: object,
    ledger: MiningLedger,
) -> MinedDataset:
    return with_ledger(rebuild(corpus, queries, labels), ledger)
