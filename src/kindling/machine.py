"""What this machine gives a process: the memory that a container or a job scheduler leaves it."""

import ctypes
import os
from pathlib import Path


class MemoryStatus(ctypes.Structure):
    """What Windows tells of its memory: MEMORYSTATUSEX of sysinfoapi.h."""

    _fields_ = (
        ("length", ctypes.c_uint32),
        ("load", ctypes.c_uint32),
        ("total", ctypes.c_uint64),
        ("others", ctypes.c_uint64 * 6),  # what is free, and the same of page file and addresses
    )


def total_memory(root: Path = Path("/")) -> int:
    """Return how many bytes this process may use at most: those of the machine, or fewer.

    Args:
        root: where proc/ and sys/ lie.
    """
    return min([_physical(), *_limits(root)])


def _physical() -> int:
    if hasattr(os, "sysconf"):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    status = MemoryStatus(ctypes.sizeof(MemoryStatus))
    ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))  # type: ignore[attr-defined]
    return status.total


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
