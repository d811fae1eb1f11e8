"""The same training plain and compiled, in a process of its own: prints what came of both.

Elsewhere in the tests every call of ours is checked for shapes, which the compiler cannot read.
"""

import json
import sys
import tempfile
from pathlib import Path

from lightning import seed_everything
from torch._dynamo.utils import counters

from kindling.config.compose import compose_config, register_resolvers
from kindling.run.build import build_data, build_task, build_trainer
from kindling.run.console import hide_adverts

ROOT = Path(__file__).parents[3]
WORDS = ["name=test", "device=cpu", "trainer.max_epochs=2", "model.dropout=0", "model.width=8"]


def train(mode, *words):
    with tempfile.TemporaryDirectory() as folder:
        given = [f"run_dir={folder}", f"compile={mode}", *WORDS, *words]
        cfg = compose_config(ROOT / "conf", given)
        seed_everything(cfg.seed, verbose=False)
        data = build_data(cfg)
        task = build_task(cfg, data)
        trainer = build_trainer(cfg, data, task)
        trainer.fit(task, data)
    said = {
        "losses": [float(trainer.callback_metrics[f"{stage}/loss"]) for stage in ("train", "val")],
        "names": list(task.state_dict()),
        "graphs": counters["stats"]["unique_graphs"],
        "short": len(data.split["train"]) % data.batch_size,
    }
    print(json.dumps(said))  # noqa: T201


if __name__ == "__main__":
    register_resolvers(ROOT)
    hide_adverts()
    for mode in ("off", "default"):
        train(mode, *sys.argv[1:])
