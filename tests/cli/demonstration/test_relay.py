"""The relay between client and server of the demonstration."""

import errno
import socket

import pytest

from awgproxy.cli.demonstration.relay import Relay


def datagram_socket():
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    made.settimeout(20)
    return made


class SmallBuffers(socket.socket):
    """A socket as the BSDs have it: more memory than the system allows is refused."""

    def setsockopt(self, level, option, *value):
        if option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            raise OSError(errno.ENOBUFS, "No buffer space available")
        super().setsockopt(level, option, *value)


@pytest.mark.parametrize("kind", [socket.socket, SmallBuffers])
def test_it_forwards_both_ways_and_keeps_what_it_saw(monkeypatch, kind):
    monkeypatch.setattr("awgproxy.cli.demonstration.relay.socket.socket", kind)
    with datagram_socket() as server, datagram_socket() as client:
        relay = Relay(server.getsockname(), keep=3)
        relay.start()
        for number in range(3):
            client.sendto(b"request %d" % number, relay.address)
            data, sender = server.recvfrom(100)
            assert data == b"request %d" % number
            server.sendto(b"answer %d" % number, sender)
            assert client.recv(100) == b"answer %d" % number
        relay.stop()
    assert [(seen.from_client, seen.data) for seen in relay.seen] == [
        (True, b"request 0"),
        (False, b"answer 0"),
        (True, b"request 1"),
    ]


def test_it_outlives_a_server_that_is_not_there_yet():
    with datagram_socket() as client:
        with datagram_socket() as taken:
            server_address = taken.getsockname()
        relay = Relay(server_address, keep=10)
        relay._back.send(b"")  # refused: an error waits at the socket, which is readable until a send meets it
        client.sendto(b"lost", relay.address)
        relay.start()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.bind(server_address)
            server.settimeout(0.05)
            data = None
            while data != b"arrives":
                client.sendto(b"arrives", relay.address)
                try:
                    data = server.recv(100)
                except TimeoutError:
                    continue
        relay.stop()
