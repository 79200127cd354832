"""awgproxy check, and what client and server say of a file that they cannot run."""

import pytest

from tests.config.texts import CLIENT, OWN_KEY, SERVER

from .command import awgproxy


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
    code, told = checked(tmp_path, CLIENT.replace("MTU = 1280", "MTUU = 1280\nPostUp = reboot") + "Endpoint = x\n")
    assert code == 2
    assert told == [
        "error: some.conf:5: [Interface] MTUU: is not known here; did you mean MTU?",
        "error: some.conf:11: [Peer] Endpoint: stands twice; keep one; the other is in line 10",
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
