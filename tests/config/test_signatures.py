"""Signature packets: whole messages of what they claim to be, to those who look at networks' traffic for a living."""

import csv
import importlib
import importlib.util
import random
import re
import shutil
import string
import subprocess

import dns.flags
import dns.message
import pytest

from awgproxy import _native
from awgproxy.config.generate.signatures import (
    BOUND_TO_PORT,
    RECIPES,
    USUAL_PORTS,
    Signature,
    random_signature,
    sensible_signature,
)
from awgproxy.config.quic import opened_initial
from tests.required import require

from .capture import write
from .rendering import rendered

SEEDS = range(60)
DEBIAN_PACKAGES = {"ndpiReader": "libndpi-bin", "tshark": "tshark"}
PROTOCOLS = list(RECIPES)


def specification(signature, seed):
    return RECIPES[signature](random.Random(seed))


def packets(signature):
    return [rendered(specification(signature, seed), random.Random(seed)) for seed in SEEDS]


def tool(name):
    path = shutil.which(name)
    require(path, f"{name} is missing: install {DEBIAN_PACKAGES[name]} (make system-packages)")
    return path


@pytest.fixture(params=PROTOCOLS)
def claimed(request, tmp_path):
    """A protocol, and a capture of its packets at ports of no protocol, or at its own where it is bound to that."""
    signature = request.param
    bound = USUAL_PORTS[signature] if signature in BOUND_TO_PORT else None
    write(tmp_path / "x.pcap", [(bound or 20_000 + number, packet) for number, packet in enumerate(packets(signature))])
    return signature, tmp_path / "x.pcap"


def test_ndpi_recognises_them(claimed, tmp_path):
    signature, capture = claimed
    table = tmp_path / "x.csv"
    command = [tool("ndpiReader"), "-d", "-i", capture, "-C", table]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    found = [row["ndpi_proto"].lower() for row in csv.DictReader(table.open(newline=""))]
    assert found == [signature] * len(SEEDS)


def test_a_later_ndpi_recognises_them(claimed):
    signature, capture = claimed
    require(importlib.util.find_spec("nfstream"), "nfstream is missing: install it (make .venv/.scorecard)")
    flows = importlib.import_module("nfstream").NFStreamer(source=str(capture), n_meters=1)
    found = [flow.application_name.lower() for flow in flows]
    assert found == [signature] * len(SEEDS)


def test_tshark_recognises_them(claimed):
    signature, capture = claimed
    fields = ["-T", "fields", "-e", "frame.protocols", "-e", "_ws.malformed"]
    told = subprocess.run(
        [tool("tshark"), "-r", capture, *fields], check=True, capture_output=True, text=True, timeout=60
    ).stdout
    names = {Signature.QUIC: "quic:tls"}
    assert told.splitlines() == [f"eth:ethertype:ip:udp:{names.get(signature, signature)}\t"] * len(SEEDS)


def test_tshark_reads_the_name_that_a_browser_asks_for(tmp_path):
    write(tmp_path / "x.pcap", [(443, packet) for packet in packets(Signature.QUIC)])
    command = [tool("tshark"), "-r", tmp_path / "x.pcap", "-T", "fields", "-e", "tls.handshake.extensions_server_name"]
    names = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.split()
    assert len(set(names)) == len(SEEDS)
    assert all(re.fullmatch(r"[a-z]+\.[a-z-]+\.[a-z]+", name) for name in names)


@pytest.mark.parametrize("signature", PROTOCOLS)
def test_every_amneziawg_takes_them(signature):
    """No tag but those of the reference, and no error."""
    for seed in SEEDS:
        text = specification(signature, seed)
        assert _native.check_obfuscation([("I1", text)]) == []
        assert set(re.findall(r"<(\w+)", text)) <= {"b", "r", "rc", "rd", "t"}


@pytest.mark.parametrize("signature", PROTOCOLS)
def test_no_two_pairs_and_no_two_packets_are_alike(signature):
    assert len({specification(signature, seed) for seed in SEEDS}) > len(SEEDS) // 2
    assert len(set(packets(signature))) == len(SEEDS)
    text = specification(signature, 0)
    assert rendered(text, random.Random(1)) != rendered(text, random.Random(2))


def test_quic_initials_hold_a_hello_and_fill_a_datagram():
    for packet in packets(Signature.QUIC):
        assert len(packet) == 1250
        frames = opened_initial(packet)
        assert frames[:2] == b"\x06\x00"
        size = int.from_bytes(frames[2:4]) & 0x3FFF
        hello = frames[4:]
        assert len(hello) == size
        assert hello[0] == 1
        assert int.from_bytes(hello[1:4]) == size - 4


@pytest.mark.parametrize(("path_mtu", "size"), [(1248, 1200), (1297, 1200), (1298, 1250), (9000, 1250)])
def test_quic_initials_fit_their_path(path_mtu, size):
    text = random_signature(Signature.QUIC, path_mtu, random.Random(1))
    assert len(rendered(text, random.Random(1))) == size


def test_the_datagram_behind_the_initial_is_a_zero_rtt_packet_of_the_same_connection():
    for packet in packets(Signature.QUIC):
        destination = packet[6:14]
        at = 6 + 8 + 2
        length = int.from_bytes(packet[at : at + 2]) & 0x3FFF
        second = packet[at + 2 + length :]
        assert second[0] & 0xF0 == 0xD0
        assert second[1:15] == b"\x00\x00\x00\x01\x08" + destination + b"\x00"
        assert int.from_bytes(second[15:17]) & 0x3FFF == len(second) - 17


def test_a_file_with_a_quic_initial_still_fits_a_qr_code():
    assert max(len(specification(Signature.QUIC, seed)) for seed in range(500)) < 2_000


def test_dns_queries_are_whole():
    for packet in packets(Signature.DNS):
        query = dns.message.from_wire(packet)
        assert query.flags == dns.flags.RD
        assert len(query.question) == 1
        assert len(query.question[0].name.labels) == 4
        assert query.to_wire()[2:] == packet[2:]


def test_stun_requests_are_whole():
    for packet in packets(Signature.STUN):
        assert packet[:2] == b"\x00\x01"
        assert int.from_bytes(packet[2:4]) == len(packet) - 20
        assert packet[4:8] == b"\x21\x12\xa4\x42"
        at, found = 20, {}
        while at < len(packet):
            kind, size = packet[at : at + 2], int.from_bytes(packet[at + 2 : at + 4])
            found[kind.hex()] = packet[at + 4 : at + 4 + size]
            at += 4 + size + -size % 4
        assert at == len(packet)
        assert len(found["0008"]) == 20
        ours, theirs = found["0006"].decode().split(":")
        assert set(ours + theirs) <= set(string.ascii_letters)


def test_dtls_hellos_are_whole():
    for packet in packets(Signature.DTLS):
        assert int.from_bytes(packet[11:13]) == len(packet) - 13
        assert int.from_bytes(packet[14:17]) == len(packet) - 25 == int.from_bytes(packet[22:25])
        at = 25 + 2 + 32 + 2
        at += 2 + int.from_bytes(packet[at : at + 2])
        at += 1 + packet[at]
        assert int.from_bytes(packet[at : at + 2]) == len(packet) - at - 2
        at += 2
        while at < len(packet):
            at += 4 + int.from_bytes(packet[at + 2 : at + 4])
        assert at == len(packet)


def test_ntp_requests_are_whole():
    for packet in packets(Signature.NTP):
        assert len(packet) == 48
        assert packet[0] in {0x23, 0xE3}
        assert packet[-8:] != bytes(8)


def test_sip_requests_are_whole():
    for packet in packets(Signature.SIP):
        head, body = packet.split(b"\r\n\r\n")
        assert body == b""
        request, *lines = head.decode("ascii").split("\r\n")
        assert re.fullmatch(r"OPTIONS sip:\S+ SIP/2.0", request)
        headers = dict(line.split(": ", 1) for line in lines)
        assert headers.keys() >= {"Via", "Max-Forwards", "From", "To", "Call-ID", "CSeq"}
        assert re.fullmatch(r"[1-9]\d{0,8} OPTIONS", headers["CSeq"])
        assert headers["Content-Length"] == "0"


@pytest.mark.parametrize(("port", "signature"), [(port, signature) for signature, port in USUAL_PORTS.items()])
def test_a_known_port_gets_its_protocol(port, signature):
    assert sensible_signature(port, 1500, random.Random()) is signature


def test_elsewhere_it_is_how_calls_begin():
    drawn = {sensible_signature(20_000, 1500, random.Random(seed)) for seed in range(50)}
    assert drawn == {Signature.STUN, Signature.DTLS}
    assert sensible_signature(443, 1247, random.Random()) in drawn
