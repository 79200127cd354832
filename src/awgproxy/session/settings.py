"""From a configuration to what the engine is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from awgproxy._native import EgressPolicy, EngineSettings, PeerSettings

if TYPE_CHECKING:
    from awgproxy.config import Config

Addresses = Mapping[str, tuple[str, int]]
"""Where the endpoints that are names were found: by public key, (address, port)."""


def named_endpoints(config: Config) -> dict[str, tuple[str, int]]:
    """The endpoints that are names: by the peer's public key, (name, port)."""
    return {
        peer.public_key: (peer.endpoint.host, peer.endpoint.port)
        for peer in config.peers
        if peer.endpoint is not None and peer.endpoint.address is None
    }


def peer_settings(config: Config, found: Addresses | None = None) -> list[PeerSettings]:
    """The peers; one whose endpoint is a name that is not in `found` has no endpoint yet."""
    peers = []
    for peer in config.peers:
        endpoint = None
        if peer.endpoint is not None and peer.endpoint.address is not None:
            endpoint = (peer.endpoint.host, peer.endpoint.port)
        elif found is not None:
            endpoint = found.get(peer.public_key)
        peers.append(
            PeerSettings(
                public_key=peer.public_key,
                preshared_key=None if peer.preshared_key is None else peer.preshared_key.get_secret_value(),
                endpoint=endpoint,
                allowed_ips=[str(network) for network in peer.allowed_ips],
                persistent_keepalive=None if peer.persistent_keepalive is None else peer.persistent_keepalive.most,
            )
        )
    return peers


def client_settings(config: Config) -> EngineSettings:
    """What a client's engine is given: it opens flows and takes none."""
    return _settings(config, accept_flows=False, egress=None)


def server_settings(config: Config, egress: EgressPolicy) -> EngineSettings:
    """What a server's engine is given: it takes flows, and checks datagrams against `egress` itself."""
    return _settings(config, accept_flows=True, egress=egress)


def _settings(config: Config, *, accept_flows: bool, egress: EgressPolicy | None) -> EngineSettings:
    interface = config.interface
    return EngineSettings(
        private_key=interface.private_key.get_secret_value(),
        obfuscation=config.obfuscation,
        mtu=config.mtu,
        addresses=[str(address.ip) for address in interface.addresses],
        listen_ports=[] if interface.listen_port is None else [interface.listen_port],
        peers=peer_settings(config),
        accept_flows=accept_flows,
        egress=egress,
        fwmark=interface.fw_mark,
    )
