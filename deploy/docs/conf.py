"""The site of the docs (Sphinx). The pages are those of the repository: a code host shows the same."""

import posixpath
import re
from typing import Any

project = "Buddy Companion"
html_title = project
author = copyright = "the contributors"  # noqa: A001

extensions = ["myst_parser"]
root_doc = "docs/README"
include_patterns = ["docs/*.md", "README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"]
exclude_patterns = [".*", "**/.*", "var", "node_modules"]

#: Anchors of headings, as code hosts make them.
myst_heading_anchors = 4
#: Blocks of messages have no language, and are not coloured.
highlight_language = "none"
suppress_warnings = ["myst.header"]  # a page may skip a level of headings

html_theme = "furo"
html_show_sphinx = False
html_copy_source = False
html_static_path: list[str] = []
html_extra_path = ["index.html"]


def setup(app: Any) -> None:
    """Sphinx calls it."""
    app.connect("source-read", add_menu)


def add_menu(app: Any, page: str, source: list[str]) -> None:
    """Make the sections of docs/README.md the menu of the site, so that there is one list of pages."""
    if page != root_doc:
        return
    _, *sections = re.split(r"(?m)^## ", source[0])
    for section in sections:
        links = re.findall(r"(?m)^- \[.*?\]\(([\w./-]+)\.md\)", section)
        pages = "\n".join(f"/{posixpath.normpath(posixpath.join('docs', link))}" for link in links)
        title = section.partition(":")[0]
        source[0] += f"\n\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n{pages}\n```\n"
