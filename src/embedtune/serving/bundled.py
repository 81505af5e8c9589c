"""The weights that are installed with the library: where they are, what they must be.

They come in the wheel of `wordllama` (MIT licence); of that package two files are
read, and nothing is imported.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
from pathlib import Path

from embedtune.errors import ConfigurationError, MissingDependencyError

NAME = "wordllama-256"
"""What the bundled model is called."""

FINGERPRINT = "b0843880c454bdd2291c5897bb9ceacf"
"""What the rule of `StaticModel.fingerprint` gives for these two files."""

WEIGHTS = "weights/l2_supercat_256.safetensors"
TOKENIZER = "tokenizers/l2_supercat_tokenizer_config.json"

_SHA256 = {
    WEIGHTS: "64b47a2dc493cb8e85944076601189739852d7b64e0e1eedcb1937a251cd9fd5",
    TOKENIZER: "93248f2a9ec36c7b35f700a033d5f36228aae48db61aee31007fa49062cdeb68",
}
_INSTALL = "run: pip install 'wordllama==0.4.0.post1'"


def read_bundled(name: str) -> bytes:
    """Return the content of one of the two files.

    Raises:
        MissingDependencyError: If `wordllama` is not installed.
        ConfigurationError: If it brings another file than this version of the library
            was built on.
    """
    path = find_package() / name
    data = path.read_bytes() if path.is_file() else b""
    if path.suffix == ".json":  # the wheel for Windows has line ends of its own
        data = data.replace(b"\r\n", b"\n")
    if hashlib.sha256(data).hexdigest() != _SHA256[name]:
        version = importlib.metadata.version("wordllama")
        msg = (
            f"wordllama {version} does not bring the weights of {NAME!r}"
            f" ({name!r} is missing or differs); {_INSTALL}, or open a folder"
        )
        raise ConfigurationError(msg)
    return data


def find_package() -> Path:
    """Return the folder of the package, which is not imported.

    Raises:
        MissingDependencyError: If `wordllama` is not installed.
    """
    spec = importlib.util.find_spec("wordllama")
    if spec is None or not spec.submodule_search_locations:
        msg = f"the weights of {NAME!r} are not installed; {_INSTALL}"
        raise MissingDependencyError(msg, package="wordllama", extra="")
    return Path(next(iter(spec.submodule_search_locations)))
