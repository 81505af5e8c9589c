"""Processes of this machine: who one is, and how it is stopped."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from embedtune.errors import PermissionDeniedError
from embedtune.tuning.folder import JobFolder, JobRecord

_PAUSE = 0.02
_POLITE = 10.0  # seconds before a worker is killed


def birth_of(pid: int) -> str:
    """Return what tells a process from later ones of the same id; empty if unknown."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return fields[19]  # the start time, in ticks since the machine started


def stop_worker(folder: JobFolder, attempt: str, *, patience: float) -> None:
    """Ask the worker of an attempt to end, then make it end.

    Args:
        folder: The job, which must be asked to stop already: a worker that has not
            said yet who it is finds out by itself.
        attempt: Another attempt is left alone.
        patience: Seconds after which this gives up.

    Raises:
        PermissionDeniedError: If the worker belongs to another user.
    """
    started = time.monotonic()
    sent: set[signal.Signals] = set()
    while (waited := time.monotonic() - started) < patience:
        record = folder.status()
        if record.state.is_final or record.attempt != attempt:
            return
        wanted = _KILL if waited > _POLITE else signal.SIGTERM
        if record.pid and wanted not in sent:
            sent.add(wanted)
            _send(record, wanted)
        time.sleep(_PAUSE)


def _send(record: JobRecord, wanted: signal.Signals) -> None:
    # A worker leads a group of its own, with everything that it started.
    if birth_of(record.pid) != record.birth:
        return
    try:
        if sys.platform == "win32":  # pragma: no cover -- Windows
            os.kill(record.pid, wanted)
        elif os.getpgid(record.pid) == record.pid:
            os.killpg(record.pid, wanted)
        else:  # started by hand
            os.kill(record.pid, wanted)
    except ProcessLookupError:
        return
    except PermissionError as e:
        msg = f"the worker (process {record.pid}) belongs to another user"
        raise PermissionDeniedError(msg, operation="tuning.cancel") from e


_KILL = signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL
