"""Resume a run: with the overrides that it was started with, from its newest checkpoint."""

import shlex
from pathlib import Path

from omegaconf import DictConfig

from kindling.errors import ConfigError, Problem
from kindling.fixes import Setting
from kindling.runs import CHECKPOINT_FOLDER, OVERRIDES_FILE, RUNS

COMMAND = "python train.py"


def replay(overrides: list[str]) -> list[str]:
    """Put a resumed run's own overrides before those typed now, and stay in its folder."""
    folders = [text.partition("=")[2] for text in overrides if text.startswith("resume=")]
    if not folders or folders[-1] in ("", "null"):
        return overrides
    run = Path(folders[-1]).absolute()
    typed = [text for text in overrides if not text.startswith("resume=")]
    # In quotes: a path with an equals sign or a space in it must survive Hydra's grammar.
    fixed = [f"{key}='{run}'" for key in ("resume", "hydra.run.dir")]
    return [*_recorded(run), *typed, *fixed]


def _recorded(run: Path) -> list[str]:
    """Read the overrides that a run was started with.

    The folder may be somebody else's, so none of them may choose what code is run.
    """
    file = run / OVERRIDES_FILE
    if not file.is_file():
        got = f"no {OVERRIDES_FILE} in {run}"
        raise ConfigError(
            Problem(
                "resume must be the folder of a run",
                got,
                Setting("resume", ..., f"such as {RUNS}/NAME/TIME"),
            )
        )
    recorded = shlex.split(file.read_text())[len(COMMAND.split()) :]
    for text in recorded:
        if "_target_" in text or text.lstrip("+~").startswith("hydra"):
            rule = f"a recorded override may not choose what code is run ({file})"
            way = "delete it there, and type it again if you trust it"
            raise ConfigError(Problem(rule, text, way))
    return recorded


def command_of(overrides: list[str]) -> str:
    """Write down the command that starts the same run anew, in a folder of its own."""
    others = [text for text in overrides if not text.startswith("resume=")]
    return f"{COMMAND} {shlex.join(others)}".rstrip() + "\n"


def newest_checkpoint(cfg: DictConfig) -> Path | None:
    """Return where a resumed run goes on, or None for a new one."""
    if cfg.resume is None:
        return None
    file = Path(cfg.run_dir) / CHECKPOINT_FOLDER / "last.ckpt"
    if not file.is_file():
        fix = f"start it again: its command is in {OVERRIDES_FILE}"
        raise ConfigError(Problem("a run needs a checkpoint to go on from", f"no {file}", fix))
    return file
