"""Seconds for each kind of work in; one line for a person, and a section of metrics.json, out."""

from typing import Any

from kindling import BEGAN_S
from kindling.callbacks.timer import Timer
from project.data.datamodule import DataModule

# Each kind in the order of a run: its name, and what it is or what makes it shorter.
KINDS = {
    "start_up": ("start-up", "torch and Lightning are imported, network and Trainer made"),
    "read": ("reading", "the data are read, checked and encoded"),
    "data": ("data", "steps wait for their batches"),
    "step": ("steps", "forward, backward, optimizer; trainer.profile=true shows more"),
    "validation": ("validation", "+trainer.check_val_every_n_epoch=5 judges less often"),
    "checkpoint": ("checkpoints", "weights and logs are written after each epoch"),
    "test": ("test", "all rows are judged with the best weights"),
    "baselines": ("baselines", "three more models are fitted; baselines=false leaves them out"),
    "bundle": ("bundle", "skops is imported to save the preprocessing; bundle=false leaves it out"),
    "profile": ("profile", "the recorded steps are summed up"),
    "report": ("report", "figures are drawn; report=false leaves it out"),
}
FIRST_RUN = iter([BEGAN_S])  # the imports are part of a process's first run
SMALLEST = 0.005  # share of the whole that is still named


def describe_time(trainer: Any, data: DataModule) -> dict[str, Any]:
    """Return what belongs into metrics.json.

    The seconds of all kinds add up to the time since the run began. The pace is that of the
    training itself: batches and steps, nothing in between.
    """
    clock = next(callback for callback in trainer.callbacks if isinstance(callback, Timer))
    began_s = next(FIRST_RUN, data.began_s)
    read_s = data.ready_s - data.began_s
    start_up = clock.trained_s - began_s - read_s
    seconds = {"start_up": start_up, "read": read_s, **clock.seconds}
    pace = clock.rows / (seconds["data"] + seconds["step"]) if clock.rows else 0.0
    return {
        "rows_per_s": round(pace, 1),
        "timing": {kind: round(seconds.get(kind, 0.0), 3) for kind in KINDS},
    }


def time_line(metrics: dict[str, Any]) -> str:
    """Say how fast it was, where the time went, and what takes most of it."""
    seconds = metrics["timing"]
    total = sum(seconds.values())
    shares = [
        f"{name} {seconds[kind] / total:.0%}"
        for kind, (name, _) in KINDS.items()
        if seconds[kind] >= SMALLEST * total
    ]
    name, why = KINDS[max(seconds, key=lambda kind: seconds[kind])]
    pace = f"{total:.1f} s, {metrics['rows_per_s']:,.0f} rows/s in training"
    return f"{pace}; {', '.join(shares)}; most for {name}: {why}"
