"""What torch's profiler recorded in; microseconds of a step for each phase and operator out."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

STEPS, BETWEEN = "kindling: steps", "kindling: between epochs"  # names given to stretches of time
PYTHON = "Python"  # whatever goes by between operators, in any phase
PHASES = ("data", "forward and loss", "backward", "optimizer", PYTHON)
# What stands around operators: torch's names for its loops, and ours.
AROUND = (STEPS, "Optimizer.", "autograd::", "torch::autograd::", "enumerate(DataLoader)")
MAX_NAME = 40  # letters

Times = dict[tuple[str, str], float]  # us of each operator in each phase


@dataclass
class Cost:
    """Microseconds of one optimizer step.

    Args:
        num_steps: that were recorded.
        cpu: by (operator, phase), without what it calls.
        gpu: the same, of the kernels that it starts; empty without a GPU.
    """

    num_steps: int
    cpu: Times = field(default_factory=lambda: defaultdict(float))
    gpu: Times = field(default_factory=lambda: defaultdict(float))


def cost_of(events: Iterable[Any], num_steps: int) -> Cost:
    """Sum up the events of all steps, each by the phase that it happened in."""
    cost = Cost(num_steps)
    for event in events:
        phase = phase_of(event)
        if phase is None or "CPU" not in str(event.device_type):
            continue  # kernels come again as what their operators took on the device
        key = (event.name.removeprefix("aten::")[:MAX_NAME], phase)
        if event.name.startswith(AROUND) or event.name.endswith("Backward0"):
            key = (PYTHON, PYTHON)
        cost.cpu[key] += event.self_cpu_time_total / num_steps
        if event.self_device_time_total > 0:
            cost.gpu[key] += event.self_device_time_total / num_steps
    return cost


def phase_of(event: Any) -> str | None:
    """Follow an event to what it is a part of; None is nothing of a step."""
    while event is not None:
        name = event.name
        if name.startswith("Optimizer."):
            return "optimizer"
        if name.startswith("autograd::engine"):
            return "backward"
        if name == STEPS:
            return "forward and loss"
        if name == BETWEEN:
            return None
        event = event.cpu_parent
    return "data"  # before a chunk: rows are taken, moved and augmented


def totals(times: Times) -> dict[str, float]:
    """Add up operators to phases."""
    sums = dict.fromkeys(PHASES, 0.0)
    for (_, phase), us in times.items():
        sums[phase] += us
    return sums


def top(times: Times, number: int) -> list[str]:
    """Return the operators that take longest, the longest first."""
    sums: dict[str, float] = defaultdict(float)
    for (operator, phase), us in times.items():
        if phase != PYTHON:
            sums[operator] += us
    return sorted(sums, key=lambda operator: -sums[operator])[:number]
