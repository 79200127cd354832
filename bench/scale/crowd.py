"""1,000 peers with sessions and 10,000 connections at one server: whether all of them stand, answer and are counted.

The peers are those of `crates/awg-engine/examples/crowd.rs`, each a whole client, in several processes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import subprocess
import time
from typing import TYPE_CHECKING

from bench.scale import memory
from bench.scale.sides import ENDPOINT, FAR, TUNNEL, folder, serving, sides
from interop.counterparts import ends, programs
from interop.counterparts.configuration import SERVER_PUBLIC, client_addresses, client_private
from interop.counterparts.processes import Process

if TYPE_CHECKING:
    from pathlib import Path

    from bench.scale.report import Numbers
    from interop.counterparts.ends import Address
    from interop.counterparts.namespaces import Namespace

PEERS = 1000
EACH = 10
CONNECTIONS = PEERS * EACH
PROCESSES = 4
ROUNDS = 3
PATIENCE = 120


def measure() -> Numbers:
    """How many of each there were, what they cost, and whether the server counted them."""
    tunnel = dataclasses.replace(TUNNEL, clients=PEERS, preshared=False)
    numbers: Numbers = {}
    with (
        sides() as (near, far),
        folder() as files,
        ends.target((FAR,), (), far.inside) as (_, services),
        serving(tunnel, files, far, "--log-level", "debug") as server,
    ):
        before = memory.at_rest(server)
        with contextlib.ExitStack() as crowd:
            parts = [crowd.enter_context(_part(near, services[4]["echo"])) for _ in range(PROCESSES)]
            begun = time.monotonic()
            numbers["sessions"] = _of_all(parts, [_members(number) for number in range(PROCESSES)], "sessions")
            numbers["sessions_s"] = time.monotonic() - begun
            numbers["connections"] = sum(part.wait_for("connections", PATIENCE)["count"] for part in parts)
            numbers["connections_s"] = time.monotonic() - begun - numbers["sessions_s"]
            numbers["server_kb_for_a_peer_and_its_connections"] = (memory.at_rest(server) - before) / PEERS / 1024
            for _ in range(ROUNDS):
                begun = time.monotonic()
                answered = _of_all(parts, ["again"] * PROCESSES, "echoes")
                numbers["echoes"] = numbers.get("echoes", 0) + answered
                numbers["echoes_s"] = time.monotonic() - begun
        server.stop()
        counted = {line["peer"]: line["relayed_bytes"] for line in server.said("counters of a peer")}
        expected = {f"peer {number + 1}": _relayed(number) for number in range(PEERS)}
        numbers["peers_counted_right"] = sum(counted.get(peer) == count for peer, count in expected.items())
    return numbers


def _part(near: Namespace, target: Address) -> Process:
    """A process of the crowd, started; it waits for its members."""
    settings = [f"{name}={value}" for name, value in TUNNEL.obfuscation.items()]
    command: list[str | Path] = [_program(), SERVER_PUBLIC, ENDPOINT, ends.join(*target), str(EACH), *settings]
    return Process("crowd", command, near.inside)


def _members(number: int) -> str:
    """What a process of the crowd reads first: a line for each member, and an empty one."""
    members = range(number, PEERS, PROCESSES)
    return "".join(f"{client_private(member)} {client_addresses(member)[4]}\n" for member in members)


def _of_all(parts: list[Process], lines: list[str], event: str) -> int:
    """Say each its line, then add up what each answers."""
    for part, line in zip(parts, lines, strict=True):
        part.say(line)
    return sum(int(part.wait_for(event, PATIENCE)["count"]) for part in parts)


def _relayed(number: int) -> int:
    """Bytes that a member's connections carry, both ways: one, and its address and a number at first and each round."""
    said = len(f"{client_addresses(number)[4]} 000000")
    return 2 * EACH * (1 + (1 + ROUNDS) * said)


@functools.cache
def _program() -> Path:
    """Build the crowd's program."""
    build = ["cargo", "build", "--quiet", "--release", "--locked", "--package", "awg-engine", "--example", "crowd"]
    subprocess.run(build, cwd=programs.ROOT, check=True)
    return programs.ROOT / "target" / "release" / "examples" / "crowd"
