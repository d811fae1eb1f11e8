"""What can be wrong with a batch, a network, its outputs, its loss and its gradients."""

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from kindling.callbacks.layer_watch import LayerOutput
from kindling.errors import Problem
from kindling.types import Batch, DataSpec

OFF = "type '~callbacks.preflight' if it is meant so"
# An untrained network knows nothing and should pay for it what a guess pays. Twenty kinds of sound
# ones start at 0.2 to 3.0 times that (50 seeds each); a missing scale costs hundreds.
WORST_START, SMALLEST_START = 10.0, 1.0  # times that; at least, as few rows may be alike


def batch_problems(batch: Batch, spec: DataSpec, device: torch.device) -> list[Problem]:
    """Hold a batch against what networks and losses take."""
    wanted = torch.float32 if spec.is_regression else torch.int64
    problems = []
    for name, tensor, dtype in (("x", batch.x, torch.float32), ("y", batch.y, wanted)):
        if tensor.dtype != dtype:
            fix = f"cast batch.{name} where it is made"
            problems.append(Problem(f"batch.{name} must be {dtype}", f"{tensor.dtype}", fix))
        if tensor.device != device:
            fix = "move it in transfer_batch_to_device"
            problems.append(Problem(f"batch.{name} must be on {device}", f"{tensor.device}", fix))
    if batch.y.shape != batch.x.shape[:1]:
        rule = f"batch.y must have one target for each of the {len(batch.x)} rows"
        got = f"shape {tuple(batch.y.shape)}"
        problems.append(Problem(rule, got, "squeeze it to one dimension where it is made"))
    return problems or value_problems(batch, spec)


def value_problems(batch: Batch, spec: DataSpec) -> list[Problem]:
    """Find rows with a label that no output stands for, or with a value that is no number."""
    problems, broken = [], ~batch.x.flatten(1).isfinite().all(dim=1)
    if spec.is_regression:
        broken |= ~batch.y.isfinite()
    else:
        outside = (batch.y < 0) | (batch.y >= spec.num_classes)
        if outside.any():
            rule = f"labels must be 0 to {spec.num_classes - 1} for {spec.num_classes} classes"
            labels = batch.y[outside].unique()
            got = f"{some(labels.tolist())} in rows {some(batch.row[outside].tolist())}"
            problems.append(Problem(rule, got, "mend the target's codes, or spec.classes"))
    if broken.any():
        got = f"nan or inf in rows {some(batch.row[broken].tolist())}"
        fix = "impute them, or leave these rows out"
        problems.append(Problem("a batch must hold finite numbers only", got, fix))
    return problems


def tensor_problems(network: nn.Module, device: torch.device) -> list[Problem]:
    """Find parameters and buffers of another dtype, or on another device."""
    problems, cast, moved = [], [], []
    for name, tensor in (*network.named_parameters(), *network.named_buffers()):
        owner = f"{name} of {type(network.get_submodule(name.rpartition('.')[0])).__name__}"
        if tensor.is_floating_point() and tensor.dtype != torch.float32:
            cast.append(f"{tensor.dtype} for {owner}")
        if tensor.device != device:
            moved.append(f"{tensor.device} for {owner}")
    if cast:
        fix = "make it float32, such as with .float() in __init__"
        problems.append(Problem("networks must be torch.float32", some(cast), fix))
    if moved:
        fix = "leave the moving to the Trainer: no .to() in the network"
        problems.append(Problem(f"networks must be on {device}", some(moved), fix))
    return problems


def optimizer_problems(network: nn.Module, optimizers: Iterable[Optimizer]) -> list[Problem]:
    """Find parameters that ask for a gradient which no optimizer uses."""
    learning = {name: p for name, p in network.named_parameters() if p.requires_grad}
    if not learning:
        fix = "leave requires_grad=True for the layers that are to learn"
        return [Problem("a network must have parameters to learn", "none that requires grad", fix)]
    moved = {id(p) for o in optimizers for group in o.param_groups for p in group["params"]}
    still = [name for name, p in learning.items() if id(p) not in moved]
    if not still:
        return []
    fix = "hand them to the optimizer, or set requires_grad=False"
    return [
        Problem("every parameter that requires grad must be in the optimizer", some(still), fix)
    ]


def output_problems(
    outputs: Any, x: Tensor, spec: DataSpec, seen: list[LayerOutput], members: tuple[int, ...] = ()
) -> list[Problem]:
    """Hold outputs against one row of num_outputs numbers for each row, or each of its members."""
    if not isinstance(outputs, Tensor):
        got = f"a {type(outputs).__name__}"
        return [
            Problem("a network must return one tensor", got, "return the logits or values only")
        ]
    problems, shape, kind = [], (len(x), *members, spec.num_outputs), x.device.type
    if outputs.shape != shape:
        what = "value" if spec.is_regression else "classes"
        rule = f"outputs must be {shape}: {len(x)} rows, {spec.num_outputs} {what}"
        fix = "make the last layer spec.num_outputs wide and keep both dimensions"
        problems.append(Problem(rule, f"{tuple(outputs.shape)} from {seen[-1].layer}", fix))
    allowed = {torch.float32}
    if torch.is_autocast_enabled(kind):
        allowed.add(torch.get_autocast_dtype(kind))
    if outputs.dtype not in allowed:
        first = next((s.layer for s in seen if s.dtype == outputs.dtype), "network")
        got = f"{outputs.dtype}, first from {first}"
        problems.append(Problem("outputs must be torch.float32", got, "cast nothing in forward"))
    if outputs.device != x.device:
        first = next((s.layer for s in seen if s.device == outputs.device), "network")
        got = f"{outputs.device}, first from {first}"
        problems.append(Problem(f"outputs must be on {x.device}", got, "move nothing in forward"))
    return problems


def loss_problems(loss: Tensor, seen: list[LayerOutput]) -> list[Problem]:
    """Find the layer where numbers stop being numbers."""
    if loss.isfinite():
        return []
    first = next((s.layer for s in seen if not s.total.isfinite()), "the loss itself")
    fix = "look for log, sqrt or a division there, and keep what goes in positive"
    got = f"{loss.item()}, first not finite in {first}"
    return [Problem("the loss must be finite", got, fix)]


def start_problems(
    outputs: Tensor, y: Tensor, loss_of: nn.Module, seen: list[LayerOutput]
) -> list[Problem]:
    """Compare the loss before the first step with that of outputs of 0, which know nothing.

    Cross entropy then is log(K), the squared error of standardised values about 1.
    """
    loss, guess = (_typical_loss(loss_of, each, y) for each in (outputs, torch.zeros_like(outputs)))
    if loss <= WORST_START * max(guess, SMALLEST_START):
        return []
    rule = f"the loss must start near {guess:.3g}, as of outputs that are 0"
    got = f"{loss:.3g}, with outputs up to {outputs.abs().max():.3g} from {seen[-1].layer}"
    return [Problem(rule, got, f"scale the last layers down, or {OFF}")]


def _typical_loss(loss_of: nn.Module, outputs: Tensor, y: Tensor) -> float:
    """Average over rows without the worst one: an outlier is no fault of the network."""
    rows = torch.stack([loss_of(outputs[i : i + 1], y[i : i + 1]) for i in range(len(y))])
    return float(rows.sum() - rows.max()) / max(1, len(rows) - 1)


def hidden_parameters(network: nn.Module, loss: Tensor) -> list[str]:
    """Name what the loss depends on and could learn, but the network has not registered."""
    known = {id(parameter) for parameter in network.parameters()}
    names = dict(_attributes(network))
    hidden = (
        names.get(id(leaf), f"a parameter of shape {tuple(leaf.shape)}")
        for leaf in _leaves(loss)
        if id(leaf) not in known and (isinstance(leaf, nn.Parameter) or id(leaf) in names)
    )
    return sorted(set(hidden))


def _leaves(loss: Tensor) -> Iterator[Tensor]:
    """Walk the graph back to the tensors that would get a .grad."""
    todo: list[Any] = [loss.grad_fn]
    done: set[Any] = {None}
    while todo:
        node = todo.pop()
        if node not in done:
            done.add(node)
            todo += [parent for parent, _ in node.next_functions]
            if node.name() == "torch::autograd::AccumulateGrad":
                yield node.variable


def _attributes(network: nn.Module) -> Iterator[tuple[int, str]]:
    """Name the tensors, and those of layers, that lie in plain attributes, lists and dicts."""
    for path, module in network.named_modules():
        for attribute, value in vars(module).items():
            name = f"{path}.{attribute}".lstrip(".")
            if isinstance(value, dict):
                items = [(f"{name}[{key!r}]", item) for key, item in value.items()]
            elif isinstance(value, list | tuple):
                items = [(f"{name}[{number}]", item) for number, item in enumerate(value)]
            else:
                items = [(name, value)]
            for place, item in items:
                tensors = item.parameters() if isinstance(item, nn.Module) else (item,)
                yield from ((id(t), f"{place} ({type(item).__name__})") for t in tensors)


def some(items: Iterable[Any], limit: int = 5) -> str:
    """Join the first few."""
    words = [str(item) for item in items]
    more = f" and {len(words) - limit} more" if len(words) > limit else ""
    return ", ".join(words[:limit]) + more
