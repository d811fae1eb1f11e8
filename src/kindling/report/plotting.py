"""One look for all figures: drawn once, shown by TensorBoard as pixels and by the page as SVG.

In the page a colour follows the reader's light or dark screen: the SVG names it, the page's
style sheet says what it is.
"""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.figure import Figure

WIDTH, HEIGHT = 4.4, 3.3  # inches; on a telephone the letters are then as large as the text
INK, MUTED, LINE = "#1f2328", "#6b7480", "#d5dbe1"
SERIES = ("#2f6fdd", "#d9590b", "#1a8a5a", "#a33fc0", "#b08900", "#c7254e", "#0b8aa6", "#6b5bd6")
BLUE, ORANGE = SERIES[:2]
NAMES = {INK: "ink", MUTED: "muted", LINE: "line"} | {c: f"c{n}" for n, c in enumerate(SERIES)}
SHADES = LinearSegmentedColormap.from_list("shades", [to_rgba(BLUE, 0), to_rgba(BLUE, 1)])
LOOK: Any = {  # mypy would have the keys spelt out one by one
    "svg.fonttype": "none",  # the reader's own fonts, which have more glyphs than matplotlib's
    "svg.hashsalt": "kindling",  # else every run writes other ids
    "text.parse_math": False,  # a $ in a name is a dollar
    "font.size": 9.5,
    "axes.titlesize": 9.5,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=SERIES),
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.6,
    "savefig.dpi": 160,  # of what is drawn as pixels within an SVG
}
COLOUR = "(?<=: )(?:" + "|".join(NAMES) + ")"
DROPPED = (  # what a page has no use for, and every address in it
    r"<metadata>.*?</metadata>",
    r"<style.*?</style>",
    r'(?<=<g) id="[^"]*"',
    r' xmlns(:xlink)?="[^"]*"| (width|height)="[\d.]+pt"| version="1.1"',
    r"font-family: [^;\"]*; ?",
)


@contextmanager
def look() -> Iterator[None]:
    """Let everything within be drawn in the project's look.

    That matplotlib's own font lacks a glyph is no reason to warn: the reader's fonts have it.
    """
    with mpl.rc_context(LOOK), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")
        warnings.filterwarnings("ignore", "Matplotlib currently does not support")
        yield


def new_axes(width: float = WIDTH, height: float = HEIGHT) -> tuple[Figure, Axes]:
    """Make a figure of one panel."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def to_svg(figure: Figure) -> str:
    """Write a figure down as SVG for a page: no addresses, no size of its own."""
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with look():
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    for pattern in DROPPED:
        svg = re.sub(pattern, "", svg, flags=re.DOTALL)
    return re.sub(COLOUR, lambda found: f"var(--{NAMES[found[0]]})", svg)
