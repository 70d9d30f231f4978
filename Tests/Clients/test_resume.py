"""Two third-party clients (websockets, httpx) talk; one misses 10,000 messages and resumes by cursor: all there, once, in
order; over WebSocket, Server-Sent Events and long-poll, with a switch between them in the middle."""

import asyncio
import json

import httpx
import pytest
import websockets

MISSED = 10_000


async def hello(server, token, cursor=None):
    connection = await websockets.connect(server.socket_url, max_size=2**24)
    frame = {"type": "hello", "token": token}
    if cursor:
        frame["cursor"] = cursor
    await connection.send(json.dumps(frame))
    return connection


async def until_ready(connection):
    frames = []
    while True:
        frame = json.loads(await asyncio.wait_for(connection.recv(), 60))
        if frame["type"] == "ready":
            return frames, frame["cursor"]
        frames.append(frame)


async def post_many(server, token, count, prefix):
    """Posts over one WebSocket, a window at a time; gives the sequences in order."""
    connection = await hello(server, token)
    await until_ready(connection)
    accepted = {}
    sent = 0
    while len(accepted) < count:
        while sent < count and sent - len(accepted) < 200:
            await connection.send(
                json.dumps(
                    {
                        "type": "post", "id": str(sent), "ref": f"{prefix}-{sent}", "conversation": "lobby",
                        "text": f"{prefix} {sent}",
                    }
                )
            )
            sent += 1
        frame = json.loads(await asyncio.wait_for(connection.recv(), 60))
        if frame["type"] == "reply":
            assert "ok" in frame, frame
            accepted[int(frame["id"])] = frame["ok"]["sequence"]
    await connection.close()
    return [accepted[index] for index in range(count)]


def messages(frames):
    return [frame for frame in frames if frame.get("kind") == "message"]


async def read_socket(server, token, cursor, wanted):
    connection = await hello(server, token, cursor)
    found = []
    while len(found) < wanted:
        frame = json.loads(await asyncio.wait_for(connection.recv(), 60))
        if frame.get("kind") == "message":
            found.append(frame)
    await connection.close()
    return found


async def read_stream(server, token, cursor, wanted):
    found = []
    headers = {"Authorization": f"Bearer {token}", "Last-Event-ID": cursor}
    async with httpx.AsyncClient(timeout=60) as client:
        async with client.stream("GET", f"{server.url}/v1/stream", headers=headers) as answer:
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/event-stream")
            async for line in answer.aiter_lines():
                if line.startswith("data:"):
                    frame = json.loads(line[5:])
                    if frame.get("kind") == "message":
                        found.append(frame)
                        if len(found) >= wanted:
                            return found
    return found


async def read_poll(server, token, cursor, wanted):
    found = []
    async with httpx.AsyncClient(timeout=60, headers={"Authorization": f"Bearer {token}"}) as client:
        while len(found) < wanted:
            answer = await client.get(f"{server.url}/v1/sync", params={"since": cursor, "wait": 5, "limit": 700})
            assert answer.status_code == 200, answer.text
            page = answer.json()
            found += messages(page["frames"])
            cursor = page["next"]
    return found


WAYS = {"socket": read_socket, "stream": read_stream, "poll": read_poll}


def check(found, sequences, prefix):
    assert [frame["body"]["text"] for frame in found] == [f"{prefix} {index}" for index in range(len(sequences))]
    assert [frame["sequence"] for frame in found] == sequences


async def missed(server, prefix):
    """Bob goes away; Alice says a lot; what is Bob's cursor?"""
    alice, _ = server.guest()
    bob, _ = server.guest()
    connection = await hello(server, bob)
    _, cursor = await until_ready(connection)
    await connection.close()
    sequences = await post_many(server, alice, MISSED, prefix)
    assert sequences == list(range(sequences[0], sequences[0] + MISSED)), "no hole"
    return bob, cursor, sequences


@pytest.mark.parametrize("way", WAYS)
def test_everything_missed_comes_once_and_in_order(server, way):
    async def run():
        bob, cursor, sequences = await missed(server, way)
        check(await WAYS[way](server, bob, cursor, MISSED), sequences, way)

    asyncio.run(run())


def test_the_way_can_change_in_the_middle(server):
    async def run():
        bob, cursor, sequences = await missed(server, "mixed")
        found = []
        for turn in range(9):
            way = list(WAYS.values())[turn % 3]
            part = await way(server, bob, cursor, min(1_234, MISSED - len(found)))
            # A stream may have sent more than was asked for: only what was taken counts as seen.
            part = part[: MISSED - len(found)]
            found += part
            cursor = found[-1]["cursor"]
            if len(found) >= MISSED:
                break
        check(found, sequences, "mixed")

    asyncio.run(run())


def test_two_programs_talk_and_a_repeat_is_one_event(server):
    async def run():
        alice, alice_name = server.guest()
        bob, _ = server.guest()
        connection = await hello(server, bob)
        await until_ready(connection)
        first = server.post("post", alice, conversation="lobby", text="Hello, Bob", ref="once")
        again = server.post("post", alice, conversation="lobby", text="Hello, Bob", ref="once")
        assert again["id"] == first["id"] and again["repeat"] is True
        server.post("post", alice, conversation="lobby", text="and that is all")
        texts = []
        while "and that is all" not in texts:
            frame = json.loads(await asyncio.wait_for(connection.recv(), 10))
            if frame.get("kind") == "message":
                assert frame["author"] == alice_name
                texts.append(frame["body"]["text"])
        assert texts == ["Hello, Bob", "and that is all"]
        await connection.close()

    asyncio.run(run())


def test_kill_nine_loses_nothing_that_was_acknowledged(fresh):
    async def run():
        alice, _ = fresh.guest()
        bob, _ = fresh.guest()
        connection = await hello(fresh, bob)
        _, cursor = await until_ready(connection)
        await connection.close()
        await post_many(fresh, alice, 500, "before")
        fresh.kill()
        fresh.start()
        await post_many(fresh, alice, 500, "after")
        found = await read_socket(fresh, bob, cursor, 1_000)
        assert [frame["body"]["text"] for frame in found] == [
            f"{prefix} {index}" for prefix in ("before", "after") for index in range(500)
        ]

    asyncio.run(run())
