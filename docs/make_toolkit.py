"""Write docs/toolkit.md and docs/toolkit/, the map of the toolkit, from the files' docstrings.

python docs/make_toolkit.py
"""

import ast
from collections.abc import Iterator
from pathlib import Path

DOCS = Path(__file__).resolve().parent
TOOLKIT = DOCS.parent / "src" / "kindling"
# In the order in which a run meets them.
ROOMS = ("config", "tables", "images", "prepared", "checks", "run", "trainer", "callbacks")
ROOMS += ("report", "search", "bundle", "export", "serve", "cli", "template")
# By the name of a page: its title, and which of the rooms are on it.
PAGES = {
    "data": ("From files to tensors", {"tables", "images", "prepared", "checks"}),
    "training": ("A run", {"config", "run", "trainer", "callbacks", "search"}),
    "results": (
        "What is done with a run, and the template",
        {"report", "bundle", "export", "serve", "cli", "template"},
    ),
}
HEAD = """# The toolkit

`src/kindling` is what `src/project` stands on: used, not edited. A line for each room, in the order
in which a run meets them, then one for each file that lies in none of them; the files of a room are
on its page. What a project may use of it is listed in [toolkit-names.md](extend/toolkit-names.md).
These pages are made by `python docs/make_toolkit.py` from the files' own docstrings.
"""


def sentence(file: Path) -> str:
    """Return the first paragraph of a file's docstring, on one line."""
    told = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return " ".join(told.partition("\n\n")[0].split())


def files(folder: Path, root: str) -> Iterator[str]:
    """Yield the table of a folder's files line by line; `root` leads from the page to src/."""
    name = folder.relative_to(TOOLKIT.parent)
    told = sentence(folder / "__init__.py")
    yield f"## {name}\n\n{told}\n\n| file | what it does |\n|---|---|"
    for file in sorted(folder.glob("[!_]*.py")):
        yield f"| [`{file.name}`]({root}/{file.relative_to(TOOLKIT.parent)}) | {sentence(file)} |"
    yield ""


def entry() -> Iterator[str]:
    """Yield the page of all rooms line by line."""
    yield f"{HEAD}\n| room | what it is for |\n|---|---|"
    for room in ROOMS:
        (page,) = (page for page, (_, rooms) in PAGES.items() if room in rooms)
        told = sentence(TOOLKIT / room / "__init__.py")
        yield f"| [{room}](toolkit/{page}.md#kindling{room}) | {told} |"
    yield ""
    yield from files(TOOLKIT, "../src")


def page(title: str, rooms: set[str]) -> Iterator[str]:
    """Yield the page of some rooms line by line."""
    yield f"# {title}\n\nThe files of some rooms of [the toolkit](../toolkit.md).\n"
    for room in filter(rooms.__contains__, ROOMS):
        yield from files(TOOLKIT / room, "../../src")


def pages() -> dict[str, str]:
    """Return the text of each page by its name."""
    made = {"toolkit.md": entry()}
    made |= {f"toolkit/{name}.md": page(*what) for name, what in PAGES.items()}
    return {name: "\n".join(lines) for name, lines in made.items()}


if __name__ == "__main__":
    for name, text in pages().items():
        (DOCS / name).parent.mkdir(exist_ok=True)
        (DOCS / name).write_text(text, encoding="utf-8")
