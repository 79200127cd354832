"""Captures in libpcap's format, with datagrams over IPv4 as a network would carry them."""

import struct
from ipaddress import IPv4Address

ETHERNET = 1
CLIENT = IPv4Address("10.0.0.2")
FIRST_SERVER = IPv4Address("198.51.100.1")


def write(path, datagrams):
    """A capture with one flow for each of (server's port, payload), a second apart, each to a server of its own."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, ETHERNET))
        for number, (port, payload) in enumerate(datagrams):
            frame = _frame(number, port, payload)
            file.write(struct.pack("<IIII", 1_700_000_000 + number, 0, len(frame), len(frame)) + frame)


def _frame(number, port, payload):
    udp = struct.pack("!HHHH", 40_000 + number, port, 8 + len(payload), 0) + payload
    server = FIRST_SERVER + number
    header = [0x45, 0, 20 + len(udp), number, 0, 64, 17, 0, CLIENT.packed, server.packed]
    header[7] = _checksum(struct.pack("!BBHHHBBH4s4s", *header))
    return bytes(12) + b"\x08\x00" + struct.pack("!BBHHHBBH4s4s", *header) + udp


def _checksum(header):
    total = sum(struct.unpack("!10H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
