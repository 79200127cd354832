"""Recording a cable with tcpdump, reading the file, and writing it again without the beginnings of its flows.

Classic pcap files of Ethernet, microseconds, IPv4 (draft-ietf-opsawg-pcap); other frames are skipped.
"""

from __future__ import annotations

import contextlib
import re
import struct
import subprocess
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scorecard.packets import Packet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from interop.counterparts.namespaces import Namespace

FILE_HEADER, RECORD_HEADER = 24, 16
ETHERNET, IPV4, UDP = 14, 0x0800, 17
BUFFER_KIB = 32 << 10


class CaptureError(Exception):
    """A capture is not whole; the text says why."""


@dataclass(frozen=True, slots=True)
class _Record:
    """A frame in the file: the record with its header, and what is in it where it is UDP over IPv4."""

    whole: bytes
    at: float
    source: int
    destination: int
    payload: bytes


@contextlib.contextmanager
def recording(where: Namespace, interface: str, file: Path) -> Iterator[None]:
    """Capture all UDP on an interface meanwhile. Raises CaptureError where frames were lost."""
    command = ["tcpdump", "-i", interface, "-n", "-U", "-s", "0", "-B", str(BUFFER_KIB), "-w", str(file), "udp"]
    process = subprocess.Popen([*where.inside, *command], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    words = process.stderr.readline()
    if "listening on" not in words:
        words += process.communicate()[1]
        raise CaptureError(f"tcpdump does not start: {words}")
    try:
        yield
        time.sleep(1)  # tcpdump reads in blocks and has no word for "all of it is written"
    finally:
        process.terminate()
        summary = process.communicate()[1]
    lost = re.search(r"(\d+) packets dropped by kernel", summary)
    if lost is None or lost[1] != "0":
        raise CaptureError(f"frames are missing from the capture: {summary.strip()}")


def read(file: Path, servers: set[int]) -> dict[int, list[Packet]]:
    """The datagrams between clients and these server ports, by the client's port."""
    flows: dict[int, list[Packet]] = defaultdict(list)
    for record in _records(file):
        up = record.destination in servers
        if up or record.source in servers:
            flows[record.source if up else record.destination].append(Packet(record.at, up, record.payload))
    return flows


def cut(file: Path, into: Path, first: int) -> None:
    """Write the capture anew without the `first` datagrams of each flow, as of an observer who came late."""
    seen: Counter[tuple[int, int]] = Counter()
    with into.open("wb") as output:
        output.write(file.read_bytes()[:FILE_HEADER])
        for record in _records(file):
            ends = (min(record.source, record.destination), max(record.source, record.destination))
            seen[ends] += 1
            if seen[ends] > first:
                output.write(record.whole)


def _records(file: Path) -> Iterator[_Record]:
    data = file.read_bytes()
    place = FILE_HEADER
    while place + RECORD_HEADER <= len(data):
        seconds, micros, length, _ = struct.unpack_from("<IIII", data, place)
        frame = data[place + RECORD_HEADER : place + RECORD_HEADER + length]
        whole = data[place : place + RECORD_HEADER + length]
        place += RECORD_HEADER + length
        ip = ETHERNET + 4 * (frame[ETHERNET] & 15) if len(frame) > ETHERNET else 0
        if len(frame) < ip + 8 or int.from_bytes(frame[12:14]) != IPV4 or frame[ETHERNET + 9] != UDP:
            continue
        source, destination, size = struct.unpack_from(">HHH", frame, ip)
        yield _Record(whole, seconds + micros / 1e6, source, destination, frame[ip + 8 : ip + size])
