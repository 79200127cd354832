"""Keys are renewed by the protocol's own clock, in real time: four configurations, both directions, side by side."""

from __future__ import annotations

import functools
import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from interop.counterparts import conversation, ends
from interop.counterparts.configuration import Ours
from tests.interop import side_by_side
from tests.interop.configurations import DIRECTIONS, RENEWED, TABLE

SIZE = 10_000_000
AGE = 120
"""At which an initiator renews keys, in seconds."""
SECONDS = AGE + 15
"""A busy machine may need a second handshake before the first byte."""


@pytest.mark.slow
@pytest.mark.usefixtures("go_programs", "awgproxy", "network_namespaces")
def test_data_passes_across_new_keys(tmp_path):
    scenes = {
        f"{direction}-{name}": functools.partial(renewed, *pair, TABLE[name])
        for direction, pair in DIRECTIONS.items()
        for name in RENEWED
    }
    side_by_side.play(scenes, tmp_path, at_once=len(scenes))


def renewed(client_kind, server_kind, configuration, folder):
    """A download and an upload that last longer than the keys."""
    # Else a machine that holds the other end up for a while is met with a handshake, and the keys are younger.
    tunnel, ours = configuration.tunnel, replace(configuration.ours or Ours(), recovery="reference")
    with (
        ends.server(server_kind, tunnel, folder, ours=ours) as server,
        ends.client(client_kind, tunnel.at(server.endpoint), folder, ours) as client,
    ):
        services = server.services[4]
        with ThreadPoolExecutor(2) as threads:
            transfers = [
                threads.submit(conversation.download, client.socks, services["source"], SIZE, SECONDS),
                threads.submit(conversation.upload, client.socks, services["digest"], SIZE, SECONDS),
            ]
        for transfer in transfers:
            transfer.result()
        witness = server.process if server_kind == "reference" else client.process
        made = [line["at"] / 1e9 for line in witness.said("handshake")]
        # By age, and not earlier because something was lost or dropped; a second for their way.
        ages = [later - earlier for earlier, later in itertools.pairwise(made)]
        assert any(age > AGE - 1 for age in ages), witness.report(f"keys were renewed after {ages} s")
