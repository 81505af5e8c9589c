"""Many readers or one writer, in turns."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Gate:
    """Let readers in together and writers alone, so that nobody waits for ever.

    A waiting writer goes before readers that come later; readers that waited for a
    writer go before the next one. Neither side may be entered again from inside.

    Attributes:
        waiting_readers: How many stand before the gate.
        waiting_writers: How many stand before the gate.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._readers = 0
        self._is_writing = False
        self.waiting_readers = 0
        self.waiting_writers = 0
        self._passes = 0  # readers that may go before the next writer

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Hold off writers during the block."""
        with self._changed:
            self.waiting_readers += 1
            try:
                self._changed.wait_for(self._may_read)
            finally:
                self.waiting_readers -= 1
                self._passes = min(max(self._passes - 1, 0), self.waiting_readers)
                self._changed.notify_all()
            self._readers += 1
        try:
            yield
        finally:
            with self._changed:
                self._readers -= 1
                self._changed.notify_all()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold off everybody else during the block."""
        with self._changed:
            self.waiting_writers += 1
            try:
                self._changed.wait_for(self._may_write)
            finally:
                self.waiting_writers -= 1
                self._changed.notify_all()
            self._is_writing = True
        try:
            yield
        finally:
            with self._changed:
                self._is_writing = False
                self._passes = self.waiting_readers
                self._changed.notify_all()

    def _may_read(self) -> bool:
        return not self._is_writing and (self.waiting_writers == 0 or self._passes > 0)

    def _may_write(self) -> bool:
        return not self._is_writing and self._readers == 0 and self._passes == 0
