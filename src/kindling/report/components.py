"""What a report page is made of (charts, tables, galleries, text), and its rendering as HTML.

The page is one file that asks for nothing: style, figures and images are in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from kindling.formatting import printable
from kindling.plotting import palette_css, to_svg

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Chart:
    """A figure with the sentence that says how to read it; `name` is its tag in TensorBoard."""

    macro: ClassVar[str] = "chart"  # in page.html
    name: str
    title: str
    caption: str
    figure: Figure


@dataclass(frozen=True)
class Table:
    """Text in rows and columns; what is beyond `num_shown` rows can be unfolded.

    Args:
        head: names of the columns; without any, the first cell of a row is its name.
        num_text: columns at the front that hold words; those behind them hold numbers.
        is_wide: whether it needs the whole width, or stands beside another block.
    """

    macro: ClassVar[str] = "table"
    title: str
    caption: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    num_text: int = 1
    num_shown: int = 12
    is_wide: bool = True


@dataclass(frozen=True)
class Thumbnail:
    """One image of the data, as a data URI, and the lines below it."""

    source: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Gallery:
    """Images of the data; `pixels` holds the same for TensorBoard: uint8 (N, 3, H, W)."""

    macro: ClassVar[str] = "gallery"
    name: str
    title: str
    caption: str
    thumbnails: list[Thumbnail]
    pixels: np.ndarray


@dataclass(frozen=True)
class Text:
    """Lines as they were typed or written: a command, a file."""

    macro: ClassVar[str] = "text"
    title: str
    text: str
    is_folded: bool = False


@dataclass(frozen=True)
class Sentences:
    """Sentences, one below the other."""

    macro: ClassVar[str] = "sentences"
    title: str
    sentences: Sequence[str]


Block = Chart | Table | Gallery | Text | Sentences


@dataclass(frozen=True)
class PageSection:
    """A part of the page under a heading; `name` is what a link ends in."""

    name: str
    title: str
    intro: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Card:
    """One number that a person looks for first."""

    label: str
    value: str
    note: str


@dataclass(frozen=True)
class Page:
    """Everything that a person sees; `findings` are sentences, the most important first."""

    title: str
    subtitle: str
    cards: list[Card]
    findings: list[str]
    sections: list[PageSection]


def render(page: Page) -> str:
    """Return the page as HTML; every word in it is escaped, whoever chose it."""
    style = palette_css() + "\n" + (FOLDER / "page.css").read_text(encoding="utf-8")
    return (
        templates()
        .get_template("page.html")
        .render(page=page, style=Markup(style), svg=lambda figure: Markup(to_svg(figure)))
    )


def _visible(value: object) -> object:
    """Show what would turn the order of text round; HTML and line ends stay as they are."""
    is_text = isinstance(value, str) and not isinstance(value, Markup)
    return printable(str(value), keep="\n\t") if is_text else value


def templates() -> Environment:
    """Return the HTML templates of this folder, which escape what is put into them."""
    return Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
