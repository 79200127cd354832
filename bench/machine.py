"""What machine this is, in words."""

from __future__ import annotations

import contextlib
import os
import platform
from dataclasses import dataclass
from pathlib import Path

_CONGESTION_CONTROL = Path("/proc/sys/net/ipv4/tcp_congestion_control")


@dataclass(frozen=True)
class Machine:
    """The processor, how many of its cores there are, memory in GB (10^9), the kernel and its TCP's choice."""

    processor: str
    cores: int
    memory_gb: float
    kernel: str
    congestion_control: str

    @classmethod
    def this(cls) -> Machine:
        """The one that this runs on."""
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
        return cls(
            _processor(),
            os.cpu_count() or 1,
            round(memory, 1),
            f"{platform.system()} {platform.release()}",
            _congestion_control(),
        )

    def __str__(self) -> str:
        kernel = f"{self.kernel} (TCP with {self.congestion_control})"
        return f"{self.processor}, {self.cores} cores, {self.memory_gb:.0f} GB, {kernel}"


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def _congestion_control() -> str:
    with contextlib.suppress(OSError):
        return _CONGESTION_CONTROL.read_text().strip()
    return "unknown congestion control"
