"""Start the processes of a run, watch them and end them together: by torchrun's own agent.

`python train.py trainer.devices=2` starts them here; a user's `torchrun train.py` does without.
torch is imported late: most runs are one process.
"""

import logging
import os
import signal
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from kindling.config.compose import in_cluster_job
from kindling.config.run_state import monitored_value
from kindling.errors import ConfigError, Problem
from kindling.quoting import as_typed
from kindling.run.stopped import QueuedAgain, tell_how_to_go_on
from kindling.run.worker import PEER_GONE, is_worker
from kindling.trainer.signals import NAMES

AGENT = "torch.distributed.elastic"  # how its loggers are called
GRACE_S = 45  # for the others to end, when one has failed or a signal has come
THREADS = "OMP_NUM_THREADS"
TORCHRUN = "torchrun --nnodes=N --nproc-per-node=M --rdzv-backend=c10d --rdzv-endpoint=HOST:29500"


def needs_launch(cfg: DictConfig) -> bool:
    """Say whether a run is to be processes that are not there yet: several, or in a cluster's job.

    Raises:
        ConfigError: they can't be started from here.
    """
    devices, machines = cfg.trainer.devices, cfg.trainer.num_nodes
    if in_cluster_job():
        return True  # what takes the cluster's signals must not be what computes
    if cfg.lr_find or is_worker() or devices * machines == 1:
        return False
    if machines > 1:
        got = f"trainer.devices={devices}, trainer.num_nodes={machines}"
        rule = "on several machines the processes are started by torchrun, once on each"
        raise ConfigError(Problem(rule, got, f"{TORCHRUN} train.py (docs/scale.md)"))
    return HydraConfig.initialized()  # not so in a notebook, where `build_data` refuses them


def launch(cfg: DictConfig, script: Path) -> float:
    """Run the processes to their end; return the best monitored value.

    Leaves the process with the code of what failed first; that one has said why itself.

    Args:
        cfg: composed already; each process composes it anew, from the same words.
        script: train.py, for a job of a cluster; elsewhere what was started is started again.
    """
    program = script if in_cluster_job() else Path(sys.argv[0]).resolve()
    words = [*HydraConfig.get().overrides.task, f"hydra.run.dir={as_typed(cfg.run_dir)}"]
    if in_cluster_job():
        words.append("resume=auto")  # it may have been queued again
    with ended_by_signals() as signals:
        failures = start(cfg, [str(program), *words], signals)
    if failures:
        leave(failures, cfg)
    return monitored_value(Path(cfg.run_dir), cfg.monitor)


def start(cfg: DictConfig, words: list[str], signals: list[signal.Signals]) -> Mapping[int, Any]:
    """Run these words in every process of this machine; return what failed, by rank."""
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    # What fails is shown by the process itself; the agent would say it once more, in 30 lines.
    for name in (name for name in logging.root.manager.loggerDict if name.startswith(AGENT)):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="kindling-") as logs, cores_shared(cfg.trainer.devices):
        config = LaunchConfig(
            min_nodes=cfg.trainer.num_nodes,
            max_nodes=cfg.trainer.num_nodes,
            nproc_per_node=cfg.trainer.devices,
            rdzv_backend="c10d",
            max_restarts=0,
            logs_specs=DefaultLogsSpecs(log_dir=logs),
            signals_to_handle=",".join(each.name for each in signals),
            shutdown_timeout=GRACE_S,
            **meeting_point(cfg),
        )
        try:
            elastic_launch(config, sys.executable)(*words)
        except ChildFailedError as error:
            return error.failures
    return {}


@contextmanager
def cores_shared(count: int) -> Iterator[None]:
    """Give each of the processes its part of the cores, where nothing else is asked for."""
    asked = os.environ.get(THREADS)
    os.environ[THREADS] = asked or str(max(1, (os.cpu_count() or 1) // count))
    try:
        yield
    finally:
        del os.environ[THREADS]
        os.environ |= {THREADS: asked} if asked else {}


def meeting_point(cfg: DictConfig) -> dict[str, Any]:
    """Return where the agents of all machines meet: on the first one of a cluster's job."""
    run_id = Path(cfg.run_dir).name
    if cfg.trainer.num_nodes == 1:
        return {"run_id": run_id, "rdzv_endpoint": "localhost:0", "local_addr": "localhost"}
    from submitit import JobEnvironment

    job = JobEnvironment()
    port = 20_000 + zlib.crc32(job.job_id.encode()) % 10_000  # another one for each job
    return {"run_id": run_id, "rdzv_endpoint": f"{job.hostnames[0]}:{port}"}


@contextmanager
def ended_by_signals() -> Iterator[list[signal.Signals]]:
    """Leave as other runs do when a signal has ended the agent and, through it, the processes.

    In a job of a cluster, the job's own handlers are called then: they queue it again. Gives the
    signals that the agent is to hear.
    """
    from torch.distributed.elastic.multiprocessing.api import SignalException

    numbers = (getattr(signal, name) for name in NAMES if hasattr(signal, name))
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        # What is ignored stays so, as behind `nohup`.
        yield [number for number, handler in before.items() if handler is not signal.SIG_IGN]
    except SignalException as stop:
        handler = before[stop.sigval]
        if in_cluster_job() and callable(handler):
            queue_again(handler, stop.sigval)
        sys.exit(128 + int(stop.sigval))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def queue_again(handler: Callable[..., Any], number: signal.Signals) -> None:
    """Call the handler that a job of a cluster has for a signal: it leaves, if it queues again."""
    try:
        handler(number, None)
    except SystemExit as left:
        raise QueuedAgain(left.code) from None


def leave(failures: Mapping[int, Any], cfg: DictConfig) -> None:
    """Leave with the code of the process that failed first; say what it can't say itself."""
    # The agent ends the others by SIGTERM.
    follow = (PEER_GONE, -signal.SIGTERM, 128 + signal.SIGTERM)
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
