"""A load on one server whose senders remember what they were told."""

import asyncio
import json

import kill_test
import power_cut_test
import websockets


class Load:
    """Five senders who post with a window of 20, each ref once, until told to stop or the connection ends."""

    def __init__(self, server):
        self.server = server
        self.tokens = [server.guest()[0] for _ in range(5)]
        self.ledger = kill_test.Ledger()
        self.refused = {}
        # Sent when somebody had been refused already.
        self.late = set()

    async def __aenter__(self):
        self.over = asyncio.Event()
        self.tasks = [asyncio.create_task(self.send(token, f"s{n}")) for n, token in enumerate(self.tokens)]
        return self

    async def __aexit__(self, *_):
        self.over.set()
        await asyncio.gather(*self.tasks)

    async def send(self, token, name):
        outstanding, number = 0, 0
        try:
            # Without a limit: what the others say is not read to its end.
            async with websockets.connect(self.server.socket_url, max_size=2**24, max_queue=None) as connection:
                await connection.send(json.dumps({"type": "hello", "token": token}))
                while outstanding or not self.over.is_set():
                    while outstanding < 20 and not self.over.is_set():
                        ref = f"{name}-{number}"
                        if self.refused:
                            self.late.add(ref)
                        await connection.send(kill_test.frame(ref))
                        number += 1
                        outstanding += 1
                    answer = json.loads(await asyncio.wait_for(connection.recv(), 10))
                    if answer["type"] == "reply":
                        outstanding -= 1
                        if "ok" in answer:
                            self.ledger.note(answer["id"], answer["ok"])
                        else:
                            self.refused[answer["id"]] = answer["error"]["code"]
                            await asyncio.sleep(0.01)
        except (ConnectionError, websockets.ConnectionClosed):
            pass

    def check(self):
        """What the whole history shows, against what the senders were told."""
        wrong, _ = kill_test.check(self.server, self.tokens[0], self.ledger)
        there = power_cut_test.history(self.server, self.tokens[0])
        return wrong + [f"{ref} was refused and is there" for ref in self.refused if ref in there]
