"""Webhooks (docs/protocols/webhooks.md) against a real HTTP receiver, and by a real HTTP client."""

import base64
import hashlib
import hmac
import json
import time

import httpx
import pytest

from deployment import Refused, Server, free_port
from receiver import Receiver, outbound

DOWN = free_port()


def answer(call):
    """By the path what a receiver does: fail the first call of each id, take its time, or lead elsewhere."""
    if call.path == "/fails-once" and len(receiver.to(call.path)) == 1:
        return 500, {}, b"no"
    if call.path == "/fails":
        return 503, {}, b"no"
    if call.path == "/slow":
        time.sleep(4)
    if call.path.startswith("/redirect"):
        return int(call.path[-3:]), {"Location": f"{receiver.url}/elsewhere"}, b""
    return 204, {}, b""


receiver = Receiver(answer)


@pytest.fixture(scope="module")
def hooked():
    with receiver, Server(extra=outbound(receiver.port, DOWN)) as running:
        running.root = running.administrator()
        yield running


def room(server, name):
    server.post("create", server.root, kind="group", handle=name)
    return name


def add(server, name, url):
    """An outgoing webhook in a room of its own."""
    return server.post("webhook-add", server.root, conversation=room(server, name), url=url)


def say(server, name, texts):
    return [server.post("post", server.root, conversation=name, text=text)["id"] for text in texts]


def verified(call, secret):
    """The event of a call, after what docs/protocols/webhooks.md says about its headers."""
    key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    signed = f"{call.headers['webhook-id']}.{call.headers['webhook-timestamp']}.".encode() + call.body
    expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert call.headers["webhook-signature"] == f"v1,{expected}"
    assert abs(int(call.headers["webhook-timestamp"]) - call.at) < 60
    event = json.loads(call.body)
    assert event["type"] == "event" and event["id"] == call.headers["webhook-id"]
    return event


def ids(calls):
    return [call.headers["webhook-id"] for call in calls]


def until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)


def due(server, name, hook, first):
    """The ids of what the webhook is told, from the first call on: everything but what its bot does."""
    events = server.get("history", server.root, conversation=name, limit=1000)["events"]
    told = [event["id"] for event in events if event["author"] != hook["account"]]
    return told[told.index(first) :]


def test_each_event_comes_signed_and_in_order(hooked):
    before = say(hooked, room(hooked, "plain"), ["said before"])
    hook = hooked.post("webhook-add", hooked.root, conversation="plain", url=f"{receiver.url}/plain")
    said = say(hooked, "plain", [f"text {number}" for number in range(30)])
    until(lambda: said[-1] in ids(receiver.to("/plain")))
    calls = receiver.to("/plain")
    events = [verified(call, hook["secret"]) for call in calls]
    assert ids(calls) == due(hooked, "plain", hook, ids(calls)[0])
    assert [event["id"] for event in events if event["kind"] == "message"] == said, f"without {before}"
    assert events[-1]["body"]["text"] == "text 29" and events[-1]["author"] == "root"
    assert all(call.headers["content-type"] == "application/json" for call in calls)
    with pytest.raises(AssertionError):
        verified(calls[-1], "whsec_" + base64.b64encode(bytes(32)).decode())
    hooked.post("webhook-delete", hooked.root, webhook=hook["webhook"])
    say(hooked, "plain", ["said after its end"])
    time.sleep(0.5)
    assert receiver.to("/plain") == calls


def test_failing_targets_are_called_again_and_hold_nobody_up(hooked):
    """One that fails once, one that always fails, one that is not there yet, a slow one, and a good one, together."""
    down = Receiver()
    down.port = DOWN
    targets = {name: f"{receiver.url}/{name}" for name in ("fails-once", "fails", "slow", "good")}
    targets["down"] = f"http://127.0.0.1:{DOWN}/"
    hooks = {name: add(hooked, name, url) for name, url in targets.items()}
    said = {name: say(hooked, name, [f"{name} {number}" for number in range(3)]) for name in targets}
    until(lambda: said["good"][2] in ids(receiver.to("/good")), 3)
    hooked.post("redact", hooked.root, conversation="down", event=said["down"][1])

    processor, memory = hooked.processor_seconds(), hooked.resident_bytes()
    time.sleep(3)
    assert hooked.processor_seconds() - processor < 0.5, "between two tries it waits"
    assert hooked.resident_bytes() - memory < 20 << 20
    with down:
        until(lambda: said["down"][2] in ids(down.calls))
        events = [verified(call, hooks["down"]["secret"]) for call in down.calls]
        told = due(hooked, "down", hooks["down"], events[0]["id"])
        assert told[: len(events)] == [event["id"] for event in events]
    erased = next(event for event in events if event["id"] == said["down"][1])
    assert erased["erased"] is True and "body" not in erased, "as it is when it is taken"

    until(lambda: said["fails-once"][2] in ids(receiver.to("/fails-once")))
    first, second, *_ = calls = receiver.to("/fails-once")
    assert ids([first]) == ids([second]), "the same id"
    assert verified(first, hooks["fails-once"]["secret"]) == verified(second, hooks["fails-once"]["secret"])
    assert 2 <= second.at - first.at <= 9, "5 s, half of it more or less"
    assert ids(calls[1:]) == due(hooked, "fails-once", hooks["fails-once"], ids(calls)[0])
    until(lambda: len(receiver.to("/fails")) >= 2)
    assert len(receiver.to("/fails")) <= 4, "with pauses"
    assert len(set(ids(receiver.to("/fails")))) == 1, "what comes after waits"
    until(lambda: said["slow"][0] in ids(receiver.to("/slow")))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(hooked, status):
    name = f"redirect{status}"
    add(hooked, name, f"{receiver.url}/redirect/{status}")
    say(hooked, name, ["text"])
    receiver.wait(f"/redirect/{status}", 1)
    time.sleep(0.3)
    assert receiver.to("/elsewhere") == []
    assert len(receiver.to(f"/redirect/{status}")) == 1, "a failure, tried again later"


def test_a_killed_server_goes_on_without_a_hole():
    """Killed three times while it calls; what it calls again has the same id."""

    def unhurried(call):
        time.sleep(0.02)
        return 204, {}, b""

    with Receiver(unhurried) as target, Server(extra=outbound(target.port)) as server:
        server.root = server.administrator()
        hook = add(server, "room", f"{target.url}/")
        said = []
        for number in range(3):
            before = len(target.calls)
            said += say(server, "room", [f"{number} {text}" for text in range(30)])
            target.wait("/", before + 5)
            server.kill()
            server.start()
        until(lambda: said[-1] in ids(target.calls))
        calls = target.calls
        for call in calls:
            verified(call, hook["secret"])
        first_times = list(dict.fromkeys(ids(calls)))
        assert len(first_times) < len(calls), "killed in the middle"
        assert first_times == due(server, "room", hook, first_times[0])
        assert set(said) <= set(first_times)
        places = [first_times.index(one) for one in ids(calls)]
        assert all(after > before - 60 for before, after in zip(places, places[1:])), "it repeats the last calls only"


PRIVATE = [
    "https://127.0.0.1/", "https://10.0.0.1/", "https://192.168.1.1/", "https://169.254.169.254/latest", "https://[::1]/",
    "https://[::ffff:127.0.0.1]/", "https://localhost/", "https://printer.local/", "https://intranet/", "http://example.org/",
    "https://example.org:8080/", "https://2130706433/", "https://0x7f.1/", "https://name:word@example.org/",
]


@pytest.mark.parametrize("url", PRIVATE)
def test_what_is_not_the_public_internet_is_refused(server, url):
    if not hasattr(server, "root"):
        server.root = server.administrator()
        room(server, "room")
    with pytest.raises(Refused) as refused:
        server.post("webhook-add", server.root, conversation="room", url=url)
    assert refused.value.code == "invalid-value"


def test_what_is_no_longer_allowed_is_no_longer_called():
    with Receiver() as target, Server(extra=outbound(target.port)) as server:
        server.root = server.administrator()
        add(server, "room", f"{target.url}/")
        target.wait("/", 1)
        server.stop()
        server.configuration.write_text(server.configuration.read_text().replace("127.0.0.0/8", "10.0.0.0/8"))
        before = len(target.calls)
        server.start()
        say(server, "room", ["text"])
        time.sleep(1)
        assert len(target.calls) == before


def test_idle_webhooks_cost_nothing(hooked):
    for number in range(20):
        add(hooked, f"idle{number}", f"{receiver.url}/idle{number}")
    for number in range(20):
        receiver.wait(f"/idle{number}", 1)
    time.sleep(1)
    processor, memory = hooked.processor_seconds(), hooked.resident_bytes()
    time.sleep(3)
    assert hooked.processor_seconds() - processor < 0.3
    assert hooked.resident_bytes() - memory < 10 << 20


def called(url, **fields):
    return httpx.post(url, json=fields, verify=False)


def test_an_incoming_webhook_posts_once_per_ref(hooked):
    hook = hooked.post("webhook-add", hooked.root, conversation=room(hooked, "incoming"))
    assert hook["url"] == f"{hooked.url}/v1/hooks/{hook['secret']}"
    first = called(hook["url"], text="Build 7 is green", ref="build-7")
    again = called(hook["url"], text="Build 7 is green", ref="build-7")
    assert first.status_code == again.status_code == 200
    assert again.json() == first.json() | {"repeat": True}
    assert called(hook["url"], text="Build 7 is red", ref="build-7").json()["error"]["code"] == "token-conflict"
    other = called(f"{hooked.url}/v1/hook", token=hook["secret"], text="Build 8 is green")
    assert other.status_code == 200
    events = hooked.get("history", hooked.root, conversation="incoming")["events"]
    messages = [(event["author"], event["body"]["text"]) for event in events if event["kind"] == "message"]
    assert messages == [(hook["account"], "Build 7 is green"), (hook["account"], "Build 8 is green")]

    hooked.post("webhook-delete", hooked.root, webhook=hook["webhook"])
    ended = called(hook["url"], text="late")
    unknown = called(hook["url"][:-8] + "AAAAAAAA", text="guessed")
    assert (ended.status_code, ended.json()) == (unknown.status_code, unknown.json())
    assert ended.status_code == 404 and ended.json()["error"]["code"] == "not-found"


def test_the_address_of_a_webhook_opens_nothing_else(hooked):
    hook = hooked.post("webhook-add", hooked.root, conversation=room(hooked, "narrow"))
    for operation in ("history", "me"):
        with pytest.raises(Refused, match="401"):
            hooked.get(operation, hook["secret"], conversation="narrow")
    assert called(f"{hooked.url}/v1/hooks/{hooked.root}", text="a device's token").status_code == 404
    assert hook["secret"] not in hooked.log.read_text()


def test_who_is_no_administrator_sets_up_no_webhook(hooked):
    token, _ = hooked.guest()
    with pytest.raises(Refused) as refused:
        hooked.post("webhook-add", token, conversation="lobby")
    assert refused.value.code == "forbidden"
