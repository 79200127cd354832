"""An emulated link: `awg-link` (bench/link), started, changed while it runs, and asked what it did.

Linux. `joined` makes two network namespaces with the link as their cable, for every protocol (root); `relayed` puts it
between a client and a server that speak UDP.
"""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from interop.counterparts import ends, namespaces, programs
from interop.counterparts.processes import Process

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interop.counterparts.ends import Address
    from interop.counterparts.namespaces import Namespace

DEVICE = "cable"
"""What the link's device is called in each namespace, as that of `namespaces.pair`."""
TRANSMIT_QUEUE = 20_000
"""Packets that a device holds until the link takes them: its own queue is meant to be the bottleneck."""


@dataclass(frozen=True)
class Conditions:
    """What one direction does to packets: bits/s (None: no limit), bytes, seconds, shares of 1.

    `burst`: the mean length of a row of losses in packets (None: each is lost for itself). `reorder`: held back by up
    to `reorder_by`, so that others overtake.
    """

    rate: int | None = None
    queue: int = 1 << 20
    delay: float = 0
    jitter: float = 0
    loss: float = 0
    burst: float | None = None
    reorder: float = 0
    reorder_by: float = 0.005
    duplicate: float = 0

    def words(self) -> dict[str, str]:
        """By the program's names and in its units."""
        words = {}
        for name, value in dataclasses.asdict(self).items():
            seconds = name in {"delay", "jitter", "reorder_by"}
            text = "none" if value is None else f"{value:.9f}s" if seconds else f"{value}"
            words[name.replace("_", "-")] = text
        return words


@dataclass
class Control:
    """The running link."""

    process: Process

    def set(self, conditions: Conditions, way: str = "") -> None:
        """Other conditions from now on, in one way ("up", "down") or in both."""
        words = " ".join(f"{name}={value}" for name, value in conditions.words().items())
        self.process.command(f"set {way} {words}", "set")

    def window(self) -> dict[str, dict[str, Any]]:
        """What it did since the last window, by way ("up": from near to far, "down"), and begin another.

        By name: `passed`, `passed_bytes`, `lost`, `dropped` (the queue was full), `duplicated`, `reordered`,
        `queue_peak_bytes`, `queue_p50_ms`, …`p95`…, …`p99`…; how well it kept its times: `late_p50_ms`, …; and its own
        defects: `unplaced`, `unsendable`.
        """
        return self.process.command("window", "window")


@contextlib.contextmanager
def joined(
    near: str, far: str, up: Conditions, down: Conditions | None = None, *, seed: int = 1, mtu: int = 1500
) -> Iterator[tuple[Namespace, Namespace, Control]]:
    """Two namespaces as of `namespaces.pair`, joined by a link: `up` from near to far, `down` (None: the same) back.

    `mtu`: at most 2,048, which is what the link has a place for.
    """
    program = programs.link()
    with namespaces.namespace() as here, namespaces.namespace() as there:
        places = ["--tun", DEVICE, "--near", here.name, "--far", there.name]
        with Process("awg-link", [program, *places, *_options(up, down or up, seed)]) as process:
            process.wait_for("ready")
            for end, address in ((here, near), (there, far)):
                end.ip(f"link set {DEVICE} mtu {mtu} txqueuelen {TRANSMIT_QUEUE}")
                end.ip(f"address add {address} dev {DEVICE}" + (" nodad" if ":" in address else ""))
                end.ip(f"link set {DEVICE} up")
            control = Control(process)
            control.window()  # What a namespace sends before the other one is there counts for nobody.
            yield here, there, control


@contextlib.contextmanager
def relayed(
    to: Address,
    up: Conditions,
    down: Conditions | None = None,
    *,
    near: Namespace | None = None,
    far: Namespace | None = None,
    seed: int = 1,
) -> Iterator[tuple[Address, Control]]:
    """A link to a server's UDP address, and where clients find it on loopback; in `near`, from `far` where given."""
    host = "::1" if ":" in to[0] else "127.0.0.1"
    places = ["--listen", ends.join(host, 0), "--to", ends.join(*to)]
    for option, namespace in (("--near", near), ("--far", far)):
        places += [option, namespace.name] if namespace is not None else []
    with Process("awg-link", [programs.link(), *places, *_options(up, down or up, seed)]) as process:
        port = int(process.wait_for("ready")["listen"].rsplit(":", 1)[1])
        yield (host, port), Control(process)


def _options(up: Conditions, down: Conditions, seed: int) -> list[str]:
    options = ["--seed", str(seed)]
    for way, conditions in (("up", up), ("down", down)):
        for name, value in conditions.words().items():
            options += [f"--{way}-{name}", value]
    return options
