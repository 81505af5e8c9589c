"""What a user gets who installs the package."""

from __future__ import annotations

import ast
import email
import importlib.metadata
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import embedtune

ROOT = Path(__file__).parent.parent
SOURCES = ROOT / "src"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel built from the working folder."""
    path = _build(ROOT, tmp_path_factory.mktemp("wheel"), "wheel")
    return zipfile.ZipFile(path)


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked source distribution."""
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(_build(ROOT, folder, "sdist")) as archive:
        archive.extractall(folder, filter="data")
    return next(path for path in folder.iterdir() if path.is_dir())


def test_version() -> None:
    """The version in the code is the version of the installed package."""
    assert importlib.metadata.version("embedtune") == embedtune.__version__


def test_wheel_holds_the_whole_package(wheel: zipfile.ZipFile) -> None:
    """Every file of the package is in the wheel, and nothing beside it is."""
    expected = {
        path.relative_to(SOURCES).as_posix()
        for path in (SOURCES / "embedtune").rglob("*")
        if path.is_file() and not re.search(r"/(__pycache__|\.\w+)/", path.as_posix())
    }
    actual = {name for name in wheel.namelist() if ".dist-info/" not in name}

    assert expected == actual


def test_wheel_is_typed(wheel: zipfile.ZipFile) -> None:
    """Type checkers are told to read the annotations."""
    assert "embedtune/py.typed" in wheel.namelist()


def test_wheel_metadata(wheel: zipfile.ZipFile) -> None:
    """The wheel names its version, its Pythons and its licence, and brings the text."""
    info = f"embedtune-{embedtune.__version__}.dist-info"
    metadata = email.message_from_bytes(wheel.read(f"{info}/METADATA"))

    assert embedtune.__version__ == metadata["Version"]
    assert ">=3.11" == metadata["Requires-Python"]
    assert "Apache-2.0" == metadata["License-Expression"]
    assert "text/markdown" == metadata["Description-Content-Type"]
    assert b"Apache License" in wheel.read(f"{info}/licenses/LICENSE")


def test_extras_named_in_the_code_exist(wheel: zipfile.ZipFile) -> None:
    """No error message sends a user to an extra that the package does not have."""
    info = f"embedtune-{embedtune.__version__}.dist-info"
    metadata = email.message_from_bytes(wheel.read(f"{info}/METADATA"))
    named = {
        keyword.value.value
        for path in SOURCES.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "extra" and isinstance(keyword.value, ast.Constant)
    }

    in_the_core = {""}
    assert set() == named - in_the_core - set(metadata.get_all("Provides-Extra", []))


@pytest.mark.parametrize(
    "name",
    [
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "README.md",
        "benchmarks",
        "changelog.d",
        "conftest.py",
        "docs/conf.py",
        "examples",
        "noxfile.py",
        "src/embedtune/py.typed",
        "tests/conftest.py",
    ],
)
def test_sdist_can_be_worked_on(sdist: Path, name: str) -> None:
    """Whoever unpacks the source distribution can build, test and read it."""
    assert (sdist / name).exists()


def test_sdist_builds_the_same_wheel(
    sdist: Path, wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    """The way through the source distribution loses nothing."""
    again = zipfile.ZipFile(_build(sdist, tmp_path, "wheel"))

    assert sorted(wheel.namelist()) == sorted(again.namelist())


def _build(source: Path, target: Path, kind: str) -> Path:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(target)],
        check=True,
        capture_output=True,
        cwd=source,
    )
    (built,) = target.iterdir()
    return built
