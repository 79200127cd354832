"""SOCKS5 to the letter: every prefix, every split, each answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awgproxy.proxy.destination import Destination
from awgproxy.proxy.socks5 import Negotiation, Reply, State
from awgproxy.proxy.users import Users
from tests.proxy import conversing

NO_AUTH = b"\x05\x01\x00"
BOTH_METHODS = b"\x05\x02\x00\x02"
USERS = Users([("user", "secret"), ("other", "")])
LOGIN = b"\x01\x04user\x06secret"
IPV4_REQUEST = b"\x05\x01\x00\x01\x01\x02\x03\x04\x01\xbb"
IPV6_REQUEST = b"\x05\x01\x00\x04" + bytes(15) + b"\x01\x00\x50"
NAME_REQUEST = b"\x05\x01\x00\x03\x0bexample.org\x01\xbb"

CONVERSATIONS = [
    pytest.param(None, NO_AUTH + IPV4_REQUEST, b"\x05\x00", Destination("1.2.3.4", 443, False), id="ipv4"),
    pytest.param(None, NO_AUTH + IPV6_REQUEST, b"\x05\x00", Destination("::1", 80, False), id="ipv6"),
    pytest.param(None, NO_AUTH + NAME_REQUEST, b"\x05\x00", Destination("example.org", 443, True), id="name"),
    pytest.param(
        USERS,
        BOTH_METHODS + LOGIN + NAME_REQUEST,
        b"\x05\x02\x01\x00",
        Destination("example.org", 443, True),
        id="credentials",
    ),
]


def feed(negotiation: Negotiation, pieces) -> bytes:
    return conversing.feed(USERS, negotiation, pieces)


def begun(users) -> Negotiation:
    return Negotiation(authenticate=users is not None)


@pytest.mark.parametrize(("users", "sent", "answers", "request_"), CONVERSATIONS)
def test_a_conversation_at_once(users, sent, answers, request_):
    negotiation = begun(users)
    assert feed(negotiation, [sent]) == answers
    assert negotiation.state is State.REQUESTED
    assert negotiation.request == request_
    assert negotiation.remainder == b""


@pytest.mark.parametrize(("users", "sent", "answers", "request_"), CONVERSATIONS)
def test_byte_by_byte(users, sent, answers, request_):
    negotiation = begun(users)
    assert feed(negotiation, [bytes([byte]) for byte in sent]) == answers
    assert negotiation.request == request_


@pytest.mark.parametrize(("users", "sent", "answers", "request_"), CONVERSATIONS)
def test_every_prefix_waits_for_more(users, sent, answers, request_):
    for end in range(len(sent)):
        negotiation = begun(users)
        assert answers.startswith(feed(negotiation, [sent[:end]]))
        assert negotiation.request is None
        assert negotiation.state is not State.REFUSED


@pytest.mark.parametrize(("users", "sent", "answers", "request_"), CONVERSATIONS)
def test_split_anywhere(users, sent, answers, request_):
    for cut in range(1, len(sent)):
        negotiation = begun(users)
        assert feed(negotiation, [sent[:cut], sent[cut:]]) == answers
        assert negotiation.request == request_


def test_what_follows_the_request_is_kept_for_the_connection():
    negotiation = Negotiation()
    negotiation.handle_bytes(NO_AUTH + IPV4_REQUEST + b"GET / HTTP/1.1\r\n")
    assert negotiation.remainder == b"GET / HTTP/1.1\r\n"


@pytest.mark.parametrize(
    ("users", "sent", "answer", "words"),
    [
        pytest.param(None, b"\x04\x01\x00\x50\x01\x02\x03\x04\x00", b"", "SOCKS4", id="socks4"),
        pytest.param(None, b"GET / HTTP/1.1\r\n", b"", "HTTP", id="http"),
        pytest.param(None, b"\x16\x03\x01", b"", "TLS", id="tls"),
        pytest.param(None, b"\x00", b"", "not one of SOCKS5", id="zero"),
        pytest.param(None, b"\x05\x00", b"\x05\xff", "no authentication", id="no methods"),
        pytest.param(None, b"\x05\x01\x02", b"\x05\xff", "no authentication", id="password only"),
        pytest.param(USERS, NO_AUTH, b"\x05\xff", "username and password", id="password wanted"),
        pytest.param(USERS, BOTH_METHODS + b"\x01\x04user\x05wrong", b"\x05\x02\x01\x01", "wrong", id="password"),
        pytest.param(USERS, BOTH_METHODS + b"\x01\x00\x06secret", b"\x05\x02\x01\x01", "wrong", id="no name"),
        pytest.param(USERS, BOTH_METHODS + b"\x05\x04user", b"\x05\x02\x01\x01", "version", id="auth version"),
        pytest.param(
            None,
            NO_AUTH + b"\x05\x02" + IPV4_REQUEST[2:],
            b"\x05\x00" + Reply.COMMAND_NOT_SUPPORTED.message(),
            "BIND",
            id="bind",
        ),
        pytest.param(
            None,
            NO_AUTH + b"\x05\x01\x00\x05abcdef",
            b"\x05\x00" + Reply.ADDRESS_TYPE_NOT_SUPPORTED.message(),
            "address type 5",
            id="address type",
        ),
        pytest.param(
            None,
            NO_AUTH + b"\x05\x01\x01" + IPV4_REQUEST[3:],
            b"\x05\x00" + Reply.GENERAL_FAILURE.message(),
            "reserved byte",
            id="reserved byte",
        ),
        pytest.param(
            None,
            NO_AUTH + b"\x05\x01\x00\x03\x00\x00\x50",
            b"\x05\x00" + Reply.GENERAL_FAILURE.message(),
            "name",
            id="empty name",
        ),
        pytest.param(
            None,
            NO_AUTH + b"\x05\x01\x00\x03\x02\xc3\xa9\x00\x50",
            b"\x05\x00" + Reply.GENERAL_FAILURE.message(),
            "not visible ASCII",
            id="not ascii",
        ),
        pytest.param(
            None,
            NO_AUTH + b"\x05\x01\x00\x03\x03a\tb\x00\x50",
            b"\x05\x00" + Reply.GENERAL_FAILURE.message(),
            "not visible ASCII",
            id="control byte",
        ),
        pytest.param(
            None,
            NO_AUTH + b"\x05\x01\x00\x01\x01\x02\x03\x04\x00\x00",
            b"\x05\x00" + Reply.GENERAL_FAILURE.message(),
            "port 0",
            id="port 0",
        ),
    ],
)
def test_refusals(users, sent, answer, words):
    negotiation = begun(users)
    assert feed(negotiation, [sent]) == answer
    assert negotiation.state is State.REFUSED
    assert words in negotiation.refusal
    assert feed(negotiation, [NO_AUTH + IPV4_REQUEST]) == b""


@pytest.mark.parametrize(("name", "host"), [(b"127.0.0.1", "127.0.0.1"), (b"::1", "::1"), (b"[::1]", "::1")])
def test_an_address_sent_as_a_name_is_an_address(name, host):
    negotiation = Negotiation()
    negotiation.handle_bytes(NO_AUTH + b"\x05\x01\x00\x03" + bytes([len(name)]) + name + b"\x00\x50")
    assert negotiation.request == Destination(host, 80, is_name=False)


ANYWHERE = b"\x01" + bytes(6)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (ANYWHERE, Destination("0.0.0.0", 0, False)),
        (b"\x01\x7f\x00\x00\x01\x30\x39", Destination("127.0.0.1", 12345, False)),
        (b"\x04" + bytes(15) + b"\x01\x30\x39", Destination("::1", 12345, False)),
        (b"\x03\x04host\x00\x00", Destination("host", 0, True)),
    ],
)
def test_udp_associate_waits_for_where_datagrams_are_to_go(source, expected):
    sent = NO_AUTH + b"\x05\x03\x00" + source
    for cut in range(len(sent) + 1):
        negotiation = Negotiation()
        assert feed(negotiation, [sent[:cut], sent[cut:]]) == b"\x05\x00"
        assert negotiation.state is State.ASSOCIATING
        assert (negotiation.source, negotiation.request) == (expected, None)
    for end in range(len(sent)):
        negotiation = Negotiation()
        feed(negotiation, [sent[:end]])
        assert negotiation.source is None


@pytest.mark.parametrize(
    ("bound", "reply"),
    [
        (("127.0.0.1", 4711), b"\x05\x00\x00\x01\x7f\x00\x00\x01\x12\x67"),
        (("::1", 4711), b"\x05\x00\x00\x04" + bytes(15) + b"\x01\x12\x67"),
    ],
)
def test_the_reply_to_udp_associate_is_of_the_family_that_was_bound(bound, reply):
    negotiation = Negotiation()
    feed(negotiation, [NO_AUTH + b"\x05\x03\x00" + ANYWHERE])
    negotiation.associate(bound)
    assert negotiation.poll_answer() == reply
    assert (negotiation.state, negotiation.source) == (State.ASSOCIATED, None)
    assert not negotiation.is_over


def test_no_place_for_datagrams_is_a_failure():
    negotiation = Negotiation()
    feed(negotiation, [NO_AUTH + b"\x05\x03\x00" + ANYWHERE])
    negotiation.associate(None)
    assert negotiation.poll_answer() == Reply.GENERAL_FAILURE.message()
    assert negotiation.is_over


@pytest.mark.parametrize("reply", Reply)
def test_replies_are_ten_bytes_with_their_code(reply):
    assert reply.message() == bytes((5, reply, 0, 1, 0, 0, 0, 0, 0, 0))


@given(st.lists(st.binary(max_size=600), max_size=8), st.booleans())
def test_nothing_that_comes_raises_or_is_kept_without_bound(pieces, authenticate):
    negotiation = Negotiation(authenticate=authenticate)
    for piece in pieces:
        feed(negotiation, [piece])
        if negotiation.state is not State.REQUESTED:
            assert len(negotiation.remainder) <= 3 + 2 * 255


def test_what_comes_while_credentials_are_judged_waits():
    negotiation = Negotiation(authenticate=True)
    negotiation.handle_bytes(b"\x05\x01\x02" + LOGIN + IPV4_REQUEST[:3])
    assert negotiation.state is State.OFFERED
    assert (negotiation.offered.username, negotiation.offered.password) == (b"user", b"secret")
    assert negotiation.poll_answer() == b"\x05\x02"
    negotiation.handle_bytes(IPV4_REQUEST[3:])
    assert negotiation.request is None
    negotiation.judge(right=True)
    assert negotiation.poll_answer() == b"\x01\x00"
    assert negotiation.request == Destination("1.2.3.4", 443, False)
    assert negotiation.offered is None
