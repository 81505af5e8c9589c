"""A dataset whose texts were embedded once: what adapters are tuned on."""

from __future__ import annotations

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.datasets.dataset import TuningDataset
from embedtune.evaluation.search import RunningTopK
from embedtune.tuning.labelled import HARD, SPARE, labelled
from embedtune.tuning.labels import Labels
from embedtune.types import FloatMatrix

MOST_QUERIES = 20_000
"""So many training queries are learned from, at most; more are drawn from."""

_BLOCK = 4096


@attrs.frozen(kw_only=True, eq=False)
class FrozenMaterial:
    """What the recipe learns an adapter from.

    Attributes:
        queries: One unit row for each query.
        documents: One unit row for each document; perhaps in a file.
        train: The training labels.
        validation: The validation labels, without queries that are trained on.
        hard: For each query the rows of its hard negatives, -1 where there is none.
        seen_share: What share of future queries looks for a document with a label.
    """

    queries: FloatMatrix
    documents: FloatMatrix
    train: Labels
    validation: Labels
    hard: npt.NDArray[np.int64]
    seen_share: float


def gather(
    dataset: TuningDataset,
    queries: FloatMatrix,
    documents: FloatMatrix,
    generator: np.random.Generator,
) -> FrozenMaterial:
    """Return the material of a dataset.

    Args:
        dataset: Its labels must name known queries and documents.
        queries: The rows of its queries, in the order of their ids.
        documents: The rows of its documents, in the order of their ids.
        generator: Draws training queries where there are too many.
    """
    found = labelled(dataset, generator, most=MOST_QUERIES)
    row_of = {query_id: row for row, query_id in enumerate(sorted(dataset.queries))}
    rows = np.array([row_of[judged.query_id] for judged in found.queries], np.int64)
    chosen = np.ascontiguousarray(queries[rows])
    search = RunningTopK(chosen, HARD + SPARE)
    for first in range(0, len(documents), _BLOCK):
        search.add(documents[first : first + _BLOCK])
    return FrozenMaterial(
        queries=chosen,
        documents=documents,
        train=found.train,
        validation=found.validation,
        hard=found.hard_negatives(search.result()[0]),
        seen_share=found.seen_share,
    )
