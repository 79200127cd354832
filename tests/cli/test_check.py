"""awgproxy check, and what client and server say of a file that they cannot run."""

import pytest

from awgproxy import _native
from tests.config.texts import CLIENT, OTHER_KEY, OWN_KEY, PEER_KEY, SERVER, own_public_key

from .command import awgproxy

PLAIN_SERVER = SERVER.replace(PEER_KEY, _native.public_key(OTHER_KEY))
PLAIN_CLIENT = CLIENT.replace(OWN_KEY, OTHER_KEY).replace(PEER_KEY, own_public_key())


def written(tmp_path, text):
    """A configuration as it should lie about: for its owner alone."""
    path = tmp_path / "some.conf"
    path.touch(mode=0o600)
    path.write_text(text)
    return path


def checked(tmp_path, text):
    path = written(tmp_path, text)
    finished = awgproxy("check", path)
    assert finished.stderr == ""
    told = finished.stdout
    assert OWN_KEY not in told
    return finished.returncode, told.replace(str(path), "some.conf").splitlines()


@pytest.mark.parametrize(("text", "role"), [(CLIENT, "client"), (SERVER, "server")])
def test_a_clean_file(tmp_path, text, role):
    assert checked(tmp_path, text) == (0, [f"some.conf: fine as a {role}'s configuration"])


def test_warnings_only(tmp_path):
    code, told = checked(tmp_path, CLIENT.replace("MTU = 1280", "PostUp = reboot\nMTU = 1280"))
    assert code == 1
    assert told == ["warning: some.conf:5: [Interface] PostUp: is wg-quick's and is not run here; delete the line"]


def test_errors(tmp_path):
    code, told = checked(tmp_path, CLIENT.replace("MTU = 1280", "MTUU = 1280\nPostUp = reboot") + "PublicKey = x\n")
    assert code == 2
    assert told == [
        "error: some.conf:5: [Interface] MTUU: is not known here; did you mean MTU?",
        "error: some.conf:11: [Peer] PublicKey: stands twice; keep one; the other is in line 8",
    ]


def test_what_the_role_lacks_is_told_with_all_that_is_wrong(tmp_path):
    code, told = checked(tmp_path, SERVER.replace("ListenPort = 51820\n", "").replace("MTU", "MTUU"))
    assert code == 2
    assert ["ListenPort" in told[0], "MTUU" in told[1], len(told)] == [True, True, 2]


def test_a_file_that_others_can_read_is_warned_of(tmp_path):
    path = written(tmp_path, CLIENT)
    path.chmod(0o644)
    finished = awgproxy("check", path)
    assert finished.returncode == 1
    assert finished.stdout == f"warning: {path}: other users can read its keys; run `chmod 600 {path}`\n"


def test_an_error_that_stops_nothing(tmp_path):
    code, told = checked(tmp_path, CLIENT.replace("MTU", "S1 = 5\nH1 = 100-4294967295\nRandomTrailers = true\nMTU"))
    assert code == 2
    assert [line.split(":")[0] for line in told if "] RandomTrailers:" in line] == ["error"]


@pytest.fixture
def pair(tmp_path):
    """Both ends' files, as `awgproxy new` makes them."""
    assert awgproxy("new", "--endpoint", "192.0.2.1:51820", "--directory", tmp_path).returncode == 0
    return tmp_path / "server.conf", tmp_path / "client.conf"


@pytest.mark.parametrize("swap", [False, True])
def test_both_ends_that_fit(pair, swap):
    finished = awgproxy("check", *(reversed(pair) if swap else pair))
    assert finished.returncode in {0, 1}
    assert "error" not in finished.stdout


def test_both_ends_that_do_not_fit(pair):
    server, client = pair
    client.write_text(client.read_text().replace("S1 = ", "S1 = 1"))
    finished = awgproxy("check", server, client)
    assert finished.returncode == 2
    (error,) = [line for line in finished.stdout.splitlines() if line.startswith("error")]
    assert error.startswith(f"error: {client}:")
    assert "[Interface] S1: is " in error


def test_an_end_that_cannot_be_read_is_told_beside_the_other(pair):
    server, client = pair
    client.write_text(client.read_text().replace("MTU", "MTUU"))
    finished = awgproxy("check", server, client)
    assert finished.returncode == 2
    assert f"error: {client}:" in finished.stdout
    assert "fit together" not in finished.stdout


def test_two_plain_ends_that_are_fine(tmp_path):
    files = [tmp_path / name for name in ("server.conf", "client.conf")]
    for file, text in zip(files, (PLAIN_SERVER, PLAIN_CLIENT), strict=True):
        file.touch(mode=0o600)
        file.write_text(text)
    finished = awgproxy("check", *files)
    assert (finished.returncode, finished.stdout.splitlines()) == (
        0,
        [
            f"{files[0]}: fine as a server's configuration",
            f"{files[1]}: fine as a client's configuration",
            f"{files[0]} and {files[1]} fit together",
        ],
    )


def test_a_file_that_is_not_there(tmp_path):
    finished = awgproxy("check", tmp_path / "absent.conf")
    assert finished.returncode == 2
    assert "no such file" in finished.stdout


@pytest.mark.parametrize(
    ("command", "text", "lacks"), [("client", SERVER, "Endpoint"), ("server", CLIENT, "ListenPort")]
)
def test_the_wrong_end(tmp_path, command, text, lacks):
    finished = awgproxy(command, written(tmp_path, text))
    assert finished.returncode == 2
    assert lacks in finished.stderr


@pytest.mark.parametrize(("command", "lines"), [("client", [3, 9]), ("server", [1, 3, 9])])
def test_errors_of_a_file_and_of_its_role_come_all_at_once(tmp_path, command, lines):
    path = written(tmp_path, CLIENT.replace("10.8.0.2/32", "here").replace("vpn.example.org", "-"))
    finished = awgproxy(command, path)
    assert finished.returncode == 2
    assert [line.split(": ")[1] for line in finished.stderr.splitlines()] == [f"{path}:{line}" for line in lines]


@pytest.mark.parametrize("arguments", [["--log-format", "xml"], ["--log-level", "loud"]])
def test_an_unknown_log_option(tmp_path, arguments):
    finished = awgproxy("client", written(tmp_path, CLIENT), *arguments)
    assert finished.returncode == 2
    assert "one of" in finished.stderr
