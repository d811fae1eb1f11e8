"""Find the device of a run, or say why it is not there; lay the rows on it where they fit."""

from typing import Any

import torch

from kindling.contract import DescribedData, PlacesRows
from kindling.errors import ConfigError, Problem
from kindling.fixes import Setting

ROWS_SHARE = 0.5  # of the device's free memory, at most, unless asked for: the network needs some
ON_CPU = Setting("device", "cpu")
CUDA_BUILD = ("install a CUDA build of torch (make train TORCH_INDEX=...)", ON_CPU)


def find_device(name: str, count: int) -> dict[str, Any] | Problem:
    """Return what the Trainer takes as `accelerator` and `devices`.

    Args:
        name: auto, cpu, cuda, cuda:1, mps or gpu (cuda or mps, whichever is there).
        count: how many of them, one for each process of this machine.
    """
    kind, _, index = name.partition(":")
    reasons = {kind: why_not(kind) for kind in ("cuda", "mps")}
    present = [kind for kind, reason in reasons.items() if reason is None]
    if kind == "auto":
        kind = present[0] if present else "cpu"
    if kind == "gpu":
        if not present:
            got = "; ".join(f"{kind}: {reason}" for kind, reason in reasons.items())
            return Problem("device=gpu needs a GPU", got, CUDA_BUILD)
        kind = present[0]
    if kind == "cpu":
        return {"accelerator": "cpu", "devices": count}
    if reasons[kind] is not None:
        ways = CUDA_BUILD if kind == "cuda" else ON_CPU
        return Problem(f"device={name} must be there", str(reasons[kind]), ways)
    there = torch.cuda.device_count() if kind == "cuda" else 1
    if count > 1:
        return several(kind, index, count, there)
    if int(index or 0) >= there:
        names = ", ".join(f"{kind}:{i}" for i in range(there))
        first = Setting("device", f"{kind}:0")
        return Problem(f"device={name} must be there", f"only {names}", first)
    return {"accelerator": kind, "devices": [int(index or 0)]}


def several(kind: str, index: str, count: int, there: int) -> dict[str, Any] | Problem:
    """Return what the Trainer takes for several GPUs: the first ones that are there."""
    if index:
        got = f"device={kind}:{index} with trainer.devices={count}"
        fix = Setting("device", kind, "(CUDA_VISIBLE_DEVICES chooses among them)")
        return Problem("several devices are the first ones of their kind", got, fix)
    if count > there:
        fix = Setting("trainer.devices", there)
        return Problem(f"trainer.devices={count} needs as many GPUs", f"{there}", fix)
    return {"accelerator": kind, "devices": count}


def why_not(kind: str) -> str | None:
    """Say why a kind of device cannot be used here, or None where it can."""
    if kind == "cuda":
        return _why_no_cuda()
    if torch.backends.mps.is_available():
        return None
    built = torch.backends.mps.is_built()
    return (
        "this Mac has no usable GPU" if built else f"torch {torch.__version__} is built without MPS"
    )


def _why_no_cuda() -> str | None:
    if torch.cuda.is_available():
        return None
    if torch.version.cuda is None and torch.version.hip is None:
        return f"torch {torch.__version__} is a CPU-only build"
    try:
        torch.cuda.init()
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        return f"no driver: {reason}" if "driver" in reason else f"no device: {reason}"
    return "no device"


def place_rows(device: torch.device, data: Any) -> None:
    """Lay all rows on a GPU, where the data module can and they fit; batches are cut there then.

    Raises:
        ConfigError: it was asked for, and they do not fit.
    """
    if device.type == "cpu" or not isinstance(data, PlacesRows):
        return
    if isinstance(data, DescribedData) and should_place(device, data):
        data.place(device)


def should_place(device: torch.device, data: Any) -> bool:
    """Decide for rows in memory by their size; others are placed only where it is asked for."""
    wish, is_apart = data.on_device, data.raw.on_disk or data.num_workers > 0
    if wish is False or (wish == "auto" and is_apart):
        return False
    size, free = data.x.nbytes + data.y.nbytes, free_bytes(device)
    if wish is True and size > free:
        rule = "data.on_device=true needs a data set that fits on the device"
        got = f"{size / 1e6:,.2f} MB of rows, {free / 1e6:,.2f} MB free on {device}"
        raise ConfigError(Problem(rule, got, Setting("data.on_device", "auto")))
    return wish is True or size <= ROWS_SHARE * free


def free_bytes(device: torch.device) -> int:
    """Ask a device for its free memory."""
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
    return int(torch.get_device_module(device).mem_get_info(device)[0])
