"""Buffer checkpoints: the newest wait in memory, each file is written every few seconds."""

import math
import time
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO
from torch import Tensor

from kindling.files import open_atomically

DATA_DIGEST = "data_digest"  # a checkpoint's key for the digest of the data it was trained on
EVERY_S = 5.0  # where the process is killed outright, so much is lost beside the epoch that ran


class BufferedCheckpointIO(TorchCheckpointIO):
    """Keeps each path's newest checkpoint as a copy; an epoch of 10 ms has no time for files.

    A path is written when that was last done `every_s` seconds ago or more, and all that wait
    before it, in the order in which they came: what is found best is on the disk before the state
    of a run that counts on it. The end of a training, Ctrl-C and errors write what is left.
    `notes` are plain values that every checkpoint gets beside what Lightning puts there.
    """

    def __init__(self, every_s: float = EVERY_S) -> None:
        self.every_s = every_s
        self.written_s: dict[Path, float] = {}
        self.waiting: dict[Path, dict[str, Any]] = {}
        self.notes: dict[str, str] = {}

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None
    ) -> None:
        path, now = Path(path), time.monotonic()
        self.waiting.pop(path, None)
        self.waiting[path] = copied(checkpoint | self.notes)  # it queues up behind all others
        if now - self.written_s.get(path, -math.inf) >= self.every_s:
            self.write()
            self.written_s[path] = now

    def write(self) -> None:
        """Write whatever waits; what Ctrl-C interrupts waits on, and is written at the end."""
        for path in list(self.waiting):
            path.parent.mkdir(parents=True, exist_ok=True)
            with open_atomically(path) as file:
                torch.save(self.waiting[path], file)
            del self.waiting[path]

    def load_checkpoint(self, path: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        self.write()
        checkpoint = super().load_checkpoint(path, *args, **kwargs)
        return in_folder(checkpoint, Path(path).absolute().parent)

    def remove_checkpoint(self, path: Any) -> None:
        self.waiting.pop(Path(path), None)
        super().remove_checkpoint(path)

    def teardown(self) -> None:
        self.write()


def in_folder(checkpoint: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Let what callbacks know of checkpoint files be of this folder, wherever they were written.

    A run may have been moved or copied; the best weights of another folder are not its own.
    """
    for state in checkpoint.get("callbacks", {}).values():
        if isinstance(state, dict) and isinstance(state.get("best_model_path"), str):
            state["dirpath"] = str(folder)
            for key in ("best_model_path", "kth_best_model_path", "last_model_path"):
                state[key] = str(folder / Path(state[key]).name) if state.get(key) else ""
            best = state.get("best_k_models", {})
            state["best_k_models"] = {str(folder / Path(k).name): v for k, v in best.items()}
    return checkpoint


def copied(value: Any) -> Any:
    """Copy dicts, lists and tensors, these to the CPU, so that no later step changes them."""
    if isinstance(value, Tensor):
        return value.detach().clone() if value.device.type == "cpu" else value.detach().cpu()
    if isinstance(value, dict):
        return {key: copied(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(copied(inner) for inner in value)
    return value
