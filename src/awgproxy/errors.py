"""Every exception that awgproxy raises on purpose.

Does not print, log or end the process: that is the command line's. No text in here ever holds a key or a password.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class AwgProxyError(Exception):
    """The root: catch it to catch everything that awgproxy raises on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding about a configuration: where, what, and what would be right.

    ``section`` is written without brackets. ``line`` counts from 1; None where the finding is about the whole file.
    ``message`` and ``suggestion`` never hold a secret. ``grave``: of a finding that stops nothing, whether it is an
    error all the same, since what is configured will not work as it should.
    """

    file: str
    line: int | None
    section: str | None
    key: str | None
    message: str
    suggestion: str | None = None
    grave: bool = False

    @property
    def where(self) -> str:
        """The file and, where known, the line."""
        return self.file if self.line is None else f"{self.file}:{self.line}"

    @property
    def what(self) -> str:
        """The section, the key, the message and the suggestion, as far as known."""
        subject = " ".join(part for part in (self.section and f"[{self.section}]", self.key) if part)
        text = self.message if self.suggestion is None else f"{self.message}; {self.suggestion}"
        return f"{subject}: {text}" if subject else text

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class ConfigError(AwgProxyError):
    """A configuration that cannot be used. ``problems`` holds every error found, in the order of the file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class TunnelError(AwgProxyError):
    """The tunnel could not be started or was lost: a port in use, a mark not permitted, a defect of the engine."""


class PolicyDenied(AwgProxyError):  # noqa: N818 - a decision, not a fault
    """The egress policy forbids a destination; ``reason`` is the rule's own word, such as ``private``."""

    def __init__(self, address: str, port: int, reason: str) -> None:
        self.address = address
        self.port = port
        self.reason = reason
        super().__init__(f"{address} port {port} is refused by the egress policy: {reason}")


class ListenError(AwgProxyError):
    """A port cannot be listened on: it is in use, not permitted, or the address is not this machine's."""

    @classmethod
    def of(cls, error: OSError, protocol: str, host: str, port: int) -> ListenError:
        """Say what ``error`` means for ``protocol`` (TCP or UDP) at ``host`` and ``port``, and what would be right."""
        where = f"{protocol} port {port} on {host}"
        if error.errno == errno.EADDRINUSE:
            return cls(f"{where} is in use: end the program that has it, or choose another port")
        if error.errno in (errno.EACCES, errno.EPERM):
            return cls(f"{where} is not permitted for this user: choose a port from 1024 on")
        if error.errno == errno.EADDRNOTAVAIL:
            return cls(f"{where} cannot be used: this machine does not have the address {host}")
        return cls(f"{where} cannot be used: {error.strerror or error}")


class NameLookupFailed(AwgProxyError):  # noqa: N818 - named as its outcome is
    """A name could not be looked up through the tunnel; the text says why."""


class NameNotFound(NameLookupFailed):
    """The DNS servers say that a name does not exist or has no address."""


class ConnectionFailed(AwgProxyError, ConnectionError):  # noqa: N818 - these are named as their outcomes are
    """A connection through the tunnel could not be had, or was lost; also a `ConnectionError` of Python's own.

    What follows says the cause by its type; the text says it for people, with the destination.
    """


class ConnectionRefused(ConnectionFailed, ConnectionRefusedError):  # noqa: N818
    """The target answered that nothing listens there, or a bound of the server's is reached."""


class Unreachable(ConnectionFailed):
    """There is no way to the target's network or host, as the server or the tunnel's `AllowedIPs` say."""


class Prohibited(ConnectionFailed):
    """The server's policy forbids the destination; what this end's own forbids is `PolicyDenied`."""


class ConnectionTimedOut(ConnectionFailed, TimeoutError):  # noqa: N818
    """Nothing answered in time."""


class ConnectionLost(ConnectionFailed, ConnectionResetError):  # noqa: N818
    """A connection that stood has failed: what was received of it may not be all that was sent."""


class TunnelDown(TunnelError, ConnectionFailed):  # noqa: N818
    """There is no session with the server, so nothing can be reached; the text says why, as far as known."""


class TunnelClosed(TunnelError, ConnectionFailed):  # noqa: N818
    """The tunnel is not open: it was closed, or its engine failed."""
