"""Short signatures of texts, by which candidates for near-duplicates are found.

A signature holds the smallest value of each of 128 hash functions over the shingles
of a text. Two texts agree in one value as often as their shingles overlap (MinHash);
texts that agree in one whole band of values are candidates (locality-sensitive
hashing). Hash functions follow from the seed alone, so signatures are the same on
every machine and with every version of any library.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from hashlib import blake2b

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.datasets.shingles import Shingles, mixed

VALUES = 128
"""So many values has a signature."""

_FOUND = 0.992  # of the pairs exactly at the threshold are candidates, on average
_DEVIATIONS = 3  # of an estimate by 128 values, below the threshold, are let through
_BLOCK = 1 << 16  # shingles that stay in the processor's cache meanwhile


@attrs.frozen(kw_only=True)
class Bands:
    """How a signature is divided.

    Attributes:
        count: The number of bands.
        rows: The values in each.
    """

    count: int
    rows: int

    @classmethod
    def for_threshold(cls, threshold: float) -> Bands:
        """Return the longest bands that still find nearly every pair there is."""
        for rows in range(VALUES, 1, -1):
            count = VALUES // rows
            if 1 - (1 - threshold**rows) ** count >= _FOUND:
                return cls(count=count, rows=rows)
        return cls(count=VALUES, rows=1)


class Signer:
    """Makes signatures with the hash functions of one seed."""

    def __init__(self, seed: int, bands: Bands) -> None:
        self._factors = _numbers(seed, b"factor") | np.uint32(1)
        self._offsets = _numbers(seed, b"offset")
        self._bands = bands

    def sign(
        self, shingles: Shingles
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint64]]:
        """Return the last byte of each value, and the key of each band.

        A text without a shingle has a signature that means nothing.
        """
        values = self._values(shingles)
        rows = self._bands.rows
        keys = np.zeros((self._bands.count, len(shingles)), dtype=np.uint64)
        for row in range(self._bands.count * rows):
            key = keys[row // rows]
            key += values[row]
            mixed(key)
        return values.astype(np.uint8).T, keys

    def _values(self, shingles: Shingles) -> npt.NDArray[np.uint32]:
        values = np.zeros((VALUES, len(shingles)), dtype=np.uint32)
        hashes = (shingles.hashes >> np.uint64(32)).astype(np.uint32)
        full = np.flatnonzero(shingles.ends > shingles.starts)
        for some in _portions(shingles, full):
            first, last = shingles.starts[some[0]], shingles.ends[some[-1]]
            bounds = np.stack([shingles.starts[some], shingles.ends[some]], axis=1)
            part = hashes[first:last]
            # From each start to its end, and from there to the next start.
            places = (bounds.ravel() - first)[:-1]
            space = np.empty_like(part)
            for row in range(VALUES):
                np.multiply(part, self._factors[row], out=space)
                space += self._offsets[row]
                values[row, some] = np.minimum.reduceat(space, places)[::2]
        return values


def look_alike(
    left: npt.NDArray[np.uint8], right: npt.NDArray[np.uint8], threshold: float
) -> npt.NDArray[np.bool_]:
    """Whether the signatures of pairs leave it open that they reach the threshold."""
    agreed = (left == right).sum(axis=1)
    slack = _DEVIATIONS * math.sqrt(threshold * (1 - threshold) / VALUES)
    is_open: npt.NDArray[np.bool_] = agreed >= (threshold - slack) * VALUES
    return is_open


def _portions(
    shingles: Shingles, full: npt.NDArray[np.int64]
) -> Iterator[npt.NDArray[np.int64]]:
    """Yield the positions of texts that come to about one block of shingles."""
    if not full.size:
        return
    number = shingles.starts[full] // _BLOCK
    yield from np.split(full, np.flatnonzero(np.diff(number)) + 1)


def _numbers(seed: int, purpose: bytes) -> npt.NDArray[np.uint32]:
    digests = b"".join(
        blake2b(b"%s %d %d" % (purpose, seed, i), digest_size=4).digest()
        for i in range(VALUES)
    )
    return np.frombuffer(digests, dtype="<u4").astype(np.uint32)
