"""HTTP requests to the letter: each form, every prefix, every split, each refusal."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awgproxy.proxy.destination import Destination
from awgproxy.proxy.http import pages
from awgproxy.proxy.http.conversation import Conversation, State
from awgproxy.proxy.http.head import MOST_HEAD
from awgproxy.proxy.users import Users
from tests.proxy import conversing

USERS = Users([("alice", "open: sesame")])
BASIC = b"Proxy-Authorization: Basic " + base64.b64encode(b"alice:open: sesame") + b"\r\n"
WRONG = b"Proxy-Authorization: Basic " + base64.b64encode(b"alice:x") + b"\r\n"
CONNECT = b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n"
GET = b"GET http://example.org/a?b HTTP/1.1\r\nHost: example.org\r\n\r\n"


def feed(conversation, *pieces) -> bytes:
    return conversing.feed(USERS, conversation, pieces)


def with_header(request, *headers):
    line, _, rest = request.partition(b"\r\n")
    return line + b"\r\n" + b"".join(headers) + rest


def outcome(conversation, *pieces):
    answer = feed(conversation, *pieces)
    to_target = conversation.exchange.poll_target() if conversation.exchange else None
    return conversation.state, conversation.request, conversation.refusal, answer, to_target


@pytest.mark.parametrize(
    ("target", "destination"),
    [
        pytest.param(b"example.org:443", Destination("example.org", 443, True), id="name"),
        pytest.param(b"192.0.2.1:80", Destination("192.0.2.1", 80, False), id="ipv4"),
        pytest.param(b"[2001:DB8::1]:8443", Destination("2001:db8::1", 8443, False), id="ipv6"),
    ],
)
def test_connect(target, destination):
    conversation = Conversation()
    assert feed(conversation, b"CONNECT " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n\x16\x03\x01early") == b""
    assert conversation.state is State.REQUESTED
    assert conversation.request == destination
    assert conversation.remainder == b"\x16\x03\x01early"
    assert conversation.answers.succeeded.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("target", "destination", "line", "host"),
    [
        (b"http://example.org/a?b=c", Destination("example.org", 80, True), b"GET /a?b=c", b"example.org"),
        (b"http://example.org", Destination("example.org", 80, True), b"GET /", b"example.org"),
        (b"HTTP://example.org?q", Destination("example.org", 80, True), b"GET /?q", b"example.org"),
        (b"http://192.0.2.1:8080/", Destination("192.0.2.1", 8080, False), b"GET /", b"192.0.2.1:8080"),
        (b"http://[2001:db8::1]:81/", Destination("2001:db8::1", 81, False), b"GET /", b"[2001:db8::1]:81"),
        (b"http://example.org:/", Destination("example.org", 80, True), b"GET /", b"example.org:"),
    ],
)
def test_absolute_form_becomes_origin_form_and_its_host_counts(target, destination, line, host):
    conversation = Conversation()
    feed(conversation, b"GET " + target + b" HTTP/1.1\r\nHost: evil.test\r\nX-Mine: 1\r\n\r\n")
    exchange = conversation.exchange
    assert exchange.destination == destination
    assert exchange.poll_target() == (
        line + b" HTTP/1.1\r\nHost: " + host + b"\r\nX-Mine: 1\r\nConnection: close\r\n\r\n"
    )
    assert exchange.request_is_whole


def test_headers_of_one_hop_and_of_the_proxy_are_dropped():
    conversation = Conversation()
    dropped = (
        b"Connection: keep-alive, X-Named, Content-Length, Host\r\nX-Named: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\n"
        b"Trailer: X\r\nUpgrade: websocket\r\nProxy-Connection: close\r\nProxy-Authorization: Basic eDp5\r\n"
        b"Proxy-Whatever: 1\r\n"
    )
    feed(conversation, with_header(GET.replace(b"GET", b"POST"), dropped, b"Content-Length: 2\r\nVia: x\r\n") + b"ab")
    sent = conversation.exchange.poll_target()
    assert sent == (
        b"POST /a?b HTTP/1.1\r\nHost: example.org\r\nContent-Length: 2\r\nVia: x\r\nConnection: close\r\n\r\nab"
    )


def test_empty_lines_before_a_request_cost_little_however_many():
    conversation = Conversation()
    for _ in range(100):
        conversation.handle_bytes(b"\r\n" * 32768)
        assert conversation.remainder == b""
    feed(conversation, b"\r\n", CONNECT)
    assert conversation.request == Destination("example.org", 443, True)


@pytest.mark.parametrize(
    ("sent", "spoken"), [(b"\x05\x01\x00", "SOCKS5"), (b"\x04\x01", "SOCKS4"), (b"\x16\x03\x01", "TLS")]
)
def test_what_speaks_something_else_is_told_apart_by_its_first_byte(sent, spoken):
    conversation = Conversation()
    assert feed(conversation, sent[:1], sent[1:]).startswith(b"HTTP/1.1 400 ")
    assert conversation.is_over
    assert conversation.refusal == f"the application speaks {spoken}; set it to HTTP"


@pytest.mark.parametrize("length", [b"", b"Content-Length: 0\r\n"])
def test_an_empty_body_of_connect_is_none(length):
    conversation = Conversation()
    feed(conversation, with_header(CONNECT, length) + b"early")
    assert conversation.request == Destination("example.org", 443, True)
    assert conversation.remainder == b"early"


def test_options_without_a_path_is_about_the_server():
    conversation = Conversation()
    feed(conversation, b"OPTIONS http://example.org HTTP/1.1\r\nHost: example.org\r\n\r\n")
    assert conversation.exchange.poll_target().startswith(b"OPTIONS * HTTP/1.1\r\n")


CONVERSATIONS = [
    pytest.param(False, CONNECT, id="connect"),
    pytest.param(True, with_header(CONNECT, BASIC), id="connect with a password"),
    pytest.param(False, GET, id="get"),
    pytest.param(True, with_header(GET, BASIC), id="get with a password"),
    pytest.param(False, b"\r\n\r\n" + GET, id="empty lines before"),
    pytest.param(False, b"GET / HTTP/1.1\r\nHost: 127.0.0.1:1080\r\n\r\n", id="own page"),
    pytest.param(False, b"GET /proxy.pac HTTP/1.1\r\nHost: 127.0.0.1:1080\r\n\r\n", id="pac"),
    pytest.param(True, CONNECT, id="no password"),
]


@pytest.mark.parametrize(("authenticate", "sent"), CONVERSATIONS)
def test_every_prefix_waits_for_more(authenticate, sent):
    for end in range(len(sent)):
        conversation = Conversation(authenticate=authenticate)
        assert feed(conversation, sent[:end]) == b""
        assert conversation.state is State.HEAD


@pytest.mark.parametrize(("authenticate", "sent"), CONVERSATIONS)
def test_split_anywhere_and_byte_by_byte(authenticate, sent):
    whole = outcome(Conversation(authenticate=authenticate), sent)
    for cut in range(1, len(sent)):
        assert outcome(Conversation(authenticate=authenticate), sent[:cut], sent[cut:]) == whole
    assert outcome(Conversation(authenticate=authenticate), *(bytes([byte]) for byte in sent)) == whole


POST = b"POST http://h/ HTTP/1.1\r\nHost: h\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400, id="both lengths"),
        pytest.param(POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\n", 400, id="two lengths"),
        pytest.param(POST + b"Content-Length: 3\r\ncontent-length: 3\r\n\r\n", 400, id="a length twice"),
        pytest.param(POST + b"Content-Length: 3, 3\r\n\r\n", 400, id="a list of lengths"),
        pytest.param(POST + b"Content-Length: +3\r\n\r\n", 400, id="a signed length"),
        pytest.param(POST + b"Content-Length: \r\n\r\n", 400, id="no length"),
        pytest.param(POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", 400, id="an endless length"),
        pytest.param(POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501, id="two codings"),
        pytest.param(POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 501, id="twice"),
        pytest.param(POST + b"Transfer-Encoding: xchunked\r\n\r\n", 501, id="another coding"),
        pytest.param(POST + b"Transfer-Encoding : chunked\r\n\r\n", 400, id="white space before the colon"),
        pytest.param(POST + b"Content-Length : 3\r\n\r\n", 400, id="white space before the colon of a length"),
        pytest.param(POST + b"X: a\r\n b\r\n\r\n", 400, id="folded"),
        pytest.param(POST + b"\tX: a\r\n\r\n", 400, id="a tab before a header"),
        pytest.param(POST + b"X: a\nY: b\r\n\r\n", 400, id="bare LF"),
        pytest.param(POST + b"X: a\rY: b\r\n\r\n", 400, id="bare CR"),
        pytest.param(b"GET http://h/ HTTP/1.1\nHost: h\n\n", 400, id="LF alone"),
        pytest.param(POST + b"X: a\0b\r\n\r\n", 400, id="a zero byte"),
        pytest.param(POST + b"no colon\r\n\r\n", 400, id="no colon"),
        pytest.param(POST + b"Host: i\r\n\r\n", 400, id="two hosts"),
        pytest.param(b"GET http://h/ HTTP/1.1\r\n\r\n", 400, id="no host"),
        pytest.param(b"GET  http://h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400, id="two spaces"),
        pytest.param(b"GET http://h/ a HTTP/1.1\r\nHost: h\r\n\r\n", 400, id="a space in the target"),
        pytest.param(b"GET http://h/\r\nHost: h\r\n\r\n", 400, id="HTTP/0.9"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, id="HTTP/2"),
        pytest.param(b"GET http://h/ HTTP/1.2\r\nHost: h\r\n\r\n", 505, id="HTTP/1.2"),
        pytest.param(b"POST http://h/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, id="chunked HTTP/1.0"),
        pytest.param(b"GET http://u:p@h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400, id="a password in the URL"),
        pytest.param(b"GET http:/// HTTP/1.1\r\nHost: h\r\n\r\n", 400, id="no authority"),
        pytest.param(b"GET http://h:0/ HTTP/1.1\r\nHost: h\r\n\r\n", 400, id="port 0"),
        pytest.param(b"GET http://h:65536/ HTTP/1.1\r\nHost: h\r\n\r\n", 400, id="port 65536"),
        pytest.param(b"GET http://h%2ei/ HTTP/1.1\r\nHost: h\r\n\r\n", 400, id="an escaped host"),
        pytest.param(b"GET http://[::1%25eth0]/ HTTP/1.1\r\nHost: h\r\n\r\n", 400, id="a zone"),
        pytest.param(b"GET http://[1.2.3]/ HTTP/1.1\r\nHost: h\r\n\r\n", 400, id="no address in brackets"),
        pytest.param(b"GET http://h/#f HTTP/1.1\r\nHost: h\r\n\r\n", 400, id="a fragment"),
        pytest.param(b"GET https://h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400, id="https"),
        pytest.param(b"GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400, id="ftp"),
        pytest.param(b"GET h HTTP/1.1\r\nHost: h\r\n\r\n", 400, id="no form"),
        pytest.param(b"TRACE http://h/ HTTP/1.1\r\nHost: h\r\n\r\n", 405, id="trace"),
        pytest.param(b"CONNECT h HTTP/1.1\r\nHost: h\r\n\r\n", 400, id="connect without a port"),
        pytest.param(b"CONNECT http://h:443/ HTTP/1.1\r\nHost: h\r\n\r\n", 400, id="connect to a URL"),
        pytest.param(b"CONNECT h:443 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", 400, id="connect, body"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", 400, id="origin form"),
        pytest.param(b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 400, id="asterisk form"),
        pytest.param(b"POST /proxy.pac HTTP/1.1\r\nHost: h\r\n\r\n", 405, id="post of the PAC file"),
        pytest.param(b"GET /proxy.pac HTTP/1.0\r\n\r\n", 400, id="PAC file without a host"),
        pytest.param(b'GET /proxy.pac HTTP/1.1\r\nHost: h";alert(1)//\r\n\r\n', 400, id="PAC file with a script"),
        pytest.param(b"GET http://h/ HTTP/1.1\r\nHost: h\r\nX: " + b"a" * MOST_HEAD, 431, id="too long"),
    ],
)
def test_refusals(sent, status):
    conversation = Conversation()
    answer = feed(conversation, sent)
    assert answer.startswith(f"HTTP/1.1 {status} {pages.phrase(status)}\r\n".encode())
    assert b"Connection: close\r\n" in answer
    assert conversation.is_over
    assert conversation.refusal.isprintable()
    assert conversation.exchange is None
    assert conversation.request is None
    assert feed(conversation, GET) == b""


@pytest.mark.parametrize("request_", [CONNECT, GET])
def test_without_a_password_one_is_asked_for_and_nothing_is_counted(request_):
    conversation = Conversation(authenticate=True)
    answer = feed(conversation, request_)
    assert answer.startswith(b"HTTP/1.1 407 ")
    assert b'Proxy-Authenticate: Basic realm="awgproxy", charset="UTF-8"\r\n' in answer
    assert (conversation.is_over, conversation.refusal) == (True, None)


@pytest.mark.parametrize("request_", [CONNECT, GET])
def test_a_wrong_password_is_refused_and_not_repeated(request_):
    conversation = Conversation(authenticate=True)
    answer = feed(conversation, with_header(request_, WRONG))
    assert answer.startswith(b"HTTP/1.1 407 ")
    assert b"alice" not in answer
    assert conversation.refusal == "wrong username or password"


@pytest.mark.parametrize("scheme", [b"Bearer abc", b"Basic", b"Basic !!!", b"Basic " + base64.b64encode(b"nocolon")])
def test_what_is_no_basic_password_is_none(scheme):
    conversation = Conversation(authenticate=True)
    assert feed(conversation, with_header(GET, b"Proxy-Authorization: " + scheme + b"\r\n")).startswith(b"HTTP/1.1 407")
    assert conversation.refusal is None


def test_what_comes_while_a_password_is_judged_waits():
    conversation = Conversation(authenticate=True)
    conversation.handle_bytes(with_header(CONNECT, BASIC) + b"ear")
    assert conversation.state is State.OFFERED
    conversation.handle_bytes(b"ly")
    conversation.judge(right=True)
    assert conversation.remainder == b"early"


@pytest.mark.parametrize(
    ("authenticate", "socks5", "ways"),
    [
        (False, True, "PROXY 10.0.0.1:1080; SOCKS5 10.0.0.1:1080"),
        (False, False, "PROXY 10.0.0.1:1080"),
        (True, True, "PROXY 10.0.0.1:1080"),
    ],
)
def test_the_pac_file(authenticate, socks5, ways):
    conversation = Conversation(authenticate=authenticate, socks5=socks5)
    head, _, body = feed(conversation, b"GET /proxy.pac?x HTTP/1.1\r\nHost: 10.0.0.1:1080\r\n\r\n").partition(
        b"\r\n\r\n"
    )
    assert b"Content-Type: application/x-ns-proxy-autoconfig\r\n" in head
    assert f"Content-Length: {len(body)}\r\n".encode() in head
    assert f'return "{ways}";' in body.decode()
    assert "DIRECT" not in body.decode()
    assert (conversation.is_over, conversation.refusal) == (True, None)


def test_its_head_alone():
    answer = feed(Conversation(), b"HEAD /proxy.pac HTTP/1.1\r\nHost: 10.0.0.1:1080\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\n")


def test_each_outcome_of_connect_has_its_answer():
    answers = Conversation().answers
    codes = {"refused": 502, "network_unreachable": 502, "host_unreachable": 502, "prohibited": 403, "timed_out": 504}
    for outcome_, code in {**codes, "failed": 502}.items():
        head, _, body = getattr(answers, outcome_).partition(b"\r\n\r\n")
        assert head.startswith(f"HTTP/1.1 {code} ".encode())
        assert f"Content-Length: {len(body)}".encode() in head
        assert body


PARTS = st.one_of(
    st.sampled_from([CONNECT, GET, POST, BASIC, b"\r\n", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n"]),
    st.sampled_from([b"5\r\nhello\r\n", b"0\r\n\r\n", b"GET ", b"http://h/", b" HTTP/1.1\r\n", b"Host: h\r\n", b":"]),
    st.binary(max_size=30),
)


@given(st.lists(PARTS, max_size=8).map(b"".join), st.lists(st.integers(0, 200), max_size=6), st.booleans())
def test_whatever_comes_the_pieces_do_not_matter(sent, cuts, authenticate):
    pieces, rest = [], sent
    for cut in cuts:
        pieces.append(rest[:cut])
        rest = rest[cut:]
    conversation = Conversation(authenticate=authenticate)
    found = outcome(conversation, *pieces, rest)[:4]
    assert found == outcome(Conversation(authenticate=authenticate), sent)[:4]
    assert len(conversation.remainder) <= len(sent)
    assert conversation.refusal is None or conversation.refusal.isprintable()
