"""Let Hydra know `hydra/sweeper=optuna`, a search for good settings: kindling.search does the work.

Hydra takes plugins from this namespace only, and imports all of them at every start: so what is
heavy is imported when a search begins.
"""

from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


@dataclass
class OptunaConf:
    """What can be typed behind `hydra.sweeper.`; docs/sweeps.md tells of each."""

    _target_: str = "hydra_plugins.kindling_optuna.OptunaSweeper"
    n_trials: int = 20  # finished ones, those of earlier starts included
    n_jobs: int = 1  # trials at a time, each a process of its own
    sampler: str = "tpe"  # or random
    pruner: str = "median"  # or halving, or none
    storage: str = "sqlite"  # or journal, for disks of a network
    timeout_s: float | None = None  # of one trial
    devices: list[str] = field(default_factory=list)  # CUDA's, one for each trial at a time
    params: dict[str, Any] = field(default_factory=dict)  # the space, by key


class OptunaSweeper(Sweeper):
    """Hands over to kindling.search what Hydra has read."""

    def __init__(self, **options: Any) -> None:
        self.options = options

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        self.config = config

    def sweep(self, arguments: list[str]) -> None:
        from kindling.search.sweep import search

        assert self.config is not None
        search(self.config, arguments, self.options)


ConfigStore.instance().store(
    group="hydra/sweeper", name="optuna", node=OptunaConf, provider="kindling"
)
