"""Where the logs of a run were when a checkpoint was taken, and cutting them there again.

Points behind the checkpoint that a run goes on from come once more: without a cut they stand twice
in the curves. What lies before it is on the disk, so that nothing is missing either.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger
from lightning.pytorch.loggers.csv_logs import ExperimentWriter

from kindling.files import write_atomically

EVENTS = "events.out.tfevents."  # how the name of a file of TensorBoard begins


def log_positions(loggers: Iterable[Logger]) -> dict[str, int]:
    """Bring what was logged to the files; return how far each of them goes.

    Bytes of TensorBoard's files, lines of a CSV, which is written anew where a column comes in.
    """
    found: dict[str, int] = {}
    for logger in loggers:
        if isinstance(logger, TensorBoardLogger):
            logger.experiment.flush()
            with os.scandir(logger.log_dir) as entries:
                sizes = {e.name: e.stat().st_size for e in entries if e.name.startswith(EVENTS)}
            found |= {place(logger, name): size for name, size in sizes.items()}
        elif isinstance(logger, CSVLogger):
            logger.save()
            file = csv_file(logger)
            found[place(logger, file.name)] = (
                file.read_bytes().count(b"\n") if file.is_file() else 0
            )
    return found


def cut_logs(loggers: Iterable[Logger], positions: dict[str, int], run: Path) -> None:
    """Take away what was logged behind these positions, before a logger opens its files.

    What lies outside of the run's folder may be of other runs, and is left as it is.
    """
    for logger in loggers:
        if not Path(logger.log_dir or "").absolute().is_relative_to(run.absolute()):
            continue
        if isinstance(logger, TensorBoardLogger):
            cut_events(logger, positions)
        elif isinstance(logger, CSVLogger):
            go_on_with_csv(logger, positions.get(place(logger, csv_file(logger).name), 0))


def place(logger: Any, name: str) -> str:
    """Name a file by the folder that it lies in: a run may be moved."""
    return f"{Path(logger.log_dir).name}/{name}"


def cut_events(logger: TensorBoardLogger, positions: dict[str, int]) -> None:
    """Shorten TensorBoard's files; those of a part of the run that nobody goes on from go."""
    for file in Path(logger.log_dir).glob(f"{EVENTS}*"):
        size = positions.get(place(logger, file.name))
        if size is None:
            file.unlink()
        elif file.stat().st_size > size:
            os.truncate(file, size)


def go_on_with_csv(logger: CSVLogger, num_lines: int) -> None:
    """Shorten a CSV, and let the logger append to it; Lightning's own would remove it."""
    file = csv_file(logger)
    if not file.is_file():
        return
    lines = file.read_bytes().splitlines(keepends=True)[:num_lines]
    if not lines:
        file.unlink()
        return
    write_atomically(file, b"".join(lines))
    writer: Any = AppendingWriter(log_dir=logger.log_dir)
    writer.metrics_keys = lines[0].decode().strip().split(",")
    logger._experiment = writer


class AppendingWriter(ExperimentWriter):
    """Leaves what is in its folder where it is."""

    def _check_log_dir_exists(self) -> None:
        pass


def csv_file(logger: CSVLogger) -> Path:
    """Return the file that a CSVLogger writes."""
    return Path(logger.log_dir) / ExperimentWriter.NAME_METRICS_FILE
