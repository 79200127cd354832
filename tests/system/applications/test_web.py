"""Programs that fetch from the web: curl, Python's requests, proxychains, a browser."""

import hashlib
import os

import pytest
import requests

from tests.system.applications import web

PROXY = "127.0.0.1:1080"
WITH_USERS = "127.0.0.1:8080"
BROWSER = "chromium-headless-shell"


def digest(content):
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("kind", ["socks5h", "http"])
def test_curl_by_name(run, sites, certificate, kind, secure):
    site = sites[secure]
    url = f"http{'s' * secure}://{web.NAME}:{site.port}/file"
    content = run("curl", "--fail-with-body", "-sS", "--cacert", certificate, "--proxy", f"{kind}://{PROXY}", url)
    assert digest(content) == digest(web.FILE)
    host, _, headers = site.seen[-1]
    assert host == f"{web.NAME}:{site.port}"
    assert not {name for name in headers if name.lower().startswith(("proxy", "via", "forwarded", "x-forwarded"))}


def test_curl_by_an_address_of_its_own(run, sites):
    url = f"http://{web.NAME}:{sites[0].port}/file"
    resolved = f"{web.NAME}:{sites[0].port}:127.0.0.1"
    assert digest(run("curl", "-sS", "--resolve", resolved, "--proxy", f"socks5://{PROXY}", url)) == digest(web.FILE)


def test_curl_uploads_and_goes_on_on_one_connection(run, sites, tmp_path):
    body = os.urandom(2_000_000)
    (tmp_path / "body").write_bytes(body)
    url = f"http://{web.NAME}:{sites[0].port}/"
    one = ["--data-binary", f"@{tmp_path / 'body'}", url]
    count = "%{stderr}%{num_connects} "
    printed = run(
        "curl",
        "-sS",
        "--proxy",
        f"http://{PROXY}",
        "-w",
        count,
        *one,
        "--next",
        "-sS",
        "--proxy",
        f"http://{PROXY}",
        *one,
    )
    assert printed.decode() == digest(body) * 2


def test_curl_is_told_what_became_of_it(run, sites):
    for target, status in (("http://127.0.0.1:9/", "502"), ("http://10.1.2.3/", "403"), ("http://none.test/", "502")):
        assert (
            run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--proxy", f"http://{PROXY}", target).decode()
            == status
        )


@pytest.mark.parametrize("kind", ["socks5h", "http"])
def test_requests(world, sites, certificate, kind):
    proxies = dict.fromkeys(("http", "https"), f"{kind}://{PROXY}")
    with world.inside(), requests.Session() as session:
        for site, scheme in zip(sites, ("http", "https"), strict=True):
            for _ in range(2):
                answer = session.get(
                    f"{scheme}://{web.NAME}:{site.port}/file", proxies=proxies, verify=str(certificate), timeout=60
                )
                assert digest(answer.content) == digest(web.FILE)


@pytest.mark.parametrize("kind", ["socks5", "http"])
def test_proxychains(run, sites, tmp_path, kind):
    file = tmp_path / "proxychains.conf"
    file.write_text(f"strict_chain\nquiet_mode\nproxy_dns\n[ProxyList]\n{kind} 127.0.0.1 1080\n")
    url = f"http://{web.NAME}:{sites[0].port}/file"
    assert digest(run("proxychains4", "-f", file, "curl", "-sS", url)) == digest(web.FILE)


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("asked_first", [[], ["--proxy-anyauth"]], ids=["at once", "when asked"])
def test_curl_with_a_password(run, sites, certificate, secure, asked_first):
    url = f"http{'s' * secure}://{web.NAME}:{sites[secure].port}/file"
    password = ["--proxy", f"http://{WITH_USERS}", "--proxy-user", "alice:open: sesame", *asked_first]
    assert digest(run("curl", "-sS", "--cacert", certificate, *password, url)) == digest(web.FILE)
    assert "alice" not in str(sites[secure].seen[-1])


@pytest.mark.parametrize("password", [[], ["--proxy-user", "alice:x"]], ids=["none", "a wrong one"])
def test_curl_without_the_right_password(run, sites, password):
    url = f"http://{web.NAME}:{sites[0].port}/file"
    status = ["-o", "/dev/null", "-w", "%{http_code}"]
    assert run("curl", "-sS", *status, "--proxy", f"http://{WITH_USERS}", *password, url) == b"407"


@pytest.mark.parametrize(
    ("proxy", "secure"),
    [
        pytest.param(f"--proxy-server=socks5://{PROXY}", True, id="SOCKS5, TLS"),
        pytest.param(f"--proxy-server=http://{PROXY}", False, id="HTTP, in absolute form"),
    ],
)
def test_a_browser_loads_a_page_of_many_parts(browse, sites, proxy, secure):
    site = sites[secure]
    site.seen.clear()
    page = browse(proxy, f"http{'s' * secure}://{web.NAME}:{site.port}/page")
    assert f"<title>all {web.PARTS} parts</title>" in page
    hosts = {host.partition(":")[0] for host, path, _ in site.seen if path.startswith("/part/")}
    assert hosts == set(web.HOSTS)


def test_the_pac_file_is_what_a_browser_takes(run, browse, tmp_path):
    with_kind = ["-w", "\n%{content_type}"]
    pages = [run("curl", "-sS", *with_kind, f"http://{one}/proxy.pac").decode() for one in (PROXY, WITH_USERS)]
    for page, ways in zip(pages, (f"PROXY {PROXY}; SOCKS5 {PROXY}", f"PROXY {WITH_USERS}"), strict=True):
        script, _, kind = page.rpartition("\n")
        assert kind == "application/x-ns-proxy-autoconfig"
        file = tmp_path / "pac.html"
        file.write_text(f"<script>{script}; document.title = FindProxyForURL('http://a/', 'a')</script>")
        assert f"<title>{ways}</title>" in browse(file.as_uri())


@pytest.fixture
def browse(run, tmp_path):
    """Loads a page in a browser, headless, and gives what became of it."""
    options = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")
    quietly = ("--disable-component-update", "--ignore-certificate-errors", "--timeout=60000", "--dump-dom")

    def browse(*arguments):
        return run(BROWSER, *options, *quietly, f"--user-data-dir={tmp_path / 'browser'}", *arguments).decode()

    return browse
