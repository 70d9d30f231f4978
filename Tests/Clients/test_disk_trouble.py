"""A disk that gets full and fails (Tests/PowerCut/troubledisk.c) below the running server.

While it can't be written, changes are refused and everything else goes on; when there is room again, so do they. After a
sync that failed the server ends: no process that was there can know what is on the disk.
"""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import websockets

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "PowerCut"))
import kill_test
import lossydisk
from deployment import Refused, Server
from load import Load

FAILED_SYNC = 74


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return lossydisk.build(tmp_path_factory.mktemp("troubledisk"), lossydisk.SOURCE.with_name("troubledisk.c"))


class TroubledServer(Server):
    """A server on a disk that does as it is told."""

    def __init__(self, library, directory):
        super().__init__(directory)
        self.control = directory / "control"
        # Below it, and there before the disk is looked at.
        self.data.mkdir(mode=0o700)
        self.environment |= {
            "LD_PRELOAD": str(library), "TROUBLEDISK_DIR": str(self.data), "TROUBLEDISK_CONTROL": str(self.control),
        }

    def disk(self, word):
        fresh = self.control.with_suffix(".new")
        fresh.write_text(word)
        fresh.rename(self.control)

    def say(self, token, ref):
        return self.post("post", token, conversation="lobby", ref=ref, text=f"text of {ref}")

    def restart_on_a_good_disk(self):
        self.stop()
        self.disk("good")
        return self.start()


@pytest.fixture()
def troubled(library, tmp_path):
    one = TroubledServer(library, tmp_path).start()
    yield one
    one.stop()


async def connected(server, token):
    connection = await websockets.connect(server.socket_url, max_size=2**24)
    await connection.send(json.dumps({"type": "hello", "token": token}))
    await until(connection, lambda frame: frame["type"] == "ready")
    return connection


async def until(connection, wanted):
    while True:
        frame = json.loads(await asyncio.wait_for(connection.recv(), 10))
        if wanted(frame):
            return frame


@pytest.mark.parametrize("trouble", ["full", "broken"])
def test_a_disk_that_takes_nothing_refuses_changes_only(troubled, trouble):
    async def run():
        alice, alice_name = troubled.guest()
        bob, _ = troubled.guest()
        ledger = kill_test.Ledger()
        for number in range(20):
            ledger.note(f"before-{number}", troubled.say(alice, f"before-{number}"))
        speaks, hears = await connected(troubled, alice), await connected(troubled, bob)
        process = troubled.process.pid

        troubled.disk(trouble)
        for number in range(5):
            with pytest.raises(Refused) as refused:
                troubled.say(alice, f"later-{number}")
            assert (refused.value.status, refused.value.code) == (503, "unavailable")
        await speaks.send(kill_test.frame("later-5"))
        reply = await until(speaks, lambda frame: frame["type"] == "reply")
        assert reply["error"]["code"] == "unavailable" and reply["error"]["retryAfter"] > 0
        with pytest.raises(Refused) as refused:
            troubled.post("guest")
        assert refused.value.code == "unavailable"

        texts = [event["ref"] for event in troubled.get("history", alice, conversation="lobby", limit=20)["events"]]
        assert texts == [f"before-{number}" for number in range(20)]
        await speaks.send(json.dumps({"type": "typing", "conversation": "lobby", "active": True}))
        heard = await until(hears, lambda frame: frame["type"] in ("typing", "event"))
        assert (heard["type"], heard["account"]) == ("typing", alice_name), "signals need no disk"
        assert httpx.get(troubled.url + "/readyz").status_code == 200, "it takes clients all the while"
        spent = troubled.processor_seconds()
        await asyncio.sleep(1.5)
        assert troubled.processor_seconds() - spent < 0.5, "it waits, and does not spin"

        troubled.disk("good")
        for number in range(6):
            accepted = troubled.say(alice, f"later-{number}")
            assert "repeat" not in accepted, "nothing of it was there before"
            ledger.note(f"later-{number}", accepted)
            again = troubled.say(alice, f"later-{number}")
            assert again["repeat"] is True
            ledger.note(f"later-{number}", again)
        heard = [await until(hears, lambda frame: frame.get("kind") == "message") for _ in range(6)]
        assert [event["ref"] for event in heard] == [f"later-{number}" for number in range(6)]
        assert troubled.process.pid == process and troubled.process.poll() is None
        assert kill_test.check(troubled, alice, ledger)[0] == []
        await speaks.close()
        await hears.close()
        # What is on the disk is what the running server said.
        troubled.restart_on_a_good_disk()
        assert kill_test.check(troubled, alice, ledger)[0] == []

    asyncio.run(run())
    troubled.stop()
    assert kill_test.integrity(troubled) == "ok"


def test_a_disk_that_comes_and_goes_under_load_is_told_from_what_it_took(troubled):
    """Refused is not there, acknowledged is there once; over many short troubles."""

    async def run():
        async with Load(troubled) as load:
            for number in range(24):
                troubled.disk(["full", "good", "broken", "good"][number % 4])
                await asyncio.sleep(0.02 + 0.02 * (number % 5))
        return load

    load = asyncio.run(run())
    assert len(load.ledger.acknowledged) > 100 and len(load.refused) > 100
    assert set(load.refused.values()) == {"unavailable"}
    troubled.kill()
    troubled.start()
    assert load.check() == []
    troubled.stop()
    assert kill_test.integrity(troubled) == "ok"


@pytest.fixture(scope="module")
def unsynced(library, tmp_path_factory):
    """A server under load of which one sync failed; after that the disk says that all is well. Restarted."""
    server = TroubledServer(library, tmp_path_factory.mktemp("unsynced")).start()

    async def run():
        async with Load(server) as load:
            await asyncio.sleep(0.5)
            server.disk("unsynced")
            while not load.refused:
                await asyncio.sleep(0.001)
            server.disk("good")
            load.status = await asyncio.to_thread(server.process.wait, 30)
        return load

    load = asyncio.run(run())
    load.said = server.tail()
    server.start()
    yield load
    server.stop()


def test_a_failed_sync_ends_the_server_and_loses_nothing(unsynced):
    assert unsynced.status == FAILED_SYNC
    assert "can't be trusted to reach the disk" in unsynced.said
    assert set(unsynced.refused.values()) == {"unavailable"}
    # What was under way when the sync failed may be in the log all the same: that is what a `ref` is for.
    wrong, _ = kill_test.check(unsynced.server, unsynced.tokens[0], unsynced.ledger)
    assert wrong == []


def test_who_saw_a_sync_fail_acknowledges_nothing_more(unsynced):
    assert not unsynced.late & unsynced.ledger.acknowledged.keys()


def test_a_failed_sync_of_an_account_ends_the_server_too(troubled):
    troubled.disk("unsynced")
    with pytest.raises(Refused) as refused:
        troubled.post("guest")
    assert refused.value.code == "unavailable"
    troubled.disk("good")
    try:
        assert troubled.process.wait(3) == FAILED_SYNC
    except subprocess.TimeoutExpired:
        pytest.fail("it goes on")


def refusal_to_start(server):
    with pytest.raises(RuntimeError):
        server.start()
    return server.process.returncode, server.tail(1)


def test_a_start_on_a_disk_that_can_not_sync_is_refused_in_one_line(troubled):
    troubled.stop()
    troubled.disk("unsynced")
    _, line = refusal_to_start(troubled)
    assert line.startswith("switchboard: ")


def test_a_start_on_a_bad_disk_ends_with_the_code_of_the_disk(troubled):
    troubled.stop()
    troubled.disk("unsynced")
    code, line = refusal_to_start(troubled)
    assert code == 74, line
