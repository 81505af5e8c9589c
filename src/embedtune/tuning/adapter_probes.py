"""Probes of an adapter: their texts as rows that were embedded once."""

from __future__ import annotations

import attrs

from embedtune.serving.adapter import Adapter
from embedtune.serving.linear import mapped_units
from embedtune.tuning.probes import ProbeLabels
from embedtune.types import FloatMatrix


@attrs.frozen(kw_only=True, eq=False)
class AdapterProbe:
    """See :class:`~embedtune.tuning.forgetting.Probe`.

    Attributes:
        labels: Its labels.
        query_rows: The base's rows of its queries.
        document_rows: Those of its documents.
    """

    labels: ProbeLabels
    query_rows: FloatMatrix
    document_rows: FloatMatrix

    @property
    def name(self) -> str:
        """What the caller calls it."""
        return self.labels.name

    @property
    def queries(self) -> int:
        """How many queries there are."""
        return len(self.labels.query_ids)

    def measure(self, parameters: Adapter) -> float:
        """Return the mean nDCG@10 under an adapter."""
        return self.labels.mean(
            mapped_units(self.query_rows, parameters.queries),
            mapped_units(self.document_rows, parameters.documents),
        )
