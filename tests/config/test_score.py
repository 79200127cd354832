"""What a configuration alone tells of the scorecard, and whether engines that look at such flows agree."""

import csv
import shutil
import subprocess

import pytest

from awgproxy.config import Role, parse
from awgproxy.config.generate import Plan, Profile, Signature, generate
from awgproxy.config.score import Outcome, score
from tests.required import require

from .capture import write_flows
from .texts import CLIENT, SERVER
from .wire import flow

NUMBERS = [
    *("1a", "1b", "2a", "2b", "3", "4a", "4b", "5", "6", "7", "8", "9", "10a", "10b"),
    *("11a", "11b", "12", "13", "14a", "14b", "15"),
]
ENGINES = NUMBERS[:7]
BY_ENGINE = {"ndpiReader": "libndpi-bin", "tshark": "tshark"}
PADDED = "S1 = 20\nS2 = 40\nS3 = 60\nS4 = 16\n"
HEADERS = "H1 = 10-90000\nH2 = 100000-190000\nH3 = 200000-290000\nH4 = 300000-390000\n"
KEY = "HeaderProtectionKey = " + "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
JUNK = "Jc = 5\nJmin = 40\nJmax = 90\n"


def verdicts(text, role=None):
    return {verdict.number: verdict for verdict in score(parse(text, "some.conf", role))["Interface"]}


def outcomes(text):
    return {number: verdict.outcome for number, verdict in verdicts(text).items()}


def failed(text):
    return [number for number, outcome in outcomes(text).items() if outcome is Outcome.FAILS]


def client(parameters="", peer=""):
    return CLIENT.replace("[Interface]\n", f"[Interface]\n{parameters}") + peer


def test_plain_wireguard_fails_whatever_looks_for_it():
    assert list(outcomes(client())) == NUMBERS
    assert failed(client()) == [*NUMBERS[:14], "11b"]


@pytest.mark.parametrize("signature", [Signature.QUIC, Signature.STUN, Signature.DTLS, Signature.SIP])
def test_the_profiles(signature):
    for profile, expected in {Profile.AWG3: [], Profile.AWG2: ["5", "6", "7", "8", "9", "10b", "11b"]}.items():
        generated = generate(Plan("vpn.example.org", path_mtu=1500, profile=profile, signature=signature))
        for text in (generated.server, generated.clients[0]):
            assert failed(text) == expected


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (JUNK, ["1b", "2b", "3", "4b"]),
        ("Jc = 1\nJmin = 40\nJmax = 90\n", ["1b", "2b", "3", "4a", "4b"]),
        (PADDED, []),
        (HEADERS, []),
        ("S4 = 16\n", ["1a", "2a", "3", "4a", "4b"]),
        ("S1 = 16\nS2 = 30\n", ["1b", "2b", "3"]),
        (PADDED + KEY, []),
        ("H4 = 4-60\n", ENGINES),
        ("H4 = 4-60000\nH1 = 100000\nH2 = 100001\n", []),
    ],
)
def test_what_engines_see(parameters, expected):
    assert [number for number in failed(client(parameters)) if number in ENGINES] == expected


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (PADDED + KEY, ["8", "9", "10b"]),
        (PADDED + KEY + "RandomTrailers = 1\n", []),
        (PADDED + KEY + "ContentPaddingAddition = 0-2\n", ["8", "9", "10b"]),
        (PADDED + KEY + "ContentPaddingAddition = 0-7\n", ["9", "10b"]),
        (PADDED + KEY + "ContentPaddingAddition = 0-60\n", ["10b"]),
        (PADDED + "RandomTrailers = 1\n", ["5", "6", "7"]),
        ("S4 = 60\nH4 = 9\n", ["6", "7", "8", "9", "10a", "10b"]),
    ],
)
def test_structure_and_sizes(parameters, expected):
    chosen = ("5", "6", "7", "8", "9", "10a", "10b")
    assert [number for number in failed(client(parameters)) if number in chosen] == expected


@pytest.mark.parametrize(
    ("keepalive", "outcome"),
    [("25", Outcome.FAILS), ("24-26", Outcome.FAILS), ("20-40", Outcome.PASSES), ("40", Outcome.PASSES)],
)
def test_keepalives(keepalive, outcome):
    assert outcomes(client(peer=f"PersistentKeepalive = {keepalive}\n"))["11a"] is outcome


@pytest.mark.parametrize(
    ("renewal", "outcome"),
    [
        ("120", Outcome.FAILS),
        ("119-200", Outcome.FAILS),
        ("120-240", Outcome.FAILS),
        ("115-121", Outcome.FAILS),
        ("90-140", Outcome.PASSES),
        ("100", Outcome.PASSES),
        ("0", Outcome.FAILS),
    ],
)
def test_rekeys(renewal, outcome):
    assert outcomes(client(f"RekeyAfterTime = {renewal}\n"))["11b"] is outcome


def test_probes_are_a_servers():
    assert outcomes(CLIENT)["12"] is Outcome.NOT_STATIC
    assert outcomes(SERVER)["12"] is Outcome.PASSES


@pytest.mark.parametrize(
    ("specification", "outcome", "says"),
    [
        ("<b 0xc700000001><rc 8><t><r 100>", Outcome.FAILS, "1200"),
        ("<b 0xc700000001><rc 8><t><r 1200>", Outcome.FAILS, "opened"),
        ("<b 0x000100002112a442><r 12>", Outcome.PASSES, "STUN"),
        ("<b 0x000100042112a442><r 12>", Outcome.FAILS, "4 bytes follow its header where 0 do"),
        ("<b 0x16fefd0000000000000000000a><r 9>", Outcome.FAILS, "DTLS"),
        ("<b 0x4f5054494f4e53207369703a61205349502f322e300d0a>", Outcome.FAILS, "Via"),
        ("<r 2><b 0x01000001000000000000016103636f6d0000010001>", Outcome.FAILS, "port 53"),
        ("<r 2><b 0x01000001000000000000096103636f6d0000010001>", Outcome.FAILS, "no whole query"),
        (f"<b 0x23{'00' * 39}><r 8>", Outcome.FAILS, "port 123"),
        ("<r 50>", Outcome.PASSES, "nothing that is known"),
    ],
)
def test_claims(specification, outcome, says):
    verdict = verdicts(client(f"I1 = {specification}\n"))["13"]
    assert verdict.outcome is outcome
    assert says in verdict.reason


@pytest.mark.parametrize(
    ("port", "outcome"), [("53", Outcome.PASSES), ("53-54", Outcome.FAILS), ("5353", Outcome.FAILS)]
)
def test_a_dns_query_is_believed_at_its_port(port, outcome):
    query = "I1 = <r 2><b 0x01000001000000000000016103636f6d0000010001>\n"
    assert outcomes(client(query).replace(":51820", f":{port}"))["13"] is outcome
    assert outcomes(SERVER.replace("[Interface]\n", f"[Interface]\n{query}").replace("51820", port))["13"] is outcome


def test_what_comes_again():
    found = verdicts(client(f"I1 = <b 0x{'ab' * 40}>\nI2 = <r 9>\n"))
    assert (found["14a"].outcome, found["14b"].outcome) == (Outcome.FAILS, Outcome.NOT_STATIC)
    assert found["14a"].keys == ("I1",)
    assert outcomes(client(f"I1 = <b 0x{'ab' * 39}>\n"))["14a"] is Outcome.PASSES
    assert "40 bytes" in verdicts(client(f"I1 = <b 0x{'ab' * 40}><r 1>\n"))["14a"].reason


def test_every_failure_names_a_key_to_change():
    for text in (client(), client(PADDED), client(JUNK + "I1 = <b 0xc700000001><r 9>\n")):
        assert all(verdict.keys for verdict in verdicts(text).values() if verdict.outcome is Outcome.FAILS)


def test_further_obfuscation_is_judged_by_itself():
    text = SERVER + f"\n[Obfuscation later]\nListenPort = 6000\n{PADDED}{KEY}"
    found = score(parse(text, "some.conf", Role.SERVER))
    assert list(found) == ["Interface", "Obfuscation later"]
    assert {verdict.number: verdict.outcome for verdict in found["Obfuscation later"]}["5"] is Outcome.PASSES


# ---- Engines agree ----

SETTINGS = {
    "plain": "",
    "junk before plain": JUNK,
    "padded data alone": "S4 = 16\n",
    "padded handshakes alone": "S1 = 16\nS2 = 30\n",
    "padded": PADDED,
    "other types": HEADERS,
    "signature before plain": "I1 = <b 0x000100002112a442><r 12>\n",
}


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize(
    ("number", "engine", "cut"), [("1a", "ndpiReader", 0), ("1b", "ndpiReader", 14), ("3", "tshark", 0)]
)
def test_engines_agree(name, number, engine, cut, tmp_path):
    require(shutil.which(engine), f"{engine} is missing: install {BY_ENGINE[engine]} (make system-packages)")
    config = parse(client(SETTINGS[name]), "some.conf")
    write_flows(tmp_path / "x.pcap", [list(flow(config.obfuscation, seed))[cut:] for seed in range(5)])
    flagged = ndpi(tmp_path) if engine == "ndpiReader" else tshark(tmp_path)
    expected = outcomes(client(SETTINGS[name]))[number] is Outcome.FAILS
    assert flagged == (5 if expected else 0)


def ndpi(folder):
    command = ["ndpiReader", "-d", "-i", folder / "x.pcap", "-C", folder / "x.csv"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return sum("WireGuard" in row["ndpi_proto"] for row in csv.DictReader((folder / "x.csv").open(newline="")))


def tshark(folder):
    """Flows with two WireGuard frames or more."""
    command = ["tshark", "-r", folder / "x.pcap", "-Y", "wg", "-T", "fields", "-e", "udp.stream"]
    streams = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.split()
    return sum(streams.count(stream) >= 2 for stream in set(streams))
