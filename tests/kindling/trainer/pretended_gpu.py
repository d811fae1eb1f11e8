"""Whole trainings on a pretended GPU; prints, as JSON lines, what came of them.

The DataModule, the task, the callbacks and the Trainer are those of a run.
"""

import json
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

import torch
from lightning import seed_everything
from lightning.pytorch.callbacks import Callback
from pretended import CROSSINGS, WAITS, FarTensor, Module, find_pretended
from torch import nn

from kindling.callbacks.preflight import Preflight
from kindling.checkpoints import newest_checkpoint
from kindling.config.compose import compose_config, register_resolvers
from kindling.errors import ConfigError
from kindling.run import build
from kindling.run.console import hide_adverts
from kindling.run.plan import plan_lines
from kindling.trainer.device import find_device

ROOT = Path(__file__).parents[3]
FAST = ["trainer.max_epochs=1", "report=false", "baselines=false", "checks=false", "bundle=false"]
CNN = ["data=digits", "model=cnn", "model.width=4", "model.depth=2", "data.val_fraction=0.7"]
ALL = ["task.class_weight=balanced", "task.clip_norm=0.3", "task.accumulate=3"]
MASS = ["data.target=body_mass_g"]
RUNS = {
    "mlp": ["trainer.max_epochs=2"],
    "mlp, all options": ALL,
    "mlp, one batch a call": ["task.steps_per_call=1", "optimizer=sgd"],
    "values": [*MASS, "task.clip_norm=0.3", "data.target_transform=none"],
    "log1p": [*MASS, "data.target_transform=log1p"],
    "cnn": [*CNN, "data.augment=strong", "data.flip=true"],
    "realmlp": ["experiment=realmlp", "model.width=16"],
    "cnn, all options": [*CNN, *ALL, "task.steps_per_call=1", "data.drop_last=true"],
}
SIZE = 344 * (7 * 4 + 8)  # bytes: 344 penguins, each seven float32 and an int64
FAULTS = {
    "item": lambda loss: loss.item(),
    "float": lambda loss: float(loss),
    "if": lambda loss: bool(loss > 0),
    "print": lambda loss: f"{loss}",
    "print many": lambda loss: repr(loss.view(1)),
    "cpu": lambda loss: loss.cpu(),
    "list": lambda loss: loss.view(1).tolist(),
    "mask": lambda loss: loss.view(1)[loss.view(1) > 0],
    "nonzero": lambda loss: loss.nonzero(),
    "unique": lambda loss: loss.unique(),
    "new tensor": lambda loss: torch.tensor([1.0, 2.0], device=loss.device),
    "blocking copy": lambda loss: torch.ones(3).to(loss.device),
    "clip that raises": lambda loss: nn.utils.clip_grad_norm_(
        [as_gradient(loss)], 1.0, error_if_nonfinite=True
    ),
}


def as_gradient(loss):
    parameter = nn.Parameter(loss.clone())
    parameter.grad = loss.clone()
    return parameter


class Phases(Callback):
    """Gathers what waited between the first step of a stage and its last."""

    supports_chunks = True

    def __init__(self):
        self.waits = {"train": [], "val": []}
        self.calls = {"train": 0, "val": 0}
        self.crossings = {"train": 0, "val": 0}
        self.devices = set()

    def on_train_batch_start(self, trainer, module, batch, batch_idx):
        if batch_idx == 0:  # behind the pre-flight check, which looks at a few rows once
            self.forget()

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        self.take("train")
        learnt = [t for p in module.parameters() for t in (p, p.grad)]
        state = [t for kept in trainer.optimizers[0].state.values() for t in kept.values()]
        known = [*learnt, *module.buffers(), *state, *batch, *module.train_metrics.losses]
        self.devices |= {str(t.device) for t in known if isinstance(t, torch.Tensor)}

    def on_validation_batch_start(self, trainer, module, batch, batch_idx):
        if batch_idx == 0:
            self.forget()

    def on_validation_batch_end(self, *args):
        self.take("val")

    def take(self, stage):
        """Also what waited between two batches: fetching one, and copying it.

        The numbers of an epoch are taken out behind its last batch, once: that may wait.
        """
        self.calls[stage] += 1
        self.waits[stage] += [wait for wait in WAITS if not wait[-1].startswith("compute: ")]
        self.crossings[stage] += len(CROSSINGS)
        self.forget()

    def forget(self):
        WAITS.clear()
        CROSSINGS.clear()


@contextmanager
def prepared(words, find):
    """Give data, task and trainer as train.py builds them, and the plan's line on the device."""
    build.find_device = find  # says which device is there
    with tempfile.TemporaryDirectory() as folder:
        given = ["name=test", f"run_dir={folder}", "logger=csv", *FAST, *words]
        cfg = compose_config(ROOT / "conf", given)
        seed_everything(cfg.seed, verbose=False)
        data = build.build_data(cfg)
        task = build.build_task(cfg, data)
        trainer = build.build_trainer(cfg, data, task)
        yield data, task, trainer, plan_lines(cfg, data, task, trainer)["device"]


def train(words, find, spoil=None):
    """Train; `spoil` is given each loss."""
    with prepared(words, find) as (data, task, trainer, plan):
        phases = Phases()
        check = next(c for c in trainer.callbacks if isinstance(c, Preflight))
        trainer.callbacks.insert(trainer.callbacks.index(check) + 1, phases)
        if spoil is not None:
            task.loss.register_forward_hook(lambda *given: spoil(given[-1].detach()))
        trainer.fit(task, data)
    return phases, plan, numbers(task)


def numbers(task):
    return [t.near if isinstance(t, FarTensor) else t for t in task.state_dict().values()]


def run(name):
    """Train on the CPU, then twice on the GPU: with the rows on it, and copied there in batches."""
    *_, expected = train(["device=cpu", *RUNS[name]], find_device)
    for on_device in ("true", "false"):
        phases, plan, found = train([f"data.on_device={on_device}", *RUNS[name]], find_pretended)
        say(
            run=name,
            on_device=on_device,
            calls=phases.calls,
            waits=phases.waits,
            crossings=phases.crossings,
            plan=plan,
            devices=sorted(phases.devices),
            is_same=all(map(torch.equal, expected, found)),
        )


def say(**facts):
    print(json.dumps(facts))  # noqa: T201


def commit_all(loss):
    """Commit every fault, and put its name on what waited."""
    for name, fault in FAULTS.items():
        before = len(WAITS)
        fault(loss)
        WAITS[before:] = [(name, *wait) for wait in WAITS[before:]]


class Stop(Callback):
    """Ends the training behind an optimizer step."""

    def on_train_batch_end(self, trainer, *args):
        if trainer.global_step == 5:
            raise InterruptedError


def ending(words, *, in_parts):
    """Train, perhaps in two parts; return weights and the numbers of the last epoch."""
    with tempfile.TemporaryDirectory() as folder:
        words = [*words, f"callbacks.checkpoint.dirpath={folder}", "task.steps_per_call=1"]
        words += ["callbacks.checkpoint.every_n_steps=1"]
        if in_parts:
            with prepared(words, find_pretended) as (data, task, trainer, _):
                trainer.callbacks.append(Stop())
                with suppress(InterruptedError):
                    trainer.fit(task, data)
        with prepared(words, find_pretended) as (data, task, trainer, _):
            path = newest_checkpoint(Path(folder)).file.path if in_parts else None
            trainer.fit(task, data, ckpt_path=path, weights_only=True)
            metrics = {name: value.item() for name, value in trainer.callback_metrics.items()}
            return torch.cat([tensor.flatten() for tensor in numbers(task)]), metrics


def leave_behind(loss):
    loss + torch.ones(3)


def place(free, *words):
    """Say what happens to the rows where so many bytes are free."""
    Module.free = free
    try:
        with prepared(words, find_pretended) as (*_, plan):
            return plan
    except ConfigError as error:
        return str(error)


if __name__ == "__main__":
    register_resolvers(ROOT)
    hide_adverts()
    for name in RUNS:
        run(name)
    for words in (RUNS["mlp"], ["task.class_weight=balanced"]):
        whole, parts = (ending(words, in_parts=in_parts) for in_parts in (False, True))
        say(run="two parts", is_same=torch.equal(whole[0], parts[0]) and whole[1] == parts[1])
    say(run="faults", waits=train([], find_pretended, commit_all)[0].waits)
    try:
        train([], find_pretended, leave_behind)
    except RuntimeError as error:
        say(run="stray", error=str(error))
    for name, free, *words in [
        ("twice the size", 2 * SIZE),
        ("less", 2 * SIZE - 1),
        ("less, asked for", SIZE, "data.on_device=true"),
        ("too little", SIZE - 1, "data.on_device=true"),
        ("workers", 10**9, "data.num_workers=1"),
        ("disk", 10**9, "data.memory=disk"),
        ("disk, asked for", 10**9, "data.memory=disk", "data.on_device=true"),
        ("not asked for", 10**9, "data.on_device=false"),
    ]:
        say(run=name, plan=place(free, *words))
