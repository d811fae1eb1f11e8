"""Interrupt a run at a step, resume it, and hold its end against the uninterrupted one's."""

import math
import os
import signal
from pathlib import Path

import torch
from lightning import seed_everything
from lightning.pytorch.callbacks import Callback
from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
from tensorboard.util import tensor_util

from kindling.run.build import build_data, build_task, build_trainer
from kindling.run.resume import open_run_folder
from tests.conftest import newest

OTHERWISE = ("seconds", "logs")  # where a run's own time shows


class Interrupt(Exception):
    pass


class StopAt(Callback):
    """Ends the training, or the process, in the middle of what follows the k-th optimizer step."""

    supports_chunks = True

    def __init__(self, step, *, kills=False):
        self.step, self.kills = step, kills

    def on_train_batch_end(self, trainer, *args):
        if trainer.global_step >= self.step:
            if self.kills:
                os.kill(os.getpid(), signal.SIGKILL)
            raise Interrupt


def killed(compose, *words, folder, step, resume=False):
    """Train in another process, which is killed behind a step: nothing is flushed or closed."""
    child = os.fork()
    if not child:
        try:
            fit(compose, *words, folder=folder, stop_at=step, kills=True, resume=resume)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def fit(compose, *words, folder, stop_at=None, kills=False, resume=False):
    """Train as train.py does, up to the test; return the run's folder."""
    cfg = compose(*words, folder=folder)
    if resume:
        cfg.resume = cfg.run_dir
    seed_everything(cfg.seed, verbose=False)
    data = build_data(cfg)
    task = build_task(cfg, data)
    trainer = build_trainer(cfg, data, task)
    if stop_at is not None:
        trainer.callbacks.append(StopAt(stop_at, kills=kills))
    checkpoint = open_run_folder(cfg, data, task, trainer)
    try:
        trainer.fit(task, data, ckpt_path=checkpoint, weights_only=True)
    except Interrupt:
        pass
    else:
        assert stop_at is None, "the training went past its stop"
    return Path(cfg.run_dir)


def ending(run):
    """Return all that a run ends with: the newest state, and what was logged."""
    state = torch.load(newest(run), weights_only=True)
    for name in OTHERWISE:
        state["kindling"].pop(name)
    (state["kindling"]["random"],) = state["kindling"]["random"]  # of one process
    state["kindling"]["random"].pop("python")  # beartype, which only tests have, draws from it
    state["callbacks"] = {k: v for k, v in state["callbacks"].items() if "Timer" not in k}
    best = torch.load(newest(run, best=True), weights_only=True)
    return {"state": state, "best": best, "scalars": scalars(run)}


def scalars(run):
    """List what TensorBoard shows, in its order: (name, step, value)."""
    found = []
    files = (run / "tensorboard").glob("events*")
    parts = [list(LegacyEventFileLoader(str(file)).Load()) for file in files]
    # Names tell the second only; what a file begins with has its moment.
    for part in sorted(parts, key=lambda events: events[0].wall_time):
        for event in part:
            for value in event.summary.value:
                number = value.simple_value
                if value.HasField("tensor"):
                    number = tensor_util.make_ndarray(value.tensor).item()
                found.append((value.tag, event.step, number))
    return found


def differences(one, other, place=""):
    """Name what differs between two trees of plain values and tensors, in bits."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = {*one, *other}
        missing = object()
        return [
            d
            for k in sorted(keys, key=str)
            for d in differences(one.get(k, missing), other.get(k, missing), f"{place}/{k}")
        ]
    if isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [d for k, (a, b) in pairs for d in differences(a, b, f"{place}/{k}")]
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return [] if torch.equal(one, other) else [place]
    nans = isinstance(one, float) and isinstance(other, float) and math.isnan(one + other)
    return [] if nans or one == other else [f"{place}: {one!s:.80} {other!s:.80}"]
