"""Relevance labels as arrays."""

from __future__ import annotations

import numpy as np

from embedtune.tuning.labels import Labels, joined

GIVEN = [(7, {1: 2, 4: 1}), (3, {0: 1}), (5, {4: 3, 2: 1, 1: 1})]


def as_mappings(labels: Labels) -> list[tuple[int, dict[int, float]]]:
    """Return labels in the form in which they are given."""
    bounds = zip(labels.starts, labels.starts[1:], strict=False)
    return [
        (
            int(query),
            dict(
                zip(
                    labels.documents[begin:end].tolist(),
                    labels.relevance[begin:end].tolist(),
                    strict=True,
                )
            ),
        )
        for query, (begin, end) in zip(labels.queries, bounds, strict=True)
    ]


def test_round_trip() -> None:
    """What is taken over comes back, in the order given."""
    assert GIVEN == as_mappings(Labels.of(GIVEN))


def test_owners() -> None:
    """Every label knows the position of its query."""
    assert [0, 0, 1, 2, 2, 2] == Labels.of(GIVEN).owners.tolist()


def test_take() -> None:
    """Queries are taken with their labels, in the order asked for."""
    taken = Labels.of(GIVEN).take(np.array([2, 0]))

    assert [GIVEN[2], GIVEN[0]] == as_mappings(taken)


def test_joined() -> None:
    """Parts follow each other; an empty part changes nothing."""
    labels = Labels.of(GIVEN)
    parts = [labels.take(np.array([0])), Labels.of([]), labels.take(np.array([1, 2]))]

    assert GIVEN == as_mappings(joined(parts))
