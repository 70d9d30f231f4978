"""Power cuts under load: a disk that forgets what was not synced (Tests/PowerCut/lossydisk.c) below the real server.

Each round the server runs on the lossy disk while a client posts; at a random moment the power goes; the directory is
then opened again without the lossy disk, and the history is compared with what was acknowledged. With synchronous=FULL
nothing acknowledged may be lost. The control, with synchronous=OFF, must lose something within the same rounds: a test
that can't fail shows nothing.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
from pathlib import Path

import websockets

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "PowerCut"))
import lossydisk
from deployment import Server


async def load(server, token, name, acknowledged, seconds):
    """Posts until the connection dies; notes what was acknowledged."""
    try:
        async with websockets.connect(server.socket_url, max_size=2**24) as connection:
            await connection.send(json.dumps({"type": "hello", "token": token}))
            outstanding, number = 0, 0
            asyncio.get_running_loop().call_later(seconds, cut, server)
            while True:
                while outstanding < 60:
                    number += 1
                    outstanding += 1
                    ref = f"{name}-{number}"
                    await connection.send(
                        json.dumps({"type": "post", "id": ref, "ref": ref, "conversation": "lobby", "text": ref})
                    )
                answer = json.loads(await asyncio.wait_for(connection.recv(), 10))
                if answer["type"] == "reply":
                    outstanding -= 1
                    if "ok" in answer:
                        acknowledged[answer["id"]] = answer["ok"]["sequence"]
    except (OSError, websockets.WebSocketException, asyncio.TimeoutError):
        pass


def cut(server):
    os.kill(server.process.pid, signal.SIGUSR2)


def history(server, token):
    refs, after = {}, 0
    while True:
        page = server.get("history", token, conversation="lobby", after=after, limit=1000)
        for event in page["events"]:
            if event["kind"] == "message":
                refs[event["ref"]] = event["sequence"]
            after = event["sequence"]
        if not page["events"] or not page["more"]:
            return refs


def one_round(library, seed, synchronous):
    """What was acknowledged and is gone, or a damage that keeps the server from starting."""
    source = random.Random(seed)
    directory = tempfile.mkdtemp(prefix="switchboard-power-")
    server = Server(directory, data=f"  synchronous: {synchronous}\n")
    server.start()
    token, _ = server.guest()
    server.stop()
    environment = {
        "LD_PRELOAD": str(library), "LOSSYDISK_DIR": str(server.data), "LOSSYDISK_SEED": str(seed),
        "LOSSYDISK_CUT_SYNC": "0",
    }
    server.environment |= environment
    server.start()
    acknowledged = {}
    asyncio.run(load(server, token, f"r{seed}", acknowledged, source.uniform(0.3, 2)))
    status = server.process.wait(60)
    if status != lossydisk.CUT:
        return [f"the server ended with {status} instead of the power cut"], len(acknowledged)
    for name in environment:
        del server.environment[name]
    try:
        server.start()
    except RuntimeError as error:
        return [f"does not start again: {error}"], len(acknowledged)
    try:
        found = history(server, token)
    finally:
        server.stop()
    lost = [ref for ref, sequence in acknowledged.items() if found.get(ref) != sequence]
    return [f"{ref} was acknowledged and is lost" for ref in lost], len(acknowledged)


def run(rounds, first_seed=1, control=True):
    library = lossydisk.build(tempfile.mkdtemp(prefix="switchboard-lossydisk-"))
    wrong = []
    for seed in range(first_seed, first_seed + rounds):
        lost, acknowledged = one_round(library, seed, "full")
        wrong += lost
        print(f"full: seed {seed}: {acknowledged} acknowledged, {len(lost)} violations", flush=True)
        for line in lost[:3]:
            print("  " + line)
    if control:
        for seed in range(first_seed, first_seed + rounds):
            lost, acknowledged = one_round(library, seed, "off")
            print(f"off (control): seed {seed}: {acknowledged} acknowledged, {len(lost)} lost", flush=True)
            if lost:
                break
        else:
            wrong.append("the control with synchronous=off lost nothing: this test can't fail")
    return wrong


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    problems = run(arguments.rounds, arguments.seed)
    print(f"{arguments.rounds} power cuts, {len(problems)} violations")
    sys.exit(1 if problems else 0)
