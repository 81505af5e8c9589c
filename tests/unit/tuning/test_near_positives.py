"""Documents that are nearly equal to a relevant one are no hard negatives."""

from __future__ import annotations

import numpy as np

from embedtune.datasets.dataset import TuningDataset
from embedtune.serving.static import StaticModel
from embedtune.tuning.material import gather
from embedtune.tuning.near_positives import near_positives

TEXT = "Block a lost card in the app under Cards, or call us at any hour of the day."
TEXTS = [
    TEXT,
    f"{TEXT}!",
    "Open a new account in a branch or on the telephone.",
    "",
    "",
]


def test_only_what_is_near_a_positive_is_named() -> None:
    """A ranked document is named where its near-duplicate is relevant, and only there.

    A positive that is ranked itself is named as well; blank documents never are.
    """
    ranking = np.array([[1, 2, 0], [1, 2, -1], [4, 1, 2]])

    found = near_positives(TEXTS, [{0: 1}, {2: 1}, {3: 1}], ranking)

    assert [frozenset({0, 1}), frozenset(), frozenset()] == found


def test_hard_negatives_leave_them_out() -> None:
    """The best hit of the base is left out if it is nearly equal to the answer.

    A label that calls it not relevant is believed.
    """
    corpus = {f"d{i}": text for i, text in enumerate(TEXTS)}

    def hard(labels: dict[str, int]) -> list[int]:
        dataset = TuningDataset(
            corpus=corpus, queries={"q": "lost card"}, train={"q": labels}
        )
        model = StaticModel.open()
        return gather(dataset, model, np.random.default_rng(0)).hard[0].tolist()

    assert {2, 3, 4, -1} == set(hard({"d0": 1}))
    assert 1 == hard({"d0": 1, "d1": 0})[0]
    assert 1 in hard({"d2": 1})
