"""Hold a resumed run against the folder that it goes on in, before any file of it is touched.

Other rows, classes or columns, and a checkpoint that does not fit the network are refused in words,
and a refused command leaves every file as it was. `config/replay.py` holds the settings likewise.
"""

import functools
import json
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from hydra.utils import instantiate
from lightning import LightningModule, Trainer
from omegaconf import DictConfig

from kindling.bounded_files import read_text
from kindling.callbacks.run_checkpoint import STATE, RunCheckpoint
from kindling.checkpoints import DATA_DIGEST, damage_of, list_checkpoints, newest_checkpoint
from kindling.config.replay import is_whole_callback, plain_config, read_config
from kindling.contract import DescribedData, PlansSteps
from kindling.data_differences import differences
from kindling.data_record import DataRecord, make_record, read_record, write_record
from kindling.disk import refuse_small_disk
from kindling.distributed import WORLD, of_first
from kindling.errors import ConfigError, DataError, Problem
from kindling.formatting import first_few, printable, short_path
from kindling.quoting import as_typed
from kindling.run.console import show_plan
from kindling.run.run_files import run_environment, write_settings
from kindling.runs import CHECKPOINT_FOLDER, DATA_FILE, ENVIRONMENT_FILE, OVERRIDES_FILE
from kindling.trainer.log_position import cut_logs
from kindling.trainer.loggers import log_settings
from kindling.trainer.optimization import left_to_fill_in

# Settings of a command, not of a run, and copies of others.
NOT_TOLD = ("run_dir", "resume", "overrides", "debug", "trainer.logger", "trainer.callbacks")
ANEW = "start a new run: leave resume= out"
# What reading a file raises that is no checkpoint of a run.
NOT_OURS = (
    *(OSError, ValueError, KeyError, RuntimeError, EOFError, AttributeError, TypeError),
    *(zipfile.BadZipFile, pickle.UnpicklingError),
)
OTHER_DATA = f"bring the data back as they were, or {ANEW}"


def open_run_folder(
    cfg: DictConfig, data: Any, task: LightningModule, trainer: Trainer
) -> Path | None:
    """Write what is asked for into the run folder; return the checkpoint of a resumed run.

    Raises:
        ConfigError: a resumed run has no checkpoint, or one that the network does not fit.
        DataError: the data are not those that the run was made of.
    """
    checkpoint = of_first(find_checkpoint(cfg) if WORLD.is_first else None)
    record = make_record(data) if isinstance(data, DescribedData) else None
    if checkpoint is not None:
        refuse_other_data(Path(cfg.run_dir), record)
        state = refuse_checkpoint(checkpoint, task, record)
        if isinstance(task, PlansSteps):  # a sharded network is loaded behind its scheduler
            task.planned_steps = state[STATE]["planned_steps"]
    if not WORLD.is_first:
        return checkpoint
    refuse_small_disk(Path(cfg.run_dir), *checkpoint_size(Path(cfg.run_dir), task))
    if checkpoint is not None:
        lines = describe_resumed(cfg, checkpoint, trainer)
        show_plan(lines | describe_schedule(cfg, state[STATE], task))
        cut_logs(trainer.loggers, state[STATE]["logs"], Path(cfg.run_dir))
    log_settings(cfg, trainer.loggers)  # first: config.yaml keeps the ids that services give
    write_settings(cfg, trainer)
    if record is not None:
        write_record(Path(cfg.run_dir), record)
        for callback in trainer.checkpoint_callbacks:
            if isinstance(callback, RunCheckpoint):
                callback.notes = {DATA_DIGEST: record.digest}
    return checkpoint


def checkpoint_size(run: Path, task: LightningModule) -> tuple[int, int]:
    """Return the bytes of a state, and how many lie there: an optimizer keeps two more numbers."""
    tensors = [*task.parameters(), *task.buffers()]
    trained = sum(p.nbytes for p in task.parameters() if p.requires_grad)
    size = sum(tensor.nbytes for tensor in tensors) + 2 * trained
    return size, len(list_checkpoints(run / CHECKPOINT_FOLDER))


def describe_resumed(cfg: DictConfig, checkpoint: Path, trainer: Trainer) -> dict[str, str]:
    """Say where a run goes on, what is other than it was, and what may therefore end otherwise."""
    run = Path(cfg.run_dir)
    words = [f"from {checkpoint.name}", *changes(read_config(run), plain_config(cfg))]
    lines = {"resume": printable(", ".join(words))}
    was, here = read_environment(run), decides_bits(run_environment(cfg, trainer))
    other = [
        f"{name} {here.get(name)} (was {value})"
        for name, value in was.items()
        if here.get(name) != value
    ]
    if other:
        lines["bits"] = f"may end otherwise than without a stop: {printable(', '.join(other))}"
    return lines


def describe_schedule(
    cfg: DictConfig, state: Mapping[str, Any], task: LightningModule
) -> dict[str, str]:
    """Say what becomes of a schedule for the whole training where that gets longer or shorter."""
    before, now = state["planned_epochs"], cfg.trainer.max_epochs
    if now == before or not isinstance(task, PlansSteps):
        return {}
    if not left_to_fill_in(instantiate(cfg.scheduler)):
        return {}
    told = f"the learning rate follows its curve over {before} epochs, as before"
    if now < before:
        return {"schedule": f"{told}, and does not come to its end"}
    way = f"init_from={short_path(cfg.run_dir)} begins a new run with a new curve"
    return {"schedule": printable(f"{told}, and then stays where that ends; {way}")}


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Name the settings that are not what they were."""
    typed, told = functools.partial(as_typed, is_short=True), []
    for key in (*now, *(key for key in before if key not in now)):
        if key.startswith(NOT_TOLD) or before.get(key, ...) == now.get(key, ...):
            continue
        if is_whole_callback(key, before, now):
            name = ".".join(key.split(".")[:2])
            told.append(f"{'with' if key in now else 'without'} {name}")
        elif key in now:
            told.append(f"{key}={typed(now[key])} (was {typed(before.get(key))})")
    return list(dict.fromkeys(told))


def read_environment(run: Path) -> dict[str, str]:
    """Return what decides bits, of the process that wrote to a run last; nothing if unknown."""
    try:
        return decides_bits(json.loads(read_text(run / ENVIRONMENT_FILE)))
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def decides_bits(environment: Mapping[str, Any]) -> dict[str, str]:
    """Return versions, threads, device and processes: with others sums are rounded otherwise."""
    names = ("python", "device", "num_threads", "num_processes")
    found = {name: environment.get(name, 1) for name in names} | environment["packages"]
    return {name.replace("num_", ""): str(value) for name, value in found.items()}


def find_checkpoint(cfg: DictConfig) -> Path | None:
    """Return the state that a resumed run goes on from, or None for a new run; name damaged ones.

    Raises:
        ConfigError: a resumed run has none that is as it was written.
    """
    if cfg.resume is None:
        return None
    folder = Path(cfg.run_dir) / CHECKPOINT_FOLDER
    found = newest_checkpoint(folder, fault_of_best)
    if found.file is None:
        got = "; ".join(found.damaged) or f"none in {folder}"
        fix = f"start it again: its command is in {OVERRIDES_FILE}"
        raise ConfigError(Problem("a run needs a checkpoint to go on from", printable(got), fix))
    if found.damaged:
        show_plan({"damaged": f"passed over: {printable('; '.join(found.damaged))}"})
    return found.file.path


def fault_of_best(file: Path) -> str:
    """Say what is wrong with the best weights that a state counts on; "" where nothing is."""
    try:
        best = Path(read_state(file)[STATE]["best_file"]).name
    except ConfigError:
        return ""  # `refuse_checkpoint` says it
    damage = damage_of(file.with_name(best)) if best else ""
    return f"its best weights, {best}: {damage}" if damage else ""


def refuse_other_data(run: Path, record: DataRecord | None) -> None:
    """Raise a DataError that says how the data differ from those that a run was made of."""
    before = read_record(run)
    if record is None:
        return  # nothing is known of the data; the plan has said so
    if before is None:
        rule, fix = "a run that goes on must say what data it is made of", "start a new run"
        raise ConfigError(Problem(rule, f"no {DATA_FILE} in {run}", fix))
    rule = f"a run goes on with the data that it is made of ({run})"
    problems = differences(before, record, rule, OTHER_DATA)
    if problems:
        raise DataError(*problems)


def refuse_checkpoint(
    file: Path, task: LightningModule, record: DataRecord | None
) -> dict[str, Any]:
    """Read a checkpoint; raise an error where it is of other data, or of another network."""
    checkpoint = read_state(file)
    weights = {name: tuple(tensor.shape) for name, tensor in checkpoint["state_dict"].items()}
    digest = checkpoint.get(DATA_DIGEST)
    if record is not None and digest is not None and digest != record.digest:
        got = f"one that was trained on other data than {DATA_FILE} describes"
        rule = f"{file} must be a checkpoint of this run"
        raise DataError(Problem(rule, got, ANEW, "D308"))
    own = {name: tuple(tensor.shape) for name, tensor in task.state_dict().items()}
    if weights != own:
        both = {name: (weights.get(name), own.get(name)) for name in {**weights, **own}}
        other = sorted(name for name, (its, needed) in both.items() if its != needed)
        got = first_few(
            f"{name}: {both[name][0]}, where {both[name][1]} is needed" for name in other
        )
        raise ConfigError(Problem(f"{file} must fit the network", printable(got), ANEW))
    return checkpoint


def read_state(file: Path) -> dict[str, Any]:
    """Read a checkpoint without running code; raise a ConfigError if it is none of a run's."""
    try:
        with zipfile.ZipFile(file) as archive:
            # torch packs nothing: what is packed might fill the memory.
            if any(part.compress_type != zipfile.ZIP_STORED for part in archive.infolist()):
                raise ValueError("packed contents")
        checkpoint = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
        state = checkpoint[STATE]
        _ = checkpoint["state_dict"].items(), state["logs"], Path(state["best_file"])
    except NOT_OURS as error:
        rule = f"{file} must be a checkpoint of this run"
        raise ConfigError(Problem(rule, _first_line(error), ANEW)) from error
    return checkpoint


def _first_line(error: Exception) -> str:
    return printable(next(iter(str(error).splitlines()), type(error).__name__))[:200]
