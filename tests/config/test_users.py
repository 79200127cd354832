"""Who may use a listener, and that nobody else's machine does unasked."""

import pytest

from awgproxy.config.parse import parse
from awgproxy.errors import ConfigError

from .refusals import only_problem, problems
from .texts import CLIENT


def socks5(text):
    return parse(CLIENT + f"[Socks5]\n{text}", "test.conf").socks5


def users(text):
    return [(user.name, user.password.get_secret_value()) for user in socks5(text).users]


def test_several_users_each_in_a_line_of_its_own():
    text = "Username = me\nPassword = a,b\nUser = alice:p, q:r\nUser = zoë:x\n"
    assert users(text) == [("me", "a,b"), ("alice", "p, q:r"), ("zoë", "x")]


def test_no_user_at_all():
    assert users("") == []


def test_no_password_is_shown():
    shown = repr(socks5("User = alice:hunter2\n")) + str(socks5("User = alice:hunter2\n"))
    assert "alice" in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize(
    "value", ["hunter2hunter2", ":hunter2", "alice:", "alice:" + "hunter2" * 37, "x" * 256 + ":hunter2"]
)
def test_what_is_no_user(value):
    line, name, what = only_problem(CLIENT + f"[Socks5]\nUser = {value}\n")
    assert (line, name) == (11, "User")
    assert "hunter" not in what


@pytest.mark.parametrize("before", ["User = alice:1\n", "Username = alice\nPassword = 1\n"])
def test_a_name_stands_once(before):
    line, name, what = only_problem(CLIENT + f"[Socks5]\n{before}User = alice:2\n")
    assert (line, name) == (10 + before.count("\n") + 1, "User")
    assert "stands before" in what


@pytest.mark.parametrize("address", ["0.0.0.0:1080", "[::]:1080", "192.0.2.1:1080", "[2001:db8::1]:1080"])
def test_a_port_for_other_machines_needs_a_password_or_the_word_for_it(address):
    line, name, what = only_problem(CLIENT + f"[Socks5]\nBindAddress = {address}\n")
    assert (line, name) == (11, "BindAddress")
    assert "AllowUnauthenticated = yes" in what
    for more in ("User = alice:1", "Username = me\nPassword = x", "AllowUnauthenticated = yes"):
        assert str(socks5(f"BindAddress = {address}\n{more}\n").bind_address) == address


def test_saying_no_is_not_the_word_for_it():
    assert problems(CLIENT + "[Socks5]\nBindAddress = 0.0.0.0:1080\nAllowUnauthenticated = no\n")


@pytest.mark.parametrize("address", ["127.0.0.1:1080", "127.9.9.9:0", "[::1]:1080", "localhost:1080"])
def test_this_machines_own_applications_need_none(address):
    assert socks5(f"BindAddress = {address}\n").users == ()


def test_half_a_credential_is_told_as_such():
    with pytest.raises(ConfigError) as caught:
        parse(CLIENT + "[Socks5]\nBindAddress = 0.0.0.0:1080\nUsername = me\n", "test.conf")
    assert [problem.key for problem in caught.value.problems] == ["Username"]


def http(text):
    return parse(CLIENT + f"[Http]\n{text}", "test.conf").http


def test_http_has_a_port_of_its_own_where_one_is_named():
    assert parse(CLIENT, "test.conf").http is None
    made = http("BindAddress = 127.0.0.1:8080\nUsername = me\nPassword = x\nUser = alice:1\n")
    assert str(made.bind_address) == "127.0.0.1:8080"
    assert [user.name for user in made.users] == ["me", "alice"]


def test_http_needs_an_address():
    line, name, what = only_problem(CLIENT + "[Http]\nUser = alice:1\n")
    assert (line, name) == (10, "BindAddress")
    assert "127.0.0.1:8080" in what


def test_the_port_of_http_too_needs_a_password_for_other_machines():
    assert only_problem(CLIENT + "[Http]\nBindAddress = 0.0.0.0:8080\n")[:2] == (11, "BindAddress")
    assert http("BindAddress = 0.0.0.0:8080\nAllowUnauthenticated = yes\n").users == ()


def test_a_name_for_http_has_no_colon():
    text = "BindAddress = 127.0.0.1:8080\nUsername = a:b\nPassword = x\n"
    assert only_problem(CLIENT + f"[Http]\n{text}")[:2] == (12, "Username")
    assert socks5("Username = a:b\nPassword = x\n").username == "a:b"


@pytest.mark.parametrize(("word", "expected"), [("yes", True), ("no", False)])
def test_http_at_the_port_of_socks5(word, expected):
    assert socks5(f"Http = {word}\n").http is expected
    assert socks5("").http


@pytest.mark.parametrize("before", ["[Socks5]\n", "[Socks5]\nBindAddress = 127.0.0.1:1080\n"])
def test_a_port_is_one_sections(before):
    line, name, what = only_problem(CLIENT + before + "[Http]\nBindAddress = 127.0.0.1:1080\n")
    assert (line, name) == (11 + before.count("\n"), "BindAddress")
    assert "[Socks5] takes HTTP as well" in what


def test_any_free_port_is_not_the_same_one():
    assert parse(CLIENT + "[Socks5]\nBindAddress = 127.0.0.1:0\n[Http]\nBindAddress = 127.0.0.1:0\n", "x").http
