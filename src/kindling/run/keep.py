"""A network in, the recipe by which it can be built again out; a tested task in, its bundle out."""

import json
from pathlib import Path

from hydra.utils import instantiate
from omegaconf import DictConfig
from torch import nn

from kindling.data.datamodule import DataModule
from kindling.data.preprocess import TablePreprocessor
from kindling.serve.network import Recipe, plain_network, recipe_of
from kindling.task.supervised import Task
from kindling.types import DataSpec


def check_recipe(cfg: DictConfig, network: nn.Module, spec: DataSpec) -> Recipe | None:
    """Prove, before anything is trained, that a bundle can build the network again.

    Returns None for a network from elsewhere, which a bundle may not name: it trains as any other.
    """
    return recipe_of(instantiate(cfg.model, _convert_="all"), network, spec)


def keep_bundle(cfg: DictConfig, data: DataModule, task: Task) -> str:
    """Write RUN/bundle from the best weights; say where it is, or why there is none."""
    from kindling.serve.bundle import write_bundle  # late: half a second for skops

    network = plain_network(task.network)
    recipe = check_recipe(cfg, network, data.spec)
    if recipe is None:
        return f"none: {type(network).__name__} is not defined in src/kindling/model"
    run, fitted = Path(cfg.run_dir), data.preprocessor
    write_bundle(
        run / "bundle",
        recipe=recipe,
        network=network,
        spec=data.spec,
        schema=data.schema,
        preprocessor=fitted if isinstance(fitted, TablePreprocessor) else None,
        batch_size=data.eval_batch_size,
        metrics=json.loads((run / "metrics.json").read_text(encoding="utf-8")),
    )
    return "kindling predict latest new.csv"
