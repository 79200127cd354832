"""Without parameters awgproxy is WireGuard: with implementations that know nothing else, in both roles.

boringtun as a client is in `test_network_namespace`.
"""

from __future__ import annotations

import pytest

from interop.counterparts import conversation, daemons, ends, namespaces
from interop.counterparts.configuration import SERVER_ADDRESSES, Tunnel
from tests.interop import matrix
from tests.interop.configurations import TABLE

pytestmark = pytest.mark.usefixtures("go_programs", "awgproxy", "internet")

CASES = ["plain", "preshared-plain", "both-in-ipv6"]


@pytest.mark.parametrize("case", CASES)
def test_our_client_with_wireguard_go(case, tmp_path):
    matrix.data_passes("awgproxy", "wireguard", TABLE[case], tmp_path)


@pytest.mark.parametrize("case", CASES)
def test_wireguard_go_with_our_server(case, tmp_path):
    matrix.data_passes("wireguard", "awgproxy", TABLE[case], tmp_path)


@pytest.mark.usefixtures("boringtun", "network_namespaces")
def test_our_client_with_boringtun(tmp_path):
    tunnel = Tunnel(endpoint="10.180.0.2:51820", preshared=True, inner=(4, 6))
    with (
        namespaces.pair("10.180.0.1/30", "10.180.0.2/30") as (near, far),
        daemons.server("boringtun", tunnel, tmp_path, far, 51820),
        ends.target(tuple(SERVER_ADDRESSES.values()), (), far.inside) as (_, services),
        ends.client("awgproxy", tunnel, tmp_path, inside=near.inside) as client,
        near.entered(),
    ):
        for version in tunnel.inner:
            conversation.echo(client.socks, services[version]["echo"])
            conversation.download(client.socks, services[version]["source"], 20_000_000)
            conversation.upload(client.socks, services[version]["digest"], 20_000_000)
