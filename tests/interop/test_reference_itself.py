"""The control: the reference's client and server speak to each other under the very checks that awgproxy must pass.

Where one of these fails, it is the counterpart or the test that is at fault, not awgproxy.
"""

from __future__ import annotations

import pytest

from interop.counterparts import conversation, daemons, ends, namespaces
from interop.counterparts.configuration import EVERYTHING, SERVER_ADDRESSES, Tunnel
from tests.interop import matrix
from tests.interop.configurations import TABLE

pytestmark = pytest.mark.usefixtures("go_programs")


@pytest.mark.parametrize(
    "case", ["plain", "everything", "preshared", "keepalive-bare", "all-alike", "wide", "every-tag", "both-in-ipv6"]
)
def test_data_passes(case, tmp_path):
    matrix.data_passes("reference", "reference", TABLE[case], tmp_path)


def test_names_pass(tmp_path):
    matrix.names_pass("reference", "reference", TABLE["everything"], tmp_path)


@pytest.mark.parametrize("pair", [("wireguard", "reference"), ("reference", "wireguard")])
def test_wireguard_is_the_reference_without_parameters(pair, tmp_path):
    matrix.data_passes(*pair, TABLE["plain"], tmp_path)


def test_other_bytes_are_noticed(tmp_path, monkeypatch):
    with (
        ends.server("reference", Tunnel(), tmp_path) as server,
        ends.client("reference", Tunnel(endpoint=server.endpoint), tmp_path) as client,
    ):
        expected = bytearray(conversation._pattern())
        expected[500] ^= 1
        monkeypatch.setattr(conversation, "_pattern", lambda: bytes(expected))
        with pytest.raises(AssertionError):
            conversation.download(client.socks, server.services[4]["source"], 1000)


@pytest.mark.usefixtures("internet")
@pytest.mark.parametrize("case", ["everything", "ipv6-in-ipv6"])
def test_a_moved_client_is_followed(case, tmp_path):
    matrix.client_moves("reference", "reference", TABLE[case], tmp_path)


def test_peers_at_once(tmp_path):
    matrix.peers_at_once(2, "reference", "reference", TABLE["everything"], tmp_path)


@pytest.mark.usefixtures("network_namespaces")
@pytest.mark.parametrize("kind", ["reference", "boringtun"])
def test_daemons_speak_to_each_other(kind, tmp_path, request):
    if kind == "boringtun":
        request.getfixturevalue("boringtun")
    tunnel = Tunnel(endpoint="10.178.0.2:51820", obfuscation=EVERYTHING if kind == "reference" else {}, inner=(4, 6))
    folders = [tmp_path / "server", tmp_path / "client"]
    for folder in folders:
        folder.mkdir()
    with (
        namespaces.pair("10.178.0.1/30", "10.178.0.2/30") as (near, far),
        daemons.server("reference", tunnel, folders[0], far, 51820),
        daemons.client(kind, tunnel, folders[1], near),
        ends.target(tuple(SERVER_ADDRESSES.values()), (), far.inside) as (_, services),
        near.entered(),
    ):
        for version in tunnel.inner:
            conversation.download(None, services[version]["source"], 10_000_000)
            conversation.upload(None, services[version]["digest"], 10_000_000)
