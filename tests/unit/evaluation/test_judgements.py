"""Labels as arrays."""

from __future__ import annotations

import numpy as np

from embedtune.evaluation.judgements import Judgements

DOCUMENTS = {"a": 0, "b": 1, "c": 2, "d": 3}
LABELS = {"q2": {"c": 1, "a": 3, "b": 0}, "q1": {}, "q0": {"d": 2, "a": 2}}


def test_looking_up_rankings() -> None:
    """Each hit has its label; unjudged documents and empty places have 0."""
    found = np.array([[0, 3, 2, 1], [0, 1, 2, 3], [-1, 3, 0, -1]])

    ranked = Judgements.of(LABELS, DOCUMENTS).ranked(found)

    assert [[3, 0, 1, 0], [0, 0, 0, 0], [0, 2, 2, 0]] == ranked.tolist()


def test_no_hit_is_not_the_last_document_of_the_query_before() -> None:
    """The place of no hit never reads the labels of another query."""
    labels = {"q0": {"d": 1}, "q1": {"a": 1}}

    ranked = Judgements.of(labels, DOCUMENTS).ranked(np.array([[-1], [-1]]))

    assert [[0], [0]] == ranked.tolist()


def test_ideal_rankings() -> None:
    """Positives come largest first, cut to the depth asked for."""
    judgements = Judgements.of(LABELS, DOCUMENTS)

    assert [[3, 1], [0, 0], [2, 2]] == judgements.ideal().tolist()
    assert [[3], [0], [2]] == judgements.ideal(1).tolist()
    assert [[3, 1], [0, 0], [2, 2]] == judgements.ideal(9).tolist()
    assert [2, 0, 2] == judgements.positives().tolist()


def test_no_labels_at_all() -> None:
    """Queries without labels have nothing to find."""
    judgements = Judgements.of({"q": {}}, {})

    assert [[0, 0]] == judgements.ranked(np.array([[0, 1]])).tolist()
    assert (1, 0) == judgements.ideal().shape
    assert [0] == judgements.positives().tolist()
