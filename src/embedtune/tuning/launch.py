"""Starting a worker that outlives the process which starts it."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import sysconfig
import threading
import time
from pathlib import Path

from embedtune.errors import ConfigurationError, UnavailableError
from embedtune.tuning.folder import JobFolder, JobRecord
from embedtune.tuning.locks import IS_INHERITABLE, FileLock
from embedtune.types import JobState

_MODULE = "embedtune.tuning.worker"
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")


def new_record() -> JobRecord:
    """Return the record of a new attempt."""
    now = time.time()
    return JobRecord(
        state=JobState.PENDING,
        attempt=secrets.token_hex(8),
        submitted=now,
        changed=now,
    )


def check_python() -> None:
    """Raise an error if this process knows no Python to run a worker with.

    Raises:
        ConfigurationError: If Python is embedded in another program.
    """
    if not sys.executable:
        msg = "sys.executable is empty; set it to the Python that shall run the worker"
        raise ConfigurationError(msg)


def start_worker(folder: JobFolder, lock: FileLock) -> None:
    """Start the worker of a job and hand it the lock.

    Args:
        folder: Its record must be that of a new attempt.
        lock: Held by this process; given up in any case.

    Raises:
        UnavailableError: If the system gives no new process.
    """
    command = [sys.executable, "-P", "-m", _MODULE, str(folder.path)]
    if IS_INHERITABLE:
        command += ["--lock", str(lock.descriptor)]
    else:  # pragma: no cover -- Windows
        lock.release()
    try:
        with folder.log.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 -- our own module
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder.path,  # a folder without modules to import by mistake
                env=_environment(),
                pass_fds=(lock.descriptor,) if IS_INHERITABLE else (),
                start_new_session=True,  # an interrupt from the keyboard is not for it
            )
    except OSError as e:
        reason = f"no worker process could be started ({e.strerror})"
        _give_up(folder, reason)
        raise UnavailableError(reason, operation="tuning.submit") from e
    finally:
        lock.release()
    # Somebody has to wait for a child, or it stays in the process table when it ends.
    threading.Thread(
        target=process.wait, name=f"worker of {folder.name}", daemon=True
    ).start()


def _give_up(folder: JobFolder, reason: str) -> None:
    record = new_record()
    folder.write(
        JobRecord(
            state=JobState.FAILED,
            attempt=record.attempt,
            submitted=record.submitted,
            changed=record.changed,
            reason=reason,
        )
    )


def _environment() -> dict[str, str]:
    # One thread: under load, two made these small matrix products 27 times slower.
    environment = os.environ | dict.fromkeys(_ONE_THREAD, "1")
    root = Path(__file__).resolve().parents[2]
    installed = {
        Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib")
    }
    if root not in installed:
        # This process may have found the package by a path of its own.
        known = environment.get("PYTHONPATH", "")
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(root), known]))
    return environment
