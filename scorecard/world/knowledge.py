"""What a pair's own keys and parameters tell of its datagrams: which are handshakes, junk, padding.

No observer has that. The tests that use it (10, 11, 14, 15) are the stricter for it: they need not guess. See
docs/compatibility.md for the messages, their padding, and header protection.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

from awgproxy import _native

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scorecard.packets import Flow, Packet

INITIATION, RESPONSE, TRANSPORT = 148, 92, 32
NONCE = 12
MAC = 16


@dataclass(frozen=True, slots=True)
class Handshake:
    """An initiation as it was on the wire, its answer (which may be lost), and what preceded it."""

    initiation: Packet
    response: Packet | None
    signature: tuple[Packet, ...]
    junk: tuple[Packet, ...]

    @property
    def sizes(self) -> tuple[int, int]:
        """Of the initiation and of its answer; 0 where none came."""
        return len(self.initiation.payload), len(self.response.payload) if self.response else 0


@dataclass(frozen=True, slots=True, repr=False)
class Knowledge:
    """A client's keys and parameters. Without `repr`, since it holds keys."""

    client_key: bytes
    server_key: bytes
    padding: dict[str, int]
    words: dict[str, range]
    junk: int
    junk_sizes: range
    signatures: int
    protection: bytes | None = field(default=None)

    @classmethod
    def of(cls, text: str) -> Knowledge:
        """Read a client's configuration, as `awgproxy new` writes it."""
        lines = (line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#"))
        values = {key.strip().lower(): value.strip() for key, _, value in lines}
        protection = values.get("headerprotectionkey")
        return cls(
            client_key=base64.b64decode(_native.public_key(values["privatekey"])),
            server_key=base64.b64decode(values["publickey"]),
            padding={key: int(values.get(key, 0)) for key in ("s1", "s2", "s3", "s4")},
            words={f"h{number}": _range(values.get(f"h{number}", str(number))) for number in range(1, 5)},
            junk=int(values.get("jc", 0)),
            junk_sizes=range(int(values.get("jmin", 0)), int(values.get("jmax", 0)) + 1),
            signatures=sum(f"i{number}" in values for number in range(1, 6)),
            protection=base64.b64decode(protection) if protection else None,
        )

    def is_initiation(self, payload: bytes) -> bool:
        """Whether the server would take it for an initiation: the word, and the MAC that the server's key makes."""
        return self._is_message(payload, "1", INITIATION, self.server_key)

    def is_response(self, payload: bytes) -> bool:
        """Whether the client would take it for a response."""
        return self._is_message(payload, "2", RESPONSE, self.client_key)

    def is_transport(self, payload: bytes) -> bool:
        """Whether word and size are those of data."""
        start = self.padding["s4"]
        return len(payload) >= start + TRANSPORT and self._word(payload, start) in self.words["h4"]

    def handshakes(self, flow: Flow) -> list[Handshake]:
        """All initiations of a flow in order, each with what preceded it and the next response."""
        found = []
        sent: list[Packet] = []
        for place, packet in enumerate(flow.packets):
            if not packet.up:
                continue
            sent.append(packet)
            if self.is_initiation(packet.payload):
                middle = len(sent) - 1 - self.junk
                first = middle - self.signatures
                response = self._answer(flow.packets[place + 1 :])
                found.append(Handshake(packet, response, tuple(sent[first:middle]), tuple(sent[middle:-1])))
        return found

    def samples(self, flow: Flow, handshakes: Iterable[Handshake]) -> dict[str, list[bytes]]:
        """The bytes of a flow that carry nothing and are to pass for random, by what they are."""
        parts: dict[str, list[bytes]] = defaultdict(list)
        for handshake in handshakes:
            parts["junk"].extend(packet.payload for packet in handshake.junk)
            for packet, padding, size in (
                (handshake.initiation, "s1", INITIATION),
                (handshake.response, "s2", RESPONSE),
            ):
                if packet is not None:
                    parts[padding.upper()].append(packet.payload[: self.padding[padding]])
                    parts["trailers"].append(packet.payload[self.padding[padding] + size :])
        if length := self.padding["s4"]:
            parts["S4"] = [packet.payload[:length] for packet in flow.packets if self.is_transport(packet.payload)]
        return parts

    def _answer(self, packets: Sequence[Packet]) -> Packet | None:
        for packet in packets:
            if packet.up and self.is_initiation(packet.payload):
                return None
            if not packet.up and self.is_response(packet.payload):
                return packet
        return None

    def _is_message(self, payload: bytes, kind: str, size: int, receiver: bytes) -> bool:
        start = self.padding[f"s{kind}"]
        if len(payload) < start + size or self._word(payload, start) not in self.words[f"h{kind}"]:
            return False
        message = self._bare(payload, start, size)
        key = hashlib.blake2s(b"mac1----" + receiver).digest()
        mac1 = hashlib.blake2s(message[: size - 2 * MAC], key=key, digest_size=MAC).digest()
        return hmac.compare_digest(mac1, message[size - 2 * MAC : size - MAC])

    def _word(self, payload: bytes, start: int) -> int:
        return int.from_bytes(self._bare(payload, start, 4), "little")

    def _bare(self, payload: bytes, start: int, size: int) -> bytes:
        """That much of the message behind the padding, its header protection undone."""
        message = payload[start : start + size]
        if self.protection is None:
            return message
        # The counter of the first block, 0, stands before the nonce.
        return Cipher(ChaCha20(self.protection, bytes(4) + payload[:NONCE]), None).encryptor().update(message)


def _range(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)
