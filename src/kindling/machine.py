"""What this machine gives a process: the memory that a container or a job scheduler leaves it."""

import os
from pathlib import Path


def total_memory(root: Path = Path("/")) -> int:
    """Return how many bytes this process may use at most: those of the machine, or fewer.

    Args:
        root: where proc/ and sys/ lie.
    """
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([physical, *_limits(root)])


def _limits(root: Path) -> list[int]:
    """Read the limits of the control groups that the process is in, versions 1 and 2 of Linux."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:  # another system than Linux
        return []
    found: list[int] = []
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if controllers == "":
            mount, file = root / "sys/fs/cgroup", "memory.max"
        elif "memory" in controllers.split(","):
            mount, file = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        # A group above may allow less; in a container the own path may not be mounted at all.
        place = mount / group.lstrip("/")
        for folder in (place, *place.parents):
            found += _number(folder / file)
            if folder == mount:
                break
    return found


def _number(file: Path) -> list[int]:
    try:
        return [int(file.read_text())]
    except (OSError, ValueError):  # not there, or "max"
        return []
