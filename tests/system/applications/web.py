"""A web site to go to: plain and by TLS, with a page of many parts from many hosts."""

import contextlib
import datetime
import hashlib
import http.server
import ssl
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

NAME = "four.test"
HOSTS = tuple(f"host{number}.test" for number in range(8))
PARTS = 64
FILE = hashlib.shake_256(b"a file").digest(3_000_000)

_PAGE = f"""<!DOCTYPE html><title>loading</title><body><script>
let loaded = 0;
function part() {{ if (++loaded == {PARTS}) document.title = "all {PARTS} parts"; }}
for (let i = 0; i < {PARTS}; i++) {{
  const script = document.createElement("script");
  script.src = `//host${{i % {len(HOSTS)}}}.test:${{location.port}}/part/${{i}}.js`;
  document.body.appendChild(script);
}}
</script>"""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        self.server.seen.append((self.headers["Host"], self.path, dict(self.headers)))
        if self.path == "/file":
            self._answer(FILE, "application/octet-stream")
        elif self.path == "/page":
            self._answer(_PAGE.encode(), "text/html")
        elif self.path.startswith("/part/"):
            self._answer(b"part();" + b" " * 20_000, "text/javascript")
        else:
            self._answer(b"", "text/plain", 404)

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self._answer(hashlib.sha256(self.rfile.read(length)).hexdigest().encode(), "text/plain")

    def log_message(self, *_):
        pass

    def _answer(self, body, kind, status=200):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Site(http.server.ThreadingHTTPServer):
    """Runs while it is entered; `seen` has the host, path and headers of each GET."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, certificate=None):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen = []
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    @property
    def port(self) -> int:
        return self.server_address[1]

    def handle_error(self, request, client_address):
        """Browsers hang up on connections that they opened ahead of time."""


def write_certificate(path):
    """A certificate of its own authority for every name of the site, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in (NAME, *HOSTS)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


@contextlib.contextmanager
def sites(world, certificate):
    """The plain one and the one by TLS, in the world's network."""
    with contextlib.ExitStack() as running:
        with world.inside():
            plain, secure = Site(), Site(certificate)
        yield running.enter_context(plain), running.enter_context(secure)
