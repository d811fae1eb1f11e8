"""Make a run quick: threads, TF32, torch.compile, rows on the GPU, several batches in one call.

What is learnt stays: only products and sums are rounded otherwise by other threads or by TF32.
"""

from contextlib import suppress
from types import MethodType
from typing import Any

import torch
import torch.utils.deterministic
from lightning import LightningModule, Trainer
from omegaconf import DictConfig
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from kindling.contract import DescribedData, DescribedTask
from kindling.distributed import num_own
from kindling.errors import ConfigError, Problem
from kindling.fixes import Setting
from kindling.trainer.chunking import reduce_overhead
from kindling.trainer.device import place_rows

# What torch takes by itself, OMP_NUM_THREADS included; read once, before anybody changes it.
MOST_THREADS = torch.get_num_threads()
WORTH_A_THREAD = 1e9  # operations of a step, see choose_threads


def prepare(cfg: DictConfig, data: Any, task: LightningModule, trainer: Trainer) -> None:
    """Make use of the machine as the configuration says; what a part does not declare is left."""
    device = trainer.strategy.root_device
    is_described = isinstance(task, DescribedTask) and isinstance(data, DescribedData)
    threads = MOST_THREADS if cfg.threads == "auto" else int(cfg.threads)
    if cfg.threads == "auto" and is_described:
        threads = choose_threads(task.network, data.x, num_own(data.batch_size))  # type: ignore[arg-type]
    torch.set_num_threads(threads)
    # Determinism also fills all new memory, 2 % of a small step, though nothing reads it.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    set_matmul_precision(cfg.matmul_precision, device)
    if cfg.compile != "off":
        if not is_described:
            rule = f"compile={cfg.compile} needs a task with a network and data that are described"
            fix = (Setting("compile", "off"), "call torch.compile in your own module")
            raise ConfigError(Problem(rule, f"a {type(task).__name__}", fix))
        compile_training(task.network, cfg.compile, num_own(data.batch_size))  # type: ignore[arg-type]
    place_rows(device, data)
    reduce_overhead(data, task, trainer)


def set_matmul_precision(precision: str, device: torch.device) -> None:
    """Choose how exactly CUDA multiplies float32; a CPU stays as it is."""
    if device.type == "cuda":
        torch.set_float32_matmul_precision(precision)
        torch.backends.cudnn.allow_tf32 = precision != "highest"


def choose_threads(network: nn.Module, x: Tensor, batch_size: int) -> int:
    """Choose the threads by the work of a step; the same in every run.

    Measured on two cores (torch 2.13, AdamW, threads that sleep while they wait), two threads
    against one: CNNs with steps of 0.6 billion operations 0.6 times as fast, of 1.3 0.8 times, of
    2.3 1.0, of 3.6 1.2, of 21 1.7; MLPs of 0.5 billion 1.1 times, of 1.7 1.4. Beside another busy
    process a second thread costs small steps several times what they take.
    """
    operations = 3 * batch_size * count_operations(network, x)  # two thirds of them are backward
    return max(1, min(MOST_THREADS, int(operations / WORTH_A_THREAD)))


def count_operations(network: nn.Module, x: Tensor) -> int:
    """Count the multiplications and additions of one row's way through the network."""
    modes, counter = {m: m.training for m in network.modules()}, FlopCounterMode(display=False)
    network.eval()
    # What fails here fails in the pre-flight check, too, which says what is wrong.
    with suppress(Exception), torch.no_grad(), counter:
        network(x[:1].float())
    for module, training in modes.items():
        module.training = training
    return int(counter.get_total_flops())


def compile_training(network: nn.Module, mode: str, batch_size: int) -> None:
    """Compile what the network computes on full train batches; nothing else about it changes.

    A last, shorter batch would be compiled again, evaluation too: they run as ever, and so does
    a network that hooks look into. Names stay: the network is not wrapped in another.
    """
    own: Any = network.forward
    plain = own.__func__
    compiled = torch.compile(plain, mode=mode, dynamic=False)

    def forward(self: nn.Module, x: Tensor) -> Tensor:
        if not self.training or len(x) != batch_size or self._forward_hooks:
            return plain(self, x)
        try:
            # CUDA graphs write every batch's outputs to the same place: hence the copy.
            return compiled(self, x).clone()
        except torch._dynamo.exc.TorchDynamoException as error:
            rule = f"compile={mode} must work with this network on this machine"
            got = str(error).strip().partition("\n")[0]
            raise ConfigError(Problem(rule, got, Setting("compile", "off"))) from error

    network.forward = MethodType(forward, network)  # a method, so that a copy has its own
