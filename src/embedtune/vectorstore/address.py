"""Where an index is: a folder of Milvus Lite on this machine, or a server."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

import attrs

from embedtune.errors import ConfigurationError

_SCHEMES = ("http", "https", "tcp")
_HOST_AND_PORT = re.compile(r"^[\w.-]+:\d+$")


@attrs.frozen(kw_only=True)
class Address:
    """Where an index is.

    Attributes:
        label: What messages call it; without password.
        path: The folder of Milvus Lite, absolute; `None` for a server.
        uri: The server; empty for a folder.
    """

    label: str
    path: Path | None = None
    uri: str = attrs.field(default="", repr=False)


def parse_address(address: str | os.PathLike[str]) -> Address:
    """Tell a path from a server's address.

    Args:
        address: What has `"://"` is a server, anything else a path; `~` is the home
            folder.

    Raises:
        ConfigurationError: If *address* is neither.
    """
    text = os.fspath(address)
    if not isinstance(text, str):
        msg = f"'address' must be a string or a path (got {address!r})"
        raise TypeError(msg)
    if not text or "\0" in text:
        msg = f"'address' must be a path or a server's address (got {text!r})"
        raise ConfigurationError(msg)
    if "://" in text and isinstance(address, str):
        return _server(text)
    if _HOST_AND_PORT.match(text) and isinstance(address, str):
        msg = f"{text!r} looks like a server; write {'http://' + text!r}"
        raise ConfigurationError(msg)
    return Address(label=text, path=Path(text).expanduser().resolve())


def check_folder(path: Path) -> None:
    """Refuse a path at which Milvus Lite must not work.

    Raises:
        ConfigurationError: If the folder above it does not exist, if a file is there,
            or a folder with other things in it.
    """
    if not path.parent.is_dir():
        msg = (
            f"folder {str(path.parent)!r} does not exist;"
            f" make it first, or correct the path of the index {path.name!r}"
        )
        raise ConfigurationError(msg)
    if path.is_dir():
        names = {entry.name for entry in path.iterdir()}
        if names and "collections" not in names:
            msg = (
                f"folder {str(path)!r} holds other files;"
                " an index needs a folder of its own, which need not exist"
            )
            raise ConfigurationError(msg)
    elif path.exists():
        msg = (
            f"{str(path)!r} is a file, where Milvus Lite 3 keeps a folder; a file of"
            " Milvus Lite 2 cannot be read: choose another path and sync into it"
        )
        raise ConfigurationError(msg)


def _server(uri: str) -> Address:
    try:
        parts = urlsplit(uri)
        host = parts.hostname
        port = parts.port
    except ValueError as e:
        msg = f"the address of the server cannot be read: {e}"
        raise ConfigurationError(msg) from e
    if parts.scheme not in _SCHEMES or not host:
        msg = (
            "the address of a server must be like 'http://host:19530'"
            f" (got scheme {parts.scheme!r} and host {host!r})"
        )
        raise ConfigurationError(msg)
    label = f"{parts.scheme}://{host}" + (f":{port}" if port else "")
    return Address(label=label + parts.path, uri=uri)
