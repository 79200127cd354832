"""Keys are renewed by the protocol's own clock, in real time: four configurations, both directions, side by side."""

from __future__ import annotations

import functools
from concurrent.futures import ThreadPoolExecutor

import pytest

from interop.counterparts import conversation, ends
from tests.interop import side_by_side
from tests.interop.configurations import DIRECTIONS, RENEWED, TABLE

SIZE = 10_000_000
SECONDS = 124
"""Drawn out past the age at which an initiator renews keys: 120 s."""


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
    tunnel, ours = configuration.tunnel, configuration.ours
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
        assert len(witness.said("handshake")) >= 2, witness.report("the keys were not renewed")
