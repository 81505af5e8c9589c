"""Where an index is: paths and servers are told apart, and bad ones refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedtune.errors import ConfigurationError
from embedtune.vectorstore.address import check_folder, parse_address


def test_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path is a path, however it is written; its label is what was written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))

    assert tmp_path / "a.db" == parse_address("a.db").path
    assert tmp_path / "a.db" == parse_address("./b/../a.db").path
    assert tmp_path / "b" / "c" == parse_address(Path("b", "c")).path
    assert tmp_path / "home" / "a.db" == parse_address("~/a.db").path
    assert tmp_path / "http:" / "x" == parse_address(Path("http://x")).path
    assert ("a.db", "") == (parse_address("a.db").label, parse_address("a.db").uri)


def test_links_lead_to_one_folder(tmp_path: Path) -> None:
    """Two ways to one folder are one address: it can be held once only."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")

    one = parse_address(tmp_path / "link" / "a.db")
    assert parse_address(tmp_path / "real" / "a.db").path == one.path


@pytest.mark.parametrize(
    "uri", ["http://localhost:19530", "https://x.zillizcloud.com", "tcp://10.0.0.1:1"]
)
def test_servers(uri: str) -> None:
    """What has a scheme is a server."""
    address = parse_address(uri)

    assert (uri, uri, None) == (address.uri, address.label, address.path)


def test_passwords_stay_out_of_sight() -> None:
    """Neither label nor repr shows a password that stands in the address."""
    address = parse_address("https://user:secret@host:19530/db")

    assert "https://user:secret@host:19530/db" == address.uri
    assert "https://host:19530/db" == address.label
    assert "secret" not in repr(address)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("localhost:19530", r"looks like a server; write 'http://localhost:19530'"),
        ("ftp://host", "must be like 'http://host:19530' .*'ftp'"),
        ("http://", "must be like"),
        ("http://host:port", "cannot be read"),
        ("http://user:secret@[::1", "cannot be read"),
        ("", "must be a path or a server's address"),
        ("a\0b", "must be a path or a server's address"),
    ],
)
def test_bad_addresses(address: str, message: str) -> None:
    """What is neither is refused, with the way out and without the password."""
    with pytest.raises(ConfigurationError, match=message) as info:
        parse_address(address)

    assert "secret" not in str(info.value)


@pytest.mark.parametrize("address", [None, 7, b"a.db"])
def test_other_types(address: object) -> None:
    """Only strings and paths are addresses."""
    with pytest.raises(TypeError):
        parse_address(address)  # type: ignore[arg-type]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    """A file, which is what Milvus Lite 2 kept, is refused with the way out."""
    path = tmp_path / "old.db"
    path.write_bytes(b"SQLite format 3\0")

    with pytest.raises(ConfigurationError, match=r"old.db' is a file.*another path"):
        check_folder(path)


def test_a_folder_with_other_files(tmp_path: Path) -> None:
    """Nothing is put among files of somebody else's; an empty folder is free."""
    check_folder(tmp_path)
    check_folder(tmp_path / "new")
    (tmp_path / "letter.txt").touch()

    with pytest.raises(ConfigurationError, match="holds other files"):
        check_folder(tmp_path)
