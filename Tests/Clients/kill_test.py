"""kill -9 at random moments under load, with a ledger of what was acknowledged.

Each round: senders post over WebSockets as fast as they are answered; the server is killed; it is started again; what is
unknown is sent again under the same ref. At the end the whole history is read and compared with the ledger:

I1  every acknowledged post is in the history, under the sequence and id that were acknowledged
I2  no ref is there twice
I3  the sequences have no hole
I6  a post whose fate was unknown has, after the retry, one event, and the retry named it
"""

import argparse
import asyncio
import json
import random
import sqlite3
import sys
import time

import websockets

from deployment import Server


class Ledger:
    def __init__(self):
        self.acknowledged = {}
        self.wrong = []

    def note(self, ref, ok):
        known = self.acknowledged.get(ref)
        if known and known != (ok["id"], ok["sequence"]):
            self.wrong.append(f"{ref} was acknowledged as {known}, then as {ok['id'], ok['sequence']}")
        self.acknowledged[ref] = (ok["id"], ok["sequence"])


async def sender(server, token, name, ledger, unknown, stop):
    """Posts with a window of 40; what is not answered when the connection goes stays in `unknown`."""
    number = 0
    while not stop.is_set():
        try:
            async with websockets.connect(server.socket_url, max_size=2**24, open_timeout=5) as connection:
                await connection.send(json.dumps({"type": "hello", "token": token}))
                for ref in sorted(unknown):
                    await connection.send(frame(ref))
                while not stop.is_set():
                    while len(unknown) < 40:
                        ref = f"{name}-{number}"
                        number += 1
                        unknown.add(ref)
                        await connection.send(frame(ref))
                    answer = json.loads(await asyncio.wait_for(connection.recv(), 10))
                    if answer["type"] == "reply":
                        if "ok" in answer:
                            ledger.note(answer["id"], answer["ok"])
                        unknown.discard(answer["id"])
        except (OSError, websockets.WebSocketException, asyncio.TimeoutError):
            await asyncio.sleep(0.05)


def frame(ref):
    return json.dumps({"type": "post", "id": ref, "ref": ref, "conversation": "lobby", "text": f"text of {ref}"})


async def settle(server, token, ledger, unknown):
    """Sends what is unknown once more and waits for all answers."""
    async with websockets.connect(server.socket_url, max_size=2**24) as connection:
        await connection.send(json.dumps({"type": "hello", "token": token}))
        for ref in sorted(unknown):
            await connection.send(frame(ref))
        while unknown:
            answer = json.loads(await asyncio.wait_for(connection.recv(), 20))
            if answer["type"] == "reply" and answer["id"] in unknown:
                if "ok" not in answer:
                    ledger.wrong.append(f"the retry of {answer['id']} was refused: {answer['error']}")
                else:
                    ledger.note(answer["id"], answer["ok"])
                unknown.discard(answer["id"])


async def one_round(server, senders, ledger, seconds):
    stop = asyncio.Event()
    tasks = [
        asyncio.create_task(sender(server, token, f"{name}-{time.monotonic_ns()}", ledger, unknown, stop))
        for name, token, unknown in senders
    ]
    await asyncio.sleep(seconds)
    server.kill()
    stop.set()
    await asyncio.gather(*tasks)
    await asyncio.to_thread(server.start)
    for _, token, unknown in senders:
        await settle(server, token, ledger, unknown)


def check(server, token, ledger):
    """The violations that the whole history shows."""
    wrong = list(ledger.wrong)
    events, after = [], 0
    while True:
        page = server.get("history", token, conversation="lobby", after=after, limit=1000)
        events += page["events"]
        if not page["events"] or not page["more"]:
            break
        after = page["events"][-1]["sequence"]
    sequences = [event["sequence"] for event in events]
    if sequences != list(range(sequences[0], sequences[0] + len(sequences))):
        wrong.append("the sequences have holes or repeats")
    refs = {}
    for event in events:
        if event["kind"] == "message":
            if event["ref"] in refs:
                wrong.append(f"{event['ref']} is there twice")
            refs[event["ref"]] = (event["id"], event["sequence"])
            if event["body"]["text"] != f"text of {event['ref']}":
                wrong.append(f"{event['ref']} says something else")
    for ref, place in ledger.acknowledged.items():
        if ref not in refs:
            wrong.append(f"{ref} was acknowledged and is lost")
        elif refs[ref] != place:
            wrong.append(f"{ref} was acknowledged as {place} and is {refs[ref]}")
    return wrong, len(refs)


def integrity(server):
    with sqlite3.connect(f"file:{server.data}/switchboard.sqlite?mode=ro", uri=True) as database:
        return database.execute("PRAGMA integrity_check").fetchone()[0]


def run(rounds, seed, senders=25):
    random.seed(seed)
    ledger = Ledger()
    server = Server().start()
    try:
        accounts = [(f"s{index}", server.guest()[0], set()) for index in range(senders)]
        started, posted = time.monotonic(), 0
        for number in range(1, rounds + 1):
            seconds = random.uniform(0.2, 3)
            before = len(ledger.acknowledged)
            asyncio.run(one_round(server, accounts, ledger, seconds))
            acknowledged = len(ledger.acknowledged) - before
            posted += seconds
            print(f"round {number}/{rounds}: {acknowledged:6} acknowledged in {seconds:.1f} s", flush=True)
        wrong, found = check(server, accounts[0][1], ledger)
    finally:
        server.stop()
    verdict = integrity(server)
    if verdict != "ok":
        wrong.append(f"integrity_check: {verdict}")
    rate = len(ledger.acknowledged) / posted
    print(
        f"{rounds} kills, {len(ledger.acknowledged)} acknowledged ({rate:.0f}/s), {found} in the history, "
        f"integrity {verdict}, {len(wrong)} violations, seed {seed}, {time.monotonic() - started:.0f} s"
    )
    for line in wrong[:20]:
        print("  " + line)
    return wrong


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    arguments = parser.parse_args()
    sys.exit(1 if run(arguments.rounds, arguments.seed) else 0)
