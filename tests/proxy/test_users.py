"""Whom a listener knows, and that it shows nobody."""

import pytest

from awgproxy.proxy.users import Credentials, Users

USERS = Users([("alice", "correct horse"), ("bob", "battery:staple"), ("zoë", "ключ")])


@pytest.mark.parametrize(("name", "password"), [("alice", "correct horse"), ("bob", "battery:staple"), ("zoë", "ключ")])
def test_every_user_is_known(name, password):
    assert USERS.know(Credentials(name.encode(), password.encode()))


@pytest.mark.parametrize(
    ("name", "password"),
    [
        pytest.param(b"alice", b"battery:staple", id="of another"),
        pytest.param(b"carol", b"correct horse", id="no such user"),
        pytest.param(b"alice", b"correct hors", id="too short"),
        pytest.param(b"Alice", b"correct horse", id="another case"),
        pytest.param(b"alicecorrect", b" horse", id="cut elsewhere"),
        pytest.param(b"", b"", id="nothing"),
    ],
)
def test_nobody_else_is(name, password):
    assert not USERS.know(Credentials(name, password))


def test_nobody_is_known_where_there_are_no_users():
    assert not Users().know(Credentials(b"", b""))
    assert len(Users()) == 0


def test_every_user_is_compared_whoever_asks(monkeypatch):
    compared = []
    monkeypatch.setattr("hmac.compare_digest", lambda one, other: compared.append(len(other)) or one == other)
    for offered in (Credentials(b"alice", b"correct horse"), Credentials(b"nobody", b"x" * 200)):
        USERS.know(offered)
        assert compared == [32, 32, 32]
        compared.clear()


def test_nothing_is_shown():
    shown = repr(USERS) + repr(Credentials(b"alice", b"correct horse"))
    assert "alice" not in shown
    assert "correct" not in shown
    assert all(b"correct" not in digest for digest in USERS._digests)
