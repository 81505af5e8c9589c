"""Rules on documents that are nearly, but not exactly, equal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import numpy as np

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.findings import Finding, Rule, place_of
from embedtune.datasets.near_duplicates import (
    THRESHOLD,
    near_duplicate_groups,
    refuse_threshold,
)
from embedtune.datasets.report import Problem
from embedtune.datasets.text import normalised
from embedtune.types import SPLITS, Split

MOST_UNASKED = 10_000
"""Among more documents, near-duplicates are looked for only if one asks for it."""

_NEAR = Rule(
    "near-duplicate-document",
    "note",
    "{n} documents are nearly equal to an earlier one, {members} of {total} are in "
    "{clusters} clusters of such",
    "near_duplicates() lists them; what answers one query answers them all",
)
_LEAK = Rule(
    "near-duplicate-leak",
    "warning",
    "{n} of {total} queries of {split} have a relevant document that is nearly equal "
    "to one that train labels",
    "figures there say little about new documents; split(by='document') does",
)
_CONFLICT = Rule(
    "near-duplicate-labels",
    "warning",
    "{n} labels say 'not relevant' of a document that is nearly equal to one that is "
    "relevant to the same query",
    "look at both; a tuner cannot learn to tell them apart",
)
_UNASKED = Rule(
    "near-duplicates-unasked",
    "note",
    "near-duplicates were not looked for, as there are more than {most:,} documents",
    "check(near_duplicates=0.8) looks, in a minute or two for half a million",
)


def check_near_duplicates(
    dataset: TuningDataset, near_duplicates: float | Literal["auto"] | None
) -> Iterator[Problem]:
    """Yield what nearly equal documents spoil.

    Equal ones, whose rules are others, are not counted.
    """
    if near_duplicates is None:
        return
    if near_duplicates != "auto":
        refuse_threshold(near_duplicates)
    elif len(dataset.corpus) > MOST_UNASKED:
        finding = Finding(_UNASKED)
        finding.add_example("corpus")
        yield from finding.problems(most=MOST_UNASKED)
        return
    threshold = THRESHOLD if near_duplicates == "auto" else near_duplicates
    yield from _clusters(dataset, threshold)
    groups = _labelled_groups(dataset, threshold)
    if groups:
        for split in SPLITS[1:]:
            yield from _leaks(dataset, split, groups)
        yield from _conflicts(dataset, groups)


def _clusters(dataset: TuningDataset, threshold: float) -> Iterator[Problem]:
    keys = list(dataset.corpus)
    texts = [document.text for document in dataset.corpus.values()]
    groups = near_duplicate_groups(texts, threshold=threshold)
    place = dataset.origin.corpus if dataset.origin else None
    finding = Finding(_NEAR)
    seen: dict[int, set[str]] = {}
    for index in np.flatnonzero(groups != np.arange(len(groups))).tolist():
        first = int(groups[index])
        contents = seen.setdefault(first, {normalised(texts[first])})
        content = normalised(texts[index])
        if content not in contents:
            contents.add(content)
            here = place_of(place, index, keys[index])
            finding.add_example(f"{here} is near {place_of(place, first, keys[first])}")
    near = {first: contents for first, contents in seen.items() if len(contents) > 1}
    members = sum(map(len, near.values()))
    yield from finding.problems(total=len(keys), clusters=len(near), members=members)


_Groups = Mapping[str, tuple[int, str]]
"""The group and the normalised text of each document that has a near-duplicate."""


def _labelled_groups(dataset: TuningDataset, threshold: float) -> _Groups:
    # As for a split, only documents with labels count: what they have in common with
    # one that has none makes no leak.
    named = {d for s in SPLITS for row in dataset.labels(s).values() for d in row}
    keys = [key for key in dataset.corpus if key in named]
    texts = [dataset.corpus[key].text for key in keys]
    groups = near_duplicate_groups(texts, threshold=threshold)
    sizes = np.bincount(groups, minlength=len(keys))
    return {
        key: (group, normalised(text))
        for key, text, group in zip(keys, texts, groups.tolist(), strict=True)
        if sizes[group] > 1
    }


def _leaks(dataset: TuningDataset, split: Split, groups: _Groups) -> Iterator[Problem]:
    trained: dict[int, set[str]] = {}
    for row in dataset.train.values():
        for doc_id in row:
            if doc_id in groups:
                group, text = groups[doc_id]
                trained.setdefault(group, set()).add(text)
    finding = Finding(_LEAK)
    place = dataset.origin.labels.get(split) if dataset.origin else None
    labels = dataset.labels(split)
    index = 0
    for query_id, row in labels.items():
        found = [groups[d] for d, relevance in row.items() if relevance and d in groups]
        if any(trained.get(group, {text}) - {text} for group, text in found):
            finding.add(place, index, query_id)
        index += len(row)
    yield from finding.problems(split=split, total=len(labels))


def _conflicts(dataset: TuningDataset, groups: _Groups) -> Iterator[Problem]:
    finding = Finding(_CONFLICT)
    for split in SPLITS:
        place = dataset.origin.labels.get(split) if dataset.origin else None
        start = 0
        for query_id, row in dataset.labels(split).items():
            for index in _contradicted(list(row.items()), groups):
                finding.add(place, start + index, query_id)
            start += len(row)
    yield from finding.problems()


def _contradicted(row: Sequence[tuple[str, int]], groups: _Groups) -> list[int]:
    """Return the places of labels of relevance 0 near one that is relevant."""
    relevant = {groups[d] for d, relevance in row if relevance and d in groups}
    if not relevant:
        return []
    return [
        index
        for index, (doc_id, relevance) in enumerate(row)
        if not relevance
        and doc_id in groups
        and any(
            group == groups[doc_id][0] and text != groups[doc_id][1]
            for group, text in relevant
        )
    ]
