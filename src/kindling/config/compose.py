"""Compose the folder conf/ and overrides into one configuration, by Hydra's own composition."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException

from kindling.config.values import leaves
from kindling.runs import RUNS

SHARED_STAMP = "KINDLING_STAMP"  # in the environment of several processes


def register_resolvers(root: Path) -> None:
    """Define `${root:path}`, beside train.py, `${file_name:path}`, `${runs:}`, `${stamp:}`."""
    OmegaConf.register_new_resolver("root", lambda path: str(root / path), replace=True)
    OmegaConf.register_new_resolver("runs", lambda: str(RUNS), replace=True)
    OmegaConf.register_new_resolver("file_name", lambda path: Path(path).name, replace=True)
    OmegaConf.register_new_resolver("stamp", new_stamp, use_cache=True, replace=True)


def new_stamp() -> str:
    """Return when a run begins, and letters that no other has; several processes share it."""
    if shared := os.environ.get(SHARED_STAMP):
        return shared
    now = time.strftime("%Y-%m-%d_%H-%M-%S")
    return _stamp_of_job(now) if in_cluster_job() else f"{now}_{os.urandom(2).hex()}"


def _stamp_of_job(now: str) -> str:
    """Keep the stamp of a cluster's job: where it is queued again, it finds its folder."""
    from submitit import JobEnvironment

    job = JobEnvironment()
    kept = job.paths.folder / f"{job.job_id}_stamp"
    own = kept.with_name(f"{kept.name}.{socket.gethostname()}.{os.getpid()}")
    own.write_text(f"{now}_{job.job_id}")
    with suppress(FileExistsError):  # that of another machine of the job, or of its last life
        os.link(own, kept)
    own.unlink()
    return kept.read_text()


def in_cluster_job() -> bool:
    """Say whether this process is a job that submitit has handed to a cluster."""
    return "SUBMITIT_EXECUTOR" in os.environ and "TORCHELASTIC_RUN_ID" not in os.environ


def project_folder() -> Path:
    """Return the folder in which train.py lies."""
    return Path(OmegaConf.create({"root": "${root:.}"}).root)


def compose_unfilled(conf: Path, overrides: list[str], *, with_hydra: bool = False) -> DictConfig:
    """Compose conf/train.yaml; `${hydra:...}` is left for Hydra to fill in when it runs a job."""
    running = GlobalHydra.instance().hydra  # that of a sweep, in which more is composed
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(conf), version_base="1.3"):
            return compose("train", overrides=overrides, return_hydra_config=with_hydra)
    finally:
        GlobalHydra.instance().hydra = running


def compose_config(conf: Path, overrides: list[str]) -> DictConfig:
    """Compose conf/train.yaml for a run in this process, with a new run folder's name."""
    cfg = compose_unfilled(conf, overrides, with_hydra=True)
    with _as_hydra_runs(cfg):
        for key, value in leaves(OmegaConf.to_container(cfg, resolve=False)):
            if isinstance(value, str) and "${hydra:" in value and not key.startswith("hydra."):
                # What only a sweep has, such as a job's number, is left to Hydra.
                with suppress(OmegaConfBaseException):
                    OmegaConf.update(cfg, key, OmegaConf.select(cfg, key))
    with open_dict(cfg):
        del cfg["hydra"]
    return cfg


@contextmanager
def _as_hydra_runs(cfg: DictConfig) -> Iterator[None]:
    """Let `${hydra:...}` mean this configuration; one that runs already is put back behind it."""
    holder = HydraConfig.instance()
    before = holder.cfg
    try:
        holder.set_config(cfg)  # hydra.run.dir itself may ask for it
        with read_write(cfg.hydra), open_dict(cfg.hydra):
            cfg.hydra.runtime.output_dir = str(Path(cfg.hydra.run.dir).absolute())
        holder.set_config(cfg)
        yield
    finally:
        holder.cfg = before
