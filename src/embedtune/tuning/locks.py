"""Locks that the operating system takes back when their holder dies.

A process id proves nothing, because it is used again. A lock on an open file does: it
is gone when the last process that has the file open is gone, however it ended.
On POSIX systems a child can inherit a lock from its parent, so that there is no moment
in which nobody holds it.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

if sys.platform == "win32":  # pragma: no cover -- Windows
    import msvcrt
else:
    import fcntl

IS_INHERITABLE = sys.platform != "win32"
"""Whether a child process can take a lock over from its parent."""


class FileLock:
    """An exclusive lock that this process holds."""

    def __init__(self, descriptor: int) -> None:
        """Take over a file that is open and locked; see :meth:`acquire`."""
        self.descriptor = descriptor

    @classmethod
    def acquire(cls, path: Path) -> Self | None:
        """Lock a file, made if it is not there; `None` if another holds the lock.

        A reader that is just looking (:func:`is_locked`) does not count as a holder.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        while not _lock(descriptor):
            if _is_exclusive(descriptor):
                os.close(descriptor)
                return None
        return cls(descriptor)

    @classmethod
    def inherited(cls, descriptor: int) -> Self:
        """Take over the lock that a parent process left in an open file."""
        os.set_inheritable(descriptor, False)  # noqa: FBT003 -- not ours
        return cls(descriptor)

    def release(self) -> None:
        """Close the file; the lock stays with a child that inherited it."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def is_locked(path: Path) -> bool:
    """Return whether some process holds the lock; never in its way."""
    try:
        descriptor = os.open(
            path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY
        )
    except FileNotFoundError:
        return False
    try:
        return _is_exclusive(descriptor)
    finally:
        os.close(descriptor)


if sys.platform == "win32":  # pragma: no cover -- Windows

    def _lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _is_exclusive(descriptor: int) -> bool:
        if not _lock(descriptor):
            return True
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
        return False

else:

    def _lock(descriptor: int) -> bool:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        return False

    def _is_exclusive(descriptor: int) -> bool:
        # A shared lock is refused by an exclusive one alone, not by other readers.
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        return False
