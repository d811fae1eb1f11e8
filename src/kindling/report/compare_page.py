"""Tables of compared runs in; one self-contained page out: a column is sorted by its head."""

from collections.abc import Sequence
from html import escape

from kindling.report.compare import Table, is_better_large
from kindling.report.compare_line import Cell, Line, head, lines, title

MAX_TEXT = 60  # characters of a cell; the whole of it is shown where the pointer rests

STYLE = """
:root { color-scheme: light dark; --line: light-dark(#d5d8dd, #3d4148);
  --quiet: light-dark(#5b626d, #a0a7b3); --hover: light-dark(#f1f3f6, #24272c); }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; padding: 0 1rem; max-width: 75rem;
  background: light-dark(#fff, #191b1f); color: light-dark(#16181d, #e8eaee); }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2.5rem; overflow-wrap: anywhere }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .75rem; text-align: right; white-space: nowrap }
th:first-child, td:first-child { text-align: left }
thead th { border-bottom: 2px solid var(--line) } tbody { border-bottom: 1px solid var(--line) }
tbody tr:hover { background: var(--hover) }
.member, .note { color: var(--quiet) } .member td:first-child { padding-left: 2rem }
button { all: unset; cursor: pointer; font-weight: 600 }
button:focus-visible { outline: 2px solid }
[aria-sort=ascending] button::after { content: " \\2191" }
[aria-sort=descending] button::after { content: " \\2193" }
"""

# A group is a tbody, so that its runs move with their mean. Empty cells stay last either way.
SCRIPT = """
for (const table of document.querySelectorAll("table"))
  table.querySelectorAll("thead th").forEach((th, column) =>
    th.firstElementChild.addEventListener("click", () => {
      const sign = th.ariaSort === "ascending" ? -1 : 1;
      table.querySelectorAll("thead th").forEach(other => other.removeAttribute("aria-sort"));
      th.ariaSort = sign === 1 ? "ascending" : "descending";
      const value = body => body.rows[0].cells[column].dataset.value;
      const order = (a, b) => {
        const [x, y] = [value(a), value(b)];
        if (x === undefined || y === undefined) return (x === undefined) - (y === undefined);
        return sign * (x - y || x.localeCompare(y));
      };
      table.append(...[...table.tBodies].sort(order));
    }));
"""

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>Runs compared</title>
<style>{style}</style>
<h1>Runs compared</h1>
<p class="note">Only settings that differ are shown. Runs that differ in their seed or fold alone
are gathered: mean +- standard deviation. baseline/... is the best baseline on the test rows.</p>
{tables}
<script>{script}</script>
</html>
"""


def to_html(tables: Sequence[Table]) -> str:
    """Write the page; every word of a run is escaped."""
    return PAGE.format(style=STYLE, script=SCRIPT, tables="\n".join(map(_table, tables)))


def _table(table: Table) -> str:
    order = "descending" if is_better_large(table.sorted_by) else "ascending"
    cells = "".join(
        f'<th scope="col"{f" aria-sort={order}" if name == table.sorted_by else ""}>'
        f"<button>{escape(name)}</button></th>"
        for name in head(table)
    )
    bodies = "\n".join(
        f"<tbody>{''.join(_row(line) for line in group)}</tbody>" for group in lines(table)
    )
    name = escape(title(table))
    return (
        f'<h2>{name}</h2>\n<div class="wide" tabindex="0" role="region" aria-label="{name}">\n'
        f"<table>\n<thead><tr>{cells}</tr></thead>\n{bodies}\n</table>\n</div>"
    )


def _row(line: Line) -> str:
    kind = ' class="member"' if line.is_member else ""
    return f"<tr{kind}>{''.join(map(_cell, line.cells))}</tr>\n"


def _cell(cell: Cell) -> str:
    value = "" if cell.value is None else f' data-value="{escape(str(cell.value))}"'
    if len(cell.text) <= MAX_TEXT:
        return f"<td{value}>{escape(cell.text)}</td>"
    cut = escape(cell.text[: MAX_TEXT - 3]) + "..."
    return f'<td{value} title="{escape(cell.text)}">{cut}</td>'
