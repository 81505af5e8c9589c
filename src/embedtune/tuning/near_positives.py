"""Documents that are nearly equal to a relevant one: no negatives, whatever a rank."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from embedtune.datasets.near_duplicates import near_duplicate_groups


def near_positives(
    texts: Sequence[str],
    positives: Sequence[Collection[int]],
    ranking: npt.NDArray[np.int64],
) -> list[frozenset[int]]:
    """Return for each query the rows in its ranking that are near a positive of it.

    Only documents that are relevant or ranked are compared, so the cost is bounded by
    the queries where the corpus is large.

    Args:
        texts: Of all documents, a row each.
        positives: For each query the rows of the documents that are relevant to it.
        ranking: For each query the rows of some documents; negative ones are none.
    """
    named = [np.fromiter(rows, dtype=np.int64) for rows in positives]
    rows = np.unique(np.concatenate([ranking.ravel(), *named]))
    rows = rows[rows >= 0]
    numbers: list[int] = rows.tolist()
    groups = near_duplicate_groups([texts[number] for number in numbers])
    sizes = np.bincount(groups, minlength=len(rows))
    group_of = {
        row: group
        for row, group in zip(numbers, groups.tolist(), strict=True)
        if sizes[group] > 1
    }
    found: list[frozenset[int]] = []
    for relevant, hits in zip(positives, ranking.tolist(), strict=True):
        near = {group_of[row] for row in relevant if row in group_of}
        found.append(frozenset(hit for hit in hits if group_of.get(hit, -1) in near))
    return found
