"""What must not be divided: equal, shared and nearly equal texts of a dataset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b

import attrs

from embedtune.datasets.certificate import Leaks
from embedtune.datasets.dataset import TuningDataset
from embedtune.datasets.near_duplicates import near_duplicate_groups
from embedtune.datasets.text import encoded, normalised
from embedtune.types import SPLITS, Qrels, Split


@attrs.frozen(kw_only=True)
class Ties:
    """Which labelled queries and documents count as the same one.

    Attributes:
        query_texts: What stands for the text of each query.
        queries: What stands for each query and all that are nearly equal to it.
        document_texts: What stands for the text of each labelled document.
        documents: What stands for each such document and all nearly equal to it.
    """

    query_texts: Mapping[str, bytes]
    queries: Mapping[str, bytes]
    document_texts: Mapping[str, bytes]
    documents: Mapping[str, bytes]

    @classmethod
    def of(cls, dataset: TuningDataset, labels: Qrels, threshold: float | None) -> Ties:
        """Look at all queries and documents that *labels* name.

        Args:
            dataset: It has all of them.
            labels: Of all splits together.
            threshold: From which similarity on texts are nearly equal; `None` if only
                equal texts count.
        """
        queries = {key: dataset.queries[key].text for key in sorted(labels)}
        named = sorted({doc_id for row in labels.values() for doc_id in row})
        documents = {key: dataset.corpus[key].text for key in named}
        query_texts, document_texts = _digests(queries), _digests(documents)
        return cls(
            query_texts=query_texts,
            queries=_with_near(queries, query_texts, threshold),
            document_texts=document_texts,
            documents=_with_near(documents, document_texts, threshold),
        )

    def counts(self, labels: Qrels, *, by_document: bool) -> dict[str, int]:
        """Count the queries that each kind of tie binds to another query.

        Documents bind where they are relevant. The kinds overlap, and each names what
        the ones before it do not cover: near-duplicates are no equal texts.
        """
        counts = {
            "equal query text": _bound((q, q, self.query_texts[q]) for q in labels),
            "near-duplicate query": _bound(
                (q, self.query_texts[q], self.queries[q]) for q in labels
            ),
        }
        if by_document:
            texts, near = self.document_texts, self.documents
            pairs = list(positives(labels))
            counts |= {
                "shared document": _bound((q, q, encoded(d)) for q, d in pairs),
                "equal document text": _bound(
                    (q, encoded(d), texts[d]) for q, d in pairs
                ),
                "near-duplicate document": _bound(
                    (q, texts[d], near[d]) for q, d in pairs
                ),
            }
        return counts


def documents_elsewhere(
    dataset: TuningDataset, split: Split, threshold: float | None
) -> set[str]:
    """Return the documents that no label of *split* may name, if parts share none.

    They are labelled in other parts, or equal or near to one that is, and have no
    label in *split* yet.

    Args:
        dataset: Split by document.
        split: The part that gets labels.
        threshold: From which similarity on texts are nearly equal; `None` if only
            equal texts count.
    """
    labelled = {
        name: {doc_id for row in dataset.labels(name).values() for doc_id in row}
        for name in SPLITS
    }
    here = labelled.pop(split)
    texts = {key: document.text for key, document in dataset.corpus.items()}
    groups = _with_near(texts, _digests(texts), threshold)
    theirs = {
        groups[key] for keys in labelled.values() for key in keys if key in groups
    }
    return {key for key, group in groups.items() if group in theirs} - here


def positives(labels: Qrels) -> Iterator[tuple[str, str]]:
    """Yield each query with each document that is relevant to it."""
    for query_id, row in labels.items():
        for doc_id, relevance in row.items():
            if relevance > 0:
                yield query_id, doc_id


def count_leaks(parts: Mapping[Split, Qrels], ties: Ties) -> Leaks:
    """Count the leaks of a division of labels."""
    outside = [parts[split] for split in SPLITS if split != "test"]
    asked = {ties.queries[key] for rows in outside for key in rows}
    labelled = {
        ties.documents[doc_id]
        for rows in outside
        for row in rows.values()
        for doc_id in row
    }
    queries = documents = either = 0
    for query_id, row in parts["test"].items():
        is_asked = ties.queries[query_id] in asked
        is_labelled = any(
            relevance > 0 and ties.documents[doc_id] in labelled
            for doc_id, relevance in row.items()
        )
        queries += is_asked
        documents += is_labelled
        either += is_asked or is_labelled
    return Leaks(queries=queries, documents=documents, either=either)


def _digests(texts: Mapping[str, str]) -> dict[str, bytes]:
    return {
        key: blake2b(encoded(normalised(text)), digest_size=32).digest()
        for key, text in texts.items()
    }


def _with_near(
    texts: Mapping[str, str], digests: Mapping[str, bytes], threshold: float | None
) -> Mapping[str, bytes]:
    """Return for each text the digest of one that stands for its group."""
    if threshold is None:
        return digests
    keys = list(texts)
    groups = near_duplicate_groups(list(texts.values()), threshold=threshold)
    # Blank texts are nobody's near-duplicates; their common digest ties them still.
    return {
        key: digests[keys[group]]
        for key, group in zip(keys, groups.tolist(), strict=True)
    }


def _bound(things: Iterable[tuple[str, str | bytes, bytes]]) -> int:
    """Count the queries in a group of several queries and several finer things.

    Args:
        things: A query, something of it, and the group that this belongs to.
    """
    queries: dict[bytes, set[str]] = {}
    finer: dict[bytes, set[str | bytes]] = {}
    for query_id, thing, group in things:
        queries.setdefault(group, set()).add(query_id)
        finer.setdefault(group, set()).add(thing)
    several = [
        members
        for group, members in queries.items()
        if len(members) > 1 and len(finer[group]) > 1
    ]
    return len(set().union(*several))
