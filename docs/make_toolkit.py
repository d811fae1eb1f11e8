"""Write docs/toolkit.md, the map of the toolkit, from the first sentence of each file's docstring.

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
HEAD = """# The toolkit

`src/kindling` is what `src/project` stands on: used, not edited. A line for each file, in the order
in which a run meets the rooms; what a project may use of it is listed in [extend.md](extend.md).
This page is made by `python docs/make_toolkit.py` from the files' own docstrings.
"""


def sentence(file: Path) -> str:
    """Return the first paragraph of a file's docstring, on one line."""
    told = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return " ".join(told.partition("\n\n")[0].split())


def lines() -> Iterator[str]:
    """Yield the page line by line."""
    yield HEAD
    for folder in (TOOLKIT, *(TOOLKIT / room for room in ROOMS)):
        name = folder.relative_to(TOOLKIT.parent)
        told = sentence(folder / "__init__.py")
        yield f"## {name}\n\n{told}\n\n| file | what it does |\n|---|---|"
        for file in sorted(folder.glob("[!_]*.py")):
            link = f"[`{file.name}`](../src/{file.relative_to(TOOLKIT.parent)})"
            yield f"| {link} | {sentence(file)} |"
        yield ""


if __name__ == "__main__":
    (DOCS / "toolkit.md").write_text("\n".join(lines()), encoding="utf-8")
