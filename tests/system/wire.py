"""What goes over the loopback of a namespace: the UDP datagrams to some ports, from the moment this is made."""

import socket
import struct
from typing import NamedTuple

ETHERTYPE_IPV4 = 0x0800
ETHERNET_HEADER = 14
UDP, UDP_HEADER = 17, 8
BUFFER = 64 << 20
SOL_PACKET, PACKET_VNET_HDR, SO_RCVBUFFORCE = 263, 15, 33
"""linux/if_packet.h and asm-generic/socket.h: Python has no names for them."""
OFFLOAD = struct.Struct("=BBHHHH")
"""linux/virtio_net.h, virtio_net_hdr: the fourth number is the size of each datagram of several that are still one."""


class Datagram(NamedTuple):
    source: int
    destination: int
    payload: bytes


class Wire:
    """Listens while it is entered; made where the namespace is entered."""

    def __init__(self, ports: range):
        self._ports = ports
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE_IPV4))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        self._socket.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        self._socket.bind(("lo", ETHERTYPE_IPV4))
        self._socket.setblocking(False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def take(self) -> list[Datagram]:
        """The datagrams to the ports since the last call, each once."""
        found = []
        while True:
            try:
                frame, (_, _, kind, *_) = self._socket.recvfrom(1 << 17)
            except BlockingIOError:
                return found
            packet = frame[OFFLOAD.size + ETHERNET_HEADER :]
            if kind == socket.PACKET_OUTGOING or packet[9] != UDP:
                continue
            datagram = packet[4 * (packet[0] & 15) :]
            source, destination = struct.unpack_from("!HH", datagram)
            if destination not in self._ports:
                continue
            payload = datagram[UDP_HEADER:]
            size = OFFLOAD.unpack_from(frame)[3] or len(payload) or 1
            found += [
                Datagram(source, destination, payload[start : start + size])
                for start in range(0, max(len(payload), 1), size)
            ]
