"""The folder conf/ and overrides in, one configuration out, by Hydra's own composition."""

import os
from pathlib import Path

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf


def register_resolvers(root: Path) -> None:
    """Define `${root:path}`, a path beside train.py, and `${unique:}`, four random letters."""
    OmegaConf.register_new_resolver("root", lambda path: str(root / path), replace=True)
    OmegaConf.register_new_resolver(
        "unique", lambda: os.urandom(2).hex(), use_cache=True, replace=True
    )


def compose_config(conf: Path, overrides: list[str]) -> DictConfig:
    """Compose conf/train.yaml without running anything."""
    with initialize_config_dir(str(conf), version_base="1.3"):
        return compose("train", overrides=overrides)
