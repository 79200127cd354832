"""Names through the tunnel, the form of keepalives on the wire, and awgproxy at both ends. The rest: `test_matrix`."""

from __future__ import annotations

import dataclasses

import pytest

from interop.counterparts import conversation, ends
from interop.counterparts.relay import Relay
from tests.interop import matrix
from tests.interop.configurations import TABLE

pytestmark = pytest.mark.usefixtures("go_programs", "awgproxy", "internet")

KEEPALIVE = 32
"""Bytes of a bare keepalive: a transport message without content."""


@pytest.mark.parametrize("case", ["plain", "everything"])
def test_ours_with_ours(case, tmp_path):
    matrix.data_passes("awgproxy", "awgproxy", TABLE[case], tmp_path)


@pytest.mark.parametrize("case", ["everything", "ipv6-in-ipv4"])
def test_names_are_resolved_through_the_tunnel(case, tmp_path):
    matrix.names_pass("awgproxy", "reference", TABLE[case], tmp_path)


@pytest.mark.parametrize("client", ["reference", "awgproxy"])
def test_our_server_answers_for_names(client, tmp_path):
    matrix.names_pass(client, "awgproxy", TABLE["everything"], tmp_path)


@pytest.mark.parametrize(("case", "padding"), [("keepalive-padded", 24), ("keepalive-bare", 0)])
def test_the_form_of_our_keepalives(case, padding, tmp_path):
    """The wire shows the form that was asked for; the reference counts only what it takes for a keepalive."""
    settings = TABLE[case]
    silent = dataclasses.replace(settings.tunnel, persistent_keepalive=0)
    with (
        ends.server("reference", silent, tmp_path) as server,
        Relay(("127.0.0.1", int(server.endpoint.split(":")[1]))) as relay,
        ends.client("awgproxy", settings.tunnel.at(relay.endpoint), tmp_path, settings.ours) as client,
    ):
        conversation.echo(client.socks, server.services[4]["echo"])
        seen = relay.sizes("up").count(KEEPALIVE + padding)
        client.process.wait_until(
            lambda: relay.sizes("up").count(KEEPALIVE + padding) >= seen + 2, "sending keepalives of that size"
        )
        other = KEEPALIVE + 24 - padding
        assert other not in relay.sizes("up")
