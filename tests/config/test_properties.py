"""Whatever text comes, parsing gives a configuration or a ConfigError."""

import base64
import random
import tracemalloc

from hypothesis import given, settings
from hypothesis import strategies as st

from awgproxy.config import parse
from awgproxy.config.document import read_document
from awgproxy.config.findings import Findings
from awgproxy.config.generate import Plan, generate
from awgproxy.config.model import OBFUSCATION_KEYS, SECTIONS
from awgproxy.config.sections import WG_QUICK_KEYS, keys_of
from awgproxy.config.values import host_name
from awgproxy.errors import ConfigError

from .texts import CLIENT, OTHER_KEY, OWN_KEY, PEER_KEY, SERVER

KEYS = [*OBFUSCATION_KEYS, *WG_QUICK_KEYS, *(key for kind in SECTIONS.values() for key in keys_of(kind))]
VALUES = st.one_of(
    st.sampled_from(
        [
            *(
                OWN_KEY,
                PEER_KEY,
                OTHER_KEY,
                "",
                "0",
                "-1",
                "65536",
                "off",
                "10.8.0.1/32",
                "::/0",
                "[::1]:1",
                "a:1",
                ",",
            ),
            *(
                "5-9",
                "9-5",
                "1-65535",
                "5, 5",
                "<b 0xff>",
                "<r",
                "true",
                "1.2.3.4, ::1",
                "255.255.255.255/0",
                "fe80::1%1",
                "²",
                "0x",
                "::",
            ),
        ]
    ),
    st.text(max_size=40),
    st.integers().map(str),
    st.ip_addresses().map(str),
)
TEXTS = [CLIENT, SERVER, f"{SERVER}[Obfuscation phones]\nListenPort = 5, 6-7\nHeaderProtectionKey = 0\nS4 = 12\n"]
LINES = st.one_of(
    st.sampled_from([*(f"[{name}]" for name in SECTIONS), "[Obfuscation a]", "[Obfuscation b]", "[obfuscation\tA]"]),
    st.builds("{} = {}".format, st.sampled_from(KEYS), VALUES),
    st.builds("{}={}".format, st.sampled_from(KEYS), VALUES),
    st.text(max_size=30),
)


def survives(text):
    problems = problems_of(text)
    if problems is not None:
        assert problems
        lines = text.count("\n") + 1
        assert all(problem.line is None or 1 <= problem.line <= lines for problem in problems)


def problems_of(text):
    """The problems of a text; None where there are none."""
    try:
        parse(text, "test.conf")
    except ConfigError as error:
        return error.problems
    return None


@given(st.text())
def test_any_text(text):
    survives(text)


@settings(max_examples=300)
@given(st.lists(LINES, max_size=30))
def test_lines_that_are_nearly_right(lines):
    survives("\n".join(lines))


@settings(max_examples=300)
@given(st.sampled_from(TEXTS), st.data())
def test_one_value_of_a_good_file_replaced(text, data):
    lines = text.splitlines()
    at = data.draw(st.sampled_from([number for number, line in enumerate(lines) if "=" in line]))
    key = lines[at].split("=")[0]
    lines[at] = f"{key}= {data.draw(VALUES)}"
    survives("\n".join(lines))


def repeated(before, unit, count, after):
    return before + unit * count + after


RUNS = st.builds(
    repeated,
    st.sampled_from(["", "[", "[Peer", "Address = ", "I1 = ", "I1 = <b 0x", "H1 = ", "PrivateKey = ", "Endpoint = "]),
    st.sampled_from(
        [" ", "\t", "[", "]", "<", "<r 1>", "<b 0x", "a", "1", ",", ", ", "=", "#", ".", ":", "-", "::", "²"]
    ),
    st.integers(0, 20_000),
    st.sampled_from(["", "x", "[", "]", ">", "=", "\n"]),
)


@settings(max_examples=200)
@given(st.sampled_from(TEXTS), RUNS)
def test_a_run_of_anything_is_read_to_its_end(text, run):
    survives(text + run)
    survives(text.replace("[Peer]", run + "\n[Peer]", 1))


# A run of one letter behind a header takes 36 bytes for each of its own, the most that was seen.
MEMORY_FOR_A_BYTE = 64
MEMORY_AT_LEAST = 1 << 20


@settings(max_examples=30)
@given(st.sampled_from([CLIENT, SERVER]), RUNS)
def test_memory_grows_no_faster_than_the_text(text, run):
    whole = text + run
    tracemalloc.start()
    try:
        survives(whole)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most <= MEMORY_AT_LEAST + MEMORY_FOR_A_BYTE * len(whole.encode())


@settings(max_examples=200)
@given(st.binary(min_size=32, max_size=32), st.sampled_from(TEXTS), st.data())
def test_a_key_in_the_wrong_place_is_not_repeated(secret, text, data):
    key = base64.b64encode(secret).decode()
    lines = text.splitlines()
    at = data.draw(st.sampled_from([number for number, line in enumerate(lines) if "=" in line]))
    name = lines[at].split("=")[0]
    lines[at] = data.draw(st.sampled_from([f"{name}= {key}", f"{key} = {name}", key, f"[{key}]", f"{name}= 1, {key}"]))
    for problem in problems_of("\n".join(lines)) or ():
        assert key not in str(problem)
        assert key not in repr(problem)


def test_a_header_of_blanks_is_read_at_once():
    survives("[" + " " * 20_000 + "x[")


@given(st.text())
def test_a_document_keeps_the_lines_of_its_entries(text):
    findings = Findings("test.conf")
    lines = text.split("\n")
    for section in read_document(text, findings):
        for entry in section.entries:
            assert entry.key in lines[entry.line - 1]
            assert entry.value in lines[entry.line - 1]


@given(st.text(max_size=300))
def test_a_host_name_is_ascii_or_refused(text):
    try:
        name = host_name(text)
    except ValueError:
        return
    assert name.isascii()
    assert 1 <= len(name) <= 253


@settings(max_examples=40)
@given(st.integers(), st.integers(1, 5))
def test_generated_texts_are_read_back(seed, clients):
    generated = generate(Plan("vpn.example.org", clients=clients, path_mtu=1500), random.Random(seed))
    server = parse(generated.server, "server.conf")
    assert len(server.peers) == clients
    for number, text in enumerate(generated.clients):
        client = parse(text, "client.conf")
        assert client.interface.obfuscation == server.interface.obfuscation
        assert client.peers[0].preshared_key == server.peers[number].preshared_key
        assert client.peers[0].endpoints[0].port == server.interface.listen_port
        assert [address.network for address in client.interface.addresses] == list(server.peers[number].allowed_ips)
