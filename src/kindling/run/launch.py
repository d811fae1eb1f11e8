"""Start the processes of a run, watch them and end them together: by torchrun's own agent.

`python train.py trainer.devices=2` starts them here; a user's `torchrun train.py` does without.
torch is imported late: most runs are one process.
"""

import logging
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from kindling.config.run_state import monitored_value
from kindling.errors import ConfigError, Problem
from kindling.quoting import as_typed
from kindling.run.stopped import tell_how_to_go_on
from kindling.run.worker import PEER_GONE, is_worker
from kindling.trainer.signals import STOP

AGENT = "torch.distributed.elastic"  # how its loggers are called
GRACE_S = 45  # for the others to end, when one has failed or a signal has come
TORCHRUN = "torchrun --nnodes=N --nproc-per-node=M --rdzv-backend=c10d --rdzv-endpoint=HOST:29500"


def needs_launch(cfg: DictConfig) -> bool:
    """Say whether a run is to be several processes that are not there yet.

    Raises:
        ConfigError: they can't be started from here.
    """
    devices, machines = cfg.trainer.devices, cfg.trainer.num_nodes
    if cfg.lr_find or is_worker() or devices * machines == 1:
        return False
    if machines > 1:
        got = f"trainer.devices={devices}, trainer.num_nodes={machines}"
        rule = "on several machines the processes are started by torchrun, once on each"
        raise ConfigError(Problem(rule, got, f"{TORCHRUN} train.py (docs/scale.md)"))
    return HydraConfig.initialized()  # not so in a notebook, where `build_data` refuses them


def launch(cfg: DictConfig) -> float:
    """Run the processes to their end; return the best monitored value.

    Leaves the process with the code of what failed first; that one has said why itself.
    """
    words = [*HydraConfig.get().overrides.task, f"hydra.run.dir={as_typed(cfg.run_dir)}"]
    with ended_by_signals():
        failures = start(cfg, words)
    if failures:
        leave(failures, cfg)
    return monitored_value(Path(cfg.run_dir), cfg.monitor)


def start(cfg: DictConfig, words: list[str]) -> Mapping[int, Any]:
    """Run train.py with these words in every process; return what failed, by rank."""
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    # What fails is shown by the process itself; the agent would say it once more, in 30 lines.
    for name in (name for name in logging.root.manager.loggerDict if name.startswith(AGENT)):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    count, threads = cfg.trainer.devices, (os.cpu_count() or 1) // cfg.trainer.devices
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, threads)))
    with tempfile.TemporaryDirectory(prefix="kindling-") as logs:
        config = LaunchConfig(
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=count,
            run_id=Path(cfg.run_dir).name,
            rdzv_backend="c10d",
            rdzv_endpoint="localhost:0",
            local_addr="localhost",
            max_restarts=0,
            logs_specs=DefaultLogsSpecs(log_dir=logs),
            signals_to_handle=",".join(signal.Signals(n).name for n in STOP.heard),
            shutdown_timeout=GRACE_S,
        )
        try:
            elastic_launch(config, sys.executable)(str(Path(sys.argv[0]).resolve()), *words)
        except ChildFailedError as error:
            return error.failures
    return {}


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Leave as other runs do when a signal has ended the agent and, through it, the processes."""
    from torch.distributed.elastic.multiprocessing.api import SignalException

    try:
        yield
    except SignalException as stop:
        sys.exit(128 + int(stop.sigval))
    finally:
        STOP.listen()  # the agent has put its own handlers


def leave(failures: Mapping[int, Any], cfg: DictConfig) -> None:
    """Leave with the code of the process that failed first; say what it can't say itself."""
    # The agent ends the others by SIGTERM.
    follow = (PEER_GONE, -signal.SIGTERM)
    causes = {rank: each for rank, each in failures.items() if each.exitcode not in follow}
    rank, first = min((causes or failures).items(), key=lambda item: (item[1].timestamp, item[0]))
    if first.exitcode >= 0:
        sys.exit(first.exitcode)
    number = -first.exitcode
    name = signal.Signals(number).name
    sys.stderr.write(f"process {rank} of {cfg.trainer.devices} was ended by {name}\n")
    if rank == 0:
        tell_how_to_go_on(Path(cfg.run_dir))
    sys.exit(128 + number)
