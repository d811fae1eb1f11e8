"""What one of several processes does in test_equal.py: several trainings, one after the other.

python worker.py COUNT FOLDER: COUNT processes write FOLDER/COUNT.pt. With 2, a training stops in an
epoch; with other numbers, it goes on from there.
"""

import os
import shutil
import signal
import sys
from pathlib import Path

import torch
from lightning import seed_everything
from lightning.pytorch.callbacks import Callback
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from kindling.config.compose import compose_config, register_resolvers
from kindling.distributed import WORLD, gather, largest
from kindling.run.build import build_data, build_task, build_trainer
from kindling.run.console import hide_adverts
from kindling.run.resume import open_run_folder
from kindling.run.worker import join_others, take_over_processes
from kindling.trainer.sharded import ShardedStrategy
from kindling.trainer.signals import STOP, Stopped

ROOT = Path(__file__).parents[3]
CONF = ROOT / "conf"
# No dropout: each process would draw its own. Odd sizes: no process has as many rows as another.
MLP = ("model=mlp", "model.dropout=0", "data.batch_size=31", "data.eval_batch_size=7")
WEIGHTED = ("task.class_weight=balanced", "task.accumulate=3", "task.clip_norm=0.5")
CASES = {
    "classes": (*MLP, *WEIGHTED),
    "values": (*MLP, "data.target=body_mass_g", "data.target_transform=log1p"),
    "members": ("model=tabm", "model.dropout=0", "data.batch_size=31"),
    "dropout": ("model=mlp", "model.dropout=0.3"),
    "images": ("data=images", "data.path=IMAGES", "model=cnn", "data.batch_size=14"),
}
LONG = (*MLP, *WEIGHTED, "task.steps_per_call=1")  # stopped in its second epoch, behind a step


class Recorder(Callback):
    """Notes the rows of each batch, and whether all processes have the same weights."""

    supports_chunks = True

    def __init__(self, stop_at=None):
        self.rows, self.is_same, self.curve, self.stop_at = {}, [], [], stop_at

    def on_train_batch_end(self, trainer, task, outputs, batch, *args):
        self.rows.setdefault(trainer.current_epoch, []).extend(batch.row.tolist())
        if self.stop_at == (trainer.current_epoch, task.batches_done) and WORLD.rank == 1:
            STOP.asked = signal.SIGTERM  # one of them is asked to; the others learn of it

    def on_train_epoch_end(self, trainer, task):
        numbers = {name: float(value) for name, value in trainer.callback_metrics.items()}
        self.curve.append(numbers)
        if isinstance(trainer.strategy, ShardedStrategy):
            return  # none has them whole
        own = {name: tensor.clone() for name, tensor in task.state_dict().items()}
        all_of_them = gather((numbers, own))
        self.is_same.append(
            all(
                numbers == other[0] and all(torch.equal(own[k], other[1][k]) for k in own)
                for other in all_of_them
            )
        )


def learn(folder, *words, stop_at=None, resume=None):
    """Train and test; return what every process must agree on, and all rows that were learnt."""
    settings = [f"run_dir={folder}", "trainer.max_epochs=2", "baselines=false", "report=false"]
    cfg = compose_config(CONF, [*settings, "device=cpu", "threads=1", "bundle=false", *words])
    if WORLD.count > 1:
        take_over_processes(cfg)
    cfg.resume = resume
    seed_everything(cfg.seed, verbose=False)
    data = build_data(cfg)
    task = build_task(cfg, data)
    trainer = build_trainer(cfg, data, task)
    recorder = Recorder(stop_at)
    trainer.callbacks.insert(0, recorder)
    checkpoint = open_run_folder(cfg, data, task, trainer)
    try:
        trainer.fit(task, data, ckpt_path=checkpoint, weights_only=True)
    except Stopped:
        largest(0)  # the first one writes
        STOP.asked = None
        return {"rows": join_rows(recorder)}
    state = trainer.strategy.lightning_module_state_dict()  # whole, also of a sharded network
    weights = {name: tensor.clone() for name, tensor in state.items()}
    trainer.test(task, data, ckpt_path="best", weights_only=True, verbose=False)
    return {
        "rows": join_rows(recorder),
        "num_train": len(data.split["train"]),
        "is_same": recorder.is_same,
        "curve": recorder.curve,
        "weights": weights,
        "scores": {split: result.scores for split, result in task.results.items()},
        "test_rows": torch.from_numpy(task.results["test"].row),
        "predictions": torch.from_numpy(task.results["test"].prediction),
    }


def join_rows(recorder):
    every = gather(recorder.rows)
    return {epoch: [row for one in every for row in one[epoch]] for epoch in recorder.rows}


def main(folder):
    join_others(is_sweep=False)
    register_resolvers(ROOT)
    hide_adverts()
    count = WORLD.count
    found = {}
    for name, words in CASES.items():
        words = [word.replace("IMAGES", str(folder / "images")) for word in words]
        found[name] = learn(folder / f"{name}{count}", *words)
    found["again"] = learn(folder / f"again{count}", *CASES["dropout"])
    stopped = folder / "stopped"
    if count == 2:
        found["sharded"] = learn(folder / "sharded", *CASES["classes"], "trainer=fsdp")
        found["stopped"] = learn(stopped, *LONG, stop_at=(1, 3))
        largest(0)
    own = folder / f"resumed{count}"
    if WORLD.is_first:
        shutil.copytree(stopped, own)
    largest(0)
    found["resumed"] = learn(own, *LONG, resume=str(own))
    found["whole"] = learn(folder / f"whole{count}", *LONG)
    if WORLD.is_first:
        torch.save(found, folder / f"{count}.pt")


if __name__ == "__main__":
    *count, place = sys.argv[1:]
    if count and int(count[0]) > 1:
        config = LaunchConfig(
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=int(count[0]),
            run_id="test",
            rdzv_backend="c10d",
            rdzv_endpoint="localhost:0",
            local_addr="localhost",
            max_restarts=0,
        )
        os.environ["OMP_NUM_THREADS"] = "1"
        elastic_launch(config, sys.executable)(__file__, place)
    else:
        main(Path(place))
