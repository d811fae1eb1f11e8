"""Make one mistake at a time in docs/lesson_loop.py, and show what becomes of the losses.

python docs/lesson_mistakes.py             # ten seconds; lesson/mistakes.md says what to look at
python docs/lesson_mistakes.py --pictures  # and draws docs/lesson_mistakes.png, lesson_graph.png
"""

import math
import sys
from pathlib import Path
from typing import NamedTuple

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from kindling.plotting import BLUE, INK, MUTED, ORANGE, figure_style, new_axes

DOCS = Path(__file__).resolve().parent
LOOP = DOCS / "lesson_loop.py"
WORST, DPI = 2.0, 110  # losses above are drawn as this


class Mistake(NamedTuple):
    """What is written in the loop, and what stands there instead."""

    right: str
    wrong: str


MISTAKES = {
    "without zero_grad()": Mistake("optimizer.zero_grad()", "pass"),
    "without eval()": Mistake("network.eval()", "pass"),
    "a learning rate of 1.0": Mistake("LR = 0.05", "LR = 1.0"),
    "without squeeze(1)": Mistake("(outputs.squeeze(1) - batch.y)", "(outputs - batch.y)"),
}


def train_with(mistake: Mistake | None) -> list[tuple[float, float]]:
    """Run the loop as it is written, or with a mistake; return train and val loss of each epoch."""
    source = LOOP.read_text(encoding="utf-8")
    if mistake is not None:
        assert source.count(mistake.right) == 1, mistake
        source = source.replace(mistake.right, mistake.wrong)
    names = {"__name__": "lesson", "__file__": str(LOOP)}
    exec(compile(source, LOOP.name, "exec"), names)
    return names["train"]()[1]  # type: ignore[operator]


def show_all() -> dict[str, list[tuple[float, float]]]:
    """Train without a mistake, then with each."""
    losses = {}
    for name, mistake in {"as it is written": None, **MISTAKES}.items():
        print(f"\n{name}" + (f": {mistake.wrong} for {mistake.right}" if mistake else ""))
        losses[name] = train_with(mistake)
    return losses


def draw_losses(losses: dict[str, list[tuple[float, float]]]) -> Figure:
    """Draw a panel for each mistake, with the val loss of the right loop behind it."""
    right, *wrong = losses.items()
    figure = Figure(figsize=(9.6, 2.9), layout="constrained")
    panels = figure.subplots(1, len(wrong), sharey=True)
    epochs = range(len(right[1]))
    for axes, (name, found) in zip(panels, wrong, strict=True):
        train, val = ([shown(pair[k]) for pair in found] for k in (0, 1))
        axes.plot(epochs, [pair[1] for pair in right[1]], color=MUTED, label="val, right loop")
        axes.plot(epochs, train, color=BLUE, label="train", marker=".")
        axes.plot(epochs, val, color=ORANGE, label="val", marker=".")
        axes.set(title=name, xlabel="epoch", ylim=(0, WORST * 1.05))
        if any(map(is_off, (number for pair in found for number in pair))):
            axes.text(0, WORST * 0.95, "nan, or larger", va="top")
    panels[0].set_ylabel("loss")
    panels[1].legend(loc="upper right")
    return figure


def is_off(number: float) -> bool:
    """Say whether a loss is beyond the picture."""
    return math.isnan(number) or number > WORST


def shown(number: float) -> float:
    """Return the height that a loss is drawn at."""
    return WORST if is_off(number) else number


def draw_graph() -> Figure:
    """Draw forward and backward of one step with one weight, with the numbers of autograd."""
    weight = torch.tensor(3.0, requires_grad=True)
    outputs = weight * 2.0
    error = outputs - 10.0
    loss = error.square()
    steps = {"weight": weight, "outputs": outputs, "error": error, "loss": loss}
    for tensor in steps.values():
        tensor.retain_grad()
    loss.backward()
    figure, axes = new_axes(8.6, 2.0)
    axes.set(xlim=(-0.4, 3.4), ylim=(-0.75, 0.75))
    axes.set_axis_off()
    for place, (name, tensor) in enumerate(steps.items()):
        draw_tensor(axes, place, name, tensor)
    ways = [("* 2", "* 2"), ("- 10", "* 1"), ("square", "* 2 error")]
    for place, (there, back) in enumerate(ways):
        draw_arrow(axes, (place + 0.3, 0.17), (place + 0.7, 0.17), there, BLUE)
        draw_arrow(axes, (place + 0.7, -0.17), (place + 0.3, -0.17), back, ORANGE)
    return figure


def draw_tensor(axes: Axes, place: int, name: str, tensor: Tensor) -> None:
    """Write a tensor's name, its number above and its gradient below."""
    axes.text(place, 0, name, ha="center", va="center", color=INK, weight="bold")
    axes.text(place, 0.4, f"{tensor.item():g}", ha="center", va="center", color=BLUE)
    assert tensor.grad is not None
    axes.text(place, -0.4, f"grad {tensor.grad.item():g}", ha="center", va="center", color=ORANGE)


def draw_arrow(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], label: str, colour: str
) -> None:
    """Draw an arrow with what happens on the way written on its outer side."""
    axes.annotate("", xy=end, xytext=start, arrowprops={"arrowstyle": "->", "color": colour})
    middle, outside = (start[0] + end[0]) / 2, 0.2 if start[1] > 0 else -0.2
    axes.text(middle, start[1] + outside, label, ha="center", va="center", color=colour)


def main() -> None:
    """Show each mistake; draw the pictures where they are asked for."""
    losses = show_all()
    if "--pictures" in sys.argv[1:]:
        with figure_style():
            draw_losses(losses).savefig(DOCS / "lesson_mistakes.png", dpi=DPI)
            draw_graph().savefig(DOCS / "lesson_graph.png", dpi=DPI)


if __name__ == "__main__":
    main()
