"""Optional packages: what to say when one is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from embedtune.errors import MissingDependencyError


@contextmanager
def needs(package: str, *, extra: str) -> Iterator[None]:
    """Turn the failed import of an optional package into advice.

    Any other error comes through, the failed import of another package included.

    Args:
        package: The name to import, for example `"matplotlib"`.
        extra: The extra of embedtune that brings it.

    Raises:
        MissingDependencyError: If the package is not installed.

    >>> with needs("no_such_package", extra="plots"):
    ...     import no_such_package
    Traceback (most recent call last):
    ...
    embedtune.errors.MissingDependencyError: 'no_such_package' is not installed; ...
    """
    try:
        yield
    except ModuleNotFoundError as e:
        if (e.name or "").partition(".")[0] != package:
            raise
        msg = f"{package!r} is not installed; run: pip install 'embedtune[{extra}]'"
        raise MissingDependencyError(msg, package=package, extra=extra) from e
