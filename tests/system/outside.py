"""What leaves a namespace, packet by packet: what a client may send outside its tunnel, and what is a leak."""

import socket
import struct
from ipaddress import ip_address
from typing import NamedTuple

import dns.exception
import dns.message

ETH_P_ALL, IPV4, IPV6, ARP = 0x0003, 0x0800, 0x86DD, 0x0806
TCP, UDP, ICMPV6, HOP_BY_HOP = 6, 17, 58, 0
NEIGHBOURS = {*range(130, 138), 143}
"""ICMPv6 of the kernel itself: multicast listeners, routers, neighbours (RFC 4861, RFC 3810)."""
BUFFER = 64 << 20
SOL_PACKET, PACKET_STATISTICS, SO_RCVBUFFORCE = 263, 6, 33
"""linux/if_packet.h and asm-generic/socket.h: Python has no names for them."""


class Packet(NamedTuple):
    """What is known of a packet: its kind, where it goes, and its payload."""

    kind: str
    address: str
    port: int
    payload: bytes

    def __str__(self):
        return f"{self.kind} to {self.address} port {self.port}: {self.payload[:40]!r}"


class Outside:
    """Listens to what leaves by every interface but loopback; made where the namespace is entered.

    `endpoints`: where the tunnel's datagrams may go. `resolver`: the system's; `names`: what it may be asked for.
    """

    def __init__(self, endpoints: set[tuple[str, int]], resolver: str, names: set[str]):
        self._endpoints, self._resolver, self._names = endpoints, resolver, names
        self.tunnel = 0
        """Datagrams to endpoints, so far."""
        self.asked: list[str] = []
        """Names that the resolver was asked for."""
        self.leaks: list[str] = []
        """What should not have left."""
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        self._socket.setblocking(False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def look(self) -> "Outside":
        """Judge what has left since the last call."""
        while True:
            try:
                packet, (interface, protocol, kind, *_) = self._socket.recvfrom(1 << 17)
            except BlockingIOError:
                break
            if kind == socket.PACKET_OUTGOING and interface != "lo":
                self._judge(protocol, packet)
        _, lost = struct.unpack("II", self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
        assert lost == 0, f"{lost} packets were not looked at"
        return self

    def _judge(self, protocol: int, packet: bytes) -> None:
        if protocol == ARP:
            return
        try:
            found = _read(protocol, packet)
        except (IndexError, struct.error, ValueError):
            found = Packet(f"protocol {protocol:#06x}", "", 0, packet)
        if found.kind == "neighbours":
            return
        if found.kind == "UDP" and (found.address, found.port) in self._endpoints:
            self.tunnel += 1
        elif found.kind == "UDP" and (found.address, found.port) == (self._resolver, 53):
            self._judge_question(found)
        else:
            self.leaks.append(str(found))

    def _judge_question(self, found: Packet) -> None:
        try:
            (question,) = dns.message.from_wire(found.payload).question
        except (dns.exception.DNSException, ValueError):
            self.leaks.append(str(found))
            return
        name = question.name.to_text().lower().rstrip(".")
        self.asked.append(name)
        if name not in self._names:
            self.leaks.append(f"a question for {name}")


def _read(protocol: int, packet: bytes) -> Packet:
    if protocol == IPV4:
        kind, address, rest = packet[9], str(ip_address(packet[16:20])), packet[4 * (packet[0] & 15) :]
    elif protocol == IPV6:
        kind, address, rest = packet[6], str(ip_address(packet[24:40])), packet[40:]
        if kind == HOP_BY_HOP:
            kind, rest = rest[0], rest[8 * (rest[1] + 1) :]
    else:
        raise ValueError(protocol)
    if kind == ICMPV6 and rest[0] in NEIGHBOURS:
        return Packet("neighbours", address, 0, b"")
    if kind in (TCP, UDP):
        (port,) = struct.unpack_from("!H", rest, 2)
        return Packet({TCP: "TCP", UDP: "UDP"}[kind], address, port, rest[8:])
    return Packet(f"IP protocol {kind}", address, 0, rest)
