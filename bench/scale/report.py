"""What was measured as a table: a row a number, what is to be reached, and whether it was."""

from __future__ import annotations

Numbers = dict[str, float]

TARGETS: dict[str, tuple[str, float]] = {
    "peer_kb_1000": ("<=", 4),
    "peer_kb_10000": ("<=", 4),
    "added_p50_us_ip": ("<=", 100),
    "added_p50_us_quic": ("<=", 100),
    "idle_connection_kb_ip_1000": ("<=", 15),
    "idle_connection_kb_ip_10000": ("<=", 15),
    "idle_connection_kb_quic_1000": ("<=", 15),
    "idle_connection_kb_quic_10000": ("<=", 15),
    "sessions": ("==", 1000),
    "connections": ("==", 10_000),
    "echoes": ("==", 30_000),
    "peers_counted_right": ("==", 1000),
}


def is_met(name: str, value: float) -> bool:
    """Whether a number reaches its target, or has none."""
    sign, target = TARGETS.get(name, ("<=", float("inf")))
    return value == target if sign == "==" else value <= target


def table(numbers: Numbers) -> str:
    """Markdown."""
    rows = [["what", "measured", "to reach", ""], ["---"] * 4]
    for name, value in numbers.items():
        target = " ".join((TARGETS[name][0], f"{TARGETS[name][1]:g}")) if name in TARGETS else "-"
        verdict = ("met" if is_met(name, value) else "MISSED") if name in TARGETS else ""
        rows.append([name, f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.2f}", target, verdict])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
