"""The served OpenAPI document and frame schema are sound, and what the server really says is what they promise.

`talk` runs one conversation that calls every operation and provokes every frame; the tests judge what was said.
"""

import asyncio
import base64
import copy
import hashlib
import hmac
import json
import subprocess
import time

import httpx
import jsonschema
import openapi_spec_validator
import pytest
import websockets

from deployment import BINARY, Server

# Operations that exist on a socket only: the OpenAPI document has no path for them.
SOCKET_ONLY = {"hello", "ping", "presence", "attend"}

HOST_KEY = b"a secret of a host application, at least 32 bytes"
CONFIGURATION = """\
drain:
  window: 0 s
accounts:
  registration: open
host-tokens:
  realm: shop
  audience: chat
  keys-file: {}
"""


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def host_token(subject):
    """A token that the host application signed (RFC 7519, HS256)."""
    head = encoded(json.dumps({"alg": "HS256", "kid": "one"}).encode())
    claims = encoded(json.dumps({"sub": subject, "aud": "chat", "exp": int(time.time()) + 600}).encode())
    signature = hmac.digest(HOST_KEY, f"{head}.{claims}".encode(), "sha256")
    return f"{head}.{claims}.{encoded(signature)}"


def closed(schema):
    """The same schema, but what it does not name is an error: nothing undocumented may be said."""
    schema = copy.deepcopy(schema)

    def close(part):
        if isinstance(part, dict):
            if part.get("type") == "object" and "properties" in part:
                part.setdefault("additionalProperties", False)
            for inner in part.values():
                close(inner)
        elif isinstance(part, list):
            for inner in part:
                close(inner)

    close(schema)
    return schema


class Talk:
    """A client that keeps what it asked and heard: calls as (operation, fields, answer), and frames by the way they came."""

    def __init__(self, server):
        self.server = server
        self.client = httpx.Client(base_url=server.url, timeout=60)
        self.document = self.client.get("/v1/openapi.json").json()
        self.frames_document = self.client.get("/v1/frames.json").json()
        self.calls = []
        self.sent = []
        self.frames = []
        self.streamed = []
        self.tokens = {}

    def operations(self):
        """(name, method, description) of all that is in the document."""
        for path, item in self.document["paths"].items():
            for method, operation in item.items():
                yield path.removeprefix("/v1/"), method, operation

    def method(self, operation):
        return next(iter(self.document["paths"]["/v1/" + operation]))

    def ask(self, operation, token=None, /, **fields):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if self.method(operation) == "get":
            flat = {name: ",".join(value) if isinstance(value, list) else value for name, value in fields.items()}
            return self.client.get(f"/v1/{operation}", params=flat, headers=headers)
        return self.client.post(f"/v1/{operation}", json=fields, headers=headers)

    def __call__(self, operation, token=None, /, **fields):
        answer = self.ask(operation, token, **fields)
        assert answer.status_code == 200, f"{operation} {fields}: {answer.status_code} {answer.text}"
        assert answer.headers["content-type"] == "application/json"
        self.calls.append((operation, fields, answer.json()))
        return answer.json()

    async def socket(self, token, **fields):
        connection = await websockets.connect(self.server.socket_url, max_size=2**24)
        await self.send(connection, type="hello", token=token, **fields)
        await self.until(connection, lambda frame: frame["type"] == "ready")
        return connection

    async def send(self, connection, **frame):
        self.sent.append(frame)
        await connection.send(json.dumps(frame))

    async def until(self, connection, wanted):
        while True:
            frame = json.loads(await asyncio.wait_for(connection.recv(), 10))
            self.frames.append(frame)
            if wanted(frame):
                return frame

    def stream(self, token, since):
        """Server-Sent Events until what was missed is given."""
        headers = {"Authorization": f"Bearer {token}", "Last-Event-ID": since}
        event = {}
        with self.client.stream("GET", "/v1/stream", headers=headers) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                event[name] = value
                if line == "" and "data" in event:
                    frame = json.loads(event["data"])
                    assert event["event"] == frame["type"]
                    self.frames.append(frame)
                    self.streamed.append((event.get("id"), frame))
                    if frame["type"] == "ready":
                        break
                    event = {}
        self.calls.append(("stream", {"since": since}, ""))


def scram(talk, handle, password):
    """SCRAM-SHA-256 (RFC 5802) by the book; gives the token."""
    bare = f"n={handle},r=rOprNGfwEbeRWgbNEkqO"
    first = talk("scram", mechanism="SCRAM-SHA-256", message=base64.b64encode(f"n,,{bare}".encode()).decode())
    challenge = base64.b64decode(first["message"]).decode()
    values = dict(part.split("=", 1) for part in challenge.split(","))
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(values["s"]), int(values["i"]))
    key = hmac.digest(salted, b"Client Key", "sha256")
    final = f"c=biws,r={values['r']}"
    signed = f"{bare},{challenge},{final}".encode()
    signature = hmac.digest(hashlib.sha256(key).digest(), signed, "sha256")
    proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, signature))).decode()
    message = base64.b64encode(f"{final},p={proof}".encode()).decode()
    last = talk("scram", state=first["state"], message=message, device="scram")
    server = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), signed, "sha256")
    assert base64.b64decode(last["message"]) == b"v=" + base64.b64encode(server)
    return last["token"]


PASSWORD = "correct horse battery staple"


def sign_in(talk):
    """Every way to come by an account: leaves tokens of anna (administrator), bob, carol and a guest."""
    secret = talk.server.administrator_secret()
    anna = talk("redeem", secret=secret, handle="anna", password=PASSWORD, device="desk")["token"]
    bob = talk("register", handle="bob", password=PASSWORD, name="Bob", device="phone")["token"]
    guest = talk("guest", name="Gus", device="browser")["token"]
    talk("join", guest, conversation="lobby")
    talk("upgrade", guest, handle="gustav", password=PASSWORD)
    guest = talk("guest")["token"]
    link = talk("invite-link", anna, conversations=["lobby"], uses=2, hours=1)["secret"]
    talk("accept", bob, secret=link)
    carol = talk("redeem", secret=link, handle="carol", password=PASSWORD, device="desk")["token"]
    second = talk("login", handle="bob", password=PASSWORD, device="tablet")
    talk("revoke", bob, device=second["device"])
    talk("logout", scram(talk, "bob", PASSWORD))
    talk("exchange", host_token("dora"), device="shop")
    talk("password", bob, old=PASSWORD, new=PASSWORD + "!", signOutOthers=True)
    talk.tokens = {"anna": anna, "bob": bob, "carol": carol, "guest": guest}


def administrate(talk):
    anna = talk.tokens["anna"]
    talk("account-add", anna, handle="erin", password=PASSWORD, name="Erin")
    talk("account-add", anna, handle="robot", kind="bot")
    talk("account-token", anna, account="robot")
    talk("account-set", anna, account="erin", disabled=True)
    talk("account-password", anna, account="erin", password=PASSWORD + "?")
    reset = talk("account-reset", anna, account="erin")
    talk("redeem", secret=reset["secret"], password=PASSWORD)
    talk("account-delete", anna, account="erin", erase=True)
    talk("accounts", anna, limit=2)
    talk("stats", anna)
    hook = talk("webhook-add", anna, conversation="lobby")
    talk("hook", token=hook["secret"], text="from a hook")
    talk("webhooks", anna)
    talk("webhook-delete", anna, webhook=hook["webhook"])


def converse(talk):
    anna, bob, carol = (talk.tokens[name] for name in ("anna", "bob", "carol"))
    talk("create", anna, kind="group", handle="garden", name="Garden", history="everyone", invite=["bob"])
    talk("join", bob, conversation="garden")
    talk("join", carol, conversation="garden")
    here = {"conversation": "garden"}
    body = {
        "text": "Hello @bob, see this",
        "spans": [{"kind": "bold", "start": 0, "length": 5}, {"kind": "mention", "start": 6, "length": 4, "value": "bob"}],
        "attachments": [{"reference": "https://example.org/a.png", "name": "a.png", "mediaType": "image/png", "size": 7}],
        "mentions": ["bob"],
        "extras": {"example/extra": {"any": ["json", 1, None]}},
    }
    root = talk("post", anna, **here, body=body, ref="first")
    assert talk("post", anna, **here, body=body, ref="first")["repeat"] is True
    talk("post", bob, **here, text="an answer", replyTo=root["id"])
    inside = talk("post", bob, **here, text="in the thread", thread=root["id"])
    talk("edit", anna, **here, event=root["id"], text="Hello all")
    talk("react", bob, **here, event=root["id"], key="👍")
    talk("pin", anna, **here, event=root["id"])
    talk("call", bob, **here, call="c1", step="ended", duration=1500)
    talk("custom", bob, **here, namespace="example", kind="move", payload={"to": [1, None]})
    talk("report", carol, **here, event=inside["id"], reason="not nice")
    talk("reports", anna)
    state = {"namespace": "example", "type": "topic", "key": "a", "value": '{"b":1}'}
    talk("set", anna, **here, subject="Plants", slowMode=1, access="unlisted", state=state, permission={"pin": 50})
    talk("set", anna, **here, slowMode=None, access="public")
    direct = talk("direct", anna, account="carol", sealing="example-scheme")
    talk("sealed", carol, conversation=direct["conversation"], scheme="example-scheme", bytes="AAEC")
    talk("read", bob, **here, readUpTo=root["sequence"], deliveredUpTo=inside["sequence"])
    talk("read", bob, **here, readUpTo=inside["sequence"], thread=root["id"])
    for operation in ("members", "state", "receipts", "unread", "attendance", "conversation", "pins"):
        talk(operation, anna, **here)
    for operation in ("conversations", "me", "devices"):
        talk(operation, bob)
    talk("presence-of", anna, accounts=["bob", "carol"])
    talk("profiles", anna, accounts=["bob", "nobody"])
    talk("history", carol, **here, limit=100)
    talk("history", carol, **here, around=root["sequence"], limit=3)
    talk("event", carol, **here, event=root["id"])
    talk("thread", carol, **here, event=root["id"])
    talk("browse", carol, text="gard")
    deadline = time.monotonic() + 10
    while not talk("search", carol, text="answer", conversation="garden")["results"]:
        assert time.monotonic() < deadline, "the index follows"
        time.sleep(0.05)
    talk("redact", bob, **here, event=inside["id"], reason="a slip")
    talk("history", carol, **here, limit=100)


def keep(talk):
    """Members, profiles, settings; ends with accounts that close."""
    anna, bob, carol = (talk.tokens[name] for name in ("anna", "bob", "carol"))
    talk("profile", bob, displayName="Bob B.", avatar="https://example.org/b.png", statusText="here")
    talk("setting", bob, state={"namespace": "example", "type": "theme", "value": "dark"})
    talk("block", bob, account="carol")
    talk("settings", bob)
    talk("block", bob, account="carol", removed=True)
    talk("create", anna, kind="group", access="unlisted", handle="shed")
    here = {"conversation": "shed"}
    talk("set", anna, **here, access="private")
    talk("invite", anna, **here, account="carol")
    talk("leave", carol, **here, reason="no time")
    talk("set", anna, **here, access="public")
    talk("join", bob, **here)
    talk("rank", anna, **here, account="bob", role="moderator")
    talk("kick", anna, **here, account="bob")
    talk("ban", anna, **here, account="bob", reason="noise")
    talk("unban", anna, **here, account="bob")
    talk("create", anna, kind="broadcast", access="unlisted", handle="news")
    talk("knock", carol, conversation="news")
    talk("export", bob)
    since = talk("sync", bob)["next"]
    talk("post", anna, conversation="garden", text="for the poll")
    assert talk("sync", bob, since=since, wait=5)["frames"]


async def listen(talk):
    """Sockets: every frame that one can hear."""
    anna, bob = talk.tokens["anna"], talk.tokens["bob"]
    hears = await talk.socket(anna, presence="online")
    says = await talk.socket(bob, presence="away")
    here = {"conversation": "garden"}
    await talk.send(hears, type="attend", **here, present=True)
    await talk.send(says, type="presence", state="busy")
    await talk.send(says, type="attend", **here, present=True)
    await talk.send(says, type="ping", id="p")
    await talk.until(says, lambda frame: frame["type"] == "pong")
    talk("typing", bob, **here, active=True)
    talk("live", bob, **here, ref="l1", number=0, steps=[{"reset": "H"}])
    talk("live", bob, **here, ref="l1", number=1, steps=[{"insert": "i", "at": 1}, {"erase": 1, "at": 1}, {"cancel": True}])
    talk("ring", bob, **here, call="c2")
    await talk.until(hears, lambda frame: frame["type"] == "ringing")
    talk("profile", bob, statusText="away")
    talk("read", bob, **here, readUpTo=3)
    last = talk("post", bob, **here, text="read this")
    talk("read", bob, **here, readUpTo=last["sequence"])
    await talk.until(hears, lambda frame: frame["type"] == "receipt" and frame["readUpTo"] == last["sequence"])
    await talk.send(hears, type="post", id="1", **here, text="by socket")
    await talk.until(hears, lambda frame: frame["type"] == "reply" and "ok" in frame)
    await talk.send(hears, type="history", id="2", **here, limit=1)
    answer = await talk.until(hears, lambda frame: frame.get("id") == "2")
    talk.calls.append(("history", {**here, "limit": 1}, answer["ok"]))
    await talk.send(hears, type="join", id="3", conversation="nowhere")
    await talk.until(hears, lambda frame: "error" in frame)
    await talk.send(hears, type="join", conversation="nowhere")
    await talk.until(hears, lambda frame: frame["type"] == "error")
    await says.close()
    await talk.until(hears, lambda frame: frame["type"] == "presence" and frame["state"] == "offline")
    talk("create", bob, kind="group", handle="new", invite=["anna"])
    await talk.until(hears, lambda frame: frame["type"] == "conversation")
    await hears.close()


async def return_after(talk, directory):
    """What a client hears when the server goes down, when old events are gone, and after a restored backup."""
    anna, bob = talk.tokens["anna"], talk.tokens["bob"]
    command = [BINARY, "backup", str(directory / "copy.sqlite"), "--config", str(talk.server.configuration)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    early = talk("sync", anna)["next"]
    talk("set", anna, conversation="garden", retentionCount=2)
    for number in range(6):
        talk("post", anna, conversation="garden", text=f"soon gone {number}")
    hears = await talk.socket(bob)
    talk.server.process.terminate()
    await talk.until(hears, lambda frame: frame["type"] == "goodbye")
    talk.server.stop()
    talk.server.start()
    await (await talk.socket(anna, cursor=early)).close()
    late = talk("sync", anna)["next"]
    talk.server.stop()
    command = [BINARY, "restore", str(directory / "copy.sqlite"), "--config", str(talk.server.configuration)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    talk.server.start()
    await (await talk.socket(anna, cursor=late)).close()
    assert talk("sync", anna, since=late)["resync"] is True


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    directory = tmp_path_factory.mktemp("openapi")
    keys = {"keys": [{"kty": "oct", "kid": "one", "alg": "HS256", "k": encoded(HOST_KEY)}]}
    (directory / "keys.json").write_text(json.dumps(keys))
    with Server(directory, extra=CONFIGURATION.format(directory / "keys.json")) as server:
        talk = Talk(server)
        sign_in(talk)
        administrate(talk)
        before = talk("sync", talk.tokens["bob"])["next"]
        converse(talk)
        keep(talk)
        talk.stream(talk.tokens["bob"], before)
        talk.stream(talk.tokens["carol"], before)
        asyncio.run(listen(talk))
        talk("close-account", talk.tokens["guest"], erase=True)
        asyncio.run(return_after(talk, directory))
        yield talk


def test_the_document_is_openapi(talk):
    openapi_spec_validator.validate(talk.document)


def test_the_frame_schema_is_json_schema(talk):
    assert talk.frames_document["$schema"] == jsonschema.Draft202012Validator.META_SCHEMA["$id"]
    jsonschema.Draft202012Validator.check_schema(talk.frames_document)


def test_every_operation_was_called(talk):
    documented = {name for name, _, _ in talk.operations()}
    called = {operation for operation, _, _ in talk.calls}
    assert documented - called == set()


def test_every_frame_was_heard(talk):
    documented = {frame["properties"]["type"]["const"] for frame in talk.frames_document["$defs"]["Frame"]["anyOf"]}
    assert documented - {frame["type"] for frame in talk.frames} == set()


def test_every_kind_of_event_was_heard(talk):
    documented = set(talk.frames_document["$defs"]["Event"]["properties"]["kind"]["enum"])
    assert documented == {frame["kind"] for frame in talk.frames if frame["type"] == "event"}


def judge(schema, value):
    return [f"{error.message} at {error.json_path}" for error in jsonschema.Draft202012Validator(schema).iter_errors(value)]


def in_document(talk, schema):
    """A schema of the OpenAPI document that finds what it refers to."""
    return {**schema, "components": talk.document["components"]}


def answer_schema(talk, operation):
    answer = talk.document["paths"]["/v1/" + operation][talk.method(operation)]["responses"]["200"]
    return in_document(talk, next(iter(answer["content"].values()))["schema"])


def request_schema(talk, operation):
    description = talk.document["paths"]["/v1/" + operation][talk.method(operation)]
    if "requestBody" in description:
        return in_document(talk, description["requestBody"]["content"]["application/json"]["schema"])
    parameters = description.get("parameters", [])
    return in_document(talk, {
        "type": "object",
        "properties": {one["name"]: one["schema"] for one in parameters},
        "required": [one["name"] for one in parameters if one.get("required")],
    })


def test_every_answer_is_as_documented_and_says_nothing_else(talk):
    wrong = [
        (operation, problem)
        for operation, _, answer in talk.calls
        for problem in judge(closed(answer_schema(talk, operation)), answer)
    ]
    assert not wrong


def test_every_request_that_was_taken_is_as_documented(talk):
    wrong = [
        (operation, problem)
        for operation, fields, _ in talk.calls
        for problem in judge(closed(request_schema(talk, operation)), fields)
    ]
    assert not wrong


def frame_schema(talk, name):
    return closed({"$ref": f"#/$defs/{name}", "$defs": talk.frames_document["$defs"]})


def test_every_frame_is_as_documented_and_says_nothing_else(talk):
    schema = frame_schema(talk, "Frame")
    polled = [frame for operation, _, answer in talk.calls if operation == "sync" for frame in answer["frames"]]
    assert polled
    assert not [(frame, problem) for frame in talk.frames + polled for problem in judge(schema, frame)]


def test_a_frame_of_a_stream_has_its_cursor_as_id(talk):
    streamed = [(id, frame) for id, frame in talk.streamed if frame["type"] != "welcome"]
    assert {frame["type"] for _, frame in streamed} >= {"event", "receipt", "profile", "ready"}
    assert not [(frame, id) for id, frame in streamed if frame.get("cursor") != id]


def test_the_welcome_of_a_stream_has_its_cursor_as_id(talk):
    assert not [(frame, id) for id, frame in talk.streamed if frame["type"] == "welcome" and frame["cursor"] != id]


def test_every_frame_that_was_sent_is_as_documented(talk):
    schema = frame_schema(talk, "ClientFrame")
    assert SOCKET_ONLY <= {frame["type"] for frame in talk.sent}
    assert not [(frame, problem) for frame in talk.sent for problem in judge(schema, frame)]


def refusal(talk, answer):
    """The code of an error that is as documented, with the status that the document gives it."""
    schema = talk.document["components"]["responses"]["Error"]["content"]["application/json"]["schema"]
    assert not judge(closed(in_document(talk, schema)), answer.json()), answer.text
    code = answer.json()["error"]["code"]
    assert {"code": code, "status": answer.status_code}.items() <= next(
        entry for entry in talk.document["x-errors"] if entry["code"] == code
    ).items()
    return code


def test_what_is_required_is_missed(talk):
    for operation, method, _ in talk.operations():
        if request_schema(talk, operation).get("required"):
            assert refusal(talk, talk.ask(operation, talk.tokens["anna"])) == "invalid-value", operation


def test_a_value_of_a_wrong_type_is_refused(talk):
    """Each field of each body in turn is an object where it must be anything else, and the other way round."""
    for operation, fields, _ in talk.calls:
        for name in fields if talk.method(operation) == "post" else ():
            wrong = {} if not isinstance(fields[name], dict) else 7
            if judge(request_schema(talk, operation), fields | {name: wrong}):
                answer = talk.ask(operation, talk.tokens["anna"], **(fields | {name: wrong}))
                assert refusal(talk, answer) == "invalid-value", (operation, name)


def test_operations_that_need_a_token_say_so(talk):
    for operation, _, description in talk.operations():
        answer = talk.ask(operation)
        open_to_all = description.get("security") == []
        assert (answer.status_code == 401) != open_to_all, (operation, answer.text)
        if not open_to_all:
            assert refusal(talk, answer) == "unauthenticated"
            assert answer.headers["www-authenticate"].startswith("Bearer"), operation


def refused_method(talk, operation):
    right = talk.method(operation).upper()
    answer = talk.client.request("POST" if right == "GET" else "GET", f"/v1/{operation}")
    assert refusal(talk, answer) == "method-not-allowed", operation
    assert right in answer.headers["allow"], operation


def test_another_method_is_refused_with_the_right_one(talk):
    for operation, _, _ in talk.operations():
        if operation != "stream":
            refused_method(talk, operation)


def test_another_method_than_get_is_refused_for_the_stream(talk):
    refused_method(talk, "stream")


def test_an_unknown_operation_is_refused(talk):
    assert refusal(talk, talk.client.get("/v1/nonsense")) == "unknown-operation"
