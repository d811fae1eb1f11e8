"""What a page is made of: plain values, put in by the sections and written down by page.py."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from matplotlib.figure import Figure


@dataclass(frozen=True)
class Picture:
    """A figure with the sentence that says how to read it; `name` is its tag in TensorBoard."""

    kind: ClassVar[str] = "picture"
    name: str
    title: str
    caption: str
    figure: Figure


@dataclass(frozen=True)
class Table:
    """Words in rows and columns; what is beyond `num_shown` rows can be unfolded.

    Args:
        head: names of the columns; without any, the first cell of a row is its name.
        num_words: columns at the front that hold words, not numbers.
        is_wide: whether it needs the whole width, or stands beside another block.
    """

    kind: ClassVar[str] = "table"
    title: str
    caption: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    num_words: int = 1
    num_shown: int = 12
    is_wide: bool = True


@dataclass(frozen=True)
class Photo:
    """One picture of the data, as a data URI, and the lines below it."""

    source: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Gallery:
    """Pictures of the data; `pixels` holds the same for TensorBoard: uint8 (N, 3, H, W)."""

    kind: ClassVar[str] = "gallery"
    name: str
    title: str
    caption: str
    photos: list[Photo]
    pixels: np.ndarray


@dataclass(frozen=True)
class Text:
    """Lines as they were typed or written: a command, a file."""

    kind: ClassVar[str] = "text"
    title: str
    text: str
    is_folded: bool = False


@dataclass(frozen=True)
class Lines:
    """Sentences, one below the other."""

    kind: ClassVar[str] = "sentences"
    title: str
    lines: Sequence[str]


Block = Picture | Table | Gallery | Text | Lines


@dataclass(frozen=True)
class Section:
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
    sections: list[Section]
