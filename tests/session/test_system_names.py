"""Names by the system: answers, errors, and ends that wait for neither."""

import asyncio
import socket
import threading

import pytest

from awgproxy.session.system_names import system_addresses


async def test_the_systems_answer_in_its_order(monkeypatch):
    answer = [(0, 0, 0, "", (address, 0)) for address in ("192.0.2.2", "2001:db8::1", "192.0.2.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)
    assert await system_addresses("vpn.example.org") == ["192.0.2.2", "2001:db8::1", "192.0.2.1"]


@pytest.mark.parametrize("failure", [socket.gaierror(-2, "Name or service not known"), UnicodeError("label too long")])
async def test_its_errors(monkeypatch, failure):
    def fail(*_, **__):
        raise failure

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(type(failure)) as told:
        await system_addresses("vpn.example.org")
    assert told.value is failure


async def test_no_thread_is_an_error_of_the_system(monkeypatch):
    def none_left(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none_left)
    with pytest.raises(OSError, match="can't start new thread"):
        await system_addresses("vpn.example.org")


def test_a_loop_that_ends_does_not_wait_for_the_system(monkeypatch):
    asked, answers = threading.Event(), threading.Event()
    threads = []

    def hang(*_, **__):
        threads.append(threading.current_thread())
        asked.set()
        answers.wait()
        return []

    async def give_up():
        waiting = asyncio.create_task(system_addresses("vpn.example.org"))
        await asyncio.get_running_loop().run_in_executor(None, asked.wait)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    asyncio.run(give_up())  # the system has not answered yet
    assert threads[0].daemon
    answers.set()
    threads[0].join()  # and its answer finds nobody
