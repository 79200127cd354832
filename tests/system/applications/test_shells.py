"""Programs that need a connection and nothing more: ncat, and ssh with git over it."""

import hashlib
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from interop.counterparts.processes import Process
from tests.required import require
from tests.system.applications import web

SSHD = "/usr/sbin/sshd"
_SSHD = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/key.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
LogLevel VERBOSE
"""


@pytest.mark.parametrize("kind", ["socks5", "http"])
def test_ncat(run, world, kind):
    proxied = ["--proxy", "127.0.0.1:1080", "--proxy-type", kind, *(["--proxy-dns", "remote"] * (kind == "socks5"))]
    sent = os.urandom(1_000_000)
    answer = run("ncat", *proxied, "127.0.0.1", world.ports["digest"], input=sent)
    assert answer.decode() == hashlib.sha256(sent).hexdigest()


@pytest.fixture(scope="module")
def shell(world, tmp_path_factory):
    """An sshd in the world's network: its port, and how ssh comes to it."""
    require(Path(SSHD).exists(), "sshd is missing: install openssh-server (make system-packages)")
    require(shutil.which("ncat"), "ncat is missing: install it (make system-packages)")
    folder = tmp_path_factory.mktemp("sshd")
    for name in ("host", "key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    Path("/run/sshd").mkdir(exist_ok=True)  # where sshd locks its unprivileged half in
    with world.inside(), socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "sshd_config").write_text(_SSHD.format(port=port, folder=folder))
    host_key = (folder / "host.pub").read_text()
    (folder / "known_hosts").write_text(f"[{web.NAME}]:{port} {host_key}")
    command = (
        f"ssh -F none -p {port} -l root -i {folder}/key -o UserKnownHostsFile={folder}/known_hosts -o BatchMode=yes "
        "-o 'ProxyCommand=ncat --proxy 127.0.0.1:1080 --proxy-type socks5 --proxy-dns remote %h %p'"
    )
    with Process("sshd", [SSHD, "-D", "-e", "-f", folder / "sshd_config"], world.namespace.inside) as running:
        running.wait_until(lambda: _listens(world, port), "listening")
        yield command


def _listens(world, port):
    with world.inside(), socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_ssh(run, shell):
    assert run("sh", "-c", f"{shell} {web.NAME} 'cat; echo done'", input=b"through the tunnel\n") == (
        b"through the tunnel\ndone\n"
    )


def test_ssh_with_awgproxy_as_its_proxy_command(run, world, shell):
    port = shell.split("-p ")[1].split()[0]
    tunnel = (world.folder / "client.conf").read_text().partition("[Socks5]")[0]
    file = world.folder / "ssh.conf"
    file.touch(mode=0o600)
    file.write_text(f"{tunnel}[STDIOTunnel]\nTarget = {web.NAME}:{port}\n")
    program = f"{sys.executable} -m awgproxy client --log-level warning {file}"
    world.client.stop()  # the tunnel's key is for one end at a time
    try:
        command = shell.replace("ssh ", f"ssh -o 'ProxyCommand={program}' ", 1)
        carried = run("sh", "-c", f"{command} {web.NAME} 'cat; echo done'", input=b"through the tunnel\n")
        assert carried == b"through the tunnel\ndone\n"
    finally:
        world.start_client()


def test_git_over_ssh(run, shell, tmp_path):
    require(shutil.which("git"), "git is missing: install it (make system-packages)")
    content = os.urandom(1_000_000)
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "safe.directory=*"]
    subprocess.run([*git, "init", "-q", origin], check=True)
    (origin / "file").write_bytes(content)
    for command in (["add", "file"], ["commit", "-q", "-m", "A file"]):
        subprocess.run([*git, "-C", origin, *command], check=True)
    environment = {**os.environ, "GIT_SSH_COMMAND": shell}
    run("git", "clone", "-q", f"ssh://{web.NAME}{origin}", clone, env=environment)
    assert (clone / "file").read_bytes() == content
    (clone / "file").write_bytes(content[::-1])
    run("git", "-C", clone, "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-qam", "Turned around")
    run("git", "-C", clone, "push", "-q", "origin", "HEAD:refs/heads/turned", env=environment)
    pushed = subprocess.run([*git, "-C", origin, "show", "turned:file"], check=True, capture_output=True).stdout
    assert pushed == content[::-1]
