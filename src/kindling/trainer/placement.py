"""A data set and a device in; whether all of its rows should lie there out."""

import torch

from kindling.errors import ConfigError, Problem
from project.data.datamodule import DataModule

SHARE = 0.5  # of the device's free memory, at most, unless it is asked for: the network needs some


def should_lie_on(device: torch.device, data: DataModule) -> bool:
    """Say whether batches are to be cut on the device; a set that does not fit at all is refused.

    Rows on disk, or with workers of their own, go there only if it is asked for.
    """
    wish, is_apart = data.on_device, data.raw.on_disk or data.num_workers > 0
    if device.type == "cpu" or wish is False or (wish == "auto" and is_apart):
        return False
    size, free = data.x.nbytes + data.y.nbytes, free_bytes(device)
    if wish is True and size > free:
        rule = "data.on_device=true needs a data set that fits on the device"
        got = f"{size / 1e6:,.2f} MB of rows, {free / 1e6:,.2f} MB free on {device}"
        raise ConfigError(Problem(rule, got, "type data.on_device=auto"))
    return wish is True or size <= SHARE * free


def free_bytes(device: torch.device) -> int:
    """Ask a device for its free memory."""
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
    return int(torch.get_device_module(device).mem_get_info(device)[0])
