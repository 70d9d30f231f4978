"""TLS as others speak it: certificates made by the openssl program, verified by Python's ssl, httpx and websockets."""

import asyncio
import hashlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import time

import httpx
import pytest
import websockets

from deployment import BINARY, Server


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=30)


class Authority:
    """A root, an authority between, and certificates for this machine that it makes."""

    def __init__(self, directory):
        self.directory = directory
        self.root = directory / "root.pem"
        between = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
        self.sign("root", "Test root", between)
        self.sign("between", "Test authority", between, by="root")

    def sign(self, name, subject, extensions, by=None):
        """`name.pem` and `name.key`; signed by itself, or by another one."""
        path = {kind: self.directory / f"{name}.{kind}" for kind in ("pem", "key", "request", "extensions")}
        path["extensions"].write_text(extensions)
        openssl(
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={subject}",
            "-keyout", path["key"], "-out", path["request"],
        )
        signer = ["-key", path["key"]]
        if by:
            signer = ["-CA", self.directory / f"{by}.pem", "-CAkey", self.directory / f"{by}.key"]
        openssl(
            "x509", "-req", "-in", path["request"], "-out", path["pem"], "-days", 1, "-extfile", path["extensions"], *signer
        )
        return path["pem"]

    def renew(self):
        """`chain.pem` and `leaf.key` anew, as a certificate's renewal replaces them; gives the new certificate (DER)."""
        leaf = self.sign("leaf", "localhost", "subjectAltName=IP:127.0.0.1,DNS:localhost\n", by="between")
        (self.directory / "chain.pem").write_text(leaf.read_text() + (self.directory / "between.pem").read_text())
        return ssl.PEM_cert_to_DER_cert(leaf.read_text())

    def files(self):
        return f"  mode: files\n  certificate: {self.directory}/chain.pem\n  key: {self.directory}/leaf.key\n"


class Secure(Server):
    """A server whose port speaks TLS. Its readiness is read from its log, so that no test trusts what it is to check."""

    def __init__(self, tls, trusted, directory=None, environment=None):
        super().__init__(directory, extra="drain:\n  window: 0 s\ntls:\n" + tls, environment=environment)
        self.url = self.url.replace("http:", "https:")
        self.socket_url = self.socket_url.replace("ws:", "wss:")
        self.trusted = trusted

    def start(self, wait=30):
        with open(self.log, "wb") as log:
            command = [BINARY, "serve", "--config", str(self.configuration)]
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | self.environment
            )
        self.said("is ready at " + self.url, wait)
        return self

    def said(self, text, wait=10):
        deadline = time.monotonic() + wait
        while text not in self.log.read_text():
            assert self.process.poll() is None and time.monotonic() < deadline, self.tail()
            time.sleep(0.02)

    def context(self):
        return ssl.create_default_context(cafile=str(self.trusted))

    def client(self, **options):
        return httpx.Client(base_url=self.url, verify=self.context(), timeout=10, **options)

    def shown(self, context=None, data=None):
        """A handshake: the certificate (DER), the version and the protocol agreed on; and what answers `data`."""
        context = context or self.context()
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as plain:
            with context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
                if data:
                    secure.sendall(data)
                    return secure.recv(4096)
                return secure.getpeercert(binary_form=True), secure.version(), secure.selected_alpn_protocol()

    def raw(self, data):
        """Bytes to the port as they are, and what comes until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as plain:
            received = b""
            try:
                plain.sendall(data)
                while part := plain.recv(4096):
                    received += part
            except ConnectionError:
                pass
            return received


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    one = Authority(tmp_path_factory.mktemp("authority"))
    one.renew()
    return one


@pytest.fixture(scope="module")
def server(authority):
    with Secure(authority.files(), authority.root) as running:
        yield running


def test_the_chain_is_good_for_who_trusts_the_root_alone(server):
    for http2, version in ((False, "HTTP/1.1"), (True, "HTTP/2")):
        with server.client(http2=http2) as client:
            answer = client.post("/v1/guest", json={})
            assert (answer.status_code, answer.http_version) == (200, version)
    answer = httpx.get(f"https://localhost:{server.port}/healthz", verify=server.context())
    assert answer.status_code == 200


def test_who_does_not_trust_the_root_does_not_connect(server):
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(server.url + "/healthz", verify=ssl.create_default_context())


def guest(server):
    with server.client() as client:
        token = client.post("/v1/guest", json={}).json()["token"]
        client.post("/v1/join", json={"conversation": "lobby"}, headers={"Authorization": f"Bearer {token}"})
        return token


async def enter(server, token):
    """A WebSocket that is ready."""
    connection = await websockets.connect(server.socket_url, ssl=server.context())
    await connection.send(json.dumps({"type": "hello", "token": token}))
    while json.loads(await asyncio.wait_for(connection.recv(), 10))["type"] != "ready":
        pass
    return connection


async def echo(connection, text):
    """Says something and hears it."""
    await connection.send(json.dumps({"type": "post", "conversation": "lobby", "text": text}))
    while True:
        frame = json.loads(await asyncio.wait_for(connection.recv(), 10))
        if frame.get("kind") == "message" and frame["body"]["text"] == text:
            return


def test_a_websocket_goes_through_tls(server):
    async def run():
        async with await enter(server, guest(server)) as connection:
            await echo(connection, "Hello through TLS")

    asyncio.run(run())


def open_connections(server):
    """How many the server counts, the one that asks included."""
    figures = httpx.get(server.url + "/metrics", verify=server.context()).text
    return int(re.search(r"^switchboard_connections (\d+)$", figures, re.MULTILINE).group(1))


def test_a_closed_websocket_is_let_go_of_at_once(authority):
    async def enter_and_leave(server):
        async with await enter(server, guest(server)):
            pass

    with Secure(authority.files(), authority.root) as server:
        asyncio.run(enter_and_leave(server))
        deadline = time.monotonic() + 2
        while open_connections(server) > 1:
            assert time.monotonic() < deadline, "the server still has it"
            time.sleep(0.05)


def test_an_event_stream_goes_through_tls_and_http2(server):
    headers = {"Authorization": f"Bearer {guest(server)}"}
    with server.client(http2=True, headers=headers) as client, client.stream("GET", "/v1/stream") as events:
        assert events.http_version == "HTTP/2"
        lines = events.iter_lines()
        while '"type":"ready"' not in next(lines):
            pass
        assert client.post("/v1/post", json={"conversation": "lobby", "text": "beside it"}).status_code == 200
        while "beside it" not in next(lines):
            pass


def versions(lowest, highest):
    context = ssl._create_unverified_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = lowest, highest
    return context


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_old_versions_are_refused_and_new_ones_taken(server):
    version = ssl.TLSVersion
    with pytest.raises(ssl.SSLError) as refused:
        server.shown(versions(version.TLSv1, version.TLSv1_1))
    assert refused.value.reason == "TLSV1_ALERT_PROTOCOL_VERSION", "the server's word, not the client's"
    for name, one in (("TLSv1.2", version.TLSv1_2), ("TLSv1.3", version.TLSv1_3)):
        assert server.shown(versions(one, one))[1] == name


@pytest.mark.parametrize("offered,chosen", [(["h2", "http/1.1"], "h2"), (["http/1.1"], "http/1.1"), ([], None)])
def test_the_protocol_is_agreed_on_in_the_handshake(server, offered, chosen):
    context = server.context()
    if offered:
        context.set_alpn_protocols(offered)
    assert server.shown(context)[2] == chosen


def test_without_agreement_the_first_bytes_decide(server):
    assert server.shown(data=b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 200")
    settings = server.shown(data=b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0")
    assert settings[3] == 4, "the server's SETTINGS"


HOSTILE = {
    "plain HTTP": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "plain HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "garbage": bytes(range(255, -1, -1)) * 4096,
    "a handshake's head and garbage": b"\x16\x03\x01\x40\x00" + b"\xff" * 0x4000,
    "a record over the limit": b"\x16\x03\x01\xff\xff" + b"\x01" * 0xFFFF,
    "an alert": b"\x15\x03\x01\x00\x02\x02\x28",
    "data before the handshake": b"\x17\x03\x03\x00\x10" + b"x" * 16,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_tls_is_closed_and_others_go_on(server, name):
    async def run():
        async with await enter(server, guest(server)) as connection:
            answer = server.raw(HOSTILE[name])
            assert answer == b"" or answer[0] == 0x15, "an alert at most"
            await echo(connection, f"after {name}")

    asyncio.run(run())
    with server.client() as client:
        assert client.get("/healthz").status_code == 200


def test_who_never_finishes_a_handshake_is_cut(authority):
    with Secure(authority.files(), authority.root, environment={"SWITCHBOARD_DOOR_HEAD_TIME": "1 s"}) as server:
        for beginning in (b"", b"\x16\x03\x01\x02\x00\x01"):
            began = time.monotonic()
            server.raw(beginning)
            assert time.monotonic() - began < 5


def test_a_renewed_certificate_is_taken_by_a_reload_and_connections_stay(server, authority):
    async def run():
        async with await enter(server, guest(server)) as connection:
            before = server.shown()[0]
            renewed = authority.renew()
            assert server.shown()[0] == before, "not before the reload"
            server.process.send_signal(signal.SIGHUP)
            deadline = time.monotonic() + 10
            while server.shown()[0] != renewed:
                assert time.monotonic() < deadline, "still the old one"
                time.sleep(0.02)
            await echo(connection, "across the reload")

    asyncio.run(run())


# What stands in which file instead of what should.
BROKEN = {
    "no certificate": ("chain.pem", lambda directory: "nothing"),
    "half a certificate": ("chain.pem", lambda directory: (directory / "chain.pem").read_text()[:200]),
    "the key of another": ("leaf.key", lambda directory: (directory / "root.key").read_text()),
    "an empty key": ("leaf.key", lambda directory: ""),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_reload_of_broken_files_changes_nothing_and_says_why(server, authority, name):
    file, text = authority.directory / BROKEN[name][0], BROKEN[name][1](authority.directory)
    before, good = server.shown()[0], file.read_text()
    logged = server.log.read_text()
    file.write_text(text)
    try:
        server.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 10
        while not re.search(r"(?i)error|warning", server.log.read_text()[len(logged) :]):
            assert time.monotonic() < deadline, "nothing was said"
            time.sleep(0.02)
        assert server.shown()[0] == before
    finally:
        file.write_text(good)


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_start_no_server(authority, tmp_path, name):
    file, text = BROKEN[name]
    for kept in ("chain.pem", "leaf.key"):
        (tmp_path / kept).write_text((authority.directory / kept).read_text())
    (tmp_path / file).write_text(text(authority.directory))
    tls = f"  mode: files\n  certificate: {tmp_path}/chain.pem\n  key: {tmp_path}/leaf.key\n"
    server = Secure(tls, authority.root, tmp_path)
    command = [BINARY, "serve", "--config", str(server.configuration)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 66, ended.stderr
    assert file in ended.stderr


@pytest.fixture()
def own(tmp_path):
    """A server with a certificate that it made itself."""
    with Secure("  mode: self-signed\n", tmp_path / "data" / "tls" / "certificate.pem", tmp_path) as running:
        yield running


def test_a_certificate_of_its_own_is_made_once_shown_and_trusted_by_the_file(own):
    certificate = own.shown()[0]
    fingerprint = hashlib.sha256(certificate).hexdigest()
    assert fingerprint in own.log.read_text().lower().replace(":", ""), "the fingerprint is shown"
    assert {oct(path.stat().st_mode & 0o77) for path in own.trusted.parent.iterdir() if path != own.trusted} == {"0o0"}
    own.stop()
    own.start()
    assert own.shown()[0] == certificate, "the same after a restart"


def test_the_clients_of_the_program_trust_it_by_the_file_and_not_without(own):
    def send(text, *options):
        return subprocess.Popen(
            [BINARY, "send", "lobby", text, "--url", own.url, *options], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )

    untrusting = send("without")
    trusting = send("by the file", "--certificate", str(own.trusted))
    try:
        assert trusting.wait(20) == 0, trusting.stderr.read()
        time.sleep(0.5)
        with own.client(headers={"Authorization": f"Bearer {guest(own)}"}) as client:
            page = client.get("/v1/history", params={"conversation": "lobby"}).json()
        said = [event["body"]["text"] for event in page["events"] if event["kind"] == "message"]
        assert said == ["by the file"]
        assert untrusting.poll() != 0
    finally:
        untrusting.kill()
        untrusting.wait()
