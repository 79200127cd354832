"""The time of each peer's last handshake, kept on disk: a handshake recorded before a restart is not answered after it.

WireGuard takes an initiation only if its timestamp is later than the last one of that peer. A server that had forgotten
them would answer a recording of an old one, and so show what it is. The file is small, for its owner alone, and
replaced as a whole; where there is none, or it cannot be read or written, the server runs as it would without.

The file is JSON: ``{"timestamps": {PUBLIC KEY: TIMESTAMP}}``, a timestamp being TAI64N's 12 bytes in hexadecimal.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from typing import TYPE_CHECKING, Self

import structlog

from awgproxy._native import InitiationAccepted
from awgproxy.session.state_file import StateFile

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path
    from types import TracebackType

    from awgproxy.session.events import Handlers

PAUSE_SECONDS = 0.5
"""Between two writes: with what a write takes, a change is on disk within a second."""

_BEGINNING = b'{"timestamps": '

_TIMESTAMP = re.compile(r"[0-9a-f]{24}")

log = structlog.get_logger()


class LastTimestamps:
    """What is known of the peers' last handshakes; while it is entered, what `handlers` hear is written to the file."""

    def __init__(self, path: Path, peers: Collection[str]) -> None:
        """Read the file. `peers`: the public keys in the configuration; what the file knows of others is dropped."""
        self._file = StateFile(path, _BEGINNING)
        self._peers = frozenset(peers)
        self._known = {peer: last for peer, last in _read(self._file).items() if peer in self._peers}
        self._changed = asyncio.Event()
        self._is_written = True
        self._writing = threading.Lock()
        self._warned = False
        self._keeping: asyncio.Task[None] | None = None
        self.handlers: Handlers = {InitiationAccepted: self._accepted}

    @property
    def known(self) -> Mapping[str, bytes]:
        """The last timestamp of each peer that has one, by public key; it changes as handshakes come."""
        return self._known

    def __enter__(self) -> Self:
        """Begin to write what changes."""
        self._keeping = asyncio.get_running_loop().create_task(self._keep())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what has changed since the last write."""
        if self._keeping is not None:
            self._keeping.cancel()
        if not self._is_written:
            self._write()

    def _accepted(self, event: InitiationAccepted) -> None:
        if event.peer in self._peers and event.timestamp > self._known.get(event.peer, b""):
            self._known[event.peer] = event.timestamp
            self._is_written = False
            self._changed.set()

    async def _keep(self) -> None:
        """Write each change, the first at once, and not more often than the disk should be bothered."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            await asyncio.to_thread(self._write)
            await asyncio.sleep(PAUSE_SECONDS)

    def _write(self) -> None:
        """Replace the file. Of two writes at once, the later one has what is newer."""
        with self._writing:
            self._is_written = True  # before it is looked at: what comes meanwhile is for the next write
            text = json.dumps({"timestamps": {peer: last.hex() for peer, last in self._known.copy().items()}})
            try:
                self._file.replace(text + "\n")
            except OSError as error:
                if not self._warned:
                    self._warned = True
                    reason = error.strerror or str(error)
                    log.warning(
                        "the peers' last handshakes cannot be kept",
                        file=str(self._file.path),
                        reason=reason,
                        hint="after a restart one recorded before it may be answered: set StateFile in [Server]",
                    )


def _read(file: StateFile) -> dict[str, bytes]:
    """What a file knows; nothing where there is none, or where it is not what `LastTimestamps` writes."""
    try:
        return _timestamps(file.read())
    except FileNotFoundError:
        return {}
    except OSError as error:
        reason = error.strerror or str(error)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        reason = "it is damaged, or not a state file"
    log.warning("the peers' last handshakes cannot be read", file=str(file.path), reason=reason)
    return {}


def _timestamps(content: bytes) -> dict[str, bytes]:
    """What `LastTimestamps` has written. Raises all kinds of errors where it has not."""
    timestamps = json.loads(content)["timestamps"]
    if not all(_TIMESTAMP.fullmatch(last) for last in timestamps.values()):
        raise ValueError("a timestamp has 24 hexadecimal digits")
    return {peer: bytes.fromhex(last) for peer, last in timestamps.items()}
