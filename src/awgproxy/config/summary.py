"""What a log may say of a configuration: no key, no password, no parameter's value, no peer's address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awgproxy.config.carrier import is_carried
from awgproxy.config.model import Carrier, Role

if TYPE_CHECKING:
    from awgproxy.config.model import Config


def summary(config: Config) -> dict[str, str | int | bool]:
    """The fields of a log entry that describes a configuration."""
    interface = config.interface
    carrier: dict[str, str | int | bool] = (
        {"carrier": config.tunnel.carrier.value if is_carried(config) else Carrier.IP.value}
        if config.role is Role.CLIENT
        else {"carrier_port": config.server.carrier_port or "none"}
    )
    obfuscation = [name for name, value in interface.obfuscation if value not in {"", "0"}]
    return {
        "file": config.file,
        "addresses": ", ".join(str(address) for address in interface.addresses),
        "mtu": config.mtu,
        "dns": ", ".join(str(server) for server in interface.dns) or "none",
        "obfuscation": " ".join(obfuscation) or "none",
        "keepalive_padding": config.tunnel.keepalive_padding.value,
        "recovery": config.tunnel.recovery.value,
        **carrier,
        "further_obfuscation": ", ".join(one.name for one in config.further_obfuscation) or "none",
        "peers": len(config.peers),
        "preshared_keys": sum(peer.preshared_key is not None for peer in config.peers),
        "socks5_users": len(config.socks5.users) if config.socks5 else 0,
        "http_users": len(config.http.users) if config.http else 0,
        "forwards": len(config.tcp_client_tunnels) + len(config.tcp_server_tunnels) + len(config.udp_proxy_tunnels),
    }
