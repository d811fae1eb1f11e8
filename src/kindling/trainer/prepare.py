"""A run that is ready in; the same run in less time out.

What is learnt stays: only products and sums are rounded otherwise by other threads or by TF32.
"""

import torch
import torch.utils.deterministic
from lightning import Trainer
from omegaconf import DictConfig

from kindling.trainer.chunking import pay_less_often
from kindling.trainer.threads import choose_threads
from project.data.datamodule import DataModule
from project.training.task import SupervisedTask


def prepare(cfg: DictConfig, data: DataModule, task: SupervisedTask, trainer: Trainer) -> None:
    """Make use of the machine as the configuration says, and pay Lightning's price less often."""
    device = trainer.strategy.root_device
    torch.set_num_threads(choose_threads(cfg.threads, task.network, data))
    # Determinism also fills all new memory, 2 % of a small step, though nothing reads it.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    set_products(cfg.matmul_precision, device)
    if cfg.compile != "off":
        from kindling.trainer.compilation import compile_training

        compile_training(task.network, cfg.compile, data.batch_size)
    if device.type != "cpu" and trainer.world_size == 1:
        from kindling.trainer.placement import should_lie_on

        if should_lie_on(device, data):
            data.place(device)
    pay_less_often(data, task, trainer)


def set_products(precision: str, device: torch.device) -> None:
    """Choose how exactly CUDA multiplies float32; a CPU stays as it is."""
    if device.type == "cuda":
        torch.set_float32_matmul_precision(precision)
        torch.backends.cudnn.allow_tf32 = precision != "highest"
