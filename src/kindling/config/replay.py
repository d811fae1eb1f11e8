"""A run folder in; the words that it was started with, and its newest checkpoint, out."""

import shlex
from pathlib import Path

from omegaconf import DictConfig

from kindling.errors import ConfigError, Problem
from kindling.runs import CHECKPOINT_FOLDER, OVERRIDES_FILE, RUNS

COMMAND = "python train.py"


def replay(overrides: list[str]) -> list[str]:
    """Put a resumed run's own overrides before those typed now, and stay in its folder."""
    folders = [word.partition("=")[2] for word in overrides if word.startswith("resume=")]
    if not folders or folders[-1] in ("", "null"):
        return overrides
    run = Path(folders[-1]).absolute()
    typed = [word for word in overrides if not word.startswith("resume=")]
    # A name with an equals sign or a space in it must survive Hydra's grammar.
    fixed = [f"{key}='{run}'" for key in ("resume", "hydra.run.dir")]
    return [*_recorded(run), *typed, *fixed]


def _recorded(run: Path) -> list[str]:
    """Read the overrides that a run was started with; what they may build is the user's to type."""
    file = run / OVERRIDES_FILE
    if not file.is_file():
        got = f"no {OVERRIDES_FILE} in {run}"
        raise ConfigError(
            Problem("resume must be the folder of a run", got, f"resume={RUNS}/NAME/TIME")
        )
    words = shlex.split(file.read_text())[len(COMMAND.split()) :]
    for word in words:
        if "_target_" in word or word.lstrip("+~").startswith("hydra"):
            rule = f"a recorded override may not choose what code is run ({file})"
            raise ConfigError(
                Problem(rule, word, "delete it there, and type it again if you trust it")
            )
    return words


def command_of(overrides: list[str]) -> str:
    """Write down the command that starts the same run anew, in a folder of its own."""
    words = [word for word in overrides if not word.startswith("resume=")]
    return f"{COMMAND} {shlex.join(words)}".rstrip() + "\n"


def newest_checkpoint(cfg: DictConfig) -> Path | None:
    """Return where a resumed run goes on, or None for a new one."""
    if cfg.resume is None:
        return None
    file = Path(cfg.run_dir) / CHECKPOINT_FOLDER / "last.ckpt"
    if not file.is_file():
        fix = f"start it again: its command is in {OVERRIDES_FILE}"
        raise ConfigError(Problem("a run needs a checkpoint to go on from", f"no {file}", fix))
    return file
