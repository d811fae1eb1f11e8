"""The one palette and matplotlib style of all figures, and a figure as SVG for a web page.

In a page a colour follows the reader's light or dark screen: the SVG names a CSS variable, and
`palette_css` says what it is on either.
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
from matplotlib.axis import Axis
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

WIDTH, HEIGHT = 4.4, 3.3  # inches; on a telephone the letters are then as large as the text
# CSS variable: (on a light screen, on a dark one). Figures are drawn in the light colours.
PALETTE = {
    "paper": ("#ffffff", "#0f1319"),
    "card": ("#f6f8fa", "#181e26"),
    "ink": ("#1f2328", "#e6eaf0"),
    "muted": ("#59636e", "#9aa5b1"),
    "line": ("#d5dbe1", "#303945"),
    "c0": ("#2f6fdd", "#6ea2ff"),
    "c1": ("#d9590b", "#ff9350"),
    "c2": ("#1a8a5a", "#4cc38a"),
    "c3": ("#a33fc0", "#d48cf0"),
    "c4": ("#b08900", "#e0bb3a"),
    "c5": ("#c7254e", "#ff7b9c"),
    "c6": ("#0b8aa6", "#4ecbe6"),
    "c7": ("#6b5bd6", "#a79bff"),
}
LIGHT = {name: light for name, (light, _) in PALETTE.items()}
INK, MUTED, LINE = LIGHT["ink"], LIGHT["muted"], LIGHT["line"]
SERIES = tuple(colour for name, colour in LIGHT.items() if name[0] == "c" and name[1:].isdigit())
BLUE, ORANGE, GREEN, PURPLE, YELLOW = SERIES[:5]
SHADES = LinearSegmentedColormap.from_list("shades", [to_rgba(BLUE, 0), to_rgba(BLUE, 1)])
STYLE: Any = {  # mypy would have the keys spelt out one by one
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
COLOURS = {LIGHT[name]: name for name in ("ink", "muted", "line", *(f"c{n}" for n in range(8)))}
COLOUR = "(?<=: )(?:" + "|".join(COLOURS) + ")"
DROPPED = (  # what a page has no use for, and every address in it
    r"<metadata>.*?</metadata>",
    r"<style.*?</style>",
    r'(?<=<g) id="[^"]*"',
    r' xmlns(:xlink)?="[^"]*"| (width|height)="[\d.]+pt"| version="1.1"',
    r"font-family: [^;\"]*; ?",
)


@contextmanager
def figure_style() -> Iterator[None]:
    """Let everything within be drawn in the project's style.

    That matplotlib's own font lacks a glyph is no reason to warn: the reader's fonts have it.
    """
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")
        warnings.filterwarnings("ignore", "Matplotlib currently does not support")
        yield


def new_axes(width: float = WIDTH, height: float = HEIGHT) -> tuple[Figure, Axes]:
    """Make a figure of one panel; sizes in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def label_log_axis(axis: Axis) -> None:
    """Write plain numbers at a logarithmic axis: 0.01 and 1e+06, where 10^6 would need markup."""
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())


def to_svg(figure: Figure) -> str:
    """Write a figure down as SVG for a page: no addresses, no size of its own."""
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with figure_style():
        figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    for pattern in DROPPED:
        svg = re.sub(pattern, "", svg, flags=re.DOTALL)
    return re.sub(COLOUR, lambda found: f"var(--{COLOURS[found[0]]})", svg)


def palette_css() -> str:
    """Write the palette as CSS variables, such as --ink and --c0, for light and dark screens."""
    light, dark = (
        " ".join(f"--{name}: {pair[screen]};" for name, pair in PALETTE.items())
        for screen in (0, 1)
    )
    query = "@media screen and (prefers-color-scheme: dark)"
    return f":root {{ {light} }}\n{query} {{ :root {{ {dark} }} }}"
