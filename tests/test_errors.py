"""What errors say, and that one root catches them all."""

import errno
import inspect

import pytest

from awgproxy import errors
from awgproxy.errors import AwgProxyError, ConfigError, ListenError, PolicyDenied, Problem


def test_one_root_catches_everything():
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)]
    assert len(kinds) > 5
    assert all(issubclass(kind, AwgProxyError) for kind in kinds)


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (
            Problem("x.conf", 3, "Peer", "Endpoint", "is bad", "do better"),
            "x.conf:3: [Peer] Endpoint: is bad; do better",
        ),
        (Problem("x.conf", 3, "Peer", "Endpoint", "is bad"), "x.conf:3: [Peer] Endpoint: is bad"),
        (Problem("x.conf", None, "Peer", None, "is missing"), "x.conf: [Peer]: is missing"),
        (Problem("x.conf", 1, None, "Endpoint", "is alone"), "x.conf:1: Endpoint: is alone"),
        (Problem("x.conf", None, None, None, "is binary"), "x.conf: is binary"),
    ],
)
def test_a_problem_says_what_is_known_of_it(problem, text):
    assert str(problem) == text
    assert f"{problem.where}: {problem.what}" == text


def test_a_configuration_that_cannot_be_used_tells_every_problem_on_a_line_of_its_own():
    problems = [Problem("x.conf", line, None, "MTU", "is bad") for line in (1, 2)]
    error = ConfigError(problems)
    assert error.problems == tuple(problems)
    assert str(error).splitlines() == ["x.conf:1: MTU: is bad", "x.conf:2: MTU: is bad"]


def test_what_the_policy_denies_is_told_with_its_reason():
    denied = PolicyDenied("10.1.2.3", 80, "private")
    assert (denied.address, denied.port, denied.reason) == ("10.1.2.3", 80, "private")
    assert str(denied) == "10.1.2.3 port 80 is refused by the egress policy: private"


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.EADDRINUSE, "is in use: end the program that has it, or choose another port"),
        (errno.EACCES, "is not permitted for this user: choose a port from 1024 on"),
        (errno.EPERM, "is not permitted for this user: choose a port from 1024 on"),
        (errno.EADDRNOTAVAIL, "cannot be used: this machine does not have the address 192.0.2.1"),
        (errno.ENOBUFS, "cannot be used: no room"),
    ],
)
def test_a_port_that_cannot_be_had_says_why_and_what_would_be_right(number, told):
    error = ListenError.of(OSError(number, "no room"), "UDP", "192.0.2.1", 53)
    assert str(error) == f"UDP port 53 on 192.0.2.1 {told}"


def test_an_error_without_words_of_the_system_is_told_as_it_is():
    assert str(ListenError.of(OSError("odd"), "TCP", "::1", 80)) == "TCP port 80 on ::1 cannot be used: odd"
