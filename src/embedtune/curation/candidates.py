"""From ranked documents to hard negatives: what is dropped, and why."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.curation.contents import Contents, Integers, Known
from embedtune.curation.ledger import Fate
from embedtune.curation.rules import MiningRules
from embedtune.evaluation.search import pair_scores
from embedtune.types import FloatMatrix

_OPEN = -1  # nothing has been decided yet


@attrs.frozen(kw_only=True, eq=False)
class View:
    """How one embedder sees some queries and the whole corpus.

    Attributes:
        queries: A row each.
        documents: A row for each content.
    """

    queries: FloatMatrix
    documents: FloatMatrix

    def scores(self, rows: Integers, places: Integers) -> npt.NDArray[np.float32]:
        """Return the score of each pair of a query and a content."""
        return pair_scores(self.queries, self.documents, rows, places)

    def of_positives(self, positives: Sequence[Integers]) -> npt.NDArray[np.float32]:
        """Return the lowest score of each query's positives."""
        sizes = np.array([len(found) for found in positives])
        rows = np.repeat(np.arange(len(positives)), sizes)
        scores = self.scores(rows, np.concatenate(positives))
        return np.minimum.reduceat(scores, np.cumsum(sizes) - sizes)


@attrs.frozen(kw_only=True, eq=False)
class Candidates:
    """The best-ranked contents of a block of queries.

    Attributes:
        places: The contents, a row a query, best first.
        scores: Their scores.
        block: Which of the known queries these are.
    """

    places: Integers
    scores: FloatMatrix
    block: slice

    def fates(
        self,
        known: Known,
        contents: Contents,
        rules: MiningRules,
        views: Sequence[View],
        draws: npt.NDArray[np.float64],
    ) -> npt.NDArray[np.int8]:
        """Decide about every candidate.

        Args:
            known: What the labels say.
            contents: What says the same.
            rules: What may be a hard negative.
            views: That of the embedder, and that of the second opinion if there is one.
            draws: A random number for each candidate.
        """
        fates = np.full(self.places.shape, _OPEN, np.int8)
        self._mask_known(fates, known, contents)
        positives = known.positives[self.block]
        self._drop_by_score(fates, rules, views[0].of_positives(positives))
        for view in views[1:]:
            self._ask_again(fates, rules, view, view.of_positives(positives))
        _choose(fates, rules, draws)
        return fates

    def _mask_known(
        self, fates: npt.NDArray[np.int8], known: Known, contents: Contents
    ) -> None:
        copies, relevant = contents.copies, known.relevant[self.block]
        _mark(fates, self._are_in(self.places, relevant), Fate.POSITIVE)
        judged = self._are_in(self.places, known.judged[self.block])
        _mark(fates, judged, Fate.JUDGED)
        groups = known.copies[self.block]
        _mark(fates, self._are_in(copies[self.places], groups), Fate.COPY)
        near = contents.near
        if near is not None:
            around = [near[found] for found in relevant]
            is_near = self._are_in(near[self.places], around)
            _mark(fates, is_near, Fate.NEAR_DUPLICATE)

    def _are_in(
        self, numbers: Integers, sets: Sequence[Integers]
    ) -> npt.NDArray[np.bool_]:
        """Tell for each number whether it is in the set of its row."""
        sizes = [len(found) for found in sets]
        flat = np.concatenate([np.empty(0, np.int64), *sets])
        most = int(max(numbers.max(initial=0), flat.max(initial=0))) + 1
        rows = np.repeat(np.arange(len(sets)), sizes)
        keys = np.arange(len(sets))[:, None] * most + numbers
        return np.isin(keys, rows * most + flat)

    def _drop_by_score(
        self,
        fates: npt.NDArray[np.int8],
        rules: MiningRules,
        positive: npt.NDArray[np.float32],
    ) -> None:
        scores, limit = self.scores.astype(np.float64), positive[:, None]
        for reason, wrong in _too_close(scores, limit, rules):
            _mark(fates, wrong, reason)
        if rules.max_score is not None:
            _mark(fates, scores > rules.max_score, Fate.SCORE)
        if rules.min_score is not None:
            _mark(fates, scores < rules.min_score, Fate.SCORE)

    def _ask_again(
        self,
        fates: npt.NDArray[np.int8],
        rules: MiningRules,
        view: View,
        positive: npt.NDArray[np.float32],
    ) -> None:
        rows, columns = np.nonzero(fates == _OPEN)
        scores = view.scores(rows, self.places[rows, columns]).astype(np.float64)
        limit = positive[rows]
        disagrees = scores >= limit
        for _, wrong in _too_close(scores, limit, rules):
            disagrees |= wrong
        fates[rows[disagrees], columns[disagrees]] = Fate.SECOND_OPINION


def _too_close(
    scores: npt.NDArray[np.float64],
    positive: npt.NDArray[np.float32],
    rules: MiningRules,
) -> list[tuple[Fate, npt.NDArray[np.bool_]]]:
    limit = positive.astype(np.float64)
    found = []
    if rules.margin is not None:
        found.append((Fate.MARGIN, scores + rules.margin > limit))
    if rules.relative_margin is not None:
        # A share of the size of the score: it lowers negative ones, too.
        highest = limit - np.abs(limit) * rules.relative_margin
        found.append((Fate.RELATIVE_MARGIN, scores > highest))
    return found


def _mark(
    fates: npt.NDArray[np.int8], where: npt.NDArray[np.bool_], fate: Fate
) -> None:
    fates[where & (fates == _OPEN)] = fate


def _choose(
    fates: npt.NDArray[np.int8], rules: MiningRules, draws: npt.NDArray[np.float64]
) -> None:
    first, last = rules.rank_window
    is_open = fates == _OPEN
    rank = np.cumsum(is_open, axis=1)
    is_inside = is_open & (rank > first) & (rank <= last)
    fates[is_open & ~is_inside] = Fate.RANK_WINDOW
    fates[is_inside] = Fate.SPARE
    if rules.sampling == "top":
        fates[is_inside & (rank <= first + rules.per_query)] = Fate.FOUND
        return
    draws = np.where(is_inside, draws, np.inf)
    order = np.argsort(draws, axis=1, kind="stable")[:, : rules.per_query]
    drawn = np.zeros(fates.shape, np.bool_)
    np.put_along_axis(drawn, order, values=True, axis=1)
    fates[is_inside & drawn] = Fate.FOUND
