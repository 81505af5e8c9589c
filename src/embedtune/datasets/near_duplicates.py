"""Texts that are nearly equal, found among very many in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b

import attrs
import numpy as np
import numpy.typing as npt

from embedtune.datasets.minhash import VALUES, Bands, Signer, look_alike
from embedtune.datasets.shingles import Shingles, blocks, overlaps, starts_run
from embedtune.datasets.text import encoded, normalised
from embedtune.progress import ProgressOption, track

THRESHOLD = 0.8
"""The similarity from which on texts are near-duplicates, unless told otherwise."""

LOWEST_THRESHOLD = 0.5
"""Below it, texts of one language begin to look alike."""

SHORTEST = 34
"""A text with fewer characters, normalised, is a near-duplicate of equal ones only:
`answer 12` and `answer 13` share most of their pieces, and little of their meaning."""

_CROWD = 32  # so many texts that agree in a band are all compared with each other
_PAIRS, _LEAST = 1024, 2  # of more, each with its neighbours: as many as fit, at least
_SIGNED = 1 << 22  # characters that are signed at a time
_COMPARED = 1 << 22  # characters whose shingles are compared at a time
_FILTERED = 1 << 18  # pairs whose signatures are compared at a time

_ROUNDING = 1e-9

_Rows = npt.NDArray[np.int64]


def near_duplicate_groups(
    texts: Sequence[str],
    *,
    threshold: float = THRESHOLD,
    seed: int = 0,
    progress: ProgressOption = False,
) -> npt.NDArray[np.int64]:
    """Return for each text the number of its group: the lowest index in it.

    Texts are near-duplicates if their sets of shingles (each five characters in a row,
    of the normalised text) overlap by *threshold* or more in Jaccard similarity, or if
    they are equal, normalised. Groups are what such pairs connect: in a group of more
    than two, not every text need be near every other. A blank text is alone, and so is
    a short one (see `SHORTEST`) that has no equal.

    Every pair that is joined was compared exactly. A pair at the threshold is missed
    with a chance of less than one in a hundred, a closer one less often; among pages of
    one template, more may be missed: where more than 32 texts agree in the same values,
    each is compared with a few of them only.
    The groups do not depend on the order of the texts.

    Args:
        texts: In any script.
        threshold: From 0.5 to 1.
        seed: Of the hash functions.
        progress: `True` for a bar, a callable for events.

    Raises:
        ValueError: If *threshold* is out of range.

    >>> text = "Hold both buttons for five seconds until the lamp blinks twice"
    >>> near_duplicate_groups(["Another text", text, text + "."]).tolist()
    [0, 1, 1]
    """
    refuse_threshold(threshold)
    index = _Index.of(texts, threshold, seed, progress)
    links = _Links(len(index.first))
    for band, keys in enumerate(index.keys):
        further = index.keys[band - 1]
        for left, right in _candidates(keys, further, index.long, links):
            alike = look_alike(
                index.signatures[left], index.signatures[right], threshold
            )
            one, other = index.long[left[alike]], index.long[right[alike]]
            near = _are_near(texts, index.first[one], index.first[other], threshold)
            links.join(one[near], other[near])
    groups = links.roots()[index.number]
    lowest = np.full(len(index.first), len(texts))
    np.minimum.at(lowest, groups, np.arange(len(texts)))
    return np.where(index.is_blank, np.arange(len(texts)), lowest[groups])


def are_near_duplicates(
    one: Sequence[str], other: Sequence[str], *, threshold: float = THRESHOLD
) -> npt.NDArray[np.bool_]:
    """Return for each pair of texts whether they are near-duplicates, exactly.

    Args:
        one: The first text of each pair.
        other: The second text of each pair, as many.
        threshold: As for :func:`near_duplicate_groups`.

    >>> text = "Hold both buttons for five seconds until the lamp blinks twice"
    >>> are_near_duplicates([text, "answer 12"], [f"{text}!", "answer 13"]).tolist()
    [True, False]
    """
    texts = [*map(normalised, one), *map(normalised, other)]
    left = np.arange(len(one))
    right = left + len(one)
    lengths = np.array([len(text) for text in texts], np.int64)
    near = np.array(
        [
            bool(a) and a == b
            for a, b in zip(texts[: len(one)], texts[len(one) :], strict=True)
        ],
        np.bool_,
    )
    long = (lengths[left] >= SHORTEST) & (lengths[right] >= SHORTEST)
    near[long] |= _are_near(texts, left[long], right[long], threshold)
    return near


def refuse_threshold(threshold: object) -> None:
    """Raise if *threshold* is no similarity that can be asked for."""
    if isinstance(threshold, bool) or not isinstance(threshold, (int, float)):
        msg = f"the threshold of near-duplicates must be a number (got {threshold!r})"
        raise TypeError(msg)
    if not LOWEST_THRESHOLD <= threshold <= 1:
        msg = (
            f"the threshold of near-duplicates must be from {LOWEST_THRESHOLD} to 1 "
            f"(got {threshold!r})"
        )
        raise ValueError(msg)


class _Links:
    """Which texts are connected, by the lowest of each group."""

    def __init__(self, size: int) -> None:
        self._parents: _Rows = np.arange(size)

    def roots(self) -> _Rows:
        """Return the lowest member of the group of each."""
        while True:
            parents = self._parents[self._parents]
            if np.array_equal(parents, self._parents):
                return parents
            self._parents = parents

    def join(self, left: _Rows, right: _Rows) -> None:
        """Make the groups of each pair one group."""
        while left.size:
            roots = self.roots()
            one, other = roots[left], roots[right]
            apart = one != other
            left, right, one, other = (
                left[apart],
                right[apart],
                one[apart],
                other[apart],
            )
            np.minimum.at(self._parents, np.maximum(one, other), np.minimum(one, other))


@attrs.frozen(kw_only=True, eq=False)
class _Index:
    """What is known of the texts, each content once, in an order of the contents.

    Attributes:
        first: The index of the first text of each content.
        number: For each text the number of its content.
        is_blank: For each text whether there is nothing in it.
        long: The numbers of the contents that are compared with others.
        signatures: Of these, a row each.
        keys: Of these, a row for each band.
    """

    first: _Rows
    number: _Rows
    is_blank: npt.NDArray[np.bool_]
    long: _Rows
    signatures: npt.NDArray[np.uint8]
    keys: npt.NDArray[np.uint64]

    @classmethod
    def of(
        cls, texts: Sequence[str], threshold: float, seed: int, progress: ProgressOption
    ) -> _Index:
        bands = Bands.for_threshold(threshold)
        signer = Signer(seed, bands)
        count = len(texts)
        digests = np.zeros(count, dtype="S16")
        lengths = np.zeros(count, dtype=np.int64)
        signatures = np.zeros((count, VALUES), dtype=np.uint8)
        keys = np.zeros((bands.count, count), dtype=np.uint64)
        with track("finding near-duplicates", count, progress) as bar:
            for block in blocks([len(text) for text in texts], _SIGNED):
                some = [normalised(text) for text in texts[block]]
                digests[block] = [_digest(text) for text in some]
                lengths[block] = [len(text) for text in some]
                compared = [text if len(text) >= SHORTEST else "" for text in some]
                signed = signer.sign(Shingles.of(compared))
                signatures[block], keys[:, block] = signed
                bar.advance(len(some))
        first, number = _different(digests)
        long = np.flatnonzero(lengths[first] >= SHORTEST)
        return cls(
            first=first,
            number=number,
            is_blank=lengths == 0,
            long=long,
            signatures=signatures[first[long]],
            keys=keys[:, first[long]],
        )


def _different(digests: npt.NDArray[np.bytes_]) -> tuple[_Rows, _Rows]:
    """Return the first index of each digest, in their order, and each one's number."""
    order = np.argsort(digests, kind="stable")
    is_new = starts_run(digests[order])
    number = np.empty(len(digests), dtype=np.int64)
    number[order] = np.cumsum(is_new) - 1
    return order[is_new], number


def _candidates(
    keys: npt.NDArray[np.uint64],
    further: npt.NDArray[np.uint64],
    numbers: _Rows,
    links: _Links,
) -> Iterator[tuple[_Rows, _Rows]]:
    """Yield pairs that agree in one band and are not connected yet.

    Args:
        keys: The key of the band, by row.
        further: The key of another one; what agrees in both is compared first.
        numbers: What *links* calls each row.
        links: Who uses the pairs joins what is near before asking for more.
    """
    order = np.lexsort((further, keys))
    starts = np.flatnonzero(starts_run(keys[order]))
    ends = np.append(starts[1:], len(keys))
    for distance in range(1, _CROWD):
        sizes = ends - starts
        is_compared = (sizes > distance) & (
            (sizes <= _CROWD) | (distance <= np.maximum(_LEAST, _PAIRS // sizes))
        )
        starts, ends = starts[is_compared], ends[is_compared]
        sizes = ends - starts - distance
        for part in blocks(sizes.tolist(), _FILTERED):
            some = sizes[part]
            before = np.cumsum(some) - some
            places = np.arange(some.sum()) + np.repeat(starts[part] - before, some)
            left, right = order[places], order[places + distance]
            roots = links.roots()
            is_open = roots[numbers[left]] != roots[numbers[right]]
            if is_open.any():
                yield left[is_open], right[is_open]


def _are_near(
    texts: Sequence[str], left: _Rows, right: _Rows, threshold: float
) -> npt.NDArray[np.bool_]:
    """Compare the texts at two indices each exactly."""
    near = np.zeros(len(left), dtype=np.bool_)
    sizes = [
        len(texts[one]) + len(texts[other])
        for one, other in zip(left.tolist(), right.tolist(), strict=True)
    ]
    for part in blocks(sizes, _COMPARED):
        one, other = (_normal(texts, rows[part]) for rows in (left, right))
        shares = overlaps(Shingles.of(one), Shingles.of(other))
        near[part] = shares >= threshold - _ROUNDING
    return near


def _normal(texts: Sequence[str], rows: _Rows) -> list[str]:
    numbers: list[int] = rows.tolist()
    return [normalised(texts[number]) for number in numbers]


def _digest(text: str) -> bytes:
    return blake2b(encoded(text), digest_size=16).digest()
