"""A profile's run: its servers, clients and their traffic, captured on the cable; then the probes."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from interop.counterparts import ends, namespaces
from scorecard import capture
from scorecard.packets import Flow
from scorecard.traffic import KINDS
from scorecard.traffic.connection import Application
from scorecard.traffic.target import PORT, target
from scorecard.world import pairs, probing, programs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from interop.counterparts.namespaces import Namespace
    from scorecard.profiles import Profile
    from scorecard.world.knowledge import Handshake, Knowledge
    from scorecard.world.pairs import ClientFile, Pair
    from scorecard.world.probing import Probe

STARTING_AT_ONCE = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """How much: generated pairs, clients of each, and seconds of traffic of each client."""

    pairs: int
    clients: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Recording:
    """All that a run of a profile left: its flows, the capture they are from, and what the servers said to probes.

    `claims` is what each pair's signature packets claim to be. `knowledge` is what each flow's own keys tell, and
    `handshakes` what they were found to be, by the client's port.
    """

    profile: Profile
    capture: Path
    flows: tuple[Flow, ...]
    claims: Mapping[str, str | None]
    knowledge: Mapping[int, Knowledge]
    handshakes: Mapping[int, Sequence[Handshake]]
    probes: Sequence[Probe]

    @property
    def ports(self) -> list[int]:
        """The clients' ports: the names of the flows."""
        return [flow.port for flow in self.flows]

    def of_kind(self, kind: str) -> list[Flow]:
        """The flows whose applications did that."""
        return [flow for flow in self.flows if flow.kind == kind]


def record(profile: Profile, plan: Plan, folder: Path) -> Recording:
    """Run the profile. Raises CaptureError, StartError, CommandError, and what the traffic met."""
    kinds = [*itertools.islice(itertools.cycle(KINDS), plan.clients)]
    made = pairs.generate(profile, plan.pairs, kinds, folder)
    file = folder / f"{profile.name}.pcap"
    with namespaces.pair(f"{pairs.NEAR}/24", f"{pairs.FAR}/24") as (near, far):
        for end in (near, far):
            end.ip("link set cable gso_max_segs 1")  # so that the capture has the datagrams and not groups of them
        far.ip(f"address add {pairs.TARGET}/32 dev lo")
        with contextlib.ExitStack() as servers:
            for pair in made:
                servers.enter_context(programs.server(pair.server, pair.port, far))
            with capture.recording(near, "cable", file):
                asyncio.run(_traffic(made, plan.seconds, near, far))
            flows = _flows(file, made)
            knowledge = {client.port: client.knowledge for pair in made for client in pair.clients}
            with ThreadPoolExecutor() as probers:
                heard = [*probers.map(lambda pair: probing.while_running(pair, _of(flows, pair), near), made)]
        with ThreadPoolExecutor() as probers:
            heard += probers.map(lambda pair: probing.after_restart(pair, _of(flows, pair), near, far), made)
    handshakes = {flow.port: knowledge[flow.port].handshakes(flow) for flow in flows}
    claims = {pair.name: pair.claim for pair in made}
    return Recording(profile, file, tuple(flows), claims, knowledge, handshakes, [*itertools.chain(*heard)])


async def _traffic(made: Sequence[Pair], seconds: float, near: Namespace, far: Namespace) -> None:
    at_once = asyncio.Semaphore(STARTING_AT_ONCE)
    async with target(far, pairs.TARGET):
        with near.entered():  # sockets of this thread, from here on
            async with asyncio.TaskGroup() as group:
                for pair in made:
                    for client in pair.clients:
                        group.create_task(_client(client, seconds, near, at_once))


async def _client(client: ClientFile, seconds: float, near: Namespace, at_once: asyncio.Semaphore) -> None:
    async with at_once:
        program = programs.Program("client", client.path, near)
        try:
            await asyncio.to_thread(program.wait_for, lambda pid: ends.listening(pid, client.socks))
        except BaseException:
            program.end()
            raise
    try:
        dice = random.Random(client.port)
        proxy, beyond = ("127.0.0.1", client.socks), (pairs.TARGET, PORT)
        await KINDS[client.kind](Application.starting(proxy, beyond, seconds, dice))
    finally:
        program.end()
        await asyncio.to_thread(program.ended)


def _flows(file: Path, made: Sequence[Pair]) -> list[Flow]:
    seen = capture.read(file, {pair.port for pair in made})
    return [
        Flow(pair.name, client.port, client.kind, tuple(seen.get(client.port, ())))
        for pair in made
        for client in pair.clients
    ]


def _of(flows: Sequence[Flow], pair: Pair) -> list[Flow]:
    return [flow for flow in flows if flow.pair == pair.name]
