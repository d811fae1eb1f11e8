"""Write the overview of `kindling inspect` as one HTML page that loads nothing else."""

import html

from kindling.checks.overview import ColumnOverview, Overview
from kindling.formatting import printable

STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --muted: #59636e; --line: #d5dbe1;
  --bar: #2f6fdd; --back: #fff; --bad: #cf222e; --odd: #9a6700 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ed; --muted: #9aa4af; --line: #333b44;
    --bar: #6ea1ff; --back: #0f1419; --bad: #ff7b72; --odd: #e3b341 }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--back);
  max-width: 75rem; margin: 0 auto; padding: 1.5rem }
h1 { font-size: 1.5rem; overflow-wrap: anywhere }
h2 { font-size: 1.15rem; margin-top: 2rem }
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-size: .9rem }
th, td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0;
  border-bottom: 1px solid var(--line); overflow-wrap: break-word }
.number { text-align: right; white-space: nowrap }
dt { color: var(--muted) }
dd { margin: 0 0 .5rem }
.error { color: var(--bad); font-weight: 600 }
.warning { color: var(--odd); font-weight: 600 }
.info { color: var(--muted) }
svg { width: 100px; height: 28px }
rect { fill: var(--bar) }
"""
HEAD = (
    "column",
    "taken for",
    "missing",
    "distinct",
    "distribution",
    "holds",
    "examples",
    "becomes",
)


def _escape(text: str) -> str:
    return html.escape(printable(text))


def render(overview: Overview) -> str:
    """Write the page; every word in it is escaped, whoever chose it."""
    facts = "".join(
        f"<dt>{_escape(k)}</dt><dd>{_escape(v)}</dd>" for k, v in overview.facts.items()
    )
    found = "".join(
        f'<tr><td>{p.code}</td><td class="{p.severity}">{p.severity}</td>'
        f"<td>{_escape(p.rule)}</td><td>{_escape(p.got)}</td><td>{_escape(p.do)}</td></tr>"
        for p in overview.findings
    )
    columns = "".join(f"<th scope='col'>{name}</th>" for name in HEAD)
    lines = "".join(map(_row, overview.columns))
    table = f"<thead><tr>{columns}</tr></thead><tbody>{lines}</tbody>"
    findings = f"<tbody>{found}</tbody>" if found else "<tbody><tr><td>nothing</td></tr></tbody>"
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="data:,">'
        f"<title>{_escape(overview.title)}</title><style>{STYLE}</style></head><body>"
        f"<h1>{_escape(overview.title)}</h1><dl>{facts}</dl>"
        f'<h2>What was found</h2><div class="scroll"><table>{findings}</table></div>'
        f'<h2>Columns</h2><div class="scroll"><table>{table}</table></div></body></html>\n'
    )


def _row(column: ColumnOverview) -> str:
    return (
        f'<tr><th scope="row">{_escape(column.name)}</th><td>{column.kind}</td>'
        f'<td class="number">{column.missing:,}</td><td class="number">{column.distinct:,}</td>'
        f"<td>{bars(column.counts)}</td><td>{_escape(column.holds)}</td>"
        f"<td>{_escape(column.examples)}</td><td>{_escape(column.becomes)}</td></tr>"
    )


def bars(counts: tuple[int, ...]) -> str:
    """Draw a distribution as bars in an SVG."""
    if not counts:
        return ""
    width, highest = 100 / len(counts), max(counts)
    drawn = "".join(
        f'<rect x="{k * width:.1f}" y="{28 - 28 * count / highest:.1f}" '
        f'width="{0.85 * width:.1f}" height="{28 * count / highest:.1f}"/>'
        for k, count in enumerate(counts)
    )
    return f'<svg viewBox="0 0 100 28" role="img" aria-label="distribution">{drawn}</svg>'
