"""What the demonstration fetches: a TCP server on loopback that sends seeded bytes and knows their checksum."""

from __future__ import annotations

import hashlib
import random
import socket
import threading

BLOCK_BYTES = 1 << 20


class Target:
    """Sends `size` bytes to each connection, then ends it. The stream is one random block of 1 MiB with its number."""

    def __init__(self, size: int) -> None:
        """`size`: bytes, a multiple of `BLOCK_BYTES`."""
        self._blocks = size // BLOCK_BYTES
        self._tail = random.Random(size).randbytes(BLOCK_BYTES - 8)  # noqa: S311 - a pattern, not a secret
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        host, port = self._listening.getsockname()
        return (host, port)

    def checksum(self) -> str:
        """SHA-256 of the whole stream, in hexadecimal."""
        digest = hashlib.sha256()
        for number in range(self._blocks):
            digest.update(self._block(number))
        return digest.hexdigest()

    def start(self) -> None:
        """Begin to serve, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more connections."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _block(self, number: int) -> bytes:
        return number.to_bytes(8, "big") + self._tail

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._send, args=(connection,), daemon=True).start()

    def _send(self, connection: socket.socket) -> None:
        with connection:
            try:
                for number in range(self._blocks):
                    connection.sendall(self._block(number))
            except OSError:
                return  # the transfer notices by its checksum
