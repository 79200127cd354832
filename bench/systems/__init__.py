"""The systems under measurement, by name; a system is set up between two sides that a scenario gives.

.. code-block:: text

    near                           far
    load ─ client ════ link ════ server ─ target

Direct: no client, no server. awgproxy: both by its command line. The rival: `reference-client`, built as wireproxy-awg
is, and the reference's daemon on a kernel TUN, whose addresses the target listens at. Those have the same obfuscation
and MTU, but for two more of awgproxy's: with every parameter of AmneziaWG 2.0, and of 3.x on top of them. Two proxies
of other kinds stand beside them: hysteria2 of sing-box and shadowsocks-rust.
"""

from __future__ import annotations

from bench.systems import others, tunnels
from bench.systems.system import Sides, System, SystemKind, direct

__all__ = ["OURS", "RIVALS", "SYSTEMS", "Sides", "System", "SystemKind"]

SYSTEMS: dict[str, SystemKind] = {
    "direct": SystemKind("a direct connection", direct),
    "quic": SystemKind("awgproxy, `Carrier = quic`", tunnels.by_quic),
    "ip": SystemKind("awgproxy, `Carrier = ip`", tunnels.by_ip),
    "rival": SystemKind("the Go rival (wireproxy-awg's make), a target with CUBIC", tunnels.rival),
    "rival-bbr": SystemKind("the same, a target with BBR", tunnels.rival_bbr),
    "hysteria2": SystemKind("hysteria2 of sing-box", others.hysteria2),
    "shadowsocks": SystemKind("shadowsocks-rust", others.shadowsocks),
    "2.0": SystemKind("awgproxy by ip, every parameter of AmneziaWG 2.0", tunnels.version_2),
    "3.x": SystemKind("the same with what AmneziaWG 3.1 adds", tunnels.version_3),
}

OURS = frozenset({"quic", "ip", "2.0", "3.x"})
RIVALS = ("rival", "rival-bbr", "hysteria2", "shadowsocks")
"""What somebody would use instead."""
