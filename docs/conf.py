"""How Sphinx builds the documentation: nothing in here reaches for the network."""

from importlib.metadata import version as installed_version
from typing import Any

from sphinx.application import Sphinx
from sphinx.ext.napoleon import Config, GoogleDocstring

project = "triochat"
author = "the triochat developers"
project_copyright = "2026, the triochat developers"
release = version = installed_version("triochat")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinxcontrib_trio"]

root_doc = "index"
exclude_patterns = ["_build", "performance-figures.md"]  # a part of performance.md, not a page
html_theme = "furo"
html_title = "triochat"

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"
# Most of our classes come out of a function; how they are built is nobody else's concern.
autodoc_class_signature = "separated"
autodoc_typehints_description_target = "documented"
# In our docstrings `name` in single backticks is code: an argument as often as something to refer to.
default_role = "code"

# The codes of errors are a table in protocol.md, which says more than the set itself would.
nitpick_ignore = [("py:data", "CODES")]
# Names of other projects, whose documentation is not on this machine.
nitpick_ignore_regex = [
    (r"py:.*", r"(trio|structlog|cyclopts)(\..*)?"),
    (r"py:.*", r"_?(collections|contextlib|pathlib|enum|typing|types|socket|ssl|os|builtins)(\..*)?"),
    (r"py:.*", r"(None|bool|bytes|bytearray|dict|float|frozenset|int|list|object|set|str|tuple|type)"),
    (r"py:exc", r"[A-Z][A-Za-z]*(Error|Exception|Group|Interrupt|Exit)"),
]


def read_sections(
    app: Sphinx, what: str, name: str, obj: object, options: dict[str, Any], lines: list[str]
) -> None:
    """Turn the sections of a docstring (``Args:``, ``Raises:``) into fields.

    This is napoleon, told that types stand in annotations only. Left to itself it takes the words
    in front of a colon, in the summary of a property or in ``Returns:``, for the name of a type.
    """
    kind = "method" if what in ("attribute", "data", "property") else what
    config = Config(napoleon_use_rtype=False)
    lines[:] = GoogleDocstring(list(lines), config, app, kind, name, obj, options).lines()


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", read_sections)
