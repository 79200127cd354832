"""What processes and the machine have used so far, from /proc. Linux."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and its threads, user and system, seconds (proc(5), /proc/pid/stat, fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def peak_memory(pid: int) -> int:
    """The most memory that a process ever held resident (VmHWM), bytes."""
    return _status(pid, "VmHWM")


def memory(pid: int) -> int:
    """The memory that a process holds resident now (VmRSS), bytes."""
    return _status(pid, "VmRSS")


def stolen_seconds() -> float:
    """CPU time that the hypervisor gave to others while this machine wanted it, seconds."""
    return _machine()[7]


def busy_seconds() -> float:
    """CPU time of the whole machine that was not idle, seconds, without what was stolen."""
    user, nice, system, _, _, interrupt, soft, *_ = _machine()
    return user + nice + system + interrupt + soft


def _machine() -> list[float]:
    with Path("/proc/stat").open() as stat:
        return [int(field) / _TICKS for field in stat.readline().split()[1:]]


def _status(pid: int, key: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) * 1024
    raise KeyError(key)
