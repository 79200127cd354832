"""From a configuration to what the engine is given."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from awgproxy._native import EgressPolicy, EngineSettings, PeerSettings
from awgproxy.config.carrier import is_carried
from awgproxy.config.model import Carrier, Role
from awgproxy.policy import client_policy
from awgproxy.session.terms import NO_GRANTS, Grant

if TYPE_CHECKING:
    from awgproxy.config import Config, Endpoint, Seconds
    from awgproxy.session.terms import Grants

Endpoints = Mapping[str, "Endpoint"]
"""Where peers are dialled: by public key, an endpoint whose host is an address."""

Timestamps = Mapping[str, bytes]
"""The last handshake's timestamp of peers that had one: by public key, 12 bytes."""

NO_TIMESTAMPS: Timestamps = MappingProxyType({})


def first_endpoints(config: Config) -> Endpoints:
    """Each peer's first endpoint, where that is an address."""
    firsts = {peer.public_key: peer.endpoints[0] for peer in config.peers if peer.endpoints}
    return {peer: endpoint for peer, endpoint in firsts.items() if endpoint.address is not None}


def peer_settings(
    config: Config,
    endpoints: Endpoints | None = None,
    last_timestamps: Timestamps = NO_TIMESTAMPS,
    granted: Grants = NO_GRANTS,
) -> list[PeerSettings]:
    """The peers, dialled at `endpoints`, at the beginning at their first ones; who is not in there has none yet."""
    endpoints = first_endpoints(config) if endpoints is None else endpoints
    carried = is_carried(config)
    peers = []
    for peer in config.peers:
        carrier = peer.carrier_address if carried else None
        endpoint = endpoints.get(peer.public_key)
        grant = granted.get(peer.public_key, Grant())
        peers.append(
            PeerSettings(
                public_key=peer.public_key,
                preshared_key=None if peer.preshared_key is None else peer.preshared_key.get_secret_value(),
                endpoint=None if endpoint is None else (endpoint.host, endpoint.port),
                allowed_ips=[str(network) for network in peer.allowed_ips],
                persistent_keepalive=_range(peer.persistent_keepalive),
                hop=_hop(endpoint, config.tunnel.port_hop),
                last_timestamp=last_timestamps.get(peer.public_key),
                limits=grant.limits,
                egress=grant.egress,
                carrier_address=None if carrier is None else (carrier.host, carrier.port),
            )
        )
    return peers


def _range(seconds: Seconds | None) -> tuple[int, int] | None:
    return None if seconds is None else (seconds.least, seconds.most)


def _hop(endpoint: Endpoint | None, every: Seconds | None) -> tuple[int, int, int | None, int | None] | None:
    """The ports that a peer is dialled at, and how long it stays on one while a session lasts."""
    if endpoint is None or endpoint.last_port is None:
        return None
    least, most = _range(every) or (None, None)
    return (endpoint.port, endpoint.last_port, least, most)


def client_settings(config: Config, *, exposes: bool = False) -> EngineSettings:
    """What a client's engine is given: it opens flows, and takes none but those to itself where it `exposes` ports."""
    accept_flows: Literal["to-self", False] = "to-self" if exposes else False
    return _settings(config, NO_TIMESTAMPS, NO_GRANTS, accept_flows=accept_flows, egress=client_policy(config))


def server_settings(
    config: Config,
    egress: EgressPolicy,
    last_timestamps: Timestamps = NO_TIMESTAMPS,
    granted: Grants = NO_GRANTS,
) -> EngineSettings:
    """What a server's engine is given: it takes flows, and checks datagrams against `egress` itself."""
    return _settings(config, last_timestamps, granted, accept_flows=True, egress=egress)


def _settings(
    config: Config,
    last_timestamps: Timestamps,
    granted: Grants,
    *,
    accept_flows: bool | Literal["to-self"],
    egress: EgressPolicy | None,
) -> EngineSettings:
    interface = config.interface
    return EngineSettings(
        private_key=interface.private_key.get_secret_value(),
        obfuscation=config.obfuscation,
        mtu=config.mtu,
        addresses=[str(address.ip) for address in interface.addresses],
        listen_ports=interface.listen_ports,
        further_obfuscation=[(config.obfuscation_of(one), one.listen_ports) for one in config.further_obfuscation],
        peers=peer_settings(config, None, last_timestamps, granted),
        accept_flows=accept_flows,
        recovery=config.tunnel.recovery.value,
        server_addresses=[str(address) for address in config.server_addresses],
        egress=egress,
        fwmark=interface.fw_mark,
        workers=config.tunnel.workers,
        carrier=config.tunnel.carrier.value if is_carried(config) else Carrier.IP.value,
        carrier_port=config.server.carrier_port if config.role is Role.SERVER else None,
    )
