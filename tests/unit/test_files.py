"""Files that are there whole or not at all, even if the writer dies."""

from __future__ import annotations

import os
import random
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from embedtune.files import new_folder, replace_file, sync_folder

SIZE = 200_000

REPLACE_FOR_EVER = f"""
import itertools
from pathlib import Path
from embedtune.files import replace_file

print("ready", flush=True)
for letter in itertools.cycle([b"a", b"b"]):
    replace_file(Path("file"), [letter] * {SIZE})
"""

FILL_FOLDERS_FOR_EVER = f"""
import itertools
from pathlib import Path
from embedtune.files import new_folder

print("ready", flush=True)
for number in itertools.count():
    with new_folder(Path(f"folder{{number}}")) as folder:
        (folder / "one").write_bytes(b"1" * {SIZE})
        (folder / "two").write_bytes(b"2" * {SIZE})
"""


def run_and_kill(program: str, folder: Path, after: float) -> None:
    """Kill *program* at some instant of its work."""
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=folder, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(after)
        child.send_signal(signal.SIGKILL)


def names_in(folder: Path) -> list[str]:
    """Return the names in *folder*, hidden ones among them."""
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def umask() -> Iterator[int]:
    """Set a mask that is no one's default."""
    mask = 0o027
    before = os.umask(mask)
    yield mask
    os.umask(before)


@pytest.mark.parametrize("data", [b"new", [b"n", b"", b"ew"], iter([b"new"]), b""])
def test_file_gets_its_content(tmp_path: Path, data: bytes) -> None:
    """Content given whole or in pieces replaces what was there."""
    path = tmp_path / "file"
    path.write_bytes(b"something old and longer")
    expected = b"" if data == b"" else b"new"

    replace_file(path, data)

    assert expected == path.read_bytes()
    assert ["file"] == names_in(tmp_path)


def test_failure_keeps_the_old_file(tmp_path: Path) -> None:
    """A source that breaks off leaves the old content and no rubbish."""
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def pieces() -> Iterator[bytes]:
        yield b"half of the new"
        raise InterruptedError

    with pytest.raises(InterruptedError):
        replace_file(path, pieces())

    assert b"old" == path.read_bytes()
    assert ["file"] == names_in(tmp_path)


def test_missing_folder_is_said(tmp_path: Path) -> None:
    """No folder is made behind the caller's back."""
    with pytest.raises(FileNotFoundError, match="missing' does not exist; make it"):
        replace_file(tmp_path / "missing" / "file", b"new")


def test_content_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, mocker: MockerFixture
) -> None:
    """The order is: the file's bytes, its name, the folder that holds the name."""
    order: list[str] = []
    fsync, replace = os.fsync, os.replace

    def record_fsync(handle: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(handle).st_mode)
        order.append("sync folder" if is_folder else "sync file")
        fsync(handle)

    def record_replace(source: Path, target: Path) -> None:
        order.append("replace")
        replace(source, target)

    mocker.patch("os.fsync", record_fsync)
    mocker.patch("os.replace", record_replace)
    replace_file(tmp_path / "file", b"new")

    assert ["sync file", "replace", "sync folder"] == order


def test_folder_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, mocker: MockerFixture
) -> None:
    """Every file and every folder inside is synced before the rename."""
    before: set[str] = set()
    fsync = os.fsync

    def record(handle: int) -> None:
        if not (tmp_path / "folder").exists():
            before.add(Path(f"/proc/self/fd/{handle}").readlink().name[:7])
        fsync(handle)

    if not Path("/proc/self/fd").exists():
        pytest.skip("this system does not tell which file a handle is of")
    mocker.patch("os.fsync", record)
    with new_folder(tmp_path / "folder") as folder:
        (folder / "sub").mkdir()
        (folder / "one").write_bytes(b"1")
        (folder / "sub" / "two").write_bytes(b"2")

    assert {"one", "sub", "two", ".folder"} == before


def test_permissions_are_the_users(tmp_path: Path, umask: int) -> None:
    """Files and folders get the permissions that any new one would get."""
    replace_file(tmp_path / "file", b"new")
    with new_folder(tmp_path / "folder"):
        pass

    assert 0o666 & ~umask == stat.S_IMODE((tmp_path / "file").stat().st_mode)
    assert 0o777 & ~umask == stat.S_IMODE((tmp_path / "folder").stat().st_mode)


def test_longest_names(tmp_path: Path) -> None:
    """A name as long as the file system allows can be replaced."""
    path = tmp_path / ("ä" * 127)

    replace_file(path, b"new")

    assert b"new" == path.read_bytes()


def test_writers_do_not_mix(tmp_path: Path) -> None:
    """Of many writers at once one wins, whole."""
    path = tmp_path / "file"
    barrier = threading.Barrier(8)

    def write(letter: bytes) -> None:
        barrier.wait()
        for _ in range(5):
            replace_file(path, [letter] * 1000)

    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(write, b"%d" % n) for n in range(8)]:
            future.result()

    content = path.read_bytes()
    assert content[:1] * 1000 == content
    assert ["file"] == names_in(tmp_path)


def test_killed_writer_leaves_a_whole_file(tmp_path: Path) -> None:
    """Whenever a writer is killed, the file is the old one or the new one."""
    instants = random.Random(0)  # noqa: S311 -- no secret
    replace_file(tmp_path / "file", b"a" * SIZE)

    for _ in range(6):
        run_and_kill(REPLACE_FOR_EVER, tmp_path, instants.uniform(0.0, 0.1))
        content = (tmp_path / "file").read_bytes()

        assert SIZE == len(content)
        assert 1 == len(set(content))


def test_killed_writer_leaves_whole_folders(tmp_path: Path) -> None:
    """Whenever a writer is killed, each folder that has its name is complete."""
    run_and_kill(FILL_FOLDERS_FOR_EVER, tmp_path, 0.15)

    for folder in tmp_path.glob("folder*"):
        assert ["one", "two"] == names_in(folder)
        assert {SIZE} == {path.stat().st_size for path in folder.iterdir()}


def test_folder_appears_when_it_is_full(tmp_path: Path) -> None:
    """Nobody sees the folder under its name before the block has ended."""
    path = tmp_path / "folder"

    with new_folder(path) as folder:
        (folder / "one").write_bytes(b"1")

        assert not path.exists()
        assert tmp_path == folder.parent

    assert ["folder"] == names_in(tmp_path)
    assert b"1" == (path / "one").read_bytes()


def test_failed_block_leaves_nothing(tmp_path: Path) -> None:
    """A block that raises leaves neither the folder nor rubbish."""

    def fill() -> None:
        with new_folder(tmp_path / "folder") as folder:
            (folder / "one").write_bytes(b"1")
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fill()

    assert [] == names_in(tmp_path)


def test_empty_folder_is_taken(tmp_path: Path) -> None:
    """A folder that the user made and left empty is filled."""
    path = tmp_path / "folder"
    path.mkdir()

    with new_folder(path) as folder:
        (folder / "one").write_bytes(b"1")

    assert ["one"] == names_in(path)


@pytest.mark.parametrize("is_file", [True, False])
def test_nothing_is_overwritten(tmp_path: Path, *, is_file: bool) -> None:
    """A file or a full folder of that name stays as it was."""
    path = tmp_path / "taken"
    if is_file:
        path.write_bytes(b"mine")
    else:
        path.mkdir()
        (path / "mine").write_bytes(b"mine")

    with (
        pytest.raises(FileExistsError, match="taken' exists already"),
        new_folder(path),
    ):
        pass

    assert b"mine" == (path if is_file else path / "mine").read_bytes()
    assert ["taken"] == names_in(tmp_path)


def test_failed_rename_is_said(tmp_path: Path, mocker: MockerFixture) -> None:
    """A folder that cannot get its name for another reason says that reason."""
    mocker.patch("os.rename", side_effect=PermissionError(13, "not here"))

    with (
        pytest.raises(PermissionError, match="not here"),
        new_folder(tmp_path / "folder"),
    ):
        pass

    assert [] == names_in(tmp_path)


def test_missing_folder_cannot_be_synced(tmp_path: Path) -> None:
    """A folder that is not there is not passed over in silence."""
    with pytest.raises(FileNotFoundError):
        sync_folder(tmp_path / "missing")
