"""The word behind `device=` in; the Trainer's accelerator and devices, or why not, out."""

from typing import Any

import torch

from kindling.errors import Problem

CUDA_BUILD = "install a CUDA build of torch (make train TORCH_INDEX=...), or type device=cpu"


def find_device(name: str, count: int) -> dict[str, Any] | Problem:
    """Return what the Trainer takes as `accelerator` and `devices`.

    Args:
        name: auto, cpu, cuda, cuda:1, mps or gpu (cuda or mps, whichever is there).
        count: how many devices; more than one is refused, as rows are not shared out.
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
    if count > 1:
        got = f"trainer.devices={count}"
        fix = "type trainer.devices=1; several runs use several GPUs: device=cuda:0, device=cuda:1"
        return Problem("a run uses one device", got, fix)
    if kind == "cpu":
        return {"accelerator": "cpu", "devices": 1}
    if reasons[kind] is not None:
        fix = CUDA_BUILD if kind == "cuda" else "type device=cpu"
        return Problem(f"device={name} must be there", str(reasons[kind]), fix)
    there = torch.cuda.device_count() if kind == "cuda" else 1
    if int(index or 0) >= there:
        names = ", ".join(f"{kind}:{i}" for i in range(there))
        return Problem(f"device={name} must be there", f"only {names}", f"type device={kind}:0")
    return {"accelerator": kind, "devices": [int(index or 0)]}


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
