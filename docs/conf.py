"""How Sphinx builds the documentation."""

from __future__ import annotations

import builtins
import re
from typing import TYPE_CHECKING, Any

import embedtune

if TYPE_CHECKING:
    from docutils.nodes import Element
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

project = "embedtune"
author = "the embedtune developers"
copyright = author  # noqa: A001 -- the name is Sphinx's
version = release = embedtune.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
exclude_patterns = ["_build"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_type_aliases = {
    "FloatMatrix": "embedtune.types.FloatMatrix",
    "Qrels": "embedtune.Qrels",
}
autodoc_default_options = {"members": True}
napoleon_numpy_docstring = False
napoleon_use_ivar = True

default_role = "code"  # docstrings write `code`, as Markdown does
nitpicky = True
# Names of other packages are not looked up: the build needs no network.
_ELSEWHERE = (
    "asyncio",
    "builtins",
    "collections",
    "contextlib",
    "datetime",
    "enum",
    "np",
    "npt",
    "numpy",
    "os",
    "pathlib",
    "typing",
)
nitpick_ignore_regex = [
    (r"py:.*", r"embedtune\..*\.T"),  # type variables
    (
        r"py:.*",
        r"Origin|embedtune\.tuning\.folder\.JobFolder|embedtune\..*\._\w+",
    ),  # private
    (r"py:.*", r"Path"),
    (r"py:.*", rf"({'|'.join(_ELSEWHERE)})\..*"),
    (r"py:.*", "|".join(vars(builtins))),
]

html_theme = "furo"
html_title = f"embedtune {release}"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

_PUBLIC = {
    f"{module}.{name}": f"embedtune.{name}"
    for name, module in embedtune._HOME.items()  # noqa: SLF001 -- it is ours
}


def setup(app: Sphinx) -> None:
    """Connect what Sphinx does not do by itself."""
    app.connect("missing-reference", _resolve_by_public_name)
    app.connect("autodoc-process-docstring", _show_fence_as_literal_block)
    app.connect("autodoc-process-signature", _name_aliases_in_unions)


def _resolve_by_public_name(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: Element
) -> Element | None:
    """Find names in their home modules, and bare ones, where the reference has them."""
    if node.get("refdomain") != "py":
        return None
    domain = env.domains.python_domain
    target = _public_name(node["reftarget"])
    if "." not in target:
        found = [name for name in domain.objects if name.endswith(f".{target}")]
        target = found[0] if len(found) == 1 else target
    return domain.resolve_xref(
        env, node["refdoc"], app.builder, node["reftype"], target, node, content
    )


def _public_name(target: str) -> str:
    """Return the public name of a name in its home module, or of a part of it."""
    for home, public in _PUBLIC.items():
        if f"{target}.".startswith(f"{home}."):
            return public + target.removeprefix(home)
    return target


def _show_fence_as_literal_block(*event: Any) -> None:
    """Turn the fence that holds a drawing into what reStructuredText calls one."""
    lines: list[str] = event[-1]
    fences = [number for number, line in enumerate(lines) if line == "```"]
    for start, end in zip(fences[-2::-2], fences[::-2], strict=True):
        drawing = [f"   {line}" for line in lines[start + 1 : end]]
        lines[start : end + 1] = ["::", "", *drawing, ""]


def _name_aliases_in_unions(*event: Any) -> tuple[str, str] | None:
    """Write an alias inside a union by its name, as autodoc does outside one."""
    parts = event[-2:]
    if not any(part and "TypeAliasForwardRef" in part for part in parts):
        return None
    named = (re.sub(r"TypeAliasForwardRef\('(.*?)'\)", r"\1", x or "") for x in parts)
    signature, returned = named
    return signature, returned
