"""One request and one response: framed anew at each side, and nothing of one message in another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awgproxy.proxy.http.conversation import Conversation
from awgproxy.proxy.http.exchange import CHUNKS_AT_ONCE, State

HEAD = b"HTTP/1.1\r\nHost: h\r\n"
GET = b"GET http://h/ " + HEAD + b"\r\n"
POST = b"POST http://h/ " + HEAD
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\n"


def begun(sent):
    """The exchange of a request, and what the target has been sent so far."""
    conversation = Conversation()
    conversation.handle_bytes(sent)
    return conversation.exchange, conversation.exchange.poll_target()


def bodies(sent):
    """What the target gets behind its head."""
    exchange, to_target = begun(sent)
    return exchange, to_target.partition(b"\r\n\r\n")[2]


def answered(response, request=GET, end=None):
    """What the application gets of a response, and how it ended."""
    exchange, _ = begun(request)
    if response:
        exchange.handle_target(response)
    if end is not None:
        exchange.handle_target_end(in_order=end)
    return exchange, exchange.poll_application()


def test_a_body_of_known_length_goes_on_and_nothing_behind_it():
    smuggled = b"GET /secret HTTP/1.1\r\nHost: h\r\n\r\n"
    exchange, body = bodies(POST + b"Content-Length: 3\r\n\r\nabc" + smuggled)
    assert body == b"abc"
    assert exchange.request_is_whole
    assert exchange.remainder == smuggled


def test_chunks_are_cut_anew_and_extensions_and_trailers_dropped():
    exchange, body = bodies(CHUNKED + b"3;x=y\r\nabc\r\n002\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\nGET /secret")
    assert body == b"5\r\nabcde\r\n0\r\n\r\n"
    assert exchange.remainder == b"GET /secret"


@pytest.mark.parametrize(
    "chunk",
    [
        b"3\nabc\r\n",
        b"0x3\r\nabc\r\n",
        b"-3\r\nabc\r\n",
        b" 3\r\nabc\r\n",
        b"3\r\nabcX\r\n0\r\n\r\n",
        b"f" * 30 + b"\r\n",
        b"\r\n",
    ],
)
def test_a_malformed_chunk_ends_the_request_and_is_told(chunk):
    exchange, to_target = begun(CHUNKED + chunk)
    assert not to_target.endswith(b"0\r\n\r\n")
    assert exchange.state is State.OVER
    assert exchange.poll_application().startswith(b"HTTP/1.1 400 ")
    assert not exchange.may_go_on


def test_a_body_in_pieces():
    exchange, body = bodies(POST + b"Content-Length: 6\r\n\r\nab")
    assert body == b"ab"
    assert not exchange.request_is_whole
    exchange.handle_application(b"cd")
    exchange.handle_application(b"efNEXT")
    assert exchange.poll_target() == b"cdef"
    assert exchange.request_is_whole
    assert exchange.remainder == b"NEXT"


def test_tiny_chunks_are_looked_at_bit_by_bit_and_nothing_behind_them_is_lost():
    exchange, to_target = bodies(CHUNKED + b"1\r\na\r\n" * (CHUNKS_AT_ONCE + 1) + b"0\r\n\r\nNEXT")
    assert to_target == b"%x\r\n" % CHUNKS_AT_ONCE + b"a" * CHUNKS_AT_ONCE + b"\r\n"
    assert exchange.is_behind
    assert not exchange.request_is_whole
    exchange.read_on()
    assert exchange.poll_target() == b"1\r\na\r\n0\r\n\r\n"
    assert not exchange.is_behind
    assert exchange.remainder == b"NEXT"


def test_an_answer_ahead_of_chunks_that_were_not_looked_at_yet_is_the_last_one():
    exchange, _ = begun(CHUNKED + b"1\r\na\r\n" * (CHUNKS_AT_ONCE + 1) + b"0\r\n\r\nNEXT")
    exchange.handle_target(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert exchange.state is State.OVER
    assert not exchange.may_go_on


def test_a_response_of_known_length_leaves_the_connection_to_the_next_request():
    exchange, given_ = answered(OK + b"Content-Length: 2\r\nConnection: close\r\nX-Mine: 1\r\n\r\nhi")
    assert given_ == OK + b"Content-Length: 2\r\nX-Mine: 1\r\n\r\nhi"
    assert exchange.state is State.OVER
    assert exchange.may_go_on


def test_chunks_of_a_response_are_cut_anew():
    exchange, given_ = answered(
        OK + b"Transfer-Encoding: chunked\r\nContent-Length: 99\r\n\r\n2;x\r\nhi\r\n0\r\nT: 1\r\n\r\n"
    )
    assert given_ == OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
    assert exchange.may_go_on


def test_a_response_up_to_an_orderly_end_is_whole():
    exchange, given_ = answered(OK + b"\r\nhi", end=True)
    assert given_ == OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
    assert exchange.may_go_on


def test_for_http_1_0_it_ends_with_the_connection():
    exchange, given_ = answered(OK + b"\r\nhi", b"GET http://h/ HTTP/1.0\r\n\r\n", end=True)
    assert given_ == OK + b"Connection: close\r\n\r\nhi"
    assert exchange.state is State.OVER
    assert not exchange.may_go_on


@pytest.mark.parametrize(
    ("response", "in_order"),
    [
        pytest.param(OK + b"\r\nhi", False, id="a failure where an end is awaited"),
        pytest.param(OK + b"Content-Length: 3\r\n\r\nhi", True, id="too short"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", True, id="no last chunk"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhiX\r\n", True, id="a malformed chunk"),
    ],
)
def test_half_a_response_is_broken_off(response, in_order):
    exchange, given_ = answered(response, end=in_order)
    assert exchange.state is State.BROKEN
    assert b"0\r\n\r\n" not in given_
    assert not exchange.may_go_on


@pytest.mark.parametrize(
    ("response", "end"),
    [
        pytest.param(b"", True, id="nothing"),
        pytest.param(b"", False, id="a failure"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n\r\n", None, id="not HTTP"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", None, id="two lengths"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX : 1\r\n\r\n", None, id="white space"),
        pytest.param(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", None, id="an upgrade that nobody asked for"),
        pytest.param(b"HTTP/1.1 407 Mine\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n", None, id="407"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000, None, id="a head without end"),
    ],
)
def test_what_is_no_response_is_told_as_such(response, end):
    exchange, given_ = answered(response, end=end)
    assert given_.startswith(b"HTTP/1.1 502 ")
    assert b"Proxy-Authenticate" not in given_
    assert exchange.state is State.OVER
    assert exchange.may_go_on


@pytest.mark.parametrize(("outcome", "status"), [("refused", 502), ("prohibited", 403), ("timed_out", 504)])
def test_no_connection_is_told_by_its_outcome(outcome, status):
    exchange, _ = begun(GET)
    exchange.fail(outcome)
    assert exchange.poll_application().startswith(f"HTTP/1.1 {status} ".encode())
    assert exchange.may_go_on


def test_a_response_before_the_request_is_whole_ends_the_connection():
    exchange, _ = begun(POST + b"Content-Length: 10\r\n\r\nab")
    exchange.handle_target(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
    assert exchange.state is State.OVER
    assert exchange.request_is_whole
    assert not exchange.may_go_on


def test_interim_responses_go_on_and_not_to_http_1_0():
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    final = OK + b"Content-Length: 0\r\n\r\n"
    assert answered(interim + final)[1].count(b"HTTP/1.1") == 2
    assert answered(interim + final, b"GET http://h/ HTTP/1.0\r\n\r\n")[1].count(b"HTTP/1.1") == 1


def test_tiny_chunks_go_on_as_one():
    body = b"1\r\na\r\n" * 500
    head = OK + b"Transfer-Encoding: chunked\r\n\r\n"
    exchange, given_ = answered(head + body + b"0\r\n\r\n")
    assert given_ == head + b"1f4\r\n" + b"a" * 500 + b"\r\n0\r\n\r\n"
    assert exchange.may_go_on
    exchange, _ = begun(POST + b"Transfer-Encoding: chunked\r\n\r\n")
    exchange.handle_application(body)
    assert exchange.poll_target() == b"1f4\r\n" + b"a" * 500 + b"\r\n"


@pytest.mark.parametrize("status", [b"103 Early Hints", b"204 No Content"])
def test_a_response_that_has_no_body_names_no_length(status):
    response = b"HTTP/1.1 " + status + b"\r\nContent-Length: 5\r\nX: 1\r\n\r\n"
    _, given_ = answered(response + OK + b"Content-Length: 0\r\n\r\n")
    head = given_.partition(b"\r\n\r\n")[0]
    assert b"X: 1" in head
    assert b"Content-Length" not in head


def test_100_continue_lets_the_application_go_on():
    exchange, to_target = begun(POST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    assert b"Expect: 100-continue\r\n" in to_target
    exchange.handle_target(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert exchange.poll_application().startswith(b"HTTP/1.1 100 ")
    exchange.handle_application(b"ab")
    assert exchange.poll_target() == b"ab"


@pytest.mark.parametrize("request_", [GET.replace(b"GET", b"HEAD"), GET])
def test_responses_without_a_body(request_):
    response = b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n" if request_ is GET else OK + b"Content-Length: 9\r\n\r\n"
    exchange, given_ = answered(response, request_)
    assert given_ == response
    assert exchange.may_go_on


def test_a_request_that_closes_is_the_last_one():
    exchange, given_ = answered(
        OK + b"Content-Length: 0\r\n\r\n", GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    )
    assert b"Connection: close\r\n" in given_
    assert not exchange.may_go_on


RESPONSES = st.lists(
    st.one_of(
        st.sampled_from(
            [OK, b"HTTP/1.1 100 Continue\r\n\r\n", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n"]
        ),
        st.sampled_from(
            [b"\r\n", b"5\r\nhello\r\n", b"0\r\n\r\n", b"hello", b"HTTP/1.0 204 No\r\n", b"Connection: x\r\n"]
        ),
        st.binary(max_size=20),
    ),
    max_size=10,
).map(b"".join)


@given(RESPONSES, st.lists(st.integers(0, 60), max_size=6), st.booleans(), st.booleans())
def test_whatever_a_target_sends_the_pieces_do_not_matter(response, cuts, in_order, old):
    request = b"GET http://h/ HTTP/1.0\r\n\r\n" if old else GET
    whole, given_ = answered(response, request, end=in_order)
    exchange, _ = begun(request)
    rest = response
    for cut in cuts:
        if exchange.state is State.REQUESTING and rest[:cut]:
            exchange.handle_target(rest[:cut])
        rest = rest[cut:]
    if exchange.state is State.REQUESTING and rest:
        exchange.handle_target(rest)
    exchange.handle_target_end(in_order=in_order)
    assert exchange.state is whole.state is not State.REQUESTING
    if b"chunked" not in response and b"chunked" not in given_:
        assert exchange.poll_application() == given_


HEADERS = st.lists(
    st.one_of(
        st.sampled_from(
            [b"Connection: close", b"Connection: x, content-length", b"Expect: 100-continue", b"TE: trailers"]
        ),
        st.sampled_from([b"Content-Length: 5", b"Content-Length: 0", b"Transfer-Encoding: Chunked", b"X: \xff\xfe"]),
    ),
    max_size=5,
).map(lambda lines: b"".join(line + b"\r\n" for line in lines))
BODIES = st.lists(
    st.one_of(st.sampled_from([b"5\r\nhello\r\n", b"0\r\n\r\n", b"hello"]), st.binary(max_size=9)), max_size=6
)


@given(st.sampled_from([b"GET", b"POST", b"HEAD"]), st.sampled_from([b"1.0", b"1.1"]), HEADERS, BODIES, RESPONSES)
def test_whatever_both_sides_send_it_ends_and_the_target_sees_one_request(method, version, headers, body, response):
    conversation = Conversation()
    conversation.handle_bytes(method + b" http://h/ HTTP/" + version + b"\r\nHost: h\r\n" + headers + b"\r\n")
    exchange = conversation.exchange
    if exchange is None:
        assert conversation.is_over
        return
    sent = exchange.poll_target()
    for piece in filter(None, body):
        if not exchange.request_is_whole:
            exchange.handle_application(piece)
            sent += exchange.poll_target()
    if response and exchange.state is State.REQUESTING:
        exchange.handle_target(response)
    exchange.handle_target_end(in_order=True)
    assert exchange.state is not State.REQUESTING
    assert sent.count(b" / HTTP/1.1\r\nHost: h\r\n") == 1
    assert sent.count(b"Connection: close\r\n") == 1
