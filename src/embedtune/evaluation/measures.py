"""Measures of a ranking: what they are called and how they are computed.

Names and definitions are those of ir_measures and trec_eval:

- `nDCG@k`: discounted cumulative gain over that of the best possible ranking; the gain
  is the relevance itself (linear), the discount is log2(rank + 1).
- `R@k`: recall, the share of the positives that are among the first *k*.
- `RR@k`: 1 / rank of the first positive; 0 if there is none among the first *k*.
- `AP@k`: the mean of the precisions at the ranks of the positives found.
- `P@k`: the share of positives among the first *k*; *k* divides, whatever was found.
- `Success@k`: 1 if a positive is among the first *k*, else 0.

A document is positive if its relevance is at least 1. An unjudged document counts as
not relevant. A query without any positive has 0 in every measure.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any, Literal, Self, TypeAlias

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.errors import ConfigurationError

MeasureKind: TypeAlias = Literal["nDCG", "R", "RR", "AP", "P", "Success"]
Values: TypeAlias = npt.NDArray[np.float64]
"""One number a query."""

_Integers: TypeAlias = npt.NDArray[np.integer[Any]]

_KINDS: dict[str, MeasureKind] = {
    "ndcg": "nDCG",
    "r": "R",
    "recall": "R",
    "rr": "RR",
    "mrr": "RR",
    "ap": "AP",
    "map": "AP",
    "p": "P",
    "precision": "P",
    "success": "Success",
    "hitrate": "Success",
}
_WITHOUT_CUTOFF = ("nDCG", "RR", "AP")
_SHOWN = ("nDCG", "R", "RR", "AP", "P", "Success")
_NAME = re.compile(r"(?P<kind>[A-Za-z]+)(?:@(?P<cutoff>[1-9][0-9]{0,8}))?")


@attrs.frozen(kw_only=True)
class Measure:
    """One measure at one cutoff.

    Attributes:
        kind: What is measured; see the module's list.
        cutoff: How many hits are looked at; `None` for all there are, which only
            nDCG, RR and AP allow.
    """

    kind: MeasureKind = attrs.field(validator=attrs.validators.in_(_SHOWN))
    cutoff: int | None = None

    def __attrs_post_init__(self) -> None:
        if self.cutoff is None:
            if self.kind not in _WITHOUT_CUTOFF:
                msg = f"{self.kind!r} needs a cutoff; write {self.kind + '@10'!r}"
                raise ConfigurationError(msg)
        elif self.cutoff < 1:
            msg = f"'cutoff' must be >= 1 or None (got {self.cutoff!r})"
            raise ConfigurationError(msg)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the measure that *text* names; case and common aliases are accepted.

        Raises:
            ConfigurationError: If there is no such measure.

        Example:
            >>> Measure.parse("ndcg@10").name, Measure.parse("Recall@100").name
            ('nDCG@10', 'R@100')
        """
        if not isinstance(text, str):
            msg = f"a measure must be a string (got {text!r}); write 'nDCG@10'"
            raise TypeError(msg)
        match = _NAME.fullmatch(text.strip())
        kind = _KINDS.get(match["kind"].lower()) if match else None
        if match is None or kind is None:
            raise ConfigurationError(_unknown(text))
        cutoff = match["cutoff"]
        return cls(kind=kind, cutoff=int(cutoff) if cutoff else None)

    @property
    def name(self) -> str:
        """The canonical name, for example `"nDCG@10"`."""
        return self.kind if self.cutoff is None else f"{self.kind}@{self.cutoff}"

    def __str__(self) -> str:
        """Return the name."""
        return self.name

    def values(
        self,
        ranked: _Integers,
        ideal: _Integers,
        positives: _Integers | None = None,
    ) -> Values:
        """Return one value a query.

        Args:
            ranked: (queries, depth); the relevance of the hit at each rank, 0 for an
                unjudged document and for no hit.
            ideal: (queries, any); the relevances of the query's labels, largest first,
                filled up with 0.
            positives: How many labels of each query are positive; counted in *ideal*
                if `None`, which then must hold all of them.

        Example:
            >>> ranked, ideal = np.array([[0, 1, 1]]), np.array([[1, 1, 0]])
            >>> Measure.parse("AP@3").values(ranked, ideal).round(3).tolist()
            [0.583]
        """
        counts = _count(ideal) if positives is None else positives
        ranked = ranked[:, : self.cutoff]
        if self.kind == "nDCG":
            return _ratio(_dcg(ranked), _dcg(ideal[:, : self.cutoff]))
        is_positive = ranked > 0
        if self.kind == "R":
            return _ratio(_count(ranked), counts)
        if self.kind == "P":
            return _ratio(_count(ranked), np.full(len(ranked), self.cutoff))
        if self.kind == "Success":
            return np.asarray(is_positive.any(axis=1), np.float64)
        if self.kind == "RR":
            return _reciprocal_rank(is_positive)
        ranks = np.arange(1, is_positive.shape[1] + 1)
        precisions = np.cumsum(is_positive, axis=1) / ranks
        return _ratio(_sums(precisions * is_positive), counts)


def parse_measures(measures: str | Iterable[str | Measure]) -> tuple[Measure, ...]:
    """Return the measures named, each once, in the order given.

    Raises:
        ConfigurationError: If a name is unknown or there is none at all.
    """
    given = (measures,) if isinstance(measures, str) else measures
    parsed = dict.fromkeys(
        measure if isinstance(measure, Measure) else Measure.parse(measure)
        for measure in given
    )
    if not parsed:
        msg = "'measures' must name at least one measure; write ('nDCG@10',)"
        raise ConfigurationError(msg)
    return tuple(parsed)


def measure_values(
    measures: Sequence[Measure],
    ranked: _Integers,
    ideal: _Integers,
    positives: _Integers | None = None,
) -> Values:
    """Return the values of several measures, of shape (measures, queries).

    For the other arguments see :meth:`Measure.values`.
    """
    counts = _count(ideal) if positives is None else positives
    rows = [measure.values(ranked, ideal, counts) for measure in measures]
    return np.array(rows, np.float64).reshape(len(measures), len(ranked))


def _count(relevances: _Integers) -> _Integers:
    return np.asarray(np.count_nonzero(relevances > 0, axis=1))


def _sums(terms: Values) -> Values:
    # From the first rank to the last, as trec_eval adds: a query's value then depends
    # neither on other queries nor on the hits after its last positive.
    if not terms.shape[1]:
        return np.zeros(len(terms))
    return np.cumsum(terms, axis=1)[:, -1]


def _dcg(relevances: _Integers) -> Values:
    discounts = 1.0 / np.log2(np.arange(2, relevances.shape[1] + 2))
    return _sums(relevances * discounts)


def _reciprocal_rank(is_positive: npt.NDArray[np.bool_]) -> Values:
    if not is_positive.shape[1]:
        return np.zeros(len(is_positive))
    first = is_positive.argmax(axis=1)
    return np.where(is_positive.any(axis=1), 1.0 / (first + 1), 0.0)


def _ratio(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> Values:
    result: Values = np.zeros(len(part))
    np.divide(part, whole, out=result, where=whole > 0)
    return result


def _unknown(text: str) -> str:
    known = ", ".join(repr(f"{kind}@10") for kind in _SHOWN)
    name, _, cutoff = text.strip().partition("@")
    near = difflib.get_close_matches(name.lower(), _KINDS, n=1)
    if not near:
        hint = "any cutoff may stand after the '@'"
    else:
        number = cutoff if cutoff.isdecimal() and int(cutoff) else "10"
        hint = f"did you mean {f'{_KINDS[near[0]]}@{number}'!r}"
    return f"there is no measure {text!r}, only {known}; {hint}"
