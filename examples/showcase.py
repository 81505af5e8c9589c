"""Real searches before and after tuning, side by side, chosen by a rule."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from console import WIDTH, clipped, wrapped

import embedtune as et

SHOWN = 5
HITS = 3
RULES = ((10, 1), (10, HITS), (HITS, HITS))
"""From outside the first so many hits into the first so many; the first is best."""

WORDS = range(5, 15)  # such a query fits on a line and is more than a name
LOSERS = 3


def show_searches(
    dataset: et.TuningDataset, comparison: et.Comparison, index: et.MilvusIndex
) -> list[str]:
    """Print up to five test queries that the base failed and the index answers.

    What the base found is in its evaluation; what is found now comes from Milvus.

    Returns:
        The query ids shown.
    """
    top = comparison[f"Success@{HITS}"]
    wrapped(
        f"Of {top.queries:,} test queries, {top.wins:,} find their answer among the "
        f"first {HITS} hits after tuning only, and {top.losses:,} before tuning only."
    )
    chosen, rule = _choose(dataset, comparison)
    if not chosen:
        print("No answer came from further down into the first hits.")
        return []
    wrapped(rule)
    seen = set(et.seen_and_unseen(dataset)["seen"])
    for number, query_id in enumerate(chosen, start=1):
        text = dataset.queries[query_id].text
        print(f"\n{number}. {clipped(text, WIDTH - 3)}")
        _show_sides(
            dataset,
            [doc_id for doc_id, _ in comparison.base.run[query_id]],
            [hit.doc_id for hit in index.search(text, limit=HITS)],
            _wanted(dataset, query_id),
            note="seen in training" if query_id in seen else "not seen in training",
        )
    return chosen


def most_lost(comparison: et.Comparison, measure: str) -> list[str]:
    """Return the queries that tuning harmed most, so that a report shows them, too."""
    change = comparison.per_query[measure]
    worst = sorted(change, key=lambda query_id: change[query_id])[:LOSERS]
    return [query_id for query_id in worst if change[query_id] < 0]


def _choose(
    dataset: et.TuningDataset, comparison: et.Comparison
) -> tuple[list[str], str]:
    """Return the queries of the best rule that has enough, and the rule in words."""
    for missed, found in RULES:
        solved = _solved(dataset, comparison, missed, found)
        short = [q for q in solved if len(dataset.queries[q].text.split()) in WORDS]
        if len(short) >= SHOWN:
            break
    kept = short or solved
    places = np.linspace(0, len(kept) - 1, min(SHOWN, len(kept))).round()
    chosen = [kept[int(place)] for place in places]
    first = "first place" if found == 1 else f"first {found}"
    rule = (
        f"{len(solved):,} answers came from outside the first {missed} hits into the "
        f"{first}; here are {len(chosen)} of them, evenly spaced in the list of short "
        "ones. A star marks the answer."
    )
    return chosen, rule


def _solved(
    dataset: et.TuningDataset, comparison: et.Comparison, missed: int, found: int
) -> list[str]:
    solved = []
    for query_id in comparison.query_ids:
        wanted = _wanted(dataset, query_id)
        before = {doc_id for doc_id, _ in comparison.base.run[query_id][:missed]}
        after = {doc_id for doc_id, _ in comparison.tuned.run[query_id][:found]}
        if wanted.isdisjoint(before) and wanted & after:
            solved.append(query_id)
    return solved


def _wanted(dataset: et.TuningDataset, query_id: str) -> set[str]:
    return {doc_id for doc_id, value in dataset.test[query_id].items() if value > 0}


def _show_sides(
    dataset: et.TuningDataset,
    before: Sequence[str],
    after: Sequence[str],
    wanted: set[str],
    note: str,
) -> None:
    ranks = [rank for rank, found in enumerate(before, start=1) if found in wanted]
    place = f"place {ranks[0]}" if ranks else f"not in the first {len(before)}"
    width = (WIDTH - 5) // 2
    print(f"   {f'before: {place}':<{width}}  after, {note}")
    for rank in range(HITS):
        left, right = (
            _line(dataset, rank, hits, wanted, width) for hits in (before, after)
        )
        print(f"   {left:<{width}}  {right}".rstrip())


def _line(
    dataset: et.TuningDataset,
    rank: int,
    hits: Sequence[str],
    wanted: set[str],
    width: int,
) -> str:
    if rank >= len(hits):
        return ""
    document = dataset.corpus[hits[rank]]
    mark = "*" if document.doc_id in wanted else " "
    return f"{mark}{rank + 1} {clipped(document.title or document.text, width - 4)}"
