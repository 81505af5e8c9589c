"""Probes of a static model: their texts as tokens."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from embedtune.datasets.dataset import TuningDataset
from embedtune.serving.static import StaticModel
from embedtune.tuning.bags import CountedBags, Floats
from embedtune.tuning.encoder import Parameters, encode
from embedtune.tuning.probes import GENERAL, ProbeLabels, Watch, general_probe


@attrs.frozen(kw_only=True, eq=False)
class LocalProbe:
    """See :class:`~embedtune.tuning.forgetting.Probe`.

    Attributes:
        labels: Its labels.
        table: The base model's table.
        bags: The tokens of its queries, and of its documents.
    """

    labels: ProbeLabels
    table: Floats
    bags: tuple[CountedBags, CountedBags]

    @property
    def name(self) -> str:
        """What the caller calls it."""
        return self.labels.name

    @property
    def queries(self) -> int:
        """How many queries there are."""
        return len(self.labels.query_ids)

    def measure(self, parameters: Parameters) -> float:
        """Return the mean nDCG@10 under some parameters."""
        queries, documents = (
            encode(self.table, parameters, bags).units for bags in self.bags
        )
        return self.labels.mean(queries, documents)


def local_probes(watch: Watch, model: StaticModel) -> Sequence[LocalProbe]:
    """Return the probes that are watched, the general one last."""
    datasets = dict(watch.probes)
    if watch.has_general:
        datasets[GENERAL] = general_probe()
    return [_probe(name, dataset, model) for name, dataset in datasets.items()]


def _probe(name: str, dataset: TuningDataset, model: StaticModel) -> LocalProbe:
    labels = ProbeLabels.of(name, dataset)
    queries = [dataset.queries[query_id].text for query_id in labels.query_ids]
    documents = [dataset.corpus[doc_id].embedding_text for doc_id in labels.doc_ids]
    bags = [model.tokenize(texts) for texts in (queries, documents)]
    first, second = (CountedBags.of(each.ids, each.starts) for each in bags)
    return LocalProbe(
        labels=labels, table=np.asarray(model.table), bags=(first, second)
    )
