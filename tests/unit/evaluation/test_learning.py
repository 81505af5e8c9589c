"""The learning curve of a job."""

from __future__ import annotations

import math

import numpy as np
import pytest

from embedtune.errors import ConfigurationError
from embedtune.evaluation.learning import LearningCurve
from embedtune.evaluation.learning_section import learning_section, mark_of

HISTORY = [
    {"step": 1, "loss": 3.0},
    {"step": 2, "loss": 2.0, "score": 0.4, "seen": 0.3, "unseen": 0.5},
    {"step": 4, "loss": 1.0, "score": 0.6, "seen": 0.5, "unseen": 0.7},
    {"step": 6, "loss": 0.5, "score": 0.5, "seen": 0.6, "unseen": 0.4},
    {"step": 1, "loss": 2.5},
    {"step": 3, "loss": 1.5},
]


def test_runs_and_scores() -> None:
    """Where steps fall back another run begins; scores are those of the first."""
    curve = LearningCurve.of(HISTORY)

    assert ((1, 3.0), (2, 2.0), (4, 1.0), (6, 0.5)) == curve.losses[0]
    assert ((1, 2.5), (3, 1.5)) == curve.losses[1]
    assert ((2, 0.4), (4, 0.6), (6, 0.5)) == curve.scores["score"]
    assert ["score", "seen", "unseen"] == list(curve.scores)
    assert (1, 6) == (curve.first, curve.last)
    assert 4 == curve.best
    assert curve.chosen is None
    assert hash(curve) == hash(LearningCurve.of(list(HISTORY)))


def test_chosen_goes_before_best() -> None:
    """A step that is marked as chosen is shown as such, although another is better."""
    rows = [{**row, "chosen": 1.0} if row["step"] == 6 else row for row in HISTORY]
    marks = [mark_of(LearningCurve.of(each)) for each in (HISTORY, rows)]

    assert ["best score: step 4", "chosen: step 6"] == [m.name for m in marks if m]
    assert mark_of(LearningCurve.of([{"step": 1, "loss": 1.0}])) is None


def test_what_is_no_number_is_left_out() -> None:
    """Steps after a run left the range of numbers have no point."""
    curve = LearningCurve.of(
        [{"step": 1, "loss": 1.0}, {"step": 2, "loss": math.nan}, {"step": 3}]
    )

    assert (((1, 1.0),),) == curve.losses
    assert {} == curve.scores
    assert curve.best is None


def test_long_runs_are_drawn_in_means() -> None:
    """A line has a bounded number of points, and its last step is the run's."""
    curve = LearningCurve.of([{"step": n, "loss": float(n)} for n in range(1, 10_001)])

    assert 400 == len(curve.losses[0])
    assert (25, 13.0) == curve.losses[0][0]
    assert 10_000 == curve.last


def test_wrong_histories() -> None:
    """What cannot be drawn is refused, with the rows."""
    with pytest.raises(ConfigurationError, match="'history' has no steps"):
        LearningCurve.of([])
    with pytest.raises(ConfigurationError, match="2 have none: 0, 2"):
        LearningCurve.of([{"loss": 1.0}, {"step": 1}, {"step": math.nan}])
    with pytest.raises(ConfigurationError, match=r"7 have none: 0, 1, 2, 3, 4, \.\.\."):
        LearningCurve.of([{}] * 7)
    with pytest.raises(ConfigurationError, match="nothing to draw"):
        LearningCurve.of([{"step": 1, "accuracy": 1.0}])


def test_numbers_of_numpy() -> None:
    """Rows of NumPy's numbers, as data frames give them, are drawn like others."""
    rows = [{"step": np.int64(1), "loss": np.float32(0.5)}]

    assert (((1.0, 0.5),),) == LearningCurve.of(rows).losses


def test_words() -> None:
    """The note tells whether the end was reached, and what a loss alone is worth."""
    early = "".join(learning_section(LearningCurve.of(HISTORY)))
    rising = "".join(learning_section(LearningCurve.of(HISTORY[:3])))
    alone = "".join(learning_section(LearningCurve.of(HISTORY[4:])))

    assert "peaked before the end" in early
    assert "loss of the run on all labels" in early
    assert "still at its best at the end" in rising
    assert "does not say that searches get better" in alone
    assert [] == learning_section(None)


def test_a_single_step() -> None:
    """One step is a dot."""
    text = "".join(learning_section(LearningCurve.of([{"step": 7, "score": 0.5}])))

    assert 1 == text.count("<circle")
    assert 1 == text.count('<path class="line line-score"')  # in the key
