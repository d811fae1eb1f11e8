"""What a disk that is full or read-only means to a run: known by the error, and said in words."""

import errno
import shutil
from pathlib import Path

from kindling.errors import ConfigError, Problem

# No space, no quota, a file too large, a disk that became read-only or broke, no permission.
REFUSED = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO),
    *(errno.EACCES, errno.EPERM),
)
CHECKPOINTS = 3  # the two that stay and one that is being written


def disk_error(error: BaseException | None) -> OSError | None:
    """Find the disk's refusal behind an exception: torch makes a RuntimeError of it."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in REFUSED:
            return error
        error = error.__cause__ or error.__context__
    return None


def disk_problem(error: OSError) -> Problem:
    """Say what the disk has refused, and that what was written before is good."""
    rule = "the disk must take what a run writes; what was written before is as it was"
    got = f"{error.strerror}{f': {error.filename}' if error.filename else ''}"
    return Problem(rule, got, "make room, or move the folder of the run, and go on with resume=")


def refuse_small_disk(run: Path, checkpoint_bytes: int, num_there: int) -> None:
    """Raise a ConfigError where a run's checkpoints would not fit beside each other.

    Args:
        run: its folder, which need not be there yet.
        checkpoint_bytes: of one.
        num_there: how many lie there already.
    """
    needed = checkpoint_bytes * max(1, CHECKPOINTS - num_there)
    place = next(folder for folder in (run, *run.absolute().parents) if folder.exists())
    free = shutil.disk_usage(place).free
    if free < needed:
        rule = f"the folder of a run must have room for {CHECKPOINTS} checkpoints"
        got = f"{free / 1e6:,.1f} MB free in {run}, where {needed / 1e6:,.1f} MB are needed"
        raise ConfigError(Problem(rule, got, "make room, or type hydra.run.dir=FOLDER elsewhere"))
