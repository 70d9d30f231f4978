"""HTTP/2 in cleartext by prior knowledge (RFC 9113), and WebSockets within it (RFC 8441), by clients of other people: h2 for
the frames of HTTP/2, websockets for those of a WebSocket, httpx as a whole."""

import json
import signal
import socket
import time

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.settings
import httpx
import pytest
from hyperframe.frame import ContinuationFrame, DataFrame, GoAwayFrame, HeadersFrame, PingFrame, SettingsFrame
from websockets.frames import Close, Opcode
from websockets.protocol import Protocol, Side, State

from deployment import Server


class Answer:
    """What came on one stream."""

    def __init__(self):
        self.headers = {}
        self.body = b""
        self.ended = False
        self.reset = None

    @property
    def status(self):
        return int(self.headers[b":status"])

    @property
    def json(self):
        return json.loads(self.body)


class Connection:
    """One HTTP/2 connection. What it sends is checked by nobody: a test may send what is wrong."""

    def __init__(self, server, **settings):
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        configuration = h2.config.H2Configuration(
            client_side=True, validate_outbound_headers=False, normalize_outbound_headers=False
        )
        self.h2 = h2.connection.H2Connection(configuration)
        self.h2.initiate_connection()
        self.h2.update_settings({h2.settings.SettingCodes[name]: value for name, value in settings.items()})
        self.answers = {}
        self.received = b""
        self.ended = False
        self.goaway = None
        self.flush()
        self.until(lambda: h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS in self.h2.remote_settings)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def flush(self):
        self.write(self.h2.data_to_send())

    def write(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            self.ended = True

    def until(self, true, seconds=10):
        """Reads until it is so. An end of the connection that is not waited for is a failure."""
        deadline = time.monotonic() + seconds
        while not true():
            assert not self.ended, f"the connection ended: {self.goaway}"
            self.socket.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                data = b""
            self.ended = not data
            for event in self.h2.receive_data(self.without_goaway(data)):
                self.take(event)
            self.flush()

    def without_goaway(self, data):
        """Whole frames but GOAWAY, after which h2 would take no more, though open streams go on (RFC 9113, 6.8)."""
        self.received += data
        rest = b""
        while len(self.received) >= 9:
            end = 9 + int.from_bytes(self.received[:3], "big")
            if len(self.received) < end:
                break
            if self.received[3] == GoAwayFrame.type:
                self.goaway = h2.errors.ErrorCodes(int.from_bytes(self.received[13:17], "big"))
            else:
                rest += self.received[:end]
            self.received = self.received[end:]
        return rest

    def take(self, event):
        if getattr(event, "stream_id", None) in self.answers:
            answer = self.answers[event.stream_id]
            if isinstance(event, h2.events.ResponseReceived):
                answer.headers = dict(event.headers)
            elif isinstance(event, h2.events.DataReceived):
                answer.body += event.data
                if event.flow_controlled_length:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                answer.ended = True
            elif isinstance(event, h2.events.StreamReset):
                answer.reset = event.error_code

    def open(self, method, path, token=None, headers=(), end=True):
        stream = self.h2.get_next_available_stream_id()
        self.answers[stream] = Answer()
        fields = [(":method", method), (":scheme", "http"), (":authority", "127.0.0.1"), (":path", path), *headers]
        if token:
            fields.append(("authorization", f"Bearer {token}"))
        self.h2.send_headers(stream, fields, end_stream=end)
        self.flush()
        return stream

    def begin(self, operation, token=None, **fields):
        """A request; with fields a POST."""
        if not fields:
            return self.open("GET", "/v1/" + operation, token)
        stream = self.open("POST", "/v1/" + operation, token, [("content-type", "application/json")], end=False)
        self.h2.send_data(stream, json.dumps(fields).encode(), end_stream=True)
        self.flush()
        return stream

    def finish(self, stream):
        answer = self.answers[stream]
        self.until(lambda: answer.ended or answer.reset is not None)
        return answer

    def ask(self, operation, token=None, **fields):
        return self.finish(self.begin(operation, token, **fields))

    def until_closed(self):
        self.until(lambda: self.ended)
        return self.goaway


class Socket:
    """A WebSocket on one stream of a connection (RFC 8441)."""

    def __init__(self, connection, token):
        self.connection = connection
        self.stream = connect(connection)
        self.answer = connection.answers[self.stream]
        connection.until(lambda: self.answer.headers)
        assert self.answer.status == 200
        self.protocol = Protocol(Side.CLIENT, state=State.OPEN, max_size=2**24)
        self.read = 0
        self.frames = []
        self.close_code = None
        self.send(type="hello", token=token)
        self.until(lambda frame: frame["type"] == "ready")

    def push(self, end=False):
        data = b"".join(self.protocol.data_to_send())
        if data:
            self.connection.h2.send_data(self.stream, data, end_stream=end)
            self.connection.flush()

    def send(self, **frame):
        self.protocol.send_text(json.dumps(frame).encode())
        self.push()

    def pull(self):
        self.protocol.receive_data(self.answer.body[self.read :])
        self.read = len(self.answer.body)
        for frame in self.protocol.events_received():
            if frame.opcode == Opcode.TEXT:
                self.frames.append(json.loads(frame.data))
            elif frame.opcode == Opcode.CLOSE:
                self.close_code = Close.parse(frame.data).code
        if not self.answer.ended and self.answer.reset is None:
            self.push()

    def until(self, wanted):
        """The first frame that is wanted; it and those before it are gone then."""

        def found():
            self.pull()
            return any(wanted(frame) for frame in self.frames)

        self.connection.until(found)
        at = next(index for index, frame in enumerate(self.frames) if wanted(frame))
        frame = self.frames[at]
        del self.frames[: at + 1]
        return frame

    def hears(self, text):
        return self.until(lambda frame: frame.get("kind") == "message" and frame["body"]["text"] == text)


def connect(connection, path="/v1/socket", protocol="websocket", headers=()):
    return connection.open(
        "CONNECT", path, headers=[(":protocol", protocol), ("sec-websocket-version", "13"), *headers], end=False
    )


@pytest.fixture(scope="module")
def accounts(server):
    return [server.guest()[0] for _ in range(2)]


@pytest.fixture()
def bystander(server, accounts):
    """A client on a connection of its own: whatever a test does to another one, this one talks and hears."""
    with Connection(server) as connection:
        one = Socket(connection, accounts[1])
        yield one
        one.send(type="post", conversation="lobby", text="still here")
        one.hears("still here")
        assert connection.goaway is None


def test_httpx_speaks_it_without_tls(server):
    with httpx.Client(http1=False, http2=True) as client:
        answer = client.post(server.url + "/v1/guest", json={})
        assert (answer.http_version, answer.status_code) == ("HTTP/2", 200)
        token = answer.json()["token"]
        mine = client.get(server.url + "/v1/me", headers={"Authorization": f"Bearer {token}"}).json()
        assert mine["account"] == answer.json()["account"]


def test_a_hundred_requests_at_once_get_their_own_answers(server, accounts):
    with Connection(server) as connection:
        asked = {connection.begin("post", accounts[0], conversation="lobby", text=f"at once {n}"): n for n in range(100)}
        sequences = {connection.finish(stream).json["sequence"]: number for stream, number in asked.items()}
        assert len(sequences) == 100
        page = connection.ask(f"history?conversation=lobby&limit=100&after={min(sequences) - 1}", accounts[0]).json
        said = {event["sequence"]: event["body"]["text"] for event in page["events"]}
        assert said == {sequence: f"at once {number}" for sequence, number in sequences.items()}


def test_an_event_stream_hears_what_another_stream_says(server, accounts):
    with Connection(server) as connection:
        events = connection.answers[connection.open("GET", "/v1/stream", accounts[0])]
        connection.until(lambda: b'"type":"ready"' in events.body)
        assert events.status == 200 and events.headers[b"content-type"].startswith(b"text/event-stream")
        assert connection.ask("post", accounts[1], conversation="lobby", text="to the stream").status == 200
        connection.until(lambda: b"to the stream" in events.body)
        assert not events.ended


def test_websockets_within_are_offered(server):
    with Connection(server) as connection:
        assert connection.h2.remote_settings.enable_connect_protocol == 1


def test_a_websocket_posts_and_hears(server, accounts, bystander):
    with Connection(server) as connection:
        one = Socket(connection, accounts[0])
        one.send(type="post", id="1", conversation="lobby", text="by HTTP/2")
        sequence = one.until(lambda frame: frame["type"] == "reply")["ok"]["sequence"]
        assert bystander.hears("by HTTP/2")["sequence"] == sequence


def test_two_websockets_on_one_connection_and_the_reset_of_one_leaves_the_other(server, accounts):
    with Connection(server) as connection:
        one, two = (Socket(connection, token) for token in accounts)
        one.send(type="post", conversation="lobby", text="over to you")
        two.hears("over to you")
        connection.h2.reset_stream(one.stream, h2.errors.ErrorCodes.CANCEL)
        connection.flush()
        two.send(type="post", conversation="lobby", text="alone now")
        two.hears("alone now")
        assert connection.ask("me", accounts[0]).status == 200, "new requests are taken too"
        assert Socket(connection, accounts[0]).close_code is None


def closed(connection, token, end):
    """A WebSocket that the client closes in order; with `end` its half of the stream ends in the same frame."""
    one = Socket(connection, token)
    one.protocol.send_close(1000)
    one.push(end)
    connection.until(lambda: one.answer.ended or one.answer.reset is not None)
    one.pull()
    return one


def test_a_closed_websocket_ends_its_stream_only(server, accounts):
    with Connection(server) as connection:
        other = Socket(connection, accounts[1])
        one = closed(connection, accounts[0], end=False)
        assert one.close_code == 1000 and one.answer.ended
        other.send(type="post", conversation="lobby", text="that was one")
        other.hears("that was one")


def test_an_orderly_close_is_no_reset(server, accounts):
    with Connection(server) as connection:
        assert closed(connection, accounts[0], end=False).answer.reset in (None, h2.errors.ErrorCodes.NO_ERROR)


def test_a_close_that_ends_the_stream_is_answered_by_a_close(server, accounts):
    with Connection(server) as connection:
        one = closed(connection, accounts[0], end=True)
        assert one.close_code == 1000 and one.answer.ended


REFUSED = {
    "a foreign page": (dict(headers=[("origin", "https://evil.example")]), {403}),
    "another protocol": (dict(protocol="connect-udp"), {400, 404, 405, 501}),
    "another path": (dict(path="/v1/me"), {400, 404, 405}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_extended_connect_is_refused(server, accounts, name):
    how, statuses = REFUSED[name]
    with Connection(server) as connection:
        stream = connect(connection, **how)
        connection.until(lambda: connection.answers[stream].headers)
        assert connection.answers[stream].status in statuses
        assert connection.ask("me", accounts[0]).status == 200


def test_a_body_over_the_limit_is_refused(server, accounts):
    with Connection(server) as connection:
        stream = connection.open("POST", "/v1/post", accounts[0], [("content-length", str(2 << 20))], end=False)
        connection.until(lambda: connection.answers[stream].headers)
        assert connection.answers[stream].status == 413
        assert connection.ask("me", accounts[0]).status == 200


def test_no_more_streams_than_announced(server, accounts):
    with Connection(server) as connection:
        announced = connection.h2.remote_settings.max_concurrent_streams
        streams = [connection.open("GET", "/v1/stream", accounts[0]) for _ in range(announced)]
        connection.until(lambda: all(b'"ready"' in connection.answers[stream].body for stream in streams))
        connection.h2.remote_settings.update({h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: announced + 9})
        connection.h2.remote_settings.acknowledge()
        refused = connection.answers[connection.open("GET", "/v1/stream", accounts[0])]
        connection.until(lambda: refused.reset is not None or connection.goaway is not None)
        code = connection.goaway if refused.reset is None else refused.reset
        assert code in (h2.errors.ErrorCodes.REFUSED_STREAM, h2.errors.ErrorCodes.PROTOCOL_ERROR)


# RFC 9113, 8.1.1: a malformed request is a stream error of type PROTOCOL_ERROR; an answer of status 400 may come before it.
MALFORMED = {
    "a header in capitals": [("X-Capital", "1")],
    "a connection header": [("connection", "keep-alive")],
    "transfer-encoding": [("transfer-encoding", "chunked")],
    "TE that is not trailers": [("te", "gzip")],
    "a pseudo header behind": [("x", "1"), (":path", "/v1/me")],
    "an unknown pseudo header": [(":unknown", "1")],
    "an end of line in a value": [("x", "a\r\nb: c")],
    "more content than none": [("content-length", "7")],
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_request_is_refused(server, accounts, bystander, name):
    with Connection(server) as connection:
        answer = connection.answers[connection.open("GET", "/v1/me", accounts[0], MALFORMED[name])]
        connection.until(lambda: answer.ended or answer.reset is not None or connection.ended)
        refused = h2.errors.ErrorCodes.PROTOCOL_ERROR in (answer.reset, connection.goaway)
        assert refused or answer.status == 400


def test_too_long_a_header_list_is_refused(server, accounts, bystander):
    """The server has announced its limit (SETTINGS_MAX_HEADER_LIST_SIZE)."""
    with Connection(server) as connection:
        most = connection.h2.remote_settings.max_header_list_size
        fields = [(f"x-{number}", "v" * 1000) for number in range(most // 1000 + 1)]
        answer = connection.answers[connection.open("GET", "/v1/me", accounts[0], fields)]
        connection.until(lambda: answer.ended or answer.reset is not None or connection.ended)
        assert not answer.headers or answer.status == 431


def flood(connection, data, times):
    """Sends the same again and again, until the server has had enough."""
    connection.socket.settimeout(10)
    for _ in range(times):
        connection.write(data)
        if connection.ended:
            return


def head(connection, stream, flags=("END_HEADERS", "END_STREAM")):
    fields = [(":method", "GET"), (":scheme", "http"), (":authority", "x"), (":path", "/healthz")]
    return HeadersFrame(stream, connection.h2.encoder.encode(fields), flags=list(flags)).serialize()


def test_a_flood_of_pings_ends_its_connection(server, bystander):
    with Connection(server) as connection:
        flood(connection, PingFrame(0, b"12345678").serialize() * 100, 1000)
        assert connection.until_closed() in (h2.errors.ErrorCodes.ENHANCE_YOUR_CALM, None)


def test_a_flood_of_settings_ends_its_connection(server, bystander):
    with Connection(server) as connection:
        flood(connection, SettingsFrame(0, settings={}).serialize() * 100, 1000)
        assert connection.until_closed() in (h2.errors.ErrorCodes.ENHANCE_YOUR_CALM, None)


def test_rapid_resets_end_their_connection(server, bystander):
    """CVE-2023-44487: requests that are taken back at once."""
    with Connection(server) as connection:
        cancel = b"\0\0\x04\x03\0%b" + b"\0\0\0\x08"
        for stream in range(1, 20_000, 2):
            connection.write(head(connection, stream) + cancel % stream.to_bytes(4, "big"))
            if connection.ended:
                break
        assert connection.until_closed() in (h2.errors.ErrorCodes.ENHANCE_YOUR_CALM, None)
        assert stream < 19_999, "not after all of them"


def test_endless_continuations_end_their_connection(server, bystander):
    """CVE-2024-27316: header blocks without an end."""
    with Connection(server) as connection:
        connection.write(head(connection, 1, flags=[]))
        flood(connection, ContinuationFrame(1, b"\0\x01a\x01b" * 1000).serialize(), 5000)
        connection.until_closed()


VIOLATIONS = {
    "data on stream 0": b"\0\0\x01\0\0\0\0\0\0x",
    "data on a stream that never was": DataFrame(9, b"x").serialize(),
    "a stream of the server's": HeadersFrame(2, b"\x82\x86\x84", flags=["END_HEADERS", "END_STREAM"]).serialize(),
    "a header block that is none": HeadersFrame(1, b"\xff" * 20, flags=["END_HEADERS", "END_STREAM"]).serialize(),
    "a frame over the limit": b"\x00\x40\x01" + b"\0\0\0\0\x01" + b"x" * 0x4001,
    "a ping of 7 bytes": b"\0\0\x07\x06\0\0\0\0\0" + b"x" * 7,
    "a window beyond the largest": b"\0\0\x04\x08\0\0\0\0\0\x7f\xff\xff\xff",
    "another protocol": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_a_violation_ends_its_connection_with_a_reason(server, bystander, name):
    with Connection(server) as connection:
        connection.write(VIOLATIONS[name])
        assert connection.until_closed() not in (None, h2.errors.ErrorCodes.NO_ERROR)


def test_who_gives_no_window_holds_up_nobody(server, accounts, bystander):
    """One stream is never read while a lot is said; a WebSocket on another connection hears all of it."""
    with Connection(server, INITIAL_WINDOW_SIZE=0) as connection:
        stuck = connection.answers[connection.open("GET", "/v1/stream", accounts[0])]
        connection.until(lambda: stuck.headers)
        for number in range(100):
            bystander.send(type="post", conversation="lobby", text=f"{number} " + "x" * 15_000)
            bystander.hears(f"{number} " + "x" * 15_000)
        assert stuck.body == b""


def test_going_down_says_goodbye_on_each_stream():
    with Server(extra="drain:\n  window: 0 s\n") as server, Connection(server) as connection:
        one = Socket(connection, server.guest()[0])
        server.process.send_signal(signal.SIGTERM)
        assert one.until(lambda frame: frame["type"] == "goodbye")["reason"] == "restart"
        connection.until(lambda: one.pull() or one.close_code)
        assert one.close_code == 1012
        assert connection.until_closed() == h2.errors.ErrorCodes.NO_ERROR
        assert server.process.wait(10) == 0
