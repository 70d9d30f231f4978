"""Bad input from raw connections against the real program: a clear answer or a close, and nobody else notices."""

import asyncio
import json
import os
import socket
import struct

import httpx
import pytest
import websockets
import websockets.exceptions


def raw(server, data, wait=5, limit=1 << 16):
    """Sends bytes and gives what comes until the server closes or falls silent."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=wait) as connection:
        try:
            connection.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        received = b""
        try:
            while len(received) < limit:
                part = connection.recv(4096)
                if not part:
                    break
                received += part
        except (socket.timeout, ConnectionResetError):
            pass
        return received


def upgraded(server):
    """A socket after the WebSocket handshake, for frames of one's own making."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=5)
    connection.sendall(
        b"GET /v1/socket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(1)
    assert head.startswith(b"HTTP/1.1 101"), head
    return connection


def close_code(connection):
    """The code of the close frame; None if the connection just ended."""
    data = b""
    try:
        while True:
            part = connection.recv(4096)
            if not part:
                break
            data += part
    except (socket.timeout, ConnectionResetError):
        pass
    at = data.find(b"\x88")
    return struct.unpack("!H", data[at + 2 : at + 4])[0] if at >= 0 and len(data) >= at + 4 else None


def masked(opcode, payload, fin=True):
    key = b"\x01\x02\x03\x04"
    body = bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack("!H", len(payload))
    return bytes([(0x80 if fin else 0) | opcode]) + length + key + body


FRAMES = {
    "unmasked": (b"\x81\x02hi", 1002),
    "a length with the top bit": (b"\x82\xff" + b"\xff" * 8 + b"\0\0\0\0", 1002),
    "a gigabyte": (b"\x82\xff" + struct.pack("!Q", 1 << 30) + b"\0\0\0\0", 1009),
    "bad UTF-8": (masked(1, b"\xff\xfe"), 1007),
    "a reserved opcode": (masked(3, b""), 1002),
    "reserved bits": (b"\xf1" + masked(1, b"x")[1:], 1002),
    "a continuation of nothing": (masked(0, b"x"), 1002),
    "a long ping": (masked(9, b"x" * 126), 1002),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_broken_frame_gets_its_close_code(server, name):
    frame, code = FRAMES[name]
    with upgraded(server) as connection:
        connection.sendall(frame)
        assert close_code(connection) == code


HEADS = {
    "100,000 headers": b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"a%d: b\r\n" % n for n in range(100_000)) + b"\r\n",
    "a megabyte of garbage": bytes(range(256)) * 4096,
    "length twice": b"POST /v1/guest HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}}",
    "length and chunks": b"POST /v1/guest HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "another protocol": b"NICK mallory\r\nUSER a 0 * :b\r\n",
}


@pytest.mark.parametrize("name", HEADS)
def test_a_broken_request_is_refused(server, name):
    answer = raw(server, HEADS[name])
    assert answer == b"" or answer.split(b" ", 2)[1][:1] == b"4", answer[:200]
    assert b"mallory" not in answer, "nothing is echoed"
    assert httpx.get(server.url + "/healthz").status_code == 200


BODIES = [
    ("half an object", b'{"conversation":"lobby","te'),
    ("a field twice", b'{"conversation":"lobby","text":"a","text":"b"}'),
    ("a wrong type", b'{"conversation":"lobby","text":7}'),
    ("depth", b'{"conversation":"lobby","text":' + b"[" * 10_000 + b"]" * 10_000 + b"}"),
    ("no UTF-8", b'{"conversation":"lobby","text":"\xff"}'),
    ("a lone surrogate", b'{"conversation":"lobby","text":"\\ud800"}'),
    ("something behind", b'{"conversation":"lobby","text":"a"} x'),
    ("an array", b"[]"),
    ("nothing", b""),
]


@pytest.mark.parametrize("name,body", BODIES, ids=[name for name, _ in BODIES])
def test_a_broken_body_is_a_clear_error(server, name, body):
    token, _ = server.guest()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    answer = httpx.post(server.url + "/v1/post", content=body, headers=headers)
    assert 400 <= answer.status_code < 500, answer.text
    error = answer.json()["error"]
    assert error["code"] and error["message"]


def test_a_body_that_is_too_large_is_refused(server):
    token, _ = server.guest()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    text = json.dumps({"conversation": "lobby", "text": "x" * 70_000})
    assert httpx.post(server.url + "/v1/post", content=text, headers=headers).status_code in (400, 413)


def test_a_foreign_page_gets_no_socket(server):
    async def connect(origin):
        async with websockets.connect(server.socket_url, origin=origin):
            pass

    for origin in ("https://evil.example", "null"):
        with pytest.raises(websockets.exceptions.InvalidStatus) as refused:
            asyncio.run(connect(origin))
        assert refused.value.response.status_code == 403
    asyncio.run(connect(f"http://127.0.0.1:{server.port}"))


def test_a_token_that_is_no_token_opens_nothing(server):
    for token in ("x", "sbd_" + "A" * 50, "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb290In0."):
        answer = httpx.get(server.url + "/v1/conversations", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401
        assert token not in answer.text
    assert "sbd_" + "A" * 50 not in server.log.read_text()


async def drain(connection):
    async for _ in connection:
        pass


def test_a_slow_reader_is_cut_and_others_go_on(server):
    """One client never reads while a lot is said; another hears all of it."""

    async def run():
        speaker, _ = server.guest()
        slow, _ = server.guest()
        listener, _ = server.guest()
        stuck = upgraded(server)
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.sendall(masked(1, json.dumps({"type": "hello", "token": slow}).encode()))
        async with websockets.connect(server.socket_url, max_size=2**24) as hears:
            await hears.send(json.dumps({"type": "hello", "token": listener}))
            async with websockets.connect(server.socket_url, max_size=2**24) as says:
                await says.send(json.dumps({"type": "hello", "token": speaker}))
                while json.loads(await asyncio.wait_for(says.recv(), 10))["type"] != "ready":
                    pass
                # Who speaks hears themselves too, and must read.
                reading = asyncio.create_task(drain(says))
                count, text = 400, "x" * 30_000
                for number in range(count):
                    await says.send(
                        json.dumps({"type": "post", "id": str(number), "conversation": "lobby", "text": text})
                    )
                heard = 0
                while heard < count:
                    frame = json.loads(await asyncio.wait_for(hears.recv(), 30))
                    heard += frame.get("kind") == "message"
                reading.cancel()
        stuck.close()

    asyncio.run(run())
    assert httpx.get(server.url + "/healthz").status_code == 200
    figures = httpx.get(server.url + "/metrics").text
    assert os.path.exists(server.log) and "switchboard_ready 1" in figures
