"""Rules on labels: what they name, and whether they contradict each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

import attrs

from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.findings import Finding, Rule
from embedtune.datasets.origin import Place
from embedtune.datasets.problems import shown
from embedtune.datasets.report import Problem, Severity
from embedtune.types import SPLITS, Split

_UNKNOWN_QUERY = Rule(
    "unknown-query",
    "error",
    "{n} of {total} queries with labels in {split} are not among the queries",
    "add them, or remove their labels; ids are compared exactly",
)
_UNKNOWN_DOCUMENT = Rule(
    "unknown-document",
    "error",
    "{n} of {labels} labels of {split} name a document that is not in the corpus",
    "add it, or remove the label; ids are compared exactly",
)
_NO_POSITIVE = Rule(
    "no-positive",
    "warning",
    "{n} of {total} queries of {split} have no document with relevance above 0",
    "label what answers them, or leave them out",
)
_UNLABELLED = Rule(
    "unlabelled-query",
    "note",
    "{n} of {total} queries have no label in any split",
    "they are not used; label them or leave them out",
)
_CONFLICT = Rule(
    "conflicting-labels",
    "warning",
    "labels contradict others for the same query text and document text: {n}",
    "keep one relevance for each",
)
_LEAK = Rule(
    "leaked-query",
    "error",
    "{n} of {total} queries of {split} have the text of a query of {other}, too",
    "split() keeps equal queries on one side, or remove them from one",
)
_SEEN = Rule(
    "shared-document",
    "note",
    "{n} of {total} queries of {split} have a relevant document that train labels, too",
    "figures there say little about new documents; split(by='document') does",
)


_COPIED = Rule(
    "query-is-document",
    "warning",
    "{n} of {labels} labels of {split} point a query at a document of its own text",
    "nothing is learned from them; leave them out",
)


def check_labels(
    dataset: TuningDataset,
    query_twins: Mapping[str, str],
    doc_twins: Mapping[str, str],
) -> Iterator[Problem]:
    """Yield what is wrong with the labels.

    Args:
        dataset: Whose labels.
        query_twins: For each query that repeats an earlier one, the earlier one's id.
        doc_twins: The same for documents.
    """
    for split in SPLITS:
        yield from _split_problems(dataset, split)
    yield from _conflicts(dataset, query_twins, doc_twins)
    yield from _leaks(dataset, query_twins)
    yield from _seen_documents(dataset, doc_twins)
    yield from _unlabelled(dataset)


def _split_problems(dataset: TuningDataset, split: Split) -> Iterator[Problem]:
    corpus, queries, labels = dataset.corpus, dataset.queries, dataset.labels(split)
    place = _place(dataset, split)
    unknown_query, unknown_document = (
        Finding(_UNKNOWN_QUERY),
        Finding(_UNKNOWN_DOCUMENT),
    )
    no_positive, copied = Finding(_NO_POSITIVE), Finding(_COPIED)
    start = 0
    for query_id, row in labels.items():
        query = queries.get(query_id)
        text = None if query is None else query.text
        if text is None:
            unknown_query.add(place, start, query_id)
        if not any(row.values()):
            no_positive.add(place, start, query_id)
        for index, doc_id in enumerate(row, start):
            document = corpus.get(doc_id)
            if document is None:
                unknown_document.add(place, index, doc_id)
            elif document.text == text and row[doc_id]:
                copied.add(place, index, query_id)
        start += len(row)
    for finding in (unknown_query, unknown_document, no_positive, copied):
        yield from finding.problems(split=split, total=len(labels), labels=start)


def _conflicts(
    dataset: TuningDataset,
    query_twins: Mapping[str, str],
    doc_twins: Mapping[str, str],
) -> Iterator[Problem]:
    """Yield labels that contradict each other through duplicates or across splits."""
    repeated = {*query_twins, *query_twins.values()}
    repeated |= {
        query_id
        for one, other in combinations(SPLITS, 2)
        for query_id in dataset.labels(one).keys() & dataset.labels(other).keys()
    }
    copied = {*doc_twins, *doc_twins.values()}
    finding = Finding(_CONFLICT)
    known: dict[tuple[str, str], tuple[int, str]] = {}
    for split in SPLITS:
        place = _place(dataset, split)
        index = 0
        for query_id, row in dataset.labels(split).items():
            is_repeated = query_id in repeated
            if not is_repeated and copied.isdisjoint(row):
                index += len(row)
                continue
            for doc_id, relevance in row.items():
                if is_repeated or doc_id in copied:
                    here = _judged(place, index, query_id, doc_id, relevance)
                    key = query_twins.get(query_id, query_id)
                    pair = key, doc_twins.get(doc_id, doc_id)
                    first, there = known.setdefault(pair, (relevance, here))
                    if first != relevance:
                        finding.add_example(f"{here} against {there}")
                index += 1
    yield from finding.problems()


def _judged(
    place: Place | None, index: int, query_id: str, doc_id: str, relevance: int
) -> str:
    pair = f"{shown(query_id)}, {shown(doc_id)}: {relevance}"
    return f"{place[index]} ({pair})" if place else f"({pair})"


def _leaks(dataset: TuningDataset, twins: Mapping[str, str]) -> Iterator[Problem]:
    for one, other in combinations(SPLITS, 2):
        known = {twins.get(key, key) for key in dataset.labels(one)}
        severity: Severity = "error" if other == "test" else "warning"
        finding = Finding(attrs.evolve(_LEAK, severity=severity))
        place = _place(dataset, other)
        index = 0
        for query_id, row in dataset.labels(other).items():
            if twins.get(query_id, query_id) in known:
                finding.add(place, index, query_id)
            index += len(row)
        yield from finding.problems(
            split=other, other=one, total=len(dataset.labels(other))
        )


def _seen_documents(
    dataset: TuningDataset, twins: Mapping[str, str]
) -> Iterator[Problem]:
    trained = {twins.get(key, key) for row in dataset.train.values() for key in row}
    for split in SPLITS[1:]:
        finding = Finding(_SEEN)
        place = _place(dataset, split)
        labels = dataset.labels(split)
        index = 0
        for query_id, row in labels.items():
            if any(r and twins.get(key, key) in trained for key, r in row.items()):
                finding.add(place, index, query_id)
            index += len(row)
        yield from finding.problems(split=split, total=len(labels))


def _unlabelled(dataset: TuningDataset) -> Iterator[Problem]:
    finding = Finding(_UNLABELLED)
    place = dataset.origin.queries if dataset.origin else None
    for index, key in enumerate(dataset.queries):
        if not any(key in dataset.labels(split) for split in SPLITS):
            finding.add(place, index, key)
    yield from finding.problems(total=len(dataset.queries))


def _place(dataset: TuningDataset, split: Split) -> Place | None:
    return dataset.origin.labels.get(split) if dataset.origin else None
