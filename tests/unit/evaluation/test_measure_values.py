"""Names and values of measures."""

from __future__ import annotations

import math

import numpy as np
import pytest

from embedtune.errors import ConfigurationError
from embedtune.evaluation.measures import Measure, measure_values, parse_measures


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("nDCG@10", "nDCG@10"),
        ("NDCG@3", "nDCG@3"),
        ("ndcg", "nDCG"),
        (" R@5 ", "R@5"),
        ("recall@100", "R@100"),
        ("RR", "RR"),
        ("MRR@10", "RR@10"),
        ("MAP", "AP"),
        ("AP@100", "AP@100"),
        ("Precision@1", "P@1"),
        ("success@5", "Success@5"),
        ("HitRate@5", "Success@5"),
    ],
)
def test_names(text: str, name: str) -> None:
    """Names are read in any case and by their aliases, and written canonically."""
    measure = Measure.parse(text)

    assert name == measure.name == str(measure)
    assert measure == Measure.parse(measure.name)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("nDGC@20", "did you mean 'nDCG@20'"),
        ("recal@0", "did you mean 'R@10'"),
        ("ndcg@0", "did you mean 'nDCG@10'"),
        ("ndcg_10", "there is no measure 'ndcg_10'"),
        ("banana@7", "any cutoff may stand"),
        ("", "there is no measure ''"),
        ("P@²", "there is no measure"),
        ("P@-1", "there is no measure"),
        ("R", "write 'R@10'"),
        ("P", "needs a cutoff"),
        ("Success", "needs a cutoff"),
    ],
)
def test_unknown_names(text: str, hint: str) -> None:
    """What names no measure is refused with a way out; it is a ValueError, too."""
    with pytest.raises(ConfigurationError, match=hint) as e:
        Measure.parse(text)

    assert isinstance(e.value, ValueError)


def test_known_names_are_listed() -> None:
    """The error names every measure there is."""
    with pytest.raises(ConfigurationError) as e:
        Measure.parse("x@1")

    assert all(
        f"'{kind}@10'" in str(e.value)
        for kind in ("nDCG", "R", "RR", "AP", "P", "Success")
    )


def test_wrong_arguments() -> None:
    """A measure is a string; a cutoff is at least 1."""
    with pytest.raises(TypeError, match="must be a string"):
        Measure.parse(10)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="'cutoff' must be >= 1"):
        Measure(kind="nDCG", cutoff=0)
    with pytest.raises(ValueError, match="must be in"):
        Measure(kind="F1", cutoff=1)  # type: ignore[arg-type]


def test_several_names() -> None:
    """Aliases of one measure count once; one name needs no tuple; none is an error."""
    expected = (Measure(kind="R", cutoff=5), Measure(kind="RR"))

    assert expected == parse_measures(["R@5", "recall@5", Measure(kind="RR")])
    assert expected[:1] == parse_measures("R@5")
    with pytest.raises(ConfigurationError, match="at least one"):
        parse_measures([])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nDCG@3", (1 / math.log2(3) + 2 / 2) / (2 + 1 / math.log2(3) + 1 / 2)),
        ("nDCG", (1 / math.log2(3) + 1 + 1 / math.log2(6)) / (2.5 + 1 / math.log2(3))),
        ("R@3", 2 / 3),
        ("R@4", 2 / 3),
        ("R@5", 1.0),
        ("RR@1", 0.0),
        ("RR@2", 0.5),
        ("RR", 0.5),
        ("AP@3", (1 / 2 + 2 / 3) / 3),
        ("AP", (1 / 2 + 2 / 3 + 3 / 5) / 3),
        ("P@2", 0.5),
        ("P@3", 2 / 3),
        ("P@10", 0.3),
        ("Success@1", 0.0),
        ("Success@2", 1.0),
    ],
)
def test_values_worked_out_by_hand(name: str, expected: float) -> None:
    """Each measure has the value of its definition, grades as linear gains."""
    ranked = np.array([[0, 1, 2, 0, 1]])
    ideal = np.array([[2, 1, 1, 0]])

    values = Measure.parse(name).values(ranked, ideal)

    assert [pytest.approx(expected, abs=1e-12)] == values.tolist()


def test_rows_are_independent() -> None:
    """Each query has its own value; one without positives has 0 in every measure."""
    ranked = np.array([[1, 0], [0, 1], [0, 0]])
    ideal = np.array([[1], [1], [0]])
    names = ("nDCG@2", "R@2", "RR@2", "AP@2", "P@1", "Success@1")

    values = measure_values(parse_measures(names), ranked, ideal)

    assert (6, 3) == values.shape
    assert [1.0] * 6 == values[:, 0].tolist()
    assert [0.5, 0.5] == values[2:4, 1].tolist()
    assert [0.0] * 6 == values[:, 2].tolist()


def test_no_hits_at_all() -> None:
    """A ranking of depth 0 is worth 0 in every measure."""
    ranked, ideal = np.zeros((2, 0), int), np.array([[1], [1]])

    values = measure_values(
        parse_measures(["nDCG@3", "R@3", "RR@3", "RR", "AP", "P@1", "Success@1"]),
        ranked,
        ideal,
    )

    assert not values.any()


def test_positives_may_be_counted_elsewhere() -> None:
    """A cut-off ideal ranking needs the number of positives beside it."""
    ranked, ideal = np.array([[1, 1]]), np.array([[1, 1]])

    values = Measure.parse("R@2").values(ranked, ideal, np.array([4]))

    assert [0.5] == values.tolist()
