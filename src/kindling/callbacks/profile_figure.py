"""Draw the cost of a step: its phases as one bar, and the operators that take longest."""

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kindling.callbacks.profiler import PHASES, Cost, Profile, Times, cost_of, top, totals
from kindling.plotting import BLUE, GREEN, INK, LINE, MUTED, PURPLE, YELLOW, figure_style

COLOURS = dict(zip(PHASES, (YELLOW, BLUE, PURPLE, GREEN, MUTED), strict=True))
NUM_OPERATORS = 12
NARROW = 0.05  # share of a bar below which a number does not fit into it


def write_profile(trainer: Any, run: str) -> str:
    """Write step.png, and trace.json for a browser (chrome://tracing); return the picture."""
    taken = next(callback for callback in trainer.callbacks if isinstance(callback, Profile))
    if taken.profiler is None:
        return "no step was taken"  # a finished run was resumed
    folder = Path(run) / "profile"
    folder.mkdir(exist_ok=True)
    taken.profiler.export_chrome_trace(str(folder / "trace.json"))
    cost = cost_of(taken.profiler.events() or [], taken.num_steps)
    draw_cost(cost, folder / "step.png")
    return str(folder / "step.png")


def draw_cost(cost: Cost, file: Path) -> None:
    """Draw a step as one bar, and below it the operators that take most of it."""
    with figure_style():
        figure = Figure(figsize=(9, 6.4), layout="constrained")
        bars = 2 if cost.gpu else 1
        above, below = figure.subplots(2, 1, height_ratios=[0.6 * bars + 0.4, 5])
        draw_step(above, cost)
        draw_operators(below, cost.gpu or cost.cpu, "GPU" if cost.gpu else "CPU")
        handles, names = above.get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=6)
        figure.savefig(file, dpi=130)


def draw_step(axes: Axes, cost: Cost) -> None:
    """Stack the phases of a step; a GPU's bar has what it waits for at its end."""
    rows = {"CPU": totals(cost.cpu)} | ({"GPU": totals(cost.gpu)} if cost.gpu else {})
    longest = max(sum(row.values()) for row in rows.values())
    for place, row in rows.items():
        left = 0.0
        for phase, us in row.items():
            label = phase if place == "CPU" else None
            axes.barh(place, us, left=left, color=COLOURS[phase], label=label)
            if us > NARROW * longest:
                share, middle = f"{us / longest:.0%}", (left + us / 2, place)
                axes.annotate(share, middle, color="white", ha="center", va="center")
            left += us
        if place == "GPU" and left < longest:
            axes.barh(place, longest - left, left=left, color=LINE, label="GPU waits")
    axes.grid(visible=False)
    axes.set_title(
        f"One step takes {write_us(longest)} (mean of {cost.num_steps}, recording included)",
        loc="left",
        fontweight="bold",
    )
    axes.invert_yaxis()
    axes.set_xlim(0, longest)
    axes.set_xticks([])
    axes.spines[["bottom", "left"]].set_visible(False)
    axes.tick_params(left=False)


def draw_operators(axes: Axes, times: Times, place: str) -> None:
    """Draw the operators that take longest, each stacked by phase."""
    names = top(times, NUM_OPERATORS)
    whole, left = sum(times.values()), dict.fromkeys(names, 0.0)
    for phase in PHASES:
        widths = [times.get((name, phase), 0.0) for name in names]
        axes.barh(names, widths, left=list(left.values()), color=COLOURS[phase])
        left = {name: left[name] + width for name, width in zip(names, widths, strict=True)}
    for name, us in left.items():
        axes.annotate(f"  {write_us(us)}, {us / whole:.0%}", (us, name), va="center", color=INK)
    axes.set_title(f"Operators that take longest on the {place}", loc="left", fontweight="bold")
    axes.invert_yaxis()
    axes.margins(x=0.16)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)


def write_us(us: float) -> str:
    """Write microseconds in the unit that has few digits."""
    return f"{us / 1000:,.3g} ms" if us >= 1000 else f"{us:.3g} us"
