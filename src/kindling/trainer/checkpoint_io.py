"""Lightning's own reading and writing of checkpoints, made safe against crashes and damage."""

from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO

from kindling.checkpoints import damage_of
from kindling.errors import ConfigError, Problem
from kindling.files import open_atomically


class CheckedCheckpointIO(TorchCheckpointIO):
    """Verifies a file with a digest in its name; writes those of a ModelCheckpoint atomically."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None
    ) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with open_atomically(Path(path)) as file:
            torch.save(checkpoint, file)

    def load_checkpoint(self, path: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        refuse_damaged(Path(path))
        return super().load_checkpoint(path, *args, **kwargs)


def refuse_damaged(path: Path) -> None:
    """Raise a ConfigError where a checkpoint is not what its name says."""
    damage = damage_of(path)
    if damage:
        rule, fix = "a checkpoint must be as it was written", "start a new run"
        raise ConfigError(Problem(rule, f"{path}: {damage}", fix))
