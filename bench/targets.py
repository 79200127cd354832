"""What awgproxy is to reach, each a row of data: a figure in a scenario, against whom, and the bound of the ratio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bench.systems import RIVALS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.results import Summary

By = Literal["ratio", "difference", "itself"]


@dataclass(frozen=True)
class Target:
    """One row.

    `against` are systems, of which the best at the figure counts; none: the figure itself is held to the bound, as one
    that is a ratio to a yardstick already. `their_figure` is what is taken of them where that is another one.
    """

    scenario: str
    what: str
    figure: str
    sign: Literal[">=", "<="]
    bound: float
    against: tuple[str, ...] = ()
    ours: str = "quic"
    their_figure: str | None = None
    by: By = "ratio"


@dataclass(frozen=True)
class Verdict:
    """A row with what was measured: both figures, and what is held against the bound; None where one is missing."""

    target: Target
    ours: float | None
    theirs: float | None
    value: float | None

    @property
    def word(self) -> str:
        """`met`, `MISSED` or `not measured`."""
        if self.value is None:
            return "not measured"
        target = self.target
        met = self.value >= target.bound if target.sign == ">=" else self.value <= target.bound
        return "met" if met else "MISSED"


def verdicts(summary: Summary) -> Iterator[Verdict]:
    """Every row, held against what was measured."""
    for target in TARGETS:
        ours = summary.get(target.scenario, target.ours, target.figure)
        theirs = _best(summary, target)
        value: float | None = None
        if not target.against:
            value = ours
        elif ours is not None and theirs:
            value = ours - theirs if target.by == "difference" else ours / theirs
        yield Verdict(target, ours, theirs, value)


def _best(summary: Summary, target: Target) -> float | None:
    figure = target.their_figure or target.figure
    found = [value for system in target.against if (value := summary.get(target.scenario, system, figure)) is not None]
    if not found:
        return None
    return max(found) if target.sign == ">=" else min(found)


def _loopback() -> Iterator[Target]:
    rival, hysteria, shadowsocks = ("rival",), ("hysteria2",), ("shadowsocks",)
    yield Target("loopback", "one stream, down", "down_1_gbit", ">=", 2.5, rival)
    yield Target("loopback", "one stream, up", "up_1_gbit", ">=", 5, rival)
    yield Target("loopback", "one stream, down", "down_1_gbit", ">=", 1.6, hysteria)
    yield Target("loopback", "one stream, up", "up_1_gbit", ">=", 1.6, hysteria)
    yield Target("loopback", "CPU per GB, both ends, down", "down_1_cpu_both", "<=", 0.3, rival)
    yield Target("loopback", "CPU per GB, both ends, up", "up_1_cpu_both", "<=", 0.13, rival)
    for system, bound in ((hysteria, 0.5), (shadowsocks, 1.5)):
        yield Target("loopback", "CPU per GB, both ends, down", "down_1_cpu_both", "<=", bound, system)
        yield Target("loopback", "CPU per GB, both ends, up", "up_1_cpu_both", "<=", bound, system)
    yield Target("loopback", "connections per second, 32 at once", "connections_per_second", ">=", 1.2, rival)
    yield Target("loopback", "connect to first byte, p50", "first_byte_p50_ms", "<=", 0.9, rival)
    yield Target("loopback", "request-response p50 during bulk", "bulk_rtt_p50_ms", "<=", 0.5, hysteria)
    yield Target("loopback", "UDP echo, 64 B, per second", "datagrams_per_second", ">=", 1.2, hysteria)
    yield Target("loopback", "peak memory of the client, 8 streams", "peak_8_client_mb", "<=", 0.08, rival)
    yield Target(
        "loopback",
        "memory per idle connection, client + server, against the client alone",
        "idle_connection_kb_both",
        "<=",
        0.25,
        rival,
        their_figure="idle_connection_kb_client",
    )
    yield Target("loopback", "KB per idle connection, client + server", "idle_connection_kb_both", "<=", 15)
    yield Target(
        "loopback", "added to an idle round trip, ms", "idle_rtt_p50_ms", "<=", 0.1, ("direct",), by="difference"
    )
    yield Target("loopback", "start to first byte, against Python's own", "start_to_python", "<=", 4)
    yield Target("loopback", "by ip: one stream, down", "down_1_gbit", ">=", 1.8, rival, ours="ip")
    yield Target("loopback", "by ip: one stream, up", "up_1_gbit", ">=", 3.5, rival, ours="ip")
    yield Target("loopback", "AmneziaWG 3.1 against 2.0, down", "down_1_gbit", ">=", 0.85, ("2.0",), ours="3.x")


def _links() -> Iterator[Target]:
    for scenario, bound in (("50ms-0%", 0.85), ("50ms-1%", 0.8), ("100ms-2%", 0.75), ("queue-1MB", 0.85)):
        for direction in ("down", "up"):
            yield Target(scenario, f"share of the link, {direction}", f"{direction}_1_share", ">=", bound)
    for direction in ("down", "up"):
        yield Target("200ms-5%", f"one stream, {direction}", f"{direction}_1_gbit", ">=", 3, RIVALS)
    for direction in ("down", "up"):
        figure = f"added_delay_p95_{direction}_ms"
        yield Target("queue-1MB", f"added delay p95 beside a transfer {direction}, ms", figure, "<=", 10)


TARGETS = (*_loopback(), *_links())
