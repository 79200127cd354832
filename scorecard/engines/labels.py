"""Which of nDPI's labels give a tunnel away.

Random bytes over UDP are now and then taken for RTP and the like: that is a mistake, not a discovery.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

TUNNELS = (
    "wireguard",
    "openvpn",
    "ipsec",
    "tor",
    "ciscovpn",
    "softether",
    "l2tp",
    "pptp",
    "tunnelbear",
    "cloudflarewarp",
    "hotspotshield",
    "nordvpn",
    "protonvpn",
    "surfshark",
    "expressvpn",
    "operavpn",
    "ultrasurf",
    "psiphon",
    "shadowsocks",
    "vpn",
)


def is_tunnel(label: str) -> bool:
    """Whether a label such as `WireGuard.Amazon` names a tunnel."""
    return any(part in TUNNELS for part in label.lower().replace("-", "").split("."))


def called(labels: Iterable[str], protocol: str) -> bool:
    """Whether one of the labels names the protocol."""
    return any(protocol in label.lower().split(".") for label in labels)
