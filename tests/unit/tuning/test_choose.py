"""Choosing among candidates."""

from __future__ import annotations

import math

import numpy as np
import pytest

from embedtune.tuning.choose import Choice, Goal, Measured, OptimizeFor, choose

ALL = Goal.of(OptimizeFor.ALL, seen_share=0.5)
LENIENT = Goal(weight=0.5, may_lose_seen=1.0, may_lose_unseen=1.0)


def measured(seen: float, unseen: float, *, queries: int = 50) -> Measured:
    """Return measures that are all equal within each kind."""
    return Measured(seen=np.full(queries, seen), unseen=np.full(queries, unseen))


def chosen(base: Measured, *candidates: Measured, goal: Goal = ALL) -> Choice:
    """Choose with a fixed seed."""
    return choose(base, candidates, goal, np.random.default_rng(0))


BASE = measured(0.5, 0.5)
CASES = [
    ("all", 0.5, [(0.6, 0.6)], 0),
    ("all", 0.5, [(0.6, 0.6), (0.7, 0.6), (0.6, 0.6)], 1),
    ("all", 0.5, [(0.6, 0.6), (0.6, 0.6)], 0),  # the earliest of equals
    ("all", 0.5, [(0.4, 0.4)], None),
    ("all", 0.5, [(0.5, 0.5)], None),
    ("all", 0.5, [], None),
    ("all", 0.9, [(0.49, 0.9)], None),  # falls on seen documents
    ("all", 0.9, [(0.9, 0.495)], 0),  # falls a little on unseen ones
    ("all", 0.9, [(0.9, 0.48)], None),  # falls too far
    ("all", 0.9, [(0.9, 0.4), (0.6, 0.5)], 1),
    ("seen", 0.1, [(0.6, 0.5), (0.9, 0.1)], 1),
    ("seen", 0.1, [(0.5, 0.9)], None),
    ("unseen", 0.9, [(0.5, 0.6), (0.1, 0.9)], 1),
    ("unseen", 0.9, [(0.9, 0.5)], None),
]


@pytest.mark.parametrize(("goal", "seen_share", "candidates", "expected"), CASES)
def test_table(
    goal: str,
    seen_share: float,
    candidates: list[tuple[float, float]],
    expected: int | None,
) -> None:
    """Each goal weights, and limits, what it says."""
    choice = chosen(
        BASE,
        *(measured(seen, unseen) for seen, unseen in candidates),
        goal=Goal.of(OptimizeFor(goal), seen_share=seen_share),
    )

    assert expected == choice.position


def test_gate_refuses_what_may_be_luck() -> None:
    """A gain that luck often exceeds is no gain."""
    generator = np.random.default_rng(0)
    noise = generator.normal(0, 0.3, size=50)
    lucky = Measured(seen=0.5 + noise - noise.mean() + 0.005, unseen=np.full(50, 0.5))

    choice = chosen(BASE, lucky)

    assert choice.position is None
    assert 0.2 < choice.confidence < 0.8
    assert "95% are needed" in choice.reason


def test_the_gate_can_be_lower() -> None:
    """How sure a gain must be is the caller's to say."""
    generator = np.random.default_rng(0)
    better = Measured(
        seen=0.53 + generator.normal(0, 0.2, size=50), unseen=np.full(50, 0.5)
    )
    confidence = chosen(BASE, better).confidence

    for needed, expected in ((confidence, 0), (confidence + 0.01, None)):
        rng = np.random.default_rng(0)
        choice = choose(BASE, [better], ALL, rng, needed=needed)
        assert expected == choice.position


def test_many_candidates_make_luck_likelier() -> None:
    """A gain that would do for one candidate does not for the best of forty."""
    generator = np.random.default_rng(0)
    good = Measured(
        seen=0.55 + generator.normal(0, 0.2, size=50), unseen=np.full(50, 0.5)
    )
    others = [
        Measured(seen=0.5 + generator.normal(0, 0.2, size=50), unseen=np.full(50, 0.5))
        for _ in range(40)
    ]

    alone, among = chosen(BASE, good), chosen(BASE, good, *others)

    assert among.confidence < 0.98 < alone.confidence


def test_luck_alone_passes_as_rarely_as_it_should() -> None:
    """Of 100 sets of ten candidates without a true gain, about 5 % pass the gate."""
    generator = np.random.default_rng(0)
    passed = 0
    for _ in range(100):
        candidates = [
            Measured(
                seen=0.5 + generator.normal(0, 0.2, size=60),
                unseen=0.5 + generator.normal(0, 0.2, size=60),
            )
            for _ in range(10)
        ]
        choice = choose(measured(0.5, 0.5, queries=60), candidates, LENIENT, generator)
        passed += choice.position is not None

    assert passed <= 100 * 0.1


def test_gate_lets_through_what_is_sure() -> None:
    """A gain of all queries is in all resamples."""
    choice = chosen(BASE, measured(0.51, 0.51))

    assert (0, 1.0) == (choice.position, choice.confidence)
    assert "the best of 1 candidates gains 0.0100" in choice.reason


def test_of_equally_good_ones_the_best_on_unseen_documents() -> None:
    """A lead that so few queries cannot show gives way to unseen documents."""
    generator = np.random.default_rng(0)
    noise = generator.normal(0, 0.5, size=50)
    best = Measured(seen=0.6 + noise - noise.mean(), unseen=np.full(50, 0.6))
    near = Measured(seen=np.full(50, 0.57), unseen=np.full(50, 0.62))

    assert ALL.score(best) > ALL.score(near)
    assert 1 == chosen(BASE, best, near).position


def test_a_lead_that_is_clear_counts() -> None:
    """A lead of all queries alike has no error, and wins."""
    assert 0 == chosen(BASE, measured(0.6, 0.6), measured(0.57, 0.62)).position


def test_a_kind_without_queries_gives_no_gain() -> None:
    """Without unseen queries the seen ones decide, with their own weight."""
    base = Measured(seen=np.full(20, 0.5), unseen=np.zeros(0))
    better = Measured(seen=np.full(20, 0.7), unseen=np.zeros(0))

    assert 0 == chosen(base, better).position
    assert (
        chosen(base, better, goal=Goal.of(OptimizeFor.UNSEEN, seen_share=1)).position
        is None
    )


def test_score_is_weighted() -> None:
    """The score is the weighted mean of seen and unseen."""
    goal = Goal.of(OptimizeFor.ALL, seen_share=0.25)

    assert math.isclose(0.25 * 0.8 + 0.75 * 0.4, goal.score(measured(0.8, 0.4)))


def test_joined_folds() -> None:
    """The queries of all folds count alike."""
    joined = Measured.joined(
        [measured(0.5, 0.1, queries=1), measured(1, 0.4, queries=2)]
    )

    assert [0.5, 1, 1] == joined.seen.tolist()
    assert [0.1, 0.4, 0.4] == joined.unseen.tolist()
