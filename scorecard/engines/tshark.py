"""Wireshark's dissectors, which know WireGuard by its messages alone; QUIC's are off, since they take it first."""

from __future__ import annotations

import subprocess
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FRAMES = 2
"""So many frames of a flow must be taken for WireGuard: one may be chance."""
_QUIC_OFF = ("--disable-protocol", "quic", "--disable-protocol", "gquic")


def version() -> str:
    """As the program says it. Raises OSError."""
    words = subprocess.run(["tshark", "--version"], capture_output=True, text=True, check=True).stdout.split()
    return words[2] if words[:1] == ["TShark"] else "of unknown version"


def flagged(capture: Path, ports: Iterable[int]) -> set[int]:
    """The flows with WireGuard in them. Raises OSError, CalledProcessError."""
    frames = recognised(capture, ports, "wg", _QUIC_OFF)
    return {port for port, count in frames.items() if count >= FRAMES}


def recognised(capture: Path, ports: Iterable[int], protocol: str, options: Iterable[str] = ()) -> Counter[int]:
    """How many frames of each flow are of a protocol. Raises as `flagged`."""
    fields = ["-T", "fields", "-e", "udp.srcport", "-e", "udp.dstport"]
    command = ["tshark", "-n", "-r", str(capture), *options, "-Y", protocol, *fields]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    wanted = set(ports)
    return Counter(
        int(port) for line in output.splitlines() for port in line.replace(",", "\t").split() if int(port) in wanted
    )
