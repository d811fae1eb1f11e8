"""A run that is ready in; what makes it quick on a GPU out: rows that lie there, compiled steps.

Nothing here changes what is learnt, and a run on a CPU does not import it.
"""

import torch
from lightning import Trainer
from omegaconf import DictConfig

from kindling.data.datamodule import DataModule
from kindling.gpu.compiled import compile_training
from kindling.gpu.placement import should_lie_on
from kindling.task.supervised import Task


def prepare(cfg: DictConfig, data: DataModule, task: Task, trainer: Trainer) -> None:
    """Make use of the Trainer's device as the configuration says."""
    device = trainer.strategy.root_device
    set_products(cfg.matmul_precision, device)
    if cfg.compile != "off":
        compile_training(task.network, cfg.compile, data.batch_size)
    if trainer.world_size == 1 and should_lie_on(device, data):
        data.place(device)


def set_products(precision: str, device: torch.device) -> None:
    """Choose how exactly CUDA multiplies float32; a CPU stays as it is."""
    if device.type == "cuda":
        torch.set_float32_matmul_precision(precision)
        torch.backends.cudnn.allow_tf32 = precision != "highest"
