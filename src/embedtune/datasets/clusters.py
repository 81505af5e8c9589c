"""Near-duplicates of a corpus, to look at."""

from __future__ import annotations

import html
from collections.abc import Mapping
from functools import cached_property

import attrs
import numpy as np

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.near_duplicates import THRESHOLD, near_duplicate_groups
from embedtune.datasets.problems import shown
from embedtune.datasets.values import Document
from embedtune.progress import ProgressOption

_SHOWN_CLUSTERS = 10
_SHOWN_IDS = 5


@attrs.frozen(kw_only=True, repr=False)
class NearDuplicates:
    """The documents that are equal or nearly equal; prints, and renders in a notebook.

    Attributes:
        clusters: The ids of each group of two or more, in the corpus' order; the
            largest group first.
        documents: How many documents were compared.
        threshold: The Jaccard similarity from which on two were joined.
    """

    clusters: tuple[tuple[str, ...], ...]
    documents: int
    threshold: float

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many documents each cluster has."""
        return tuple(map(len, self.clusters))

    @property
    def surplus(self) -> int:
        """How many documents could go if one of each cluster stayed."""
        return sum(self.sizes) - len(self.clusters)

    def of(self, doc_id: str) -> tuple[str, ...]:
        """Return the cluster of a document; empty if nothing is near it."""
        return self._cluster_of.get(doc_id, ())

    @cached_property
    def _cluster_of(self) -> Mapping[str, tuple[str, ...]]:
        return {key: cluster for cluster in self.clusters for key in cluster}

    def __len__(self) -> int:
        """Count the clusters."""
        return len(self.clusters)

    def __str__(self) -> str:
        """Return one line for the whole and one for each of the largest clusters."""
        lines = [self._headline()]
        lines += [f"  {size}: {ids}" for size, ids in self._rows()]
        if len(self) > _SHOWN_CLUSTERS:
            lines.append(f"  and {len(self) - _SHOWN_CLUSTERS:,} more clusters")
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{size}</td><td>{_escaped(ids)}</td></tr>"
            for size, ids in self._rows()
        )
        header = "<tr><th>documents</th><th>ids</th></tr>"
        table = f"<table>{header}{rows}</table>" if rows else ""
        return f"<p>{_escaped(self._headline())}</p>{table}"

    def _headline(self) -> str:
        found = (
            f"{sum(self.sizes):,} of {self.documents:,} in {len(self):,} "
            f"{'cluster' if len(self) == 1 else 'clusters'}, "
            f"{self.surplus:,} more than there are different ones"
        )
        what = found if self.clusters else f"none among {self.documents:,} documents"
        return f"near-duplicates (similarity {self.threshold:g} or more): {what}"

    def _rows(self) -> list[tuple[int, str]]:
        return [
            (
                len(cluster),
                ", ".join(map(shown, cluster[:_SHOWN_IDS]))
                + (", ..." if len(cluster) > _SHOWN_IDS else ""),
            )
            for cluster in self.clusters[:_SHOWN_CLUSTERS]
        ]


def near_duplicates(
    source: TuningDataset | Mapping[str, Document | str],
    *,
    threshold: float = THRESHOLD,
    seed: int = 0,
    progress: ProgressOption = True,
) -> NearDuplicates:
    """Find the documents of a dataset or corpus that are equal or nearly equal.

    Two are near if their sets of shingles, five characters in a row each, overlap by
    *threshold* or more (Jaccard similarity; case, form and spacing are ignored).
    Clusters are what such pairs connect. Texts of fewer than 34 characters are in a
    cluster with equal ones only, and blank ones in none.

    Args:
        source: A dataset, or documents or texts by id; titles are not looked at.
        threshold: The share of their pieces that two texts must have in common, from
            0.5 to 1.
        seed: Of the hash functions that find the candidates.
        progress: `True` for a bar, `False`, or a callable for events.

    Raises:
        TypeError: If *source* is something else.
        ValueError: If *threshold* is out of range.

    >>> text = "Hold both buttons for five seconds until the lamp blinks twice"
    >>> near_duplicates({"d1": text, "d2": f"{text}!", "d3": "Open the lid."}).clusters
    (('d1', 'd2'),)
    """
    corpus = source.corpus if isinstance(source, TuningDataset) else source
    groups = near_duplicate_groups(
        _texts_of(corpus),
        threshold=threshold,
        seed=seed,
        progress=progress,
    )
    members: dict[int, list[str]] = {}
    sizes = np.bincount(groups, minlength=len(groups))
    for doc_id, group in zip(corpus, groups.tolist(), strict=True):
        if sizes[group] > 1:
            members.setdefault(group, []).append(doc_id)
    clusters = sorted(map(tuple, members.values()), key=len, reverse=True)
    return NearDuplicates(
        clusters=tuple(clusters), documents=len(groups), threshold=threshold
    )


def _texts_of(corpus: Mapping[str, Document | str]) -> list[str]:
    what: object = corpus
    if isinstance(what, Mapping):
        texts = [
            one.text if isinstance(one, Document) else one for one in what.values()
        ]
        what = next((text for text in texts if not isinstance(text, str)), None)
        if what is None:
            return texts
    msg = (
        "'source' must be a dataset, or documents or texts by id "
        f"(got {type(what).__name__}); of a list, {{str(i): text for i, text in "
        "enumerate(texts)} makes one"
    )
    raise TypeError(msg)


def _escaped(text: str) -> str:
    return html.escape(text.encode("utf-8", "backslashreplace").decode())
