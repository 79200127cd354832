"""httpx over a real tunnel: pooling, TLS by an authority of the test's own, HTTP/2, errors."""

import asyncio
import contextlib

import h2.config
import h2.connection
import h2.events
import httpx
import pytest

from awgproxy import errors
from awgproxy.httpx import TunnelTransport
from tests.api.certificates import contexts

BODY = bytes(range(256)) * 1024


class Site:
    """Answers HTTP/1.1 requests with their target and body, and counts connections."""

    def __init__(self):
        self.connections = 0
        self.last_words = b""

    async def __call__(self, reader, writer):
        self.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = [int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                body = await reader.readexactly(sum(length)) or head.split(b" ")[1]
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                if self.last_words:
                    writer.write(self.last_words)
                    return


async def test_connections_are_kept_and_used_again(tunnel, listening):
    site = Site()
    async with listening(site) as port, httpx.AsyncClient(transport=TunnelTransport(tunnel), timeout=60) as client:
        for _ in range(3):
            answer = await client.get(f"http://127.0.0.1:{port}/where?what")
            assert (answer.status_code, answer.text) == (200, "/where?what")
        assert (await client.post(f"http://127.0.0.1:{port}/", content=BODY)).content == BODY
        assert site.connections == 1


async def test_what_says_something_unasked_is_not_used_again(tunnel, listening):
    site = Site()
    site.last_words = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"
    transport = TunnelTransport(tunnel)
    async with listening(site) as port, httpx.AsyncClient(transport=transport, timeout=60) as client:
        for number in range(3):
            answer = await client.get(f"http://127.0.0.1:{port}/{number}")
            assert (answer.status_code, answer.text) == (200, f"/{number}")
            # What is said has to come before it can be seen, and nobody is told of that.
            while not all(kept.has_expired() for kept in transport._pool.connections):  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_tls_is_checked(tunnel, listening, tmp_path):
    serving, using = contexts(tmp_path)
    async with listening(Site(), ssl=serving) as port:
        url = f"https://127.0.0.1:{port}/in/tls"
        async with httpx.AsyncClient(transport=TunnelTransport(tunnel, verify=using), timeout=60) as client:
            assert (await client.get(url)).text == "/in/tls"
        async with httpx.AsyncClient(transport=TunnelTransport(tunnel), timeout=60) as client:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await client.get(url)


async def answer_in_http_2(reader, writer):
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    connection.initiate_connection()
    writer.write(connection.data_to_send())
    while data := await reader.read(65536):
        for event in connection.receive_data(data):
            if isinstance(event, h2.events.StreamEnded):
                connection.send_headers(event.stream_id, [(":status", "200")])
                connection.send_data(event.stream_id, b"in two", end_stream=True)
        writer.write(connection.data_to_send())
        await writer.drain()


async def test_http_2_where_both_speak_it(tunnel, listening, tmp_path):
    serving, using = contexts(tmp_path, protocols=["h2"])
    transport = TunnelTransport(tunnel, verify=using, http2=True)
    async with (
        listening(answer_in_http_2, ssl=serving) as port,
        httpx.AsyncClient(transport=transport, timeout=60) as client,
    ):
        answers = await asyncio.gather(*(client.get(f"https://127.0.0.1:{port}/") for _ in range(5)))
        assert {(answer.http_version, answer.text) for answer in answers} == {("HTTP/2", "in two")}


async def test_errors_are_httpxs_and_their_cause_ours(tunnel, listening):
    async with listening(Site()) as port:
        pass
    async with httpx.AsyncClient(transport=TunnelTransport(tunnel), timeout=60) as client:
        with pytest.raises(httpx.ConnectError, match="the target refused") as refused:
            await client.get(f"http://127.0.0.1:{port}/")
        assert isinstance(refused.value.__cause__, errors.ConnectionRefused)
        with pytest.raises(httpx.ConnectError, match="policy"):
            await client.get("http://10.1.2.3/")
        with pytest.raises(httpx.UnsupportedProtocol):
            await client.get("ftp://127.0.0.1/")


@pytest.mark.parametrize("target", ["http://a..b/", f"http://{'a' * 70}/", "http://127.0.0.1:99999/"])
async def test_what_cannot_be_a_target_is_an_error_of_httpx_too_as_a_redirect_may_name_it(tunnel, target):
    async with httpx.AsyncClient(transport=TunnelTransport(tunnel), timeout=60) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(target)


async def test_time_runs_out_as_httpx_says(tunnel, listening):
    async def silent(reader, writer):
        await reader.read()

    client = httpx.AsyncClient(transport=TunnelTransport(tunnel), timeout=httpx.Timeout(60, read=0.2))
    async with listening(silent) as port, client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get(f"http://127.0.0.1:{port}/")
