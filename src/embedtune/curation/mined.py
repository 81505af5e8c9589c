"""A dataset whose hard negatives were mined."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from embedtune.curation.ledger import MiningLedger
from embedtune.datasets.dataset import TuningDataset


@attrs.frozen(kw_only=True, repr=False, eq=False)
class MinedDataset(TuningDataset):
    """A :class:`~embedtune.TuningDataset` with hard negatives, and how they came to be.

    The hard negatives are labels of relevance 0.

    Attributes:
        ledger: What was asked, found and dropped.
    """

    ledger: MiningLedger

    @classmethod
    def of(cls, dataset: TuningDataset, ledger: MiningLedger) -> MinedDataset:
        """Return a dataset with all that *dataset* has, and the ledger."""
        mined = cls.__new__(cls)
        for field in attrs.fields(TuningDataset):
            object.__setattr__(mined, field.name, getattr(dataset, field.name))
        object.__setattr__(mined, "ledger", ledger)
        return mined

    def __hash__(self) -> int:
        """Hash as any dataset does."""
        return super().__hash__()

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        """Pickle as any dataset does, with the ledger."""
        return _rebuilt, (*super().__reduce__(), self.ledger)


def _rebuilt(
    rebuild: Callable[..., TuningDataset],
    parts: tuple[object, ...],
    ledger: MiningLedger,
) -> MinedDataset:
    return MinedDataset.of(rebuild(*parts), ledger)
