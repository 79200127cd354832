"""Captures in libpcap's format, with datagrams over IPv4 as a network would carry them."""

import struct
from ipaddress import IPv4Address

ETHERNET = 1
CLIENT = IPv4Address("10.0.0.2")
FIRST_SERVER = IPv4Address("198.51.100.1")
PORT = 20_000


def write(path, datagrams):
    """A capture with a flow of one datagram for each of (server's port, payload), each to a server of its own."""
    _write(path, [(number, port, True, payload) for number, (port, payload) in enumerate(datagrams)])


def write_flows(path, flows):
    """A capture with flows of (whether the client sent it, payload), each with a server of its own."""
    _write(path, [(number, PORT, up, payload) for number, flow in enumerate(flows) for up, payload in flow])


def _write(path, datagrams):
    with path.open("wb") as file:
        file.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, ETHERNET))
        for place, (number, port, up, payload) in enumerate(datagrams):
            frame = _frame((CLIENT, 40_000 + number), (FIRST_SERVER + number, port), up, payload)
            file.write(struct.pack("<IIII", 1_700_000_000 + place // 10, place % 10, len(frame), len(frame)) + frame)


def _frame(client, server, up, payload):
    (source, sender), (target, receiver) = (client, server) if up else (server, client)
    udp = struct.pack("!HHHH", sender, receiver, 8 + len(payload), 0) + payload
    header = [0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, source.packed, target.packed]
    header[7] = _checksum(struct.pack("!BBHHHBBH4s4s", *header))
    return bytes(12) + b"\x08\x00" + struct.pack("!BBHHHBBH4s4s", *header) + udp


def _checksum(header):
    total = sum(struct.unpack("!10H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
