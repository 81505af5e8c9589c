"""Settings and numbers of any depth, as lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence


def flattened(facts: Mapping[str, object]) -> dict[str, str]:
    """Return one line for each value; a nested name follows that of its parent.

    What is `None` or empty has no line.

    >>> flattened({"tuner": {"seed": 0, "sizes": [1, 2], "note": None}, "gain": 0.25})
    {'tuner, seed': '0', 'tuner, sizes': '1, 2', 'gain': '0.25'}
    """
    return dict(_lines("", facts))


def _lines(name: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _lines(f"{name}, {key}" if name else str(key), inner)
    elif value is not None:
        shown = _shown(value)
        if shown:
            yield name, shown


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return ", ".join(map(_shown, value))
    return str(value)
