"""A SOCKS5 client of a few lines, for what curl cannot show."""

import ipaddress
import socket


def connect(proxy, host: str, port: int, timeout=30) -> tuple[socket.socket, int]:
    """(socket, reply code) after CONNECT."""
    made = socket.create_connection(proxy, timeout=timeout)
    made.sendall(b"\x05\x01\x00")
    assert receive(made, 2) == b"\x05\x00"
    made.sendall(b"\x05\x01\x00" + _address(host) + port.to_bytes(2, "big"))
    reply = receive(made, 10)
    return made, reply[1]


def receive(made: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = made.recv(count - len(data))
        if not more:
            raise EOFError(f"{len(data)} of {count} bytes")
        data += more
    return data


def _address(host: str) -> bytes:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return bytes((3, len(host))) + host.encode()
    return (b"\x01" if address.version == 4 else b"\x04") + address.packed


def read_to_end(made: socket.socket) -> int:
    """How many bytes came before an orderly end; a reset raises."""
    received = 0
    while data := made.recv(1 << 20):
        received += len(data)
    return received
