"""Dividing labels so that nothing seen in tuning is measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Literal

import attrs

from embedtune.datasets.bulk import trusted_dataset
from embedtune.datasets.certificate import SplitCertificate
from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.near_duplicates import THRESHOLD, refuse_threshold
from embedtune.datasets.problems import raise_integrity_error, shown
from embedtune.datasets.text import encoded
from embedtune.datasets.ties import Ties, count_leaks, positives
from embedtune.errors import DataError
from embedtune.types import SPLITS, Split

Labels = dict[str, dict[str, int]]
_MOST_OFF = 2  # a part may be half or double of what was asked for


def split_dataset(
    dataset: TuningDataset,
    *,
    test: float,
    validation: float,
    seed: int,
    by: Literal["query", "document"],
    near_duplicates: float | Literal["auto"] | None,
) -> TuningDataset:
    """Divide the labels; see :meth:`~embedtune.datasets.dataset.TuningDataset.split`."""
    _refuse_arguments(test, validation, seed, by)
    threshold = _threshold(near_duplicates, by)
    pooled = _pooled(dataset)
    if not pooled:
        msg = "the dataset has no labels to split; give some in 'train'"
        raise DataError(msg)
    ties = Ties.of(dataset, pooled, threshold)
    by_document = by == "document"
    groups = _groups(pooled, ties, by_document=by_document)
    part_of = _assigned(groups, _targets(len(pooled), test, validation), seed, by)
    labels = _without_crossings(pooled, ties, part_of) if by_document else pooled
    parts = _parts(labels, part_of)
    at_random = _parts(pooled, _divided_one_by_one(pooled, part_of, seed))
    certificate = SplitCertificate(
        by=by,
        seed=seed,
        near_duplicates=threshold,
        queries={split: len(rows) for split, rows in parts.items()},
        documents={
            split: len({doc_id for row in rows.values() for doc_id in row})
            for split, rows in parts.items()
        },
        groups=len(groups),
        largest_group=max(map(len, groups)),
        tied=ties.counts(pooled, by_document=by_document),
        dropped=sum(map(len, pooled.values())) - sum(map(len, labels.values())),
        random=count_leaks(at_random, ties),
        remaining=count_leaks(parts, ties),
    )
    origin = dataset.origin and attrs.evolve(dataset.origin, labels={})
    return trusted_dataset(dataset.corpus, dataset.queries, parts, origin, certificate)


def _parts(labels: Labels, part_of: Mapping[str, Split]) -> dict[Split, Labels]:
    parts: dict[Split, Labels] = {split: {} for split in SPLITS}
    for query_id, row in labels.items():
        parts[part_of[query_id]][query_id] = row
    return parts


def _divided_one_by_one(
    labels: Labels, part_of: Mapping[str, Split], seed: int
) -> dict[str, Split]:
    """Return parts of the same sizes for queries that are drawn one by one."""
    sizes = Counter(part_of.values())
    drawn = sorted(labels, key=lambda query_id: _shuffle_key(seed, query_id))
    places: list[Split] = []
    for split in reversed(SPLITS):
        places.extend(split for _ in range(sizes[split]))
    return dict(zip(drawn, places, strict=True))


def _threshold(
    near_duplicates: float | Literal["auto"] | None, by: Literal["query", "document"]
) -> float | None:
    if near_duplicates == "auto":
        return THRESHOLD if by == "document" else None
    if near_duplicates is not None:
        refuse_threshold(near_duplicates)
    return near_duplicates


def _refuse_arguments(test: float, validation: float, seed: int, by: str) -> None:
    for name, share in (("test", test), ("validation", validation)):
        if isinstance(share, bool) or not isinstance(share, (int, float)):
            msg = f"{name!r} must be a share, a number below 1 (got {share!r})"
            raise TypeError(msg)
    if not 0 < test < 1:
        msg = f"'test' must be > 0 and < 1 (got {test!r})"
        raise ValueError(msg)
    if not 0 <= validation < 1:
        msg = f"'validation' must be >= 0 and < 1 (got {validation!r})"
        raise ValueError(msg)
    if test + validation >= 1:
        msg = f"'test' + 'validation' must be < 1 (got {test + validation!r})"
        raise ValueError(msg)
    if isinstance(seed, bool) or not isinstance(seed, int):
        msg = f"'seed' must be an integer (got {seed!r})"
        raise TypeError(msg)
    if by not in {"query", "document"}:
        msg = f"'by' must be 'query' or 'document' (got {by!r})"
        raise ValueError(msg)


def _pooled(dataset: TuningDataset) -> Labels:
    """Return the labels of all splits together.

    Raises:
        DatasetIntegrityError: If they name unknown queries or documents, or those of
            two splits contradict each other.
    """
    pooled: Labels = {}
    problems: list[str] = []
    for split in SPLITS:
        for query_id, row in dataset.labels(split).items():
            known = pooled.setdefault(query_id, {})
            problems += _label_problems(dataset, split, query_id, known)
            known.update(row)
    what = "the labels cannot be split; check() tells where they stand"
    raise_integrity_error(what, problems)
    return pooled


def _label_problems(
    dataset: TuningDataset, split: Split, query_id: str, known: Mapping[str, int]
) -> Iterator[str]:
    """Yield what is wrong with the labels of one query, *known* being earlier ones."""
    query = f"query {shown(query_id)}"
    if query_id not in dataset.queries:
        yield f"{split}: {query} is not among the queries; add it or remove its labels"
    for doc_id, relevance in dataset.labels(split)[query_id].items():
        if doc_id not in dataset.corpus:
            yield (
                f"{split}: document {shown(doc_id)} of {query} is not in the corpus; "
                "add it or remove the label"
            )
        before = known.get(doc_id, relevance)
        if before != relevance:
            yield (
                f"{query} and document {shown(doc_id)} have relevance {relevance} in "
                f"{split} and {before} before; keep one of them"
            )


class _Groups:
    """Things that belong together, found by joining two at a time."""

    def __init__(self, members: Iterable[str]) -> None:
        self._parent = {member: member for member in members}

    def find(self, member: str) -> str:
        """Return the one that stands for the group of *member*."""
        parent = self._parent
        while parent[member] != member:
            parent[member] = parent[parent[member]]
            member = parent[member]
        return member

    def join(self, one: str, other: str) -> None:
        """Make the groups of both one group."""
        self._parent[self.find(other)] = self.find(one)

    def all(self) -> list[list[str]]:
        """Return every group, its members sorted."""
        groups: dict[str, list[str]] = {}
        for member in sorted(self._parent):
            groups.setdefault(self.find(member), []).append(member)
        return list(groups.values())


def _groups(labels: Labels, ties: Ties, *, by_document: bool) -> list[list[str]]:
    """Return the groups of queries that must not be divided."""
    groups = _Groups(labels)
    first: dict[bytes, str] = {}
    for query_id in labels:
        groups.join(first.setdefault(ties.queries[query_id], query_id), query_id)
    if by_document:
        owner: dict[bytes, str] = {}
        for query_id, doc_id in positives(labels):
            key = ties.documents[doc_id]
            groups.join(owner.setdefault(key, query_id), query_id)
    return groups.all()


def _targets(count: int, test: float, validation: float) -> dict[Split, int]:
    """Return how many queries each part shall have; the rest is for training."""
    targets: dict[Split, int] = {"test": max(1, round(count * test))}
    if validation:
        targets["validation"] = max(1, round(count * validation))
    while sum(targets.values()) >= count and max(targets.values()) > 1:
        largest = max(targets, key=targets.__getitem__)
        targets[largest] -= 1  # rounding up must not leave training without a query
    targets["train"] = max(1, count - sum(targets.values()))
    return targets


def _assigned(
    groups: list[list[str]], targets: dict[Split, int], seed: int, by: str
) -> dict[str, Split]:
    """Return the part of each query.

    Raises:
        DataError: If whole groups cannot come near the targets.
    """
    groups = sorted(groups, key=lambda group: _shuffle_key(seed, group[0]))
    parts: list[Split] = []
    sizes: Counter[Split] = Counter()
    wanted: list[Split] = [split for split in targets if split != "train"]
    for group in groups:
        part: Split = "train"
        for candidate in wanted:
            if sizes[candidate] + len(group) <= targets[candidate]:
                part = candidate
                break
        parts.append(part)
        sizes[part] += len(group)
    for part in wanted:
        _fill(part, groups, parts, sizes, targets)
    for part, target in targets.items():
        low, high = target / _MOST_OFF, max(_MOST_OFF * target, target + 1)
        if sizes[part] < max(1, low) or sizes[part] > high:
            raise DataError(_too_coarse(part, sizes[part], target, groups, by))
    return {
        query_id: part
        for group, part in zip(groups, parts, strict=True)
        for query_id in group
    }


def _fill(
    part: Split,
    groups: list[list[str]],
    parts: list[Split],
    sizes: Counter[Split],
    targets: Mapping[Split, int],
) -> None:
    """Move groups from training to *part* as long as that brings it nearer."""
    while sizes[part] < targets[part]:
        gap = targets[part] - sizes[part]
        # One that fits went there already: each of these is larger than the gap.
        sources = [i for i, other in enumerate(parts) if other == "train"]
        best = min(sources, key=lambda i: len(groups[i]), default=None)
        if best is None or len(groups[best]) - gap >= gap:
            return
        parts[best] = part
        sizes[part] += len(groups[best])
        sizes["train"] -= len(groups[best])


def _shuffle_key(seed: int, member: str) -> bytes:
    return blake2b(b"%d\n" % seed + encoded(member), digest_size=16).digest()


def _too_coarse(
    part: str, size: int, target: int, groups: list[list[str]], by: str
) -> str:
    largest = max(map(len, groups), default=0)
    count = sum(map(len, groups))
    if by == "document":
        tie = "share documents (or have equal or nearly equal ones)"
        way = "use by='query', near_duplicates=None, or another share"
    else:
        tie = "have the same text (or nearly)"
        way = "remove repeated queries, add queries, or ask for another share"
    return (
        f"the {part} part would have {size} queries where {target} of {count} were "
        f"asked for: only whole groups can be moved, and the largest of the "
        f"{len(groups)} groups of queries that {tie} has {largest}; {way}"
    )


def _without_crossings(
    labels: Labels, ties: Ties, part_of: Mapping[str, Split]
) -> Labels:
    """Leave out labels of relevance 0 whose document belongs to another part.

    A document belongs where it is relevant; one that is relevant nowhere, to the
    first part that has a label for it.
    """
    owner = {
        ties.documents[doc_id]: part_of[query_id]
        for query_id, row in labels.items()
        for doc_id, relevance in row.items()
        if relevance > 0
    }
    for query_id in sorted(labels, key=lambda key: SPLITS.index(part_of[key])):
        for doc_id in labels[query_id]:
            owner.setdefault(ties.documents[doc_id], part_of[query_id])
    kept: Labels = {}
    for query_id, row in labels.items():
        part = part_of[query_id]
        rest = {d: r for d, r in row.items() if owner[ties.documents[d]] == part}
        if rest:
            kept[query_id] = rest
    return kept
