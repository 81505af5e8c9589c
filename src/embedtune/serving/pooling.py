"""From tokens to rows: one text is the mean of its tokens' rows, of norm 1."""

from __future__ import annotations

from itertools import pairwise

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.errors import DataError
from embedtune.types import FloatMatrix

# So small that sums of parts keep rounding errors below 3e-7 in texts of any length.
_TOKENS_AT_ONCE = 256
_ROWS_AT_ONCE = 4096
_SMALL, _LARGE = 1e-15, 1e15  # outside, the squares of float32 leave their range


@attrs.frozen(kw_only=True, eq=False)
class TokenBags:
    """The tokens of many texts, one text after the other.

    Attributes:
        ids: Token numbers, int32.
        starts: One more than there are texts, int64: the tokens of text `i` are
            `ids[starts[i]:starts[i + 1]]`.
    """

    ids: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int64]

    def __len__(self) -> int:
        """Count the texts."""
        return len(self.starts) - 1

    def joined(
        self, numbers: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]
    ) -> TokenBags:
        """Return texts that are made of the texts in here.

        Args:
            numbers: Which of the texts in here, for all new texts one after the other.
            counts: How many of *numbers* each new text has.
        """
        lengths = np.diff(self.starts)[numbers]
        bounds = bounds_of(lengths)
        places = np.repeat(self.starts[numbers] - bounds[:-1], lengths)
        ids = self.ids[places + np.arange(bounds[-1])]
        return TokenBags(ids=ids, starts=bounds[bounds_of(counts)])


def pool(
    table: FloatMatrix,
    bags: TokenBags,
    *,
    blank: npt.NDArray[np.float32] | None = None,
) -> FloatMatrix:
    """Return one unit row for each text: the mean of its tokens' rows, normalised.

    A row depends on the text's own tokens alone, to the last bit.

    Args:
        table: One row for every token, float32.
        bags: The tokens of the texts.
        blank: The row of a text that has no tokens or whose mean is zero; `None`
            stands for :func:`blank_row` of *table*.

    Raises:
        DataError: If *bags* name a token that *table* does not have.
    """
    if len(bags.ids) and not 0 <= bags.ids.min() <= bags.ids.max() < len(table):
        msg = f"the texts have tokens that the table of {len(table)} rows does not have"
        raise DataError(msg)
    rows = np.zeros((len(bags), table.shape[1]), dtype=np.float32)
    _add_token_rows(np.asarray(table, dtype=np.float32), bags, rows)
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        block = rows[first : first + _ROWS_AT_ONCE]
        has_direction = _scale_to_unit(block)
        if not has_direction.all():
            block[~has_direction] = blank_row(table) if blank is None else blank
    return rows


def blank_row(table: FloatMatrix) -> npt.NDArray[np.float32]:
    """Return the unit row of a text without tokens: the opposite of the mean token.

    It is far from what texts have in common, so that such a text is found late.
    """
    row = -table.mean(axis=0, dtype=np.float64)
    norm = float(np.linalg.norm(row))
    if norm == 0:
        row[0] = norm = 1.0
    unit: npt.NDArray[np.float32] = (row / norm).astype(np.float32)
    unit.setflags(write=False)
    return unit


def bounds_of(lengths: npt.NDArray[np.integer | np.bool_]) -> npt.NDArray[np.int64]:
    """Return where parts of these lengths begin, and where the last one ends."""
    bounds = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=bounds[1:])
    return bounds


def _add_token_rows(table: FloatMatrix, bags: TokenBags, rows: FloatMatrix) -> None:
    # Each text is summed by a reduction of its own: `reduceat` is ten times slower.
    ids, starts = bags.ids, bags.starts
    size = min(_TOKENS_AT_ONCE, len(ids))
    buffer = np.empty((size, table.shape[1]), dtype=np.float32)
    first = 0
    while first < len(bags):
        origin = int(starts[first])
        last = int(np.searchsorted(starts, origin + _TOKENS_AT_ONCE, "right")) - 1
        if last == first:  # longer than the buffer: its sum is a sum of parts
            last = first + 1
            end = int(starts[last])
            for begin in range(origin, end, _TOKENS_AT_ONCE):
                part = ids[begin : min(begin + _TOKENS_AT_ONCE, end)]
                rows[first] += np.add.reduce(_gather(table, part, buffer), axis=0)
        else:
            gathered = _gather(table, ids[origin : int(starts[last])], buffer)
            bounds = (starts[first : last + 1] - origin).tolist()
            for row, (begin, end) in enumerate(pairwise(bounds), first):
                np.add.reduce(gathered[begin:end], axis=0, out=rows[row])
        first = last


def _gather(
    table: FloatMatrix, ids: npt.NDArray[np.int32], buffer: FloatMatrix
) -> FloatMatrix:
    # With the default mode, `take` would fill a copy of the buffer first.
    return np.take(table, ids, axis=0, out=buffer[: len(ids)], mode="clip")


def _scale_to_unit(rows: FloatMatrix) -> npt.NDArray[np.bool_]:
    with np.errstate(over="ignore"):
        norms = np.sqrt((rows * rows).sum(axis=1))
    is_odd = ~((norms > _SMALL) & (norms < _LARGE))
    if is_odd.any():
        peaks = np.abs(rows[is_odd]).max(axis=1)
        peaks[peaks == 0] = 1
        scaled = rows[is_odd] / peaks[:, None]
        rows[is_odd] = scaled
        norms[is_odd] = np.sqrt((scaled * scaled).sum(axis=1))
    has_direction: npt.NDArray[np.bool_] = norms > 0
    norms[~has_direction] = 1
    rows /= norms[:, None]
    return has_direction
