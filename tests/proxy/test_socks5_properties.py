"""Whatever bytes come, in whatever pieces: one outcome, bounded memory, and nothing but SOCKS5's own answers."""

import ipaddress

from hypothesis import example, given
from hypothesis import strategies as st

from awgproxy.proxy.destination import Destination
from awgproxy.proxy.socks5 import Negotiation, State

from .test_socks5 import BOTH_METHODS, IPV4_REQUEST, IPV6_REQUEST, LOGIN, NAME_REQUEST, NO_AUTH, feed

MOST_UNREAD = 3 + 2 * 255
MOST_ANSWERED = 2 + 2 + 10

PARTS = st.one_of(
    st.sampled_from([NO_AUTH, BOTH_METHODS, LOGIN, IPV4_REQUEST, IPV6_REQUEST, NAME_REQUEST]),
    st.sampled_from([b"\x05", b"\x01", b"\x05\x01\x00\x03", b"\x05\x01\x00\x03\xff", b"\x05\xff", b"\x01\xff"]),
    st.binary(max_size=20),
    st.builds(lambda byte, count: byte * count, st.binary(min_size=1, max_size=1), st.integers(0, 70_000)),
)
CONVERSATIONS = st.lists(PARTS, max_size=6).map(b"".join)


def outcome(negotiation, pieces):
    answers = feed(negotiation, pieces)
    return negotiation.state, negotiation.request, negotiation.refusal, negotiation.remainder, answers


# Found by the same defect: bytes after a refusal stayed where they came in pieces, and went where they came at once.
@given(CONVERSATIONS, st.lists(st.integers(0, 600), max_size=8), st.booleans())
@example(b"GET / HTTP/1.1\r\n", [1], False)
@example(NO_AUTH + b"\x05\x02\x00\x01" + bytes(6), [len(NO_AUTH) + 2], False)
def test_the_pieces_do_not_matter(sent, cuts, authenticate):
    pieces = []
    rest = sent
    for cut in cuts:
        pieces.append(rest[:cut])
        rest = rest[cut:]
    pieces.append(rest)
    assert outcome(Negotiation(authenticate=authenticate), pieces) == outcome(
        Negotiation(authenticate=authenticate), [sent]
    )


# Found: what came after a refusal was kept, however much it was.
@given(st.lists(PARTS, max_size=8), st.booleans())
@example([b"\x01", b"\x00" * 70_000], False)
@example([NO_AUTH, b"\x00" * 70_000, b"\x00" * 70_000], False)
def test_little_is_kept_and_little_is_answered(pieces, authenticate):
    negotiation = Negotiation(authenticate=authenticate)
    answered = 0
    for piece in pieces:
        answered += len(feed(negotiation, [piece]))
        assert answered <= MOST_ANSWERED
        if negotiation.state is State.REQUESTED:
            assert negotiation.request is not None
            break
        if negotiation.state is State.ASSOCIATING:
            assert negotiation.source is not None
            break
        assert len(negotiation.remainder) <= MOST_UNREAD
        assert (negotiation.state is State.REFUSED) == (negotiation.refusal is not None)


@given(
    st.binary(min_size=1, max_size=255),
    st.binary(min_size=1, max_size=255),
    st.ip_addresses(),
    st.integers(1, 65535),
    st.binary(max_size=100),
)
def test_what_is_asked_for_is_what_stands_in_the_request(username, password, address, port, early):
    negotiation = Negotiation(authenticate=True)
    login = b"\x01" + bytes([len(username)]) + username + bytes([len(password)]) + password
    kind = b"\x01" if address.version == 4 else b"\x04"
    request = b"\x05\x01\x00" + kind + address.packed + port.to_bytes(2, "big")
    negotiation.handle_bytes(BOTH_METHODS + login + request + early)
    assert (negotiation.offered.username, negotiation.offered.password) == (username, password)
    negotiation.judge(right=True)
    assert negotiation.request == Destination(str(address), port, is_name=False)
    assert negotiation.remainder == early


@given(st.binary(max_size=255))
def test_a_name_is_printable_or_refused(name):
    negotiation = Negotiation()
    negotiation.handle_bytes(NO_AUTH + b"\x05\x01\x00\x03" + bytes([len(name)]) + name + b"\x00\x50")
    if negotiation.request is None:
        assert negotiation.state is State.REFUSED
        assert negotiation.refusal.isprintable()
        return
    host = negotiation.request.host
    assert host
    assert host.isascii()
    assert host.isprintable()
    if not negotiation.request.is_name:
        assert str(ipaddress.ip_address(host)) == host


@given(st.binary(min_size=1, max_size=255), st.binary(min_size=1, max_size=255))
def test_other_credentials_are_refused_and_not_repeated(username, password):
    if (username, password) == (b"user", b"secret"):
        return
    negotiation = Negotiation(authenticate=True)
    login = b"\x01" + bytes([len(username)]) + username + bytes([len(password)]) + password
    assert feed(negotiation, [BOTH_METHODS + login + IPV4_REQUEST]) == b"\x05\x02\x01\x01"
    assert negotiation.state is State.REFUSED
    assert negotiation.refusal == "wrong username or password"
