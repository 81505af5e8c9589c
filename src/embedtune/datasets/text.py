"""When two texts count as the same."""

from __future__ import annotations

import unicodedata
from hashlib import blake2b

import numpy as np
import numpy.typing as npt


def normalised(text: str) -> str:
    r"""Return what is left of *text* when form, case and spacing are ignored.

    Compatibility forms are unified (NFKC), case is folded, and every run of white
    space becomes one space.
    Texts with equal results are duplicates, for splits and for checks alike.

    >>> normalised("  Where is\tMY card? ")
    'where is my card?'
    """
    if text.isascii():  # the same result, several times as fast
        return " ".join(text.lower().split())
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def encoded(text: str) -> bytes:
    """Return *text* as bytes, also where it holds what UTF-8 cannot (surrogates)."""
    return text.encode("utf-8", "surrogatepass")


def content_id(prefix: str, *parts: str) -> str:
    """Return a short id that depends on *parts* alone.

    >>> content_id("d", "some text")
    'd-2ec2915127ae7650a72d'
    """
    digest = blake2b(digest_size=10)
    for part in parts:
        data = encoded(part)
        digest.update(b"%d:" % len(data))
        digest.update(data)
    return f"{prefix}-{digest.hexdigest()}"


def encoded_points(text: str) -> npt.NDArray[np.uint32]:
    r"""Return the code points of *text*, on every machine the same.

    >>> encoded_points("a\u00e9").tolist()
    [97, 233]
    """
    data = text.encode("utf-32-le", "surrogatepass")
    return np.frombuffer(data, dtype="<u4")
