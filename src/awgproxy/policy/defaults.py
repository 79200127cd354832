"""What a server refuses unless its configuration allows it: everything that is not the public internet, and mail.

From IANA's registries of special-purpose addresses (RFC 6890 and its updates). IPv6 outside 2000::/3 is not in use.
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, Final

from awgproxy.config.values import PortRange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from awgproxy.config.values import Network

PRIVATE: Final = frozenset({"private", "shared (CGNAT)"})
"""The reasons that ``AllowPrivate`` lifts."""

REFUSED_NETWORKS: Final[Sequence[tuple[Network, str]]] = tuple(
    (ip_network(network), reason)
    for network, reason in (
        ("0.0.0.0/8", "reserved"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared (CGNAT)"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "reserved"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
        ("255.255.255.255/32", "broadcast"),
        ("::/3", "reserved"),
        ("::/128", "reserved"),
        ("::1/128", "loopback"),
        ("2001::/23", "reserved"),
        ("2001:db8::/32", "documentation"),
        ("3fff::/20", "documentation"),
        ("4000::/2", "reserved"),
        ("8000::/1", "reserved"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "private"),
        ("ff00::/8", "multicast"),
    )
)
"""Networks and why."""

ALLOWED_NETWORKS: Final[Sequence[Network]] = (ip_network("64:ff9b::/96"), ip_network("::ffff:0:0/96"))
"""NAT64 and IPv4-mapped: forms of IPv4 addresses, which the extension judges as those too."""

REFUSED_PORTS: Final[Sequence[PortRange]] = (PortRange(25, 25),)
"""Mail between servers: an open port 25 makes any proxy a sender of spam."""
