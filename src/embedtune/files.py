"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


def replace_file(path: Path, data: bytes | Iterable[bytes]) -> None:
    """Write *data* so that *path* holds the old content or the new, never a part.

    The new content is on the disk (fsync) before it gets its name. A process that is
    killed meanwhile may leave a hidden file beside *path*, which nothing reads.

    Args:
        path: The file; its folder must exist.
        data: The whole content, or its pieces in order.
    """
    pieces = (data,) if isinstance(data, bytes) else data
    if not path.parent.is_dir():
        msg = f"folder {str(path.parent)!r} does not exist; make it first"
        raise FileNotFoundError(msg)
    temporary = _beside(path)
    try:
        with temporary.open("xb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give a folder to fill, which becomes *path* when the block ends well.

    All files in it are on the disk (fsync) before the folder gets its name.

    Args:
        path: The folder to make; its parent must exist.

    Yields:
        An empty folder beside *path*, removed if the block raises.

    Raises:
        FileExistsError: If *path* exists and is not an empty folder.
    """
    temporary = _beside(path)
    temporary.mkdir()
    try:
        yield temporary
        _sync_tree(temporary)
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
    _sync(path)


def _sync_tree(folder: Path) -> None:
    for root, _, names in os.walk(folder):
        for name in names:
            _sync(Path(root, name))
        sync_folder(Path(root))


def _sync(path: Path) -> None:
    # Windows syncs only what is open for writing.
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _beside(path: Path) -> Path:
    # Cut, because a file system refuses names above 255 bytes.
    return path.with_name(f".{path.name[:40]}.{secrets.token_hex(6)}")
