"""DNS at the server's own tunnel address: messages go to an upstream server as they are, over UDP and TCP.

Nothing is parsed: the flow gets a socket that is connected to the upstream. An upstream that left a flow without any
answer is put last, so that the client's next try meets another.
"""

from __future__ import annotations

from collections import deque
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from awgproxy.egress.dialer import Dialer

DNS_PORT = 53
_SYSTEM_FILE = Path("/etc/resolv.conf")

log = structlog.get_logger()


class DnsForwarder:
    """Attaches flows to upstream DNS servers and remembers which of them answer."""

    def __init__(self, dialer: Dialer, servers: Sequence[str]) -> None:
        """`servers`: addresses in text form; where empty, the system's are used and followed as its file changes."""
        self._dialer = dialer
        self._follows_system = not servers
        self._servers: deque[str] = deque(servers)
        self._system_read_at: int | None = None
        self._told: str | None = None
        self._asked: dict[int, str] = {}

    @property
    def servers(self) -> Sequence[str]:
        """Whom to ask at the moment, in this order."""
        if self._follows_system:
            self._read_system()
        return tuple(self._servers)

    def forward(self, flow: int, kind: str) -> bool:
        """Attach a flow of `kind` "tcp" or "udp" to an upstream; False where there is none."""
        servers = self.servers
        if not servers:
            return False
        server = servers[0]
        self._asked[flow] = server
        if kind == "tcp":
            self._dialer.dial(flow, (server, DNS_PORT))
        else:
            self._dialer.connect_datagrams(flow, (server, DNS_PORT))
        return True

    def flow_closed(self, flow: int, received: int) -> None:
        """Learn how a flow ended: `received` is how many bytes came from the upstream."""
        server = self._asked.pop(flow, None)
        if server is not None and received == 0 and len(self._servers) > 1 and self._servers[0] == server:
            self._servers.rotate(-1)
            log.info("a DNS server does not answer, trying the next")

    def _read_system(self) -> None:
        """Take the servers from the system's file where it has changed; there are none while it cannot be read."""
        try:
            changed = _SYSTEM_FILE.stat().st_mtime_ns
            if changed == self._system_read_at:
                return
            self._servers = deque(_servers_in(_SYSTEM_FILE.read_text("utf-8")))
        except (OSError, ValueError) as error:
            self._servers.clear()
            self._system_read_at = None
            self._tell(getattr(error, "strerror", None) or str(error))
        else:
            self._system_read_at = changed
            self._told = None

    def _tell(self, reason: str) -> None:
        """Log what is wrong with the system's file, once: it is read again for each flow until it is right."""
        if reason != self._told:
            log.warning("the system's DNS servers cannot be read", file=str(_SYSTEM_FILE), reason=reason)
            self._told = reason


def _servers_in(text: str) -> list[str]:
    """The name servers that a text as in resolv.conf(5) names.

    Raises:
        ValueError: there are none, or one is no address.
    """
    lines = [line.split() for line in text.splitlines()]
    servers = [words[1] for words in lines if len(words) > 1 and words[0] == "nameserver"]
    if not servers:
        raise ValueError("no nameservers")
    for server in servers:
        try:
            ip_address(server)
        except ValueError:
            raise ValueError(f"nameserver {server} is not an address") from None
    return servers
