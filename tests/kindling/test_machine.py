"""The memory of a process is what its container or its job leaves it."""

import ctypes
import os
from types import SimpleNamespace

import pytest

from kindling.machine import MemoryStatus, total_memory

PHYSICAL = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
LIMIT = 64 << 20


def made(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"{text}\n")
    return total_memory(root)


@pytest.mark.parametrize(
    "files",
    [
        {"proc/self/cgroup": "0::/", "sys/fs/cgroup/memory.max": LIMIT},
        {
            "proc/self/cgroup": "0::/slurm/job7",
            "sys/fs/cgroup/slurm/memory.max": LIMIT,
            "sys/fs/cgroup/slurm/job7/memory.max": "max",
        },
        {  # the path of the host, where the container mounts its own group only
            "proc/self/cgroup": "0::/docker/0123",
            "sys/fs/cgroup/memory.max": LIMIT,
        },
        {
            "proc/self/cgroup": "9:memory:/docker/0123\n3:cpu,cpuacct:/docker/0123\n0::/",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": LIMIT,
        },
        {
            "proc/self/cgroup": "9:memory:/job",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": 9223372036854771712,
            "sys/fs/cgroup/memory/job/memory.limit_in_bytes": LIMIT,
        },
    ],
)
def test_a_limit_of_versions_1_and_2_counts_wherever_it_is_set(tmp_path, files):
    assert made(tmp_path, files) == LIMIT


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"proc/self/cgroup": "0::/", "sys/fs/cgroup/memory.max": "max"},
        {"proc/self/cgroup": "0::/user.slice"},
        {
            "proc/self/cgroup": "9:memory:/",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": 9223372036854771712,
        },
    ],
)
def test_without_a_limit_it_is_that_of_the_machine(tmp_path, files):
    assert made(tmp_path, files) == PHYSICAL


def test_windows_is_asked_by_a_call_of_its_own(monkeypatch):
    """As its documentation has it: 64 bytes, whose number is given; the memory lies at the 8th."""

    def answer(reference):
        status = reference._obj
        assert (status.length, ctypes.sizeof(status), MemoryStatus.total.offset) == (64, 64, 8)
        status.total = LIMIT

    windows = SimpleNamespace(kernel32=SimpleNamespace(GlobalMemoryStatusEx=answer))
    monkeypatch.setattr(ctypes, "windll", windows, raising=False)
    monkeypatch.delattr(os, "sysconf")
    assert total_memory() <= LIMIT
