"""A host application's signed tokens (docs/operations/accounts.md), made by hand and by openssl: from a file of keys, and from
keys that the application publishes."""

import asyncio
import base64
import hashlib
import hmac
import json
import struct
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
import websockets

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "PowerCut"))
import lossydisk
from deployment import Server
from receiver import Receiver, outbound

SECRET = b"a secret of thirty-two bytes or so"


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def part(value):
    return base64url(json.dumps(value).encode())


def openssl(*words, **options):
    return subprocess.run(["openssl", *words], check=True, capture_output=True, **options).stdout


class Secret:
    """A shared secret, for HS256."""

    algorithm = "HS256"

    def __init__(self, secret, kid=None):
        self.secret, self.kid = secret, kid

    def jwk(self):
        return {"kty": "oct", "k": base64url(self.secret)} | ({"kid": self.kid} if self.kid else {})

    def sign(self, message):
        return hmac.digest(self.secret, message, hashlib.sha256)


class KeyPair:
    """A key pair, for ES256 or EdDSA."""

    def __init__(self, directory, algorithm, kid):
        self.algorithm, self.kid, self.directory = algorithm, kid, directory
        self.path = directory / f"{kid}.pem"
        kind = ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"] if algorithm == "ES256" else ["ED25519"]
        openssl("genpkey", "-algorithm", *kind, "-out", str(self.path))
        self.public = openssl("pkey", "-in", str(self.path), "-pubout", "-outform", "DER")

    def jwk(self):
        common = {"kid": self.kid, "use": "sig", "alg": self.algorithm}
        if self.algorithm == "EdDSA":
            return common | {"kty": "OKP", "crv": "Ed25519", "x": base64url(self.public[-32:])}
        x, y = self.public[-64:-32], self.public[-32:]
        return common | {"kty": "EC", "crv": "P-256", "x": base64url(x), "y": base64url(y)}

    def sign(self, message):
        if self.algorithm == "EdDSA":
            path = self.directory / "message"
            path.write_bytes(message)
            return openssl("pkeyutl", "-sign", "-rawin", "-inkey", str(self.path), "-in", str(path))
        der = openssl("dgst", "-sha256", "-sign", str(self.path), input=message)
        # SEQUENCE of two INTEGERs, to two numbers of 32 bytes.
        length = der[3]
        numbers = der[4 : 4 + length], der[6 + length :]
        return b"".join(number.lstrip(b"\0").rjust(32, b"\0") for number in numbers)


def claims(**other):
    given = {"sub": "anna", "aud": "chat", "iss": "https://app.example", "exp": int(time.time()) + 300} | other
    return {name: value for name, value in given.items() if value is not None}


def token(key, header=None, **other):
    head = {"alg": key.algorithm} | ({"kid": key.kid} if key.kid else {}) | (header or {})
    signed = f"{part(head)}.{part(claims(**other))}"
    return f"{signed}.{base64url(key.sign(signed.encode()))}"


def settings(keys, **more):
    lines = {"realm": "app", "audience": "chat", "issuer": "https://app.example"} | keys | more
    return "host-tokens:\n" + "".join(f"  {name}: {value}\n" for name, value in lines.items())


def who(server, signed):
    return server.get("me", signed)["account"]


def ask(server, signed):
    return httpx.get(f"{server.url}/v1/me", headers={"Authorization": f"Bearer {signed}"}, timeout=30, verify=False)


def believed(server, signed):
    return ask(server, signed).status_code == 200


def refusal(server, signed):
    """The whole answer to a token that is not believed."""
    answer = ask(server, signed)
    assert answer.status_code == 401, f"{signed} was believed: {answer.text}"
    return answer.text, sorted(answer.headers.keys() - {"date"})


# Keys from a file.


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    directory = tmp_path_factory.mktemp("shared")
    path = directory / "keys.json"
    path.write_text(json.dumps({"keys": [Secret(SECRET).jwk()]}))
    with Server(directory, extra=settings({"keys-file": path})) as running:
        yield running


def test_a_token_opens_every_door_as_one_account(shared):
    first = token(Secret(SECRET), sub="bert", name="Bert B.")
    mine = shared.get("me", first)
    assert (mine["account"], mine["displayName"], mine["accountKind"]) == ("bert", "Bert B.", "person")
    second = token(Secret(SECRET), sub="bert", exp=int(time.time()) + 600)
    assert shared.get("me", second)["device"] == mine["device"], "all sessions of a person are one device"
    shared.post("join", first, conversation="lobby")
    said = shared.post("post", first, conversation="lobby", text="Hello", ref="1")
    assert shared.post("post", second, conversation="lobby", text="Hello", ref="1") == said | {"repeat": True}

    async def socket():
        async with websockets.connect(shared.socket_url) as connection:
            await connection.send(json.dumps({"type": "hello", "token": second}))
            return json.loads(await connection.recv())

    assert asyncio.run(socket())["account"] == "bert"
    own = shared.post("exchange", first, device="telephone")
    assert own["token"].startswith("sbd_") and who(shared, own["token"]) == "bert"
    assert own["device"] != mine["device"]


def test_a_subject_is_no_handle(shared):
    """Who has a password here is not opened by a token with the same name; strange subjects get a made-up handle."""
    added = shared.command("account", "add", "carl", input="correct horse battery\n")
    assert added.returncode == 0, added.stderr
    handle = who(shared, token(Secret(SECRET), sub="carl"))
    assert handle.startswith("u-") and handle == who(shared, token(Secret(SECRET), sub="carl"))
    assert who(shared, token(Secret(SECRET), sub="root of all/evil")).startswith("u-")
    assert who(shared, token(Secret(SECRET), sub="guest-1")).startswith("u-"), "a reserved name"
    assert shared.get("me", token(Secret(SECRET), sub="dora", guest=True))["accountKind"] == "guest"


def test_a_session_ends_with_its_token(shared):
    """Believed until a minute after its end, for clocks differ."""
    assert who(shared, token(Secret(SECRET), sub="emil", exp=int(time.time()) - 30)) == "emil"
    refusal(shared, token(Secret(SECRET), sub="emil", exp=int(time.time()) - 61))


def unsigned(header, **other):
    return f"{part(header)}.{part(claims(**other))}."


def altered(signed):
    head, _, signature = signed.split(".")
    return f"{head}.{part(claims(sub='root'))}.{signature}"


def soon():
    return int(time.time())


BAD = {
    "another audience": lambda: token(Secret(SECRET), aud="mail"),
    "no audience": lambda: token(Secret(SECRET), aud=None),
    "another issuer": lambda: token(Secret(SECRET), iss="https://evil.example"),
    "no issuer": lambda: token(Secret(SECRET), iss=None),
    "expired": lambda: token(Secret(SECRET), exp=soon() - 120),
    "no end": lambda: token(Secret(SECRET), exp=None),
    "an end in words": lambda: token(Secret(SECRET), exp="tomorrow"),
    "not yet": lambda: token(Secret(SECRET), nbf=soon() + 300),
    "issued tomorrow": lambda: token(Secret(SECRET), iat=soon() + 86_400),
    "no subject": lambda: token(Secret(SECRET), sub=None),
    "an empty subject": lambda: token(Secret(SECRET), sub=""),
    "no signature": lambda: unsigned({"alg": "none"}),
    "no signature, in capitals": lambda: unsigned({"alg": "NONE"}),
    "half a signature": lambda: token(Secret(SECRET))[:-20],
    "another secret": lambda: token(Secret(b"another secret of at least 32 bytes")),
    "an empty secret": lambda: token(Secret(b"")),
    "other claims": lambda: altered(token(Secret(SECRET))),
    "another algorithm": lambda: token(Secret(SECRET), header={"alg": "HS512"}),
    "a demand that nobody knows": lambda: token(Secret(SECRET), header={"crit": ["b64"], "b64": False}),
    "a key of its own": lambda: token(Secret(b"e" * 32), header={"jwk": Secret(b"e" * 32).jwk()}),
    "padding": lambda: token(Secret(SECRET)) + "=",
    "a fourth part": lambda: token(Secret(SECRET)) + ".e30",
}


def test_what_is_not_right_gets_one_answer(shared):
    answers = {name: refusal(shared, make()) for name, make in BAD.items()}
    assert len({text for text, _ in answers.values()}) == 1, answers
    assert len({tuple(headers) for _, headers in answers.values()}) == 1
    assert "anna" not in [account["account"] for account in accounts(shared)], "and makes no account"


def accounts(server):
    if not hasattr(server, "root"):
        server.root = server.administrator()
    return server.get("accounts", server.root)["accounts"]


@pytest.mark.parametrize(
    "content", [json.dumps(Secret(b"short").jwk()), json.dumps({"keys": []}), "no keys", ""],
    ids=["short", "none", "text", "empty"],
)
def test_keys_that_are_no_good_are_refused_at_the_start(tmp_path, content):
    path = tmp_path / "keys.json"
    path.write_text(content)
    server = Server(tmp_path, extra=settings({"keys-file": path}))
    with pytest.raises(RuntimeError):
        server.start()
    assert server.process.returncode == 65
    assert "host-tokens.keys-file" in server.tail(1)


# Keys that the application publishes.


class Application:
    """Its keys, published."""

    def __init__(self, directory):
        self.directory = directory
        self.keys = []
        self.receiver = Receiver(lambda _: (200, {}, json.dumps({"keys": [key.jwk() for key in self.keys]}).encode()))
        self.url = f"{self.receiver.url}/keys"
        self.settings = settings({"keys-url": self.url}) + outbound(self.receiver.port)

    def add(self, algorithm, kid):
        self.keys.append(KeyPair(self.directory, algorithm, kid))
        return self.keys[-1]

    @property
    def fetches(self):
        return len(self.receiver.calls)


@pytest.fixture()
def application(tmp_path):
    one = Application(tmp_path)
    yield one
    one.receiver.stop()


@pytest.fixture(scope="module")
def leapclock(tmp_path_factory):
    return lossydisk.build(tmp_path_factory.mktemp("leapclock"), lossydisk.SOURCE.with_name("leapclock.c"))


@pytest.fixture()
def served(application, leapclock, tmp_path):
    """A server that believes the application, and whose clock leaps."""
    clock = tmp_path / "leap"
    clock.write_bytes(struct.pack("=q", 0))
    environment = {"LD_PRELOAD": str(leapclock), "LEAPCLOCK": str(clock)}
    server = Server(tmp_path, extra=application.settings, environment=environment)

    def leap(seconds):
        server.leapt = getattr(server, "leapt", 0) + seconds
        # In place: the server has the file mapped.
        with open(clock, "r+b") as file:
            file.write(struct.pack("=q", server.leapt))

    server.leap = leap
    yield server.start()
    server.stop()


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_a_published_key_is_believed_and_not_for_another_algorithm(application, served, algorithm):
    key, spare = application.add(algorithm, "first"), application.add(algorithm, "second")
    application.keys.append(Secret(SECRET, "not-so-secret"))
    application.receiver.start()
    assert application.fetches == 0, "fetched when the first token comes"
    assert who(served, token(key)) == who(served, token(spare)) == "anna"
    assert application.fetches == 1

    pem = openssl("pkey", "-in", str(key.path), "-pubout")
    other = KeyPair(application.directory, algorithm, "other")
    bad = [
        token(Secret(secret, "first")) for secret in (key.public, pem, pem.strip(), key.public[-64:], key.public[-32:])
    ]
    bad += [token(other, header={"kid": "first"}), token(key, header={"kid": "second"}), token(key, header={"kid": ""})]
    bad += [token(Secret(SECRET, "not-so-secret")), unsigned({"alg": "none", "kid": "first"})]
    bad += [token(key, aud="mail"), token(key, exp=soon() - 120)]
    bad += [token(other, header={"jku": f"{application.receiver.url}/evil", "kid": "other"})]
    assert len({refusal(served, one)[0] for one in bad}) == 1
    assert application.receiver.to("/evil") == [], "a token does not say where its key is"


def test_a_new_key_is_fetched_when_a_token_names_it(application, served):
    application.add("ES256", "first")
    application.receiver.start()
    assert who(served, token(application.keys[0])) == "anna"
    fresh = application.add("EdDSA", "second")
    # Whoever makes kids up doesn't make the server fetch.
    for number in range(5):
        refusal(served, token(fresh, header={"kid": f"made-up-{number}"}))
    assert application.fetches == 1
    served.leap(61)
    assert who(served, token(fresh, sub="bert")) == "bert"
    assert who(served, token(application.keys[0])) == "anna"
    assert application.fetches == 2


def test_a_withdrawn_key_is_worth_nothing_after_ten_minutes(application, served):
    old, new = application.add("ES256", "old"), application.add("ES256", "new")
    application.receiver.start()
    assert who(served, token(old)) == "anna"
    application.keys.remove(old)
    served.leap(601)
    assert who(served, token(new)) == "anna"
    # The set is fetched in the background: nobody waits for it, and it is there in a moment.
    deadline = time.monotonic() + 20
    while believed(served, token(old)):
        assert time.monotonic() < deadline, "a key that was withdrawn is still believed"
        time.sleep(0.1)


def test_known_keys_outlive_the_key_server(application, served):
    key = application.add("EdDSA", "first")
    good = application.receiver.answer
    application.receiver.answer = lambda _: (500, {}, b"no")
    application.receiver.start()
    refusal(served, token(key))
    application.receiver.answer = good
    refusal(served, token(key))
    assert application.fetches == 1, "once a minute, whatever came of it"
    served.leap(61)
    assert who(served, token(key)) == "anna"
    application.receiver.stop()
    served.leap(3_600)
    fetches = application.fetches
    assert who(served, token(key)) == "anna"
    refusal(served, token(KeyPair(application.directory, "EdDSA", "second")))
    assert application.fetches == fetches


@pytest.mark.parametrize("answer", [(302, b""), (200, b"{}"), (200, b"<html>"), (200, b'{"keys":[]}'), (200, b" " * 70_000)])
def test_an_answer_that_is_no_key_set_lets_nobody_in(application, served, answer):
    key = application.add("ES256", "first")
    good = application.receiver.answer
    location = {"Location": f"{application.receiver.url}/good"}
    application.receiver.answer = lambda call: good(call) if call.path == "/good" else (answer[0], location, answer[1])
    application.receiver.start()
    refusal(served, token(key))
    assert application.fetches == 1, "and no redirect is followed"


def test_a_private_address_is_not_asked_for_keys_unless_allowed(application, tmp_path):
    key = application.add("ES256", "first")
    application.receiver.start()
    with Server(tmp_path, extra=settings({"keys-url": application.url})) as strict:
        refusal(strict, token(key))
    assert application.fetches == 0
