"""What the proxy itself says in HTTP: answers to requests that it does not pass on, and the PAC file.

Answers are short plain text, for whoever reads them in a browser or with curl; nothing of a request is repeated in one.
"""

from __future__ import annotations

from http import HTTPStatus

from awgproxy.proxy.answers import Answers

PAC_PATH = b"/proxy.pac"
"""Where the PAC file is."""

HELP = """\
This is the proxy of awgproxy, and no web site.
Set it as HTTP proxy in an application, or let a browser configure itself from /proxy.pac on this address.
"""

_CHALLENGE = ("Proxy-Authenticate", 'Basic realm="awgproxy", charset="UTF-8"')

OUTCOMES: dict[str, tuple[int, str]] = {
    "refused": (502, "The target refused the connection."),
    "network_unreachable": (502, "The target's network cannot be reached."),
    "host_unreachable": (502, "The target cannot be reached, or there is no such name."),
    "prohibited": (403, "The target is forbidden by the rules of this proxy or of its server."),
    "timed_out": (504, "The target did not answer in time, or the tunnel is down."),
    "failed": (502, "The connection failed: the log of awgproxy says why."),
}
"""The status and the words for each outcome but success, by its name in `Answers`."""


def phrase(status: int) -> str:
    """What a status is called."""
    return HTTPStatus(status).phrase


def answer(status: int, text: str, *more: tuple[str, str], kind: str = "text/plain; charset=utf-8") -> bytes:
    """A whole response, after which the connection closes."""
    body = text.encode()
    headers = [("Content-Type", kind), ("Content-Length", str(len(body))), *more, ("Connection", "close")]
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {status} {phrase(status)}\r\n{lines}\r\n".encode() + body


def refusal(status: int, why: str) -> bytes:
    """The answer to a request that is not understood or not served."""
    return answer(status, f"Not served: {why}.\n")


def password_wanted() -> bytes:
    """The answer to a request without a right password (RFC 9110, section 15.5.8)."""
    return answer(407, "This proxy wants a user name and a password.\n", _CHALLENGE)


def pac(host: str, *, socks5: bool) -> bytes:
    """The PAC file: everything by this proxy, and nothing past it; `host` must have been checked.

    `socks5`: whether SOCKS5 is spoken at the same port, without a password (browsers cannot send one).
    """
    ways = f"PROXY {host}; SOCKS5 {host}" if socks5 else f"PROXY {host}"
    text = f'function FindProxyForURL(url, host) {{\n  return "{ways}";\n}}\n'
    return answer(200, text, kind="application/x-ns-proxy-autoconfig")


ANSWERS = Answers(
    succeeded=b"HTTP/1.1 200 Connection established\r\n\r\n",
    **{name: answer(status, text + "\n") for name, (status, text) in OUTCOMES.items()},
)
"""What CONNECT is answered for each outcome."""
