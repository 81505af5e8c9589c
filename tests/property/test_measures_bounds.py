"""What holds for every measure, whatever the ranking."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from embedtune.evaluation.external import evaluate_run
from embedtune.evaluation.measures import Measure

KINDS = ("nDCG", "R", "RR", "AP", "P", "Success")
NAMES = [f"{kind}@{cutoff}" for kind in KINDS for cutoff in (1, 3, 10)]
NAMES += ["nDCG", "RR", "AP"]
MONOTONE = [name for name in NAMES if name.startswith(("nDCG", "RR", "AP"))]

Ranking = list[str]
Labels = dict[str, int]


@st.composite
def cases(draw: st.DrawFn) -> tuple[Ranking, Labels]:
    """Draw a ranking without repetition, and graded labels."""
    documents = [f"d{i}" for i in range(draw(st.integers(1, 15)))]
    ranking = draw(st.permutations(documents))[: draw(st.integers(0, 15))]
    judged = draw(st.lists(st.sampled_from(documents), unique=True, min_size=1))
    return ranking, {doc_id: draw(st.integers(0, 4)) for doc_id in judged}


def values(ranking: Ranking, labels: Labels) -> dict[str, float]:
    """Return the value of every measure for one query."""
    run = {doc_id: float(-rank) for rank, doc_id in enumerate(ranking)}
    report = evaluate_run({"q": run}, {"q": labels}, measures=NAMES)
    return dict(report.means)


@given(case=cases())
def test_bounds(case: tuple[Ranking, Labels]) -> None:
    """Every value is between 0 and 1; without a positive it is 0."""
    ranking, labels = case
    found = values(ranking, labels)

    assert all(0.0 <= value <= 1.0 + 1e-12 for value in found.values())
    if not any(labels.values()):
        assert {0.0} == set(found.values())


@given(case=cases())
def test_perfect_ranking(case: tuple[Ranking, Labels]) -> None:
    """All positives first, the best first, are worth 1 wherever 1 can be reached."""
    _, labels = case
    ranking = sorted(labels, key=lambda doc_id: -labels[doc_id])
    positives = sum(relevance > 0 for relevance in labels.values())
    found = values(ranking, labels)

    for name in NAMES if positives else ():
        measure = Measure.parse(name)
        cutoff = measure.cutoff or len(ranking)
        if measure.kind == "P":
            expected = min(positives, cutoff) / cutoff
        elif measure.kind in {"R", "AP"}:
            expected = min(positives, cutoff) / positives
        else:
            expected = 1.0
        assert abs(expected - found[name]) < 1e-12, name


@given(case=cases(), data=st.data())
def test_moving_a_better_document_up_never_hurts(
    case: tuple[Ranking, Labels], data: st.DataObject
) -> None:
    """Swapping two neighbours into the order of their relevance lowers nothing."""
    ranking, labels = case
    grades = [labels.get(doc_id, 0) for doc_id in ranking]
    wrong = [i for i in range(len(grades) - 1) if grades[i] < grades[i + 1]]
    if not wrong:
        return
    place = data.draw(st.sampled_from(wrong))
    better = ranking.copy()
    better[place], better[place + 1] = better[place + 1], better[place]
    before, after = values(ranking, labels), values(better, labels)

    assert all(before[name] <= after[name] + 1e-12 for name in NAMES)
    if not grades[place]:
        assert all(before[name] < after[name] for name in ("nDCG", "AP"))


@given(case=cases())
def test_unjudged_documents_at_the_end_change_nothing(
    case: tuple[Ranking, Labels],
) -> None:
    """Hits after the last one that are not judged are worth nothing and cost nothing."""
    ranking, labels = case

    longer = [*ranking, "unjudged 1", "unjudged 2"]

    assert values(ranking, labels) == values(longer, labels)


@given(case=cases(), relevance=st.integers(0, 0))
def test_unjudged_is_worth_what_not_relevant_is(
    case: tuple[Ranking, Labels], relevance: int
) -> None:
    """Judging every unjudged document as not relevant changes nothing."""
    ranking, labels = case

    judged = dict.fromkeys(ranking, relevance) | labels

    assert values(ranking, labels) == values(ranking, judged)


@given(case=cases())
def test_deeper_cutoffs_find_no_less(case: tuple[Ranking, Labels]) -> None:
    """R, RR, AP and Success never fall when more hits are looked at."""
    found = values(*case)

    for kind in ("R", "RR", "AP", "Success"):
        assert found[f"{kind}@1"] <= found[f"{kind}@3"] <= found[f"{kind}@10"]
    assert found["RR@10"] <= found["RR"]
    assert found["AP@10"] <= found["AP"]


@given(case=cases())
def test_relations(case: tuple[Ranking, Labels]) -> None:
    """Measures that mean the same at one place agree there."""
    found = values(*case)

    assert found["Success@1"] == found["RR@1"] == found["P@1"]
    assert (found["RR@10"] > 0) == (found["Success@10"] == 1) == (found["R@10"] > 0)


@given(
    rows=st.lists(cases(), min_size=1, max_size=6),
    order=st.randoms(use_true_random=False),
)
def test_queries_do_not_touch_each_other(
    rows: list[tuple[Ranking, Labels]], order: object
) -> None:
    """Names and order of queries and documents, and other queries, change no value."""
    run = {
        f"q{i}": {doc_id: float(-rank) for rank, doc_id in enumerate(ranking)}
        for i, (ranking, _) in enumerate(rows)
    }
    qrels = {f"q{i}": labels for i, (_, labels) in enumerate(rows)}
    together = evaluate_run(run, qrels, measures=NAMES)

    keys = list(qrels)
    order.shuffle(keys)  # type: ignore[attr-defined]
    renamed = evaluate_run(
        {f"x{k}": {f"y{d}": s for d, s in run[k].items()} for k in keys},
        {f"x{k}": {f"y{d}": r for d, r in qrels[k].items()} for k in reversed(keys)},
        measures=NAMES,
    )

    for key, (ranking, labels) in zip(qrels, rows, strict=True):
        alone = values(ranking, labels)
        assert alone == {n: together.per_query[n][key] for n in NAMES}
        assert alone == {n: renamed.per_query[n][f"x{key}"] for n in NAMES}
    assert np.isclose(together["nDCG@3"], renamed["nDCG@3"], rtol=0, atol=1e-12)
