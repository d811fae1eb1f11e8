"""The pre-flight check: a few rows through the network before the first step."""

import warnings
from contextlib import suppress
from typing import Any

import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule

from kindling.callbacks.kept_state import kept_to_itself
from kindling.callbacks.layer_watch import LayerWatch, first_line, untouched
from kindling.callbacks.preflight_checks import (
    OFF,
    batch_problems,
    hidden_parameters,
    loss_problems,
    optimizer_problems,
    output_problems,
    some,
    start_problems,
    tensor_problems,
)
from kindling.contract import DescribedTask
from kindling.errors import ConfigError, DataError, Problem
from kindling.types import Batch

SIZES = (13, 11, 7, 5)  # rows; odd, so that no dimension of a network is taken for the batch
DRAWS = 4
# Of the largest output: rounding in bfloat16 stays below, another row's share does not.
CLOSE = 0.05


class Preflight(Callback):
    """Refuses a network or a batch that cannot learn; leaves both, and the randomness, as they are.

    Data that is to blame alone is a DataError, everything else a ConfigError.
    """

    supports_chunks = True  # looks at the first batch only

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.is_due = True

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.global_step == 0:
            rule = "a training must take optimizer steps"
            got = f"none in the first epoch of {type(pl_module).__name__}"
            fix = "step the optimizer in training_step, or set automatic_optimization = True"
            raise ConfigError(Problem(rule, got, fix))

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if not self.is_due:
            return  # every later step: one attribute is read
        self.is_due = False
        if not (isinstance(pl_module, DescribedTask) and isinstance(batch, Batch)):
            return  # nothing is known of its network and batches; the plan has said so
        if isinstance(pl_module.network, FSDPModule):
            return  # its parameters are in parts, which no gradient reaches by itself
        network, device = pl_module.network, pl_module.device
        in_batch = batch_problems(batch, pl_module.spec, device)
        problems = tensor_problems(network, device)
        can_run = not (in_batch or problems)
        problems += optimizer_problems(network, trainer.optimizers)
        if can_run:
            # A resumed run has learnt already, and so has one that starts from another's weights.
            is_start = trainer.global_step == 0 and getattr(pl_module, "warm_start", None) is None
            warn_of_kept_state(network, batch.x, device, trainer.precision_plugin)
            try:
                with untouched(network, device), trainer.precision_plugin.forward_context():
                    problems += run_problems(pl_module, few_rows(batch), is_start=is_start)
            except ConfigError as error:  # a layer raised: nothing behind it can be checked
                raise ConfigError(*problems, *error.problems) from error
        if problems:
            raise ConfigError(*in_batch, *problems)
        if in_batch:
            raise DataError(*in_batch)


def warn_of_kept_state(network: nn.Module, x: Tensor, device: torch.device, plugin: Any) -> None:
    """Warn of state that no checkpoint holds; what can't be copied or run is not looked at."""
    half = min(SIZES[0], (len(x) + 1) // 2)
    kept: list[str] = []
    # A network that fails here fails in the check that follows, too, which says what is wrong.
    with suppress(Exception), untouched(network, device), plugin.forward_context():
        kept = kept_to_itself(network, x[:half], x[-half:])
    if kept:
        warnings.warn(
            f"a run that is resumed will end in other bits: no checkpoint holds {some(kept)}; keep "
            "it in a buffer (register_buffer), and draw from torch's own generator",
            stacklevel=2,
        )


def few_rows(batch: Batch) -> Batch:
    """Take the first rows, in a number that is no other dimension of theirs."""
    fitting = (n for n in SIZES if n <= len(batch.x) and n not in batch.x.shape[1:])
    size = next(fitting, len(batch.x))
    return Batch(batch.x[:size], batch.y[:size], batch.row[:size])


def run_problems(task: DescribedTask, batch: Batch, *, is_start: bool) -> list[Problem]:
    """Run the network as in training, then as in evaluation."""
    with LayerWatch(task.network) as watch:
        problems = training_problems(task, watch, batch, is_start=is_start)
        problems += evaluation_problems(task, watch, batch.x)
    return list(dict.fromkeys(problems))  # a wrong shape is wrong in both


def training_problems(
    task: DescribedTask, watch: LayerWatch, batch: Batch, *, is_start: bool
) -> list[Problem]:
    """Check outputs, loss and gradients of one pass."""
    with watch.watch_edits():
        outputs = watch.run(batch.x)
        network: Any = task.network
        members = (network.num_members,) if getattr(network, "by_member", False) else ()
        problems = output_problems(outputs, batch.x, task.spec, watch.seen, members)
        if problems:
            return problems
        loss = task.loss(outputs, batch.y)
    problems = loss_problems(loss, watch.seen)
    if is_start and not problems:
        problems = start_problems(outputs.detach(), batch.y, task.loss, watch.seen)
    return problems + gradient_problems(task, watch, batch, loss)


def gradient_problems(
    task: DescribedTask, watch: LayerWatch, batch: Batch, loss: Tensor
) -> list[Problem]:
    """Find parameters that no gradient reaches, and edits that would stop the backward pass."""
    problems = []
    hidden = hidden_parameters(task.network, loss)
    if hidden:
        fix = "keep layers in nn.ModuleList or nn.ModuleDict, tensors in nn.Parameter"
        problems.append(Problem("every layer must be registered", some(hidden), fix))
    missing = unreached(task, loss)
    if watch.edited:
        got = f"an edit of what {some(dict.fromkeys(watch.edited))} keeps for it"
        fix = "write x = x + 1 rather than x += 1 behind that layer, or leave out inplace=True"
        return [*problems, Problem("nothing may be edited before the backward pass", got, fix)]
    for _ in range(DRAWS):  # stochastic depth leaves out a layer by chance
        if missing:
            missing &= unreached(task, task.loss(watch.run(batch.x), batch.y))
    if missing:
        got = f"{some(n for n, _ in task.network.named_parameters() if n in missing)}"
        fix = f"use them in forward without .detach() or no_grad, or set requires_grad=False; {OFF}"
        rule = "a gradient must reach every parameter that requires grad"
        problems.append(Problem(rule, f"detached or unused: {got}", fix))
    return problems


def unreached(task: DescribedTask, loss: Tensor) -> set[str]:
    """Name the parameters without a gradient; .grad stays as it is."""
    learning = {name: p for name, p in task.network.named_parameters() if p.requires_grad}
    if not learning or not loss.requires_grad:
        return set(learning)
    try:
        gradients = torch.autograd.grad(loss, list(learning.values()), allow_unused=True)
    except RuntimeError as error:
        fix = "mend what is named there (debug=true shows the line)"
        raise ConfigError(Problem("the backward pass must run", first_line(error), fix)) from error
    return {name for name, grad in zip(learning, gradients, strict=True) if grad is None}


def evaluation_problems(task: DescribedTask, watch: LayerWatch, x: Tensor) -> list[Problem]:
    """Check that evaluation draws nothing and treats each row by itself."""
    task.network.eval()
    half = (len(x) + 1) // 2
    with torch.no_grad():
        first, seen = watch.run(x), watch.seen
        problems = output_problems(first, x, task.spec, seen)
        if problems:
            return problems
        second, again = watch.run(x), watch.seen
        alone = watch.run(x[:half])
    training = [watch.labels[module] for module in task.network.modules() if module.training]
    rule = "evaluation must give the same outputs each time, and for each row by itself"
    if training:
        fix = f"let train() and eval() set the mode; {OFF}"
        return [Problem(rule, f"still in training mode: {some(training)}", fix)]
    if not torch.equal(first.nan_to_num(), second.nan_to_num()):
        pairs = zip(seen, again, strict=False)
        changed = (a.layer for a, b in pairs if not a.total.equal(b.total))
        fix = f"pass training=self.training to what draws numbers; {OFF}"
        got = f"two passes that differ first in {next(changed, 'network')}"
        return [Problem(rule, got, fix)]
    if (first[:half] - alone).abs().max() > CLOSE * first.abs().max():
        fix = f"take no mean over the batch outside BatchNorm; {OFF}"
        got = f"other outputs of {watch.labels[task.network]} when rows are left out"
        return [Problem(rule, got, fix)]
    return []
