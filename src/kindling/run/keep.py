"""A network in, the model_config by which it can be built again out; a tested task in, its bundle out."""

import json
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig
from torch import nn

from kindling.bundle.model_config import ModelConfig, model_config_of, plain_network
from kindling.tables.preprocessor import TablePreprocessor
from kindling.types import DataSpec


def check_model_config(cfg: DictConfig, network: nn.Module, spec: DataSpec) -> ModelConfig | None:
    """Prove, before anything is trained, that a bundle can build the network again.

    Returns None for a network from elsewhere, which a bundle may not name: it trains as any other.
    """
    return model_config_of(instantiate(cfg.model, _convert_="all"), network, spec)


def keep_bundle(cfg: DictConfig, data: Any, task: Any) -> str:
    """Write RUN/bundle from the best weights; say where it is, or why there is none."""
    from kindling.bundle.bundle import write_bundle  # late: half a second for skops

    network = plain_network(task.network)
    model_config = check_model_config(cfg, network, data.spec)
    if model_config is None:
        return f"none: {type(network).__name__} is not defined in src/kindling/model"
    run, fitted = Path(cfg.run_dir), data.preprocessor
    write_bundle(
        run / "bundle",
        model_config=model_config,
        network=network,
        spec=data.spec,
        schema=data.schema,
        preprocessor=fitted if isinstance(fitted, TablePreprocessor) else None,
        batch_size=data.eval_batch_size,
        metrics=json.loads((run / "metrics.json").read_text(encoding="utf-8")),
    )
    return "kindling predict latest new.csv"
