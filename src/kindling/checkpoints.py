"""The files of a run's checkpoints: their names, writing, verifying, which is the newest valid one.

    epoch=13-step=104-0123456789abcdef.ckpt         the state of a run after so many optimizer steps
    best-epoch=9-step=72-0123456789abcdef.ckpt      the best weights by `monitor`

A file is written once, under a name with the first digits of its SHA-256, and never overwritten: a
bit that flipped, or an end that is missing, shows when the file is read. torch is imported late.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from kindling.files import PART, open_atomically

DATA_DIGEST = "data_digest"  # a checkpoint's key for the digest of the data it was trained on
DIGITS = 16  # of a SHA-256: 64 bits
NAME = re.compile(
    rf"(?P<best>best-)?epoch=(?P<epoch>\d+)-step=(?P<step>\d+)-(?P<digest>[0-9a-f]{{{DIGITS}}})\.ckpt"
)


@dataclass(frozen=True)
class CheckpointFile:
    """What the name of a checkpoint says.

    Args:
        path: of the file.
        epoch: in which it was written, counted from 1.
        step: optimizer steps that were taken.
        is_best: it holds the best weights only.
    """

    path: Path
    epoch: int
    step: int
    is_best: bool


@dataclass(frozen=True)
class NewestCheckpoint:
    """The newest valid state in a folder, and the newer ones that are damaged, in words."""

    file: CheckpointFile | None
    damaged: tuple[str, ...] = ()


def list_checkpoints(folder: Path, *, best: bool = False) -> list[CheckpointFile]:
    """List the states of a run, or its best weights, the newest first."""
    found = []
    for path in folder.glob("*.ckpt"):
        match = NAME.fullmatch(path.name)
        if match and bool(match["best"]) == best:
            epoch, step = int(match["epoch"]), int(match["step"])
            found.append(CheckpointFile(path, epoch, step, best))
    # A run that went on from an older state writes the same steps again.
    return sorted(found, key=lambda f: (f.step, f.epoch, f.path.stat().st_mtime_ns), reverse=True)


def newest_checkpoint(
    folder: Path, fault_of: Callable[[Path], str] = lambda _path: ""
) -> NewestCheckpoint:
    """Find where a run goes on: the newest state whose content is what was written.

    Args:
        folder: of a run's checkpoints.
        fault_of: says what else is wrong with such a file; "" where nothing is.
    """
    damaged: list[str] = []
    for file in list_checkpoints(folder):
        damage = damage_of(file.path) or fault_of(file.path)
        if not damage:
            return NewestCheckpoint(file, tuple(damaged))
        damaged.append(f"{file.path.name}: {damage}")
    return NewestCheckpoint(None, tuple(damaged))


def damage_of(path: Path) -> str:
    """Say what is wrong with the content of a file; "" where it is what its name says."""
    match = NAME.fullmatch(path.name)
    if match is None:
        return ""  # of Lightning's ModelCheckpoint, or a person's
    try:
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()[:DIGITS]
    except OSError as error:
        return f"it can't be read: {error.strerror}"
    return "" if found == match["digest"] else "its content is not what was written"


def write_checkpoint(
    folder: Path, state: Mapping[str, Any], *, epoch: int, step: int, best: bool = False
) -> Path:
    """Write a state under a name of its own; whatever was there before stays.

    An error, or the end of the process at any moment, leaves no file of that name.
    """
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{'best-' if best else ''}epoch={epoch}-step={step}"
    digest = hashlib.sha256()
    written = folder / f"{stem}.ckpt"

    def named() -> Path:
        return folder / f"{stem}-{digest.hexdigest()[:DIGITS]}.ckpt"

    with open_atomically(written, named) as stream:
        try:
            torch.save(dict(state), HashingStream(stream, digest))  # type: ignore[arg-type]
        except RuntimeError as error:  # a write failed, and so did torch at closing its archive
            raise (error.__context__ if isinstance(error.__context__, OSError) else error) from None
    return named()


class HashingStream:
    """Hands on what is written, and hashes it: what counts is what was meant to be written."""

    def __init__(self, stream: BinaryIO, digest: Any) -> None:
        self.stream, self.digest = stream, digest

    def write(self, content: Any) -> int:
        self.digest.update(content)
        return self.stream.write(content)

    def flush(self) -> None:
        self.stream.flush()


def clean_up(folder: Path, *, newest: Path, keep: int, in_use: Iterable[Path] = ()) -> None:
    """Remove old states, and the best weights that none of the others counts on.

    Args:
        folder: of a run's checkpoints.
        newest: the state that was written last. What a run has left behind that went on from an
            older state, such as a damaged file, goes as well.
        keep: how many states stay.
        in_use: files that stay in any case.
    """
    states, best = list_checkpoints(folder), list_checkpoints(folder, best=True)
    last = next(file for file in states if file.path == newest)
    older = [file for file in states if file.step <= last.step and file is not last]
    kept = [last, *older[: keep - 1]]
    needed = {path.name for path in in_use} | {file.path.name for file in kept}
    for state in kept:
        needed |= {next((file.path.name for file in best if file.step <= state.step), "")}
    for file in [*states, *best]:
        if file.path.name not in needed:
            file.path.unlink(missing_ok=True)


def remove_checkpoints(folder: Path) -> None:
    """Remove all checkpoints of a run."""
    for file in [*list_checkpoints(folder), *list_checkpoints(folder, best=True)]:
        file.path.unlink(missing_ok=True)


def remove_left_over(folder: Path) -> None:
    """Remove what writes that were cut short have left behind."""
    for path in folder.glob(f".*{PART}"):
        path.unlink(missing_ok=True)
