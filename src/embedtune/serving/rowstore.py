"""Rows by key in one SQLite file, for several threads and processes at once.

The file has the application id of the library, a version, and one table:
`rows(key BLOB PRIMARY KEY, row BLOB)`, a row being little-endian float32.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt

from embedtune.errors import (
    BackendError,
    ConfigurationError,
    DataError,
    InvalidRequestError,
    UnavailableError,
)
from embedtune.types import FloatMatrix

_APPLICATION_ID = 0x656D6274  # "embt"
_VERSION = 1
_KEYS_AT_ONCE = 500  # below SQLite's oldest limit of 999 parameters
_UNIT_TOLERANCE = 1e-3

_log = logging.getLogger(__name__)
T = TypeVar("T")


class RowStore:
    """Unit rows by key; what was put is there after any crash of the process."""

    def __init__(self, path: Path, *, timeout: float) -> None:
        """Open the file, or make it.

        Args:
            path: The file; its folder must exist.
            timeout: Seconds to wait for another process that writes.

        Raises:
            ConfigurationError: If the folder does not exist, or *path* is one.
            DataError: If the file is no cache of this version.
        """
        if not path.parent.is_dir():
            msg = f"folder {str(path.parent)!r} does not exist; make it first"
            raise ConfigurationError(msg)
        if path.is_dir():
            msg = f"{str(path)!r} is a folder; give the path of a file"
            raise ConfigurationError(msg)
        self._path = path
        self._timeout = timeout
        self._lock = threading.Lock()
        with self._translated("cache.open"):
            # One connection and a lock: SQLite lets one thread write at a time anyway.
            self._connection: sqlite3.Connection | None = sqlite3.connect(
                path, timeout=timeout, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare(self._connection)
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def get(
        self, keys: Sequence[bytes], dimension: int
    ) -> tuple[list[int], FloatMatrix]:
        """Return which of *keys* are there, by position, and their rows.

        A row that is damaged counts as not there.

        Raises:
            InvalidRequestError: If the store is closed.
        """
        found: dict[bytes, bytes] = {}
        with self._translated("cache.read"), self._open("cache.read") as connection:
            for first in range(0, len(keys), _KEYS_AT_ONCE):
                some = keys[first : first + _KEYS_AT_ONCE]
                marks = ",".join("?" * len(some))
                query = f"SELECT key, row FROM rows WHERE key IN ({marks})"  # noqa: S608 -- marks only
                found.update(connection.execute(query, some))
        return self._decoded(keys, found, dimension)

    def put(self, keys: Sequence[bytes], rows: FloatMatrix) -> None:
        """Write one row for each of *keys*, all or none; replaces what is there.

        Raises:
            InvalidRequestError: If the store is closed.
        """
        little = rows.astype("<f4", copy=False)
        values = [(key, row.tobytes()) for key, row in zip(keys, little, strict=True)]
        with (
            self._translated("cache.write"),
            self._open("cache.write") as connection,
            _transaction(connection, "IMMEDIATE"),
        ):
            connection.executemany("REPLACE INTO rows VALUES (?, ?)", values)

    def _decoded(
        self, keys: Sequence[bytes], found: dict[bytes, bytes], dimension: int
    ) -> tuple[list[int], FloatMatrix]:
        size = 4 * dimension
        whole = [i for i, key in enumerate(keys) if len(found.get(key, b"")) == size]
        data = b"".join(found[keys[i]] for i in whole)
        rows = np.frombuffer(data, dtype="<f4").reshape(len(whole), dimension)
        is_good = is_unit(rows)
        positions = [i for i, good in zip(whole, is_good, strict=True) if good]
        if len(positions) < len(found):
            _log.warning(
                "%d rows of the cache %s are damaged; they are made anew",
                len(found) - len(positions),
                self._path,
            )
        return positions, rows[is_good].astype(np.float32, copy=False)

    @contextmanager
    def _open(self, operation: str) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._connection is None:
                msg = f"the cache {str(self._path)!r} is closed; open it again"
                raise InvalidRequestError(msg, operation=operation)
            yield self._connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        # Nothing is written into a file that is not ours, not even a setting.
        with _transaction(connection, "DEFERRED"):
            is_ours = self._is_ours(connection)
        if not is_ours:
            with _transaction(connection, "IMMEDIATE"):
                if not self._is_ours(connection):  # nobody was faster
                    _make(connection)
        # With a write-ahead log readers and a writer do not wait for each other. The
        # switch itself does not wait, either: it fails where another process is active.
        self._patiently(lambda: connection.execute("PRAGMA journal_mode = WAL"))
        connection.execute("PRAGMA synchronous = NORMAL")

    def _is_ours(self, connection: sqlite3.Connection) -> bool:
        """Return False for a new file, and refuse one of another kind."""
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        if (application, version, tables) == (0, 0, 0):
            return False
        if application != _APPLICATION_ID:
            msg = (
                f"{str(self._path)!r} is another program's database; choose a new file"
            )
            raise DataError(msg)
        if version != _VERSION:
            msg = (
                f"the cache {str(self._path)!r} has format {version}, this version of"
                f" the library reads {_VERSION}; choose a new file"
            )
            raise DataError(msg)
        return True

    def _patiently(self, func: Callable[[], T]) -> T:
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                return func()
            except sqlite3.OperationalError as e:
                if not _is_busy(e) or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    @contextmanager
    def _translated(self, operation: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as e:
            if _is_busy(e):
                msg = f"another process keeps the cache {str(self._path)!r} locked"
                raise UnavailableError(msg, operation=operation) from e
            msg = f"the cache {str(self._path)!r} cannot be used: {e}"
            raise BackendError(msg, operation=operation) from e
        except sqlite3.DatabaseError as e:
            msg = (
                f"{str(self._path)!r} is no cache or a damaged one ({e});"
                " choose a new file"
            )
            raise DataError(msg) from e


def is_unit(rows: npt.NDArray[np.floating]) -> npt.NDArray[np.bool_]:
    """Say of each row whether it is finite and of norm 1, but for rounding."""
    with np.errstate(over="ignore", invalid="ignore"):
        norms = np.sqrt((rows * rows).sum(axis=1))
        good: npt.NDArray[np.bool_] = np.abs(norms - 1) <= _UNIT_TOLERANCE
    return good


def _make(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {_VERSION}")
    connection.execute("CREATE TABLE rows (key BLOB PRIMARY KEY, row BLOB NOT NULL)")


@contextmanager
def _transaction(
    connection: sqlite3.Connection, kind: Literal["DEFERRED", "IMMEDIATE"]
) -> Iterator[None]:
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has ended it already
            connection.execute("ROLLBACK")
        raise


def _is_busy(error: sqlite3.Error) -> bool:
    # The lower byte is the class of an extended code; Python's own errors have none.
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
    }
