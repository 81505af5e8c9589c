"""The engines of Milvus Lite in this process: one for a folder, shared and counted.

Milvus Lite runs a server inside the process and locks its folder, until it is told to
let go. Four of its ways are dealt with here.

- Opening one folder from several threads at once fails for all but one of them.
- Closing a client keeps the folder locked; so the last user releases it.
- After a failed write, another write followed by a flush loses rows that were
  acknowledged; so a failed engine is released at once, and its users are told.
- A process that is killed at the end of a flush leaves rows that stand twice; it leaves
  its log as well, which tells that the rows must be looked at.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path

# The one thing that pymilvus does not do for us: to release a folder.
from milvus_lite.server_manager import server_manager_instance  # noqa: TID251

from embedtune.errors import BackendError, UnavailableError
from embedtune.vectorstore.address import check_folder
from embedtune.vectorstore.gate import Gate

_LOG = logging.getLogger("milvus_lite.server_manager")


class Engine:
    """A folder that this process holds.

    Attributes:
        path: The folder.
        uri: Where its server listens, on the loopback.
        gate: Readers and writers of all indexes in the folder.
        sync_lock: Held during a sync: there may be one writer only.
        failure: Why it was released early; empty as long as it works.
        was_killed: Whether the last process to hold the folder ended without closing
            it, so that rows may stand twice.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.was_killed = any(path.glob("collections/*/wal/*"))
        self.uri = _start(path)
        self.gate = Gate()
        self.sync_lock = threading.Lock()
        self.failure = ""
        self.users = 1


# What the process holds is the process's to know: the lock of a folder is, too.
_engines: dict[Path, Engine] = {}
_engines_lock = threading.Lock()  # taken inside a gate, never around one


def acquire(path: Path) -> Engine:
    """Return the engine of a folder; start it if nobody in this process has it.

    Raises:
        ConfigurationError: If Milvus Lite must not work at *path*.
        UnavailableError: If another process holds the folder.
        BackendError: If the folder cannot be opened.
    """
    with _engines_lock:
        engine = _engines.get(path)
        if engine is not None:
            engine.users += 1
            return engine
        check_folder(path)
        engine = Engine(path)
        _engines[path] = engine
        return engine


def release(engine: Engine) -> None:
    """Give an engine back; the last user's return frees the folder."""
    with engine.gate.writing(), _engines_lock:
        engine.users -= 1
        if engine.users == 0 and not engine.failure:
            del _engines[engine.path]
            server_manager_instance.release_server(str(engine.path))


def fail(engine: Engine, reason: str) -> None:
    """Release an engine that must not write any more; call it inside its gate."""
    with _engines_lock:
        if not engine.failure:
            engine.failure = reason
            del _engines[engine.path]
            server_manager_instance.release_server(str(engine.path))


def _start(path: Path) -> str:
    reason = _Reason()
    _LOG.addFilter(reason)
    try:
        uri = server_manager_instance.start_and_get_uri(str(path))
    finally:
        _LOG.removeFilter(reason)
    if uri is not None:
        return str(uri)
    if type(reason.error).__name__ == "DataDirLockedError":
        msg = (
            f"{str(path)!r} is in use by another process; close it there, or let both"
            f" use one server: milvus-lite server --data-dir {str(path)!r}"
            " --host 127.0.0.1 --port 19530"
        )
        raise UnavailableError(msg, operation="index.open") from reason.error
    msg = f"{str(path)!r} cannot be opened: {reason.error or 'no reason given'}"
    raise BackendError(msg, operation="index.open") from reason.error


class _Reason(logging.Filter):
    """Keeps why a start failed: Milvus Lite tells it to its log only."""

    def __init__(self) -> None:
        super().__init__()
        self.error: BaseException | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        """Take the reason out of the log, where it stands with a traceback."""
        if record.exc_info:
            self.error = record.exc_info[1]
            return False
        return True
