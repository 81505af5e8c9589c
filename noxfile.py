"""The jobs that check, build and show the project; `nox --list` names them."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import nox

nox.needs_version = ">=2025.11.12"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.error_on_external_run = True
# A machine with one Python is enough, in CI, too: `matrix` skips what is missing.
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["lint", "types", "docs", "tests"]

PROJECT = nox.project.load_toml()
PYTHONS = nox.project.python_versions(PROJECT)
BENCHMARKS = Path("benchmarks")
EXAMPLES = Path("examples")
WITH_PEERS = {"mining", "quality"}  # benchmarks against packages that bring PyTorch


@nox.session(reuse_venv=True)
def quickstart(session: nox.Session) -> None:
    """Show the whole job on this machine; arguments go to the script."""
    session.install(".")
    session.run("python", str(EXAMPLES / "quickstart.py"), *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Test the built wheel, with the coverage gate; arguments go to pytest.

    With arguments the gate is left out: a part of the tests covers a part.
    """
    _install(session, "tests")
    if session.posargs:
        session.run("pytest", *session.posargs)
        return
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest")
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report")


@nox.session(requires=["tests"])
def coverage(session: nox.Session) -> None:
    """Run the tests, then write what they cover to htmlcov/."""
    session.install("coverage[toml]")
    session.run("coverage", "html")


@nox.session(python=PYTHONS)
@nox.parametrize("peers", ["bare", "all"])
def matrix(session: nox.Session, peers: str) -> None:
    """Test every supported Python, without and with the optional packages."""
    _install(session, "tests" if peers == "all" else "tests-bare")
    session.run("pytest", *session.posargs)


@nox.session
def stories(session: nox.Session) -> None:
    """Let Hypothesis try many more cases; `-- short` tries a few more."""
    arguments = list(session.posargs)
    profile = "stories"
    if arguments[:1] == ["short"]:
        profile = f"short-{profile}"
        arguments = arguments[1:]
    _install(session, "tests")
    session.run(
        "pytest",
        "tests",
        "-m=hypothesis",
        f"--hypothesis-profile={profile}",
        *arguments,
    )


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, format and the direction of imports."""
    session.install(*nox.project.dependency_groups(PROJECT, "lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("lint-imports", env={"PYTHONPATH": "src"})
    session.run("towncrier", "build", "--draft", "--version=next", silent=True)


@nox.session
def types(session: nox.Session) -> None:
    """Check types with mypy and pyright."""
    _install(session, "typing")
    session.run("mypy")
    session.run("pyright")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation into docs/_build; a warning is an error."""
    _install(session, "docs")
    session.run(
        "sphinx-build",
        "--fail-on-warning",
        "--nitpicky",
        "--keep-going",
        "--fresh-env",
        *session.posargs,
        "docs",
        "docs/_build/html",
    )


@nox.session
def examples(session: nox.Session) -> None:
    """Run every script but the quickstart, each in an empty folder."""
    session.install(".")
    for script in sorted(EXAMPLES.resolve().glob("*.py")):
        is_script = "__main__" in script.read_text(encoding="utf-8")
        if is_script and script.stem != "quickstart":
            with TemporaryDirectory() as folder, session.chdir(folder):
                session.run("python", str(script))


@nox.session
def bench(session: nox.Session) -> None:
    """Run a benchmark: `-- NAME [ARGUMENTS]`."""
    names = sorted(path.stem for path in BENCHMARKS.glob("[!_]*.py"))
    if not session.posargs or session.posargs[0] not in names:
        session.error(f"name a benchmark after '--': {', '.join(names)}")
    name, *arguments = session.posargs
    _install(session, "bench-peers" if name in WITH_PEERS else "bench")
    session.install("--no-deps", "beir>=2.1")  # its loader needs no PyTorch
    session.run("python", str(BENCHMARKS / f"{name}.py"), *arguments)


def _install(session: nox.Session, group: str) -> None:
    """Install the built project and a dependency group, by pip of any age or uv."""
    session.install(".", *nox.project.dependency_groups(PROJECT, group))
