"""Texts as sets of short pieces, by which nearly equal texts are recognised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.datasets.text import encoded_points

WIDTH = 5
"""So many characters make a shingle: pieces of words, in any script."""

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_TEXT_BITS = 20  # for the number of a text, in front of a shingle of it
_SHIFT = np.uint64(64 - _TEXT_BITS)
_MIXERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


@attrs.frozen(kw_only=True, eq=False)
class Shingles:
    """The shingles of some texts; those of one text may repeat each other.

    Attributes:
        hashes: A number for each shingle that depends on its characters alone;
            between two texts stand a few that belong to neither.
        starts: Where those of each text begin.
        ends: Where they end; a text shorter than a shingle has none.
    """

    hashes: npt.NDArray[np.uint64]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Shingles:
        """Take the shingles of texts, which are taken as they are."""
        points = encoded_points("".join(texts)).astype(np.uint64)
        hashes = np.zeros(max(0, len(points) - WIDTH + 1), dtype=np.uint64)
        for offset in range(WIDTH):
            hashes *= _FACTOR
            hashes += points[offset : offset + len(hashes)]
        lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
        bounds = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        starts = bounds[:-1]
        ends = np.maximum(bounds[1:] - WIDTH + 1, starts)
        return cls(hashes=mixed(hashes), starts=starts, ends=ends)

    def __len__(self) -> int:
        """Count the texts."""
        return len(self.starts)


def mixed(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Spread numbers over the whole range, in place, and return them.

    Every bit of the result depends on all bits of the number (splitmix64).
    """
    for shift, factor in zip((30, 27), _MIXERS, strict=True):
        numbers ^= numbers >> np.uint64(shift)
        numbers *= factor
    numbers ^= numbers >> np.uint64(31)
    return numbers


def starts_run(ordered: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
    """Whether each of some ordered values differs from the one before it."""
    is_new = np.ones(len(ordered), dtype=np.bool_)
    is_new[1:] = ordered[1:] != ordered[:-1]
    return is_new


def blocks(lengths: Sequence[int], size: int) -> Iterator[slice]:
    """Yield consecutive slices of about *size* characters, of one text at least."""
    first, total = 0, 0
    for index, length in enumerate(lengths):
        total += length
        if total >= size:
            yield slice(first, index + 1)
            first, total = index + 1, 0
    if first < len(lengths):
        yield slice(first, len(lengths))


def overlaps(one: Shingles, other: Shingles) -> npt.NDArray[np.float64]:
    """Return for each pair of texts the Jaccard similarity of their shingles.

    It is the share of the different shingles of both that both have.

    Args:
        one: The first text of each pair.
        other: The second text of each pair, as many.
    """
    first, second = _distinct(one), _distinct(other)
    both = np.concatenate([first, second])
    both.sort()
    shared = both[1:][both[1:] == both[:-1]] >> _SHIFT
    counts = [
        np.bincount((part >> _SHIFT).astype(np.int64), minlength=len(one))
        for part in (first, second)
    ]
    common = np.bincount(shared.astype(np.int64), minlength=len(one))
    different = np.maximum(counts[0] + counts[1] - common, 1)
    shares: npt.NDArray[np.float64] = np.divide(common, different)
    return shares


def _distinct(shingles: Shingles) -> npt.NDArray[np.uint64]:
    """Return each shingle of each text once, the number of the text before it."""
    lengths = shingles.ends - shingles.starts
    owners = np.repeat(np.arange(len(shingles), dtype=np.uint64), lengths)
    before = np.cumsum(lengths) - lengths
    where = np.arange(lengths.sum()) + np.repeat(shingles.starts - before, lengths)
    keys = shingles.hashes[where] >> np.uint64(_TEXT_BITS)
    keys |= owners << _SHIFT
    keys.sort()  # np.unique() hashes instead, which takes many times as long
    different: npt.NDArray[np.uint64] = keys[starts_run(keys)]
    return different
