"""Test 12: what a stranger sends to a running server to see whether it answers.

The server should be as silent as a port that drops everything. To show that the prober would hear an answer, the last
probe is sent once more to the server after it lost its record of handshakes: a replay that then is new to it.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import socket
import struct
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scorecard.world import pairs, programs
from scorecard.world.knowledge import INITIATION, MAC

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from interop.counterparts.namespaces import Namespace
    from scorecard.packets import Flow
    from scorecard.world.pairs import Pair

SIZES = (1, 31, 32, 64, 92, 100, 147, 148, 149, 200, 500, 1000, 1200, 1400)
RANDOM_ONES = 300
REPLAYS, REPLAY_SECONDS = 1500, 1.0
LISTEN = 1.0


@dataclass(frozen=True, slots=True)
class Probe:
    """What was sent to which server, how many datagrams, and how many bytes came back."""

    pair: str
    name: str
    sent: int
    answered: int
    control: bool = False


def while_running(pair: Pair, flows: Sequence[Flow], near: Namespace) -> list[Probe]:
    """Probe a server that has been talked to; `flows` are its clients', whose handshakes are replayed."""
    plain = _plain_initiation(pair.clients[0].knowledge.server_key)
    last = _last_initiation(pair, flows)
    data = next(packet.payload for packet in reversed(flows[0].packets) if packet.up)
    with _prober(pair, near) as prober:
        return [
            prober.probe("random bytes", _random(RANDOM_ONES)),
            prober.probe("a plain WireGuard initiation", [plain]),
            prober.probe("truncated initiations", [plain[:-1], plain[:60], last[:-1], last[:60]]),
            prober.probe("a replay of a handshake and of data", [last, data]),
            prober.probe(f"{REPLAYS} replays within a second", [last] * REPLAYS, REPLAY_SECONDS),
        ]


def after_restart(pair: Pair, flows: Sequence[Flow], near: Namespace, far: Namespace) -> list[Probe]:
    """Start a server that has ended, and replay; then once more without its record, as the control."""
    last = _last_initiation(pair, flows)
    probes = []
    for name, control in (("a replay after a restart", False), ("the same, its record lost", True)):
        if control:
            for record in pair.server.parent.glob(f"{pair.server.name}.state*"):
                record.unlink()
        with programs.server(pair.server, pair.port, far), _prober(pair, near) as prober:
            probes.append(prober.probe(name, [last], control=control))
    return probes


class _Prober:
    def __init__(self, pair: Pair, at: socket.socket) -> None:
        self._pair = pair
        self._socket = at

    def probe(self, name: str, datagrams: Sequence[bytes], over: float = 0.0, *, control: bool = False) -> Probe:
        """Send all of them, spread over so many seconds, and listen for an answer."""
        begun = time.monotonic()
        for number, datagram in enumerate(datagrams):
            time.sleep(max(0.0, begun + over * number / len(datagrams) - time.monotonic()))
            self._socket.send(datagram)
        return Probe(self._pair.name, name, len(datagrams), self._answers(), control)

    def _answers(self) -> int:
        heard = 0
        until = time.monotonic() + LISTEN
        while (left := until - time.monotonic()) > 0:
            self._socket.settimeout(left)
            with contextlib.suppress(TimeoutError):
                heard += len(self._socket.recv(65536))
        return heard


@contextlib.contextmanager
def _prober(pair: Pair, near: Namespace) -> Iterator[_Prober]:
    with near.entered():
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with opened:
        opened.connect((pairs.FAR, pair.port))
        yield _Prober(pair, opened)


def _last_initiation(pair: Pair, flows: Iterable[Flow]) -> bytes:
    """The newest of the first client, since an older one is refused for its age alone."""
    client = pair.clients[0]
    return next(client.knowledge.handshakes(flow)[-1] for flow in flows if flow.port == client.port).initiation.payload


def _random(count: int) -> list[bytes]:
    sizes = [*SIZES, *(secrets.randbelow(1400) + 1 for _ in range(count - len(SIZES)))]
    return [secrets.token_bytes(size) for size in sizes]


def _plain_initiation(server_key: bytes) -> bytes:
    """WireGuard's initiation, with the MAC that shows knowledge of the server's public key, from an unknown peer."""
    head = struct.pack("<I", 1) + secrets.token_bytes(INITIATION - 4 - 2 * MAC)
    key = hashlib.blake2s(b"mac1----" + server_key).digest()
    return head + hashlib.blake2s(head, key=key, digest_size=MAC).digest() + bytes(MAC)
