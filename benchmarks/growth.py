"""Time and memory against rows, from 10,000 to 5,000,000: one table, and docs/growth.png.

python benchmarks/growth.py                       # three minutes
python benchmarks/growth.py 10_000 100_000        # only these; draws nothing

Each size is written by make_rows.py and goes through size.py, in a process of its own, once with
the rows in memory and once from a file.
"""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from make_rows import write_rows
from matplotlib.figure import Figure

from kindling.plotting import figure_style, label_log_axis

HERE = Path(__file__).resolve().parent
FIGURE = HERE.parent / "docs" / "growth.png"
ROWS = (10_000, 100_000, 1_000_000, 5_000_000)
PARTS = ("read", "split and fit", "transform", "epoch")


def main(sizes: list[int]) -> None:
    """Measure every size, print a table, draw it."""
    heads = ("rows", "memory", *PARTS, "us a row", "peak GB", "x GB", "peak over imports / x")
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    measured = []
    with TemporaryDirectory() as folder:
        file = Path(folder) / "rows.csv"
        for num_rows in sizes or ROWS:
            write_rows(num_rows, file)
            for memory in ("ram", "disk"):
                command = [sys.executable, str(HERE / "size.py"), str(file), memory, "--json"]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                one = json.loads(done.stdout)
                measured.append(one)
                print(f"| {' | '.join(cells(one))} |", flush=True)
    if not sizes:
        draw(measured)


def cells(one: dict) -> list[str]:
    """Write one measurement as cells of the table."""
    seconds = [f"{one['seconds'][part]:.2f} s" for part in PARTS]
    per_row = f"{1e6 * sum(one['seconds'].values()) / one['rows']:.1f}"
    times = (one["peak_gb"] - one["base_gb"]) / one["x_gb"]
    sizes = [f"{one['peak_gb']:.2f}", f"{one['x_gb']:.3f}", f"{times:.1f}"]
    return [f"{one['rows']:,}", one["memory"], *seconds, per_row, *sizes]


@figure_style()
def draw(measured: list[dict]) -> None:
    """Draw seconds and peak memory against rows."""
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for memory, label in (("ram", "in memory"), ("disk", "from a file")):
        some = [one for one in measured if one["memory"] == memory]
        rows = [one["rows"] for one in some]
        left.loglog(rows, [sum(one["seconds"].values()) for one in some], "o-", label=label)
        right.semilogx(rows, [one["peak_gb"] for one in some], "o-", label=label)
    left.set(xlabel="rows", ylabel="seconds", title="read, fit, transform, one epoch of training")
    right.set(xlabel="rows", ylabel="GB", title="peak memory, imports included", ylim=(0, None))
    label_log_axis(left.yaxis)
    for axes in (left, right):
        axes.legend()
        label_log_axis(axes.xaxis)
    figure.savefig(FIGURE, dpi=110)


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]])
