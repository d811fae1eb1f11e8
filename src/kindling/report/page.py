"""A page's parts in, one HTML file out that asks for nothing: its style and pictures are in it."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from kindling.plotting import palette_css, to_svg
from kindling.report.components import Page

FOLDER = Path(__file__).parent


def write_page(file: Path, page: Page) -> None:
    """Write the page down; every word in it is escaped, whoever chose it."""
    # What is not valid text, such as half of a surrogate pair in a file's name, becomes a ?.
    file.write_bytes(render(page).encode("utf-8", errors="replace"))


def render(page: Page) -> str:
    """Return the page as HTML."""
    templates = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = Markup(palette_css() + "\n" + (FOLDER / "page.css").read_text(encoding="utf-8"))
    return templates.get_template("page.html").render(
        page=page, style=style, svg=lambda figure: Markup(to_svg(figure))
    )
