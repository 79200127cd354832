"""Files that are not what they should be, and files that are."""

import pytest

from awgproxy.config import Role, load
from awgproxy.config.load import LARGEST_FILE
from awgproxy.errors import ConfigError

from .texts import CLIENT


def refused(path):
    with pytest.raises(ConfigError) as caught:
        load(path)
    (problem,) = caught.value.problems
    assert problem.file == str(path)
    return problem


def test_a_file(tmp_path):
    path = tmp_path / "client.conf"
    path.write_text(CLIENT)
    assert load(path).file == str(path)
    assert load(str(path)).peers == load(path).peers


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf8_with_and_without_its_mark(tmp_path, encoding):
    path = tmp_path / "client.conf"
    path.write_bytes(f"# für später\r\n{CLIENT}".encode(encoding))
    assert load(path).mtu == 1280


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (CLIENT.encode("utf-16"), None, "UTF-16"),
        (b"[Interface]\nMTU = \0\n", 2, "binary"),
        (b"\x7fELF\x02\x01\x01\0\0\0", 1, "binary"),
        (b"[Interface]\n\n# caf\xe9\n", 3, "UTF-8"),
        (b"#" * (LARGEST_FILE + 1), None, "larger than 8 MiB"),
    ],
)
def test_content_that_is_refused(tmp_path, content, line, message):
    path = tmp_path / "client.conf"
    path.write_bytes(content)
    problem = refused(path)
    assert problem.line == line
    assert message in problem.message


def test_control_characters_are_refused(tmp_path):
    path = tmp_path / "client.conf"
    path.write_bytes(CLIENT.replace("MTU = ", "MTU = \x1b[31m").encode())
    assert refused(path).line == 5


def test_files_that_cannot_be_read(tmp_path):
    assert "no such file" in refused(tmp_path / "absent.conf").message
    assert "directory" in refused(tmp_path).message
    assert "line" not in refused(tmp_path / ("long" * 100)).where


def test_a_file_that_others_can_read_is_warned_of(tmp_path):
    path = tmp_path / "client.conf"
    path.write_text(CLIENT.replace("MTU = 1280", "PostUp = x"))
    path.chmod(0o600)
    (wg_quick,) = load(path).warnings
    for mode in (0o640, 0o604):
        path.chmod(mode)
        exposed, other = load(path).warnings
        assert exposed.where == str(path)
        assert f"chmod 600 {path}" in exposed.suggestion
        assert other == wg_quick


def test_the_role_that_a_file_is_read_for(tmp_path):
    path = tmp_path / "client.conf"
    path.write_text(CLIENT)
    assert load(path).role is load(path, Role.CLIENT).role is Role.CLIENT
    with pytest.raises(ConfigError, match="ListenPort"):
        load(path, Role.SERVER)
