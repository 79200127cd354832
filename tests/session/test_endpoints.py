"""Endpoints that are names: looked up without waiting, again and again until they are found."""

import asyncio
import socket

import pytest

from awgproxy.config.parse import parse
from awgproxy.session import endpoints
from awgproxy.session.endpoints import EndpointKeeper
from tests.config.texts import CLIENT
from tests.session.running import named


@pytest.fixture
def system():
    """The system's resolver: a list of what it answers, each an address or an exception."""
    answers = []

    async def getaddrinfo(_, port, **__):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return [(socket.AF_INET, socket.SOCK_DGRAM, 17, "", (answer, port))]

    return answers, getaddrinfo


@pytest.fixture
async def keeper(engine, system, monkeypatch, entries):
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", system[1])
    monkeypatch.setattr(endpoints, "RETRY_SECONDS", (0.0, 0.001))
    made = EndpointKeeper(parse(CLIENT, "x.conf"), engine)
    yield made
    made.stop()


async def test_a_name_that_is_not_found_is_tried_again(keeper, engine, system, entries):
    system[0][:] = [socket.gaierror(-2, "Name or service not known")] * 4 + ["192.0.2.1"]
    keeper.start()
    ((peer,),) = await engine.called("set_peers")
    assert peer.endpoint == ("192.0.2.1", 51820)
    failures = named(entries, "the endpoint's name cannot be looked up")
    assert [entry["retry_seconds"] for entry in failures] == [0.0, 0.001, 0.001, 0.001]
    assert {(entry["name"], entry["reason"]) for entry in failures} == {
        ("vpn.example.org", "Name or service not known")
    }


async def test_an_address_that_stays_changes_nothing(keeper, engine, system):
    system[0][:] = ["192.0.2.1", "192.0.2.1", "192.0.2.2"]
    keeper.start()
    await engine.called("set_peers")
    await keeper._task
    keeper.look_up_again()
    await keeper._task
    keeper.look_up_again()
    ((peer,),) = await engine.called("set_peers")
    assert peer.endpoint == ("192.0.2.2", 51820)


async def test_one_look_up_at_a_time(keeper, engine, system):
    system[0][:] = ["192.0.2.1"]
    keeper.start()
    keeper.look_up_again()
    keeper.look_up_again()
    await engine.called("set_peers")
    await keeper._task
    assert system[0] == []


async def test_an_engine_that_does_not_take_it_is_told_the_next_time(keeper, engine, system, entries):
    system[0][:] = ["192.0.2.1", "192.0.2.1"]
    engine.refusal = OSError(105, "too many commands wait")
    keeper.start()
    await keeper._task
    assert named(entries, "the endpoints could not be changed")
    engine.refusal = None
    keeper.look_up_again()
    await engine.called("set_peers")


async def test_addresses_are_not_looked_up(engine, system):
    keeper = EndpointKeeper(parse(CLIENT.replace("vpn.example.org", "192.0.2.1"), "x.conf"), engine)
    keeper.start()
    assert keeper._task is None
