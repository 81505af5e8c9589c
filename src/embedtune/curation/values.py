"""What an audit says about one label: how suspicious it is, and what speaks for that."""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

from embedtune.evaluation.bootstrap import Interval
from embedtune.types import Split

Likeness: TypeAlias = Literal["", "equal", "near"]
"""Whether a document has the text of a positive: not, wholly, or nearly."""


@attrs.frozen(kw_only=True)
class Evidence:
    """Where one embedder, by itself, ranks a document for a query.

    Attributes:
        embedder: Its name.
        rank: From 1; `None` if the document is not among the first 50.
        score: The inner product.
        first: The `doc_id` of the best document that is not judged for the query and
            equals no positive; `None` if there is none among the first 50.
        first_score: Its score, or `None`.
    """

    embedder: str
    rank: int | None
    score: float
    first: str | None
    first_score: float | None


@attrs.frozen(kw_only=True)
class SuspectLabel:
    """A positive label, and how probably it is wrong.

    Attributes:
        split: Where the label stands.
        query_id: Its query.
        doc_id: Its document.
        relevance: Its relevance, at least 1.
        suspicion: The probability, 0 to 1, that the document was drawn at random
            rather than chosen for the query, as the labels of other folds tell.
        rank: The document's rank out of fold, from 1, co-relevant documents left out.
        alternative: The `doc_id` that is first in their place, among documents without
            a label for the query; `None` if there is none.
        votes: How many of the 10 nearest queries of other folds have this document;
            `None` but for the 1,000 most suspicious labels, as nobody reads the others.
        alternative_votes: How many of them have the alternative.
        evidence: What each embedder says without any label.
    """

    split: Split
    query_id: str
    doc_id: str
    relevance: int
    suspicion: float
    rank: int
    alternative: str | None
    votes: int | None
    alternative_votes: int | None
    evidence: tuple[Evidence, ...]


@attrs.frozen(kw_only=True)
class MissingLabel:
    """A document without a label that every embedder puts above the positive.

    Attributes:
        split: Where the positive stands.
        query_id: The query.
        doc_id: The document that may be relevant, too.
        positive: The `doc_id` of the positive that is ranked best.
        relevance: The relevance of that label.
        preference: How surely the embedders prefer the document, 0.5 (not at all) to
            1; the mean over them. It is not the probability that it is relevant.
        likeness: `"equal"` or `"near"` if it has the text of the positive.
        evidence: Where each embedder ranks the document.
    """

    split: Split
    query_id: str
    doc_id: str
    positive: str
    relevance: int
    preference: float
    likeness: Likeness
    evidence: tuple[Evidence, ...]


@attrs.frozen(kw_only=True)
class MeasuredError:
    """What wrong and missing labels do to a measured nDCG@10.

    Attributes:
        embedder: The name of what was measured, on the labels audited.
        measured: nDCG@10 by the labels as they are.
        if_right: nDCG@10 if the wrong labels were not there. It supposes that what a
            wrong label names is not found, and that mistakes hit all queries alike.
        if_complete: nDCG@10 if every document of the list of missing labels were
            relevant: the most that missing labels can explain.
        noise_share: The part of the error, 1 - *measured*, that wrong labels make.
        interval: That part at both ends of the interval of the share of wrong labels.
    """

    embedder: str
    measured: float
    if_right: float
    if_complete: float
    noise_share: float
    interval: Interval
