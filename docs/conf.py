"""Sphinx's settings for `make docs`: the pages of this repository as a site.

What leads a reader through them on GitHub leads through the site: the tables of docs/README.md
and the links of each first page are its navigation, and source files that are linked are pages.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import download_reference
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[1]
INDEX = "docs/README"
SECTION = re.compile(r"^## (.*)\n\n((?:\|.*\n)+)", re.MULTILINE)
TEXT = {".py": "python", ".yaml": "yaml", ".toml": "toml", ".json": "json", "": "text"}
PAGE = re.compile(r"\]\(([^)#]+)\.md[)#]")

project = "Kindling"
root_doc = INDEX
include_patterns = ["*.md", "data/*.md", "docs/**.md", ".github/[A-Z]*.md"]
extensions = ["myst_parser"]
myst_heading_anchors = 4
highlight_language = "none"
suppress_warnings = ["toc.not_included"]  # tests hold that every page is linked
html_theme = "furo"
html_title = project
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False


def add_navigation(_app: Sphinx, name: str, source: list[str]) -> None:
    """Give Sphinx what leads to other pages as tables of contents, which nobody sees there."""
    if name == INDEX:
        for title, table in SECTION.findall(source[0]):
            pages = [page for page in PAGE.findall(table) if "/" not in page.removeprefix("../")]
            source[0] += contents(pages, f":caption: {title}")
    elif (ROOT / name).is_dir():
        folder = f"{Path(name).name}/"
        source[0] += contents(page for page in PAGE.findall(source[0]) if page.startswith(folder))


def contents(pages: Iterable[str], *options: str) -> str:
    """Write a table of contents in MyST's words, each page once."""
    lines = [":hidden:", *options, "", *dict.fromkeys(pages)]
    return "\n".join(["", "```{toctree}", *lines, "```", ""])


def link_to_files(app: Sphinx, page: nodes.document, name: str) -> None:
    """Let links to files lead to their pages, where Sphinx would hand out a download."""
    for link in list(page.findall(download_reference)):
        file = (ROOT / name).parent.joinpath(link["reftarget"]).resolve().relative_to(ROOT)
        if file.suffix in TEXT:
            address = app.builder.get_relative_uri(name, file.as_posix())
            link.replace_self(nodes.reference("", "", *link.children, refuri=address))


def make_file_pages(app: Sphinx) -> Iterator[tuple[str, dict[str, str], str]]:
    """Make a page of each file that a page links to, and one that leads to the index."""
    start = app.builder.get_relative_uri("index", INDEX)
    move = f'<meta http-equiv="refresh" content="0; url={start}"><a href="{start}">{project}</a>'
    yield "index", {"title": project, "body": move}, "page.html"
    for file in (ROOT / path for path in sorted(app.env.dlfiles)):
        if file.suffix in TEXT:
            place, text = file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8")
            code = app.builder.highlighter.highlight_block(text, TEXT[file.suffix])
            yield place, {"title": place, "body": f"<h1>{place}</h1>{code}"}, "page.html"


def setup(app: Sphinx) -> None:
    """Let Sphinx call the functions above."""
    app.connect("source-read", add_navigation)
    app.connect("doctree-resolved", link_to_files)
    app.connect("html-collect-pages", make_file_pages)
