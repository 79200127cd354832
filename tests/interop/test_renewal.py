"""Keys are renewed by the protocol's own clock, in real time: four configurations, both directions, side by side."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from interop.counterparts import conversation, ends, namespaces
from tests.interop.configurations import RENEWED, TABLE

SIZE = 10_000_000
SECONDS = 124
"""Drawn out past the age at which an initiator renews keys: 120 s."""

PAIRS = (("awgproxy", "reference"), ("reference", "awgproxy"))


@pytest.mark.slow
@pytest.mark.usefixtures("go_programs", "awgproxy", "network_namespaces")
def test_data_passes_across_new_keys(tmp_path):
    tunnels = list(itertools.product(PAIRS, RENEWED))
    with ThreadPoolExecutor(len(tunnels)) as threads:
        running = [threads.submit(renewed, pair, name, tmp_path / f"{pair[0]}-{name}") for pair, name in tunnels]
    for tunnel in running:
        tunnel.result()


def renewed(pair, name, folder):
    """A network of its own, and in it a download and an upload that last longer than the keys."""
    client_kind, server_kind = pair
    tunnel, ours = TABLE[name].tunnel, TABLE[name].ours
    folder.mkdir()
    with namespaces.namespace() as own:
        namespaces.internet(own)
        with (
            own.entered(),
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
            assert len(witness.said("handshake")) >= 2, witness.report(f"the keys of {name} were not renewed")
