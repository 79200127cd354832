"""What a connection rides on inside the tunnel, as far as a configuration decides it: QUIC streams or IP packets.

The carrier itself is described in docs/reference/carrier.md.
"""

from __future__ import annotations

from ipaddress import collapse_addresses
from typing import TYPE_CHECKING

from awgproxy.config.model import Carrier, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from awgproxy.config.findings import Findings
    from awgproxy.config.model import Config, Peer, Tunnel
    from awgproxy.config.values import Address

LEAST_DATAGRAM = 1200
"""Bytes of UDP payload that QUIC needs (RFC 9000, section 14)."""
_HEADERS = {4: 28, 6: 48}
"""Bytes of IP and UDP headers by the kind of IP."""


def least_carrier_mtu(address: Address) -> int:
    """The least inner MTU with which there is a carrier to this address: with less, connections ride on IP packets."""
    return LEAST_DATAGRAM + _HEADERS[address.version]


def carrier_host(peer: Peer) -> Address | None:
    """The address of a peer's carrier inside the tunnel; None where it has none."""
    return None if peer.carrier_address is None else peer.carrier_address.address


def is_carried(config: Config) -> bool:
    """Whether a client is to have a carrier at all."""
    wanted = config.role is Role.CLIENT and config.tunnel.carrier is not Carrier.IP
    return wanted and any(peer.carrier_address is not None for peer in config.peers)


def names_are_the_servers(config: Config) -> bool:
    """Whether a client may leave a name to its server while it has a carrier, instead of looking it up.

    Not where that could lead elsewhere than the configuration says: past rules on addresses, past the networks of
    ``AllowedIPs``, to another peer than the name's addresses would, or to another answer than that of its own ``DNS``.
    """
    if not is_carried(config) or len(config.peers) != 1 or config.client.allow or config.client.deny:
        return False
    (peer,) = config.peers
    return _is_way_to_everywhere(config, peer) and _has_only_the_servers_dns(config, peer)


def _is_way_to_everywhere(config: Config, peer: Peer) -> bool:
    """Whether every address that this end could dial is the peer's."""
    for version in {address.version for address in config.interface.addresses}:
        networks = (network for network in peer.allowed_ips if network.version == version)
        if not any(network.prefixlen == 0 for network in collapse_addresses(networks)):  # type: ignore[type-var]
            return False
    return True


def _has_only_the_servers_dns(config: Config, peer: Peer) -> bool:
    """Whether everybody who is asked for names is the server itself.

    Of the kind of IP that its carrier's address is not of, the server has an address as well, which is known by being
    private and no other kind's.
    """
    host = carrier_host(peer)
    own = {host, *config.tunnel.server_addresses}
    return host is not None and all(
        server in own or (server.version != host.version and server.is_private) for server in config.interface.dns
    )


def check_carrier(role: Role, tunnel: Tunnel | None, peers: Sequence[Peer | None], findings: Findings) -> None:
    """Add to ``findings`` that a client must use what it does not know the way to."""
    if role is not Role.CLIENT or tunnel is None or tunnel.carrier is not Carrier.QUIC:
        return
    if any(peer is None or peer.carrier_address is not None for peer in peers):
        return  # or nobody can tell
    suggestion = "in [Peer], such as `#@ CarrierAddress = 10.8.0.1:51443`, or `auto`"
    findings.error(findings.lines["tunnel", "carrier"], "Tunnel", "Carrier", "quic needs a CarrierAddress", suggestion)
