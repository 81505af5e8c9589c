"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


def replace_file(path: Path, data: bytes | Iterable[bytes]) -> None:
    """Write *data* so that *path* holds the old content or the new, never a part.

    The new content is on the disk (fsync) before it gets its name.

    Args:
        path: The file; its folder must exist.
        data: The whole content, or its pieces in order.
    """
    pieces = (data,) if isinstance(data, bytes) else data
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give a folder to fill, which becomes *path* when the block ends well.

    Args:
        path: The folder to make; its parent must exist.

    Yields:
        An empty folder beside *path*, removed if the block raises.

    Raises:
        FileExistsError: If *path* exists and is not an empty folder.
    """
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        try:
            temporary.rename(path)
        except OSError as e:
            if path.exists():
                msg = f"{str(path)!r} exists already"
                raise FileExistsError(msg) from e
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable; does nothing where folders cannot be."""
    if os.name == "nt":  # pragma: no cover -- Windows syncs names by itself
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
