"""Whom to ask first."""

from awgproxy.egress.dns.servers import SILENT_SECONDS, STREAM_SECONDS, Servers

A, B, C = "10.0.0.1", "10.0.0.2", "fd00::3"


def test_the_configured_order_holds_until_one_is_silent_and_again_after_a_while():
    servers = Servers([A, B, C])
    assert servers.in_order(0) == [A, B, C]
    servers.was_silent(A, asked=0, now=1)
    assert servers.in_order(1) == [B, C, A]
    assert servers.in_order(1 + SILENT_SECONDS) == [A, B, C]


def test_all_silent_is_the_configured_order():
    servers = Servers([A, B])
    for server in (B, A):
        servers.was_silent(server, asked=0, now=1)
    assert servers.in_order(2) == [A, B]


def test_an_answer_ends_it():
    servers = Servers([A, B])
    servers.was_silent(A, asked=0, now=1)
    servers.answered(A, 2)
    assert servers.in_order(2) == [A, B]


def test_who_answered_something_else_meanwhile_is_not_silent():
    servers = Servers([A, B])
    servers.answered(A, 5)
    servers.was_silent(A, asked=4, now=8)
    assert servers.in_order(8) == [A, B]


def test_others_take_their_place_and_those_that_stay_are_known():
    servers = Servers([A, B])
    servers.was_silent(A, asked=0, now=1)
    servers.answered(B, 1, over_stream_alone=True)
    assert not servers.become([B, A])
    assert servers.in_order(1) == [B, A]
    assert servers.become([A, C])
    assert (A in servers, B in servers) == (True, False)
    assert servers.in_order(1) == [C, A]
    servers.was_silent(B, asked=2, now=3)  # a question to it was still under way
    servers.answered(B, 4, over_stream_alone=True)
    assert servers.become([B])
    assert not servers.wants_stream(B, 4)


def test_tcp_is_wanted_for_a_while_where_it_alone_brought_an_answer():
    servers = Servers([A, B])
    servers.answered(A, 0)
    assert not servers.wants_stream(A, 0)
    servers.answered(A, 0, over_stream_alone=True)
    assert servers.wants_stream(A, STREAM_SECONDS - 1)
    assert not servers.wants_stream(B, 0)
    assert not servers.wants_stream(A, STREAM_SECONDS)


def test_none_are_none():
    assert not Servers([])
    assert Servers([A, A]).in_order(0) == [A]
