"""Backup and restore by the commands of docs/operations/backup.md, with `kill -9` and power cuts in the middle of both."""

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
import websockets

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "PowerCut"))
import lossydisk
import power_cut_test
from deployment import BINARY, Refused, Server
from load import Load

DAMAGED = 65


def verify(path):
    return subprocess.run([BINARY, "restore", "--verify", str(path)], capture_output=True, text=True, timeout=60)


def is_half(path):
    """Whether something is there that is no good backup."""
    return path.exists() and verify(path).returncode != 0


def settled(path, seconds=20):
    """Waits until nobody writes a backup any more."""
    deadline = time.monotonic() + seconds
    while Path(f"{path}.new").exists() or path.exists() != Path(f"{path}.json").exists():
        assert time.monotonic() < deadline, "it does not end"
        time.sleep(0.02)


class Past:
    """A server's directory as a `kill -9` left it, and a backup that was made halfway."""

    def __init__(self, directory):
        self.backup = directory / "backup.sqlite"
        server = Server(directory).start()
        self.token, _ = server.guest()
        self.backed = self.say(server, "backed")
        made = server.command("backup", str(self.backup))
        assert made.returncode == 0, made.stderr
        self.all = self.backed + self.say(server, "later")
        self.cursor = server.get("sync", self.token)["next"]
        server.kill()
        self.data = server.data

    def say(self, server, name):
        """So much that copying takes its time."""
        refs = [f"{name}-{number}" for number in range(60)]
        for ref in refs:
            server.post("post", self.token, conversation="lobby", ref=ref, text=ref + "x" * 60_000)
        return refs

    def directory(self, where):
        """A server of its own on a copy of it."""
        where.mkdir(exist_ok=True)
        server = Server(where)
        shutil.copytree(self.data, server.data, ignore=lambda _, names: [name for name in names if ".sock" in name])
        return server

    def check(self, server):
        """What a directory has become: «old», «new», or the one line with which a start refused it."""
        try:
            server.start()
        except RuntimeError:
            return server.tail(1)
        try:
            there = list(power_cut_test.history(server, self.token))
            says = server.get("sync", self.token, since=self.cursor)
        finally:
            server.stop()
        assert there in (self.all, self.backed), "neither old nor new"
        is_old = there == self.all
        # Who knows the old log is told, if it is gone.
        assert says.get("resync", False) != is_old
        return "old" if is_old else "new"


@pytest.fixture(scope="module")
def past(tmp_path_factory):
    return Past(tmp_path_factory.mktemp("past"))


@pytest.fixture()
def over(past, tmp_path):
    """A server that is down, on a directory with a past."""
    one = past.directory(tmp_path)
    yield one
    one.stop()


# Backup.


def test_backups_under_load_are_sound_and_hold_what_was_acknowledged_before(fresh):
    async def run():
        backups = []
        async with Load(fresh) as load:
            for number in range(3):
                await asyncio.sleep(0.3)
                before = dict(load.ledger.acknowledged)
                path = fresh.directory / f"{number}.sqlite"
                made = await asyncio.to_thread(fresh.command, "backup", str(path))
                assert made.returncode == 0, made.stderr
                backups.append((path, before))
        return load, backups

    load, backups = asyncio.run(run())
    assert load.check() == []
    for path, before in backups:
        assert verify(path).returncode == 0
        restored = Server()
        assert restored.command("restore", str(path)).returncode == 0
        with restored:
            there = power_cut_test.history(restored, load.tokens[0])
        assert len(before) > 50
        assert {ref: there.get(ref) for ref in before} == {ref: place[1] for ref, place in before.items()}
        messages = {ref: place[1] for ref, place in load.ledger.acknowledged.items()}
        last = max(there.values())
        prefix = {ref for ref, sequence in messages.items() if sequence <= last}
        assert prefix == there.keys() & messages.keys()
        assert json.loads(Path(f"{path}.json").read_text())["position"] >= last


def test_a_killed_backup_command_leaves_no_half_backup(over):
    over.start()
    for number in range(8):
        path = over.directory / f"{number}.sqlite"
        process = subprocess.Popen(over.words("backup", str(path)), stderr=subprocess.DEVNULL)
        time.sleep(0.02 + number * 0.015)
        process.kill()
        process.wait()
        assert not is_half(path)
        settled(path)
        assert not is_half(path)
        path = over.directory / f"{number}-again.sqlite"
        assert over.command("backup", str(path)).returncode == 0 and verify(path).returncode == 0


def test_two_backups_to_one_file_do_not_spoil_each_other(over):
    """As when a killed command is repeated at once: the server still works for the first."""
    over.start()
    for number in range(15):
        path = over.directory / f"{number}.sqlite"
        commands = [
            subprocess.Popen(over.words("backup", str(path)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for _ in range(4)
        ]
        assert 0 in [command.wait(30) for command in commands], "one of them works"
        assert verify(path).returncode == 0


def test_a_server_killed_during_a_backup_leaves_no_half_backup(over):
    for number in range(5):
        over.start()
        path = over.directory / f"{number}.sqlite"
        process = subprocess.Popen(over.words("backup", str(path)), stderr=subprocess.DEVNULL)
        time.sleep(0.03 + number * 0.02)
        over.kill()
        code = process.wait(20)
        assert not is_half(path)
        assert path.exists() or code != 0, "who is told that it worked has it"
        over.start()
        if not path.exists():
            assert over.command("backup", str(path)).returncode == 0
        assert verify(path).returncode == 0
        over.kill()


# Restore.


def resumed(server, token, cursor):
    """The frames that a client with a cursor gets until it is ready."""

    async def run():
        frames = []
        async with websockets.connect(server.socket_url, max_size=2**24) as connection:
            await connection.send(json.dumps({"type": "hello", "token": token, "cursor": cursor}))
            while not frames or frames[-1]["type"] != "ready":
                frames.append(json.loads(await asyncio.wait_for(connection.recv(), 10)))
        return frames

    return asyncio.run(run())


@pytest.mark.parametrize("place", ["new", "old"])
def test_after_a_restore_clients_hear_of_it_and_get_everything(past, tmp_path, place):
    server = past.directory(tmp_path) if place == "old" else Server(tmp_path)
    restored = server.command("restore", str(past.backup))
    assert restored.returncode == 0, restored.stderr
    with server:
        assert "resync" in [frame["type"] for frame in resumed(server, past.token, past.cursor)]
        answer = server.get("sync", past.token, since=past.cursor)
        assert answer["resync"] is True and answer["next"] != past.cursor
        assert [one["id"] for one in server.get("conversations", past.token)["conversations"]] == ["~1"]
        there = power_cut_test.history(server, past.token)
        assert list(there) == past.backed
        cursor = server.get("sync", past.token)["next"]
        # A new post gets a sequence that the lost ones had; who knew those was told.
        said = server.post("post", past.token, conversation="lobby", ref="later-0", text="said anew")
        assert "repeat" not in said
        frames = resumed(server, past.token, cursor)
        assert "resync" not in [frame["type"] for frame in frames], "the new cursor is good"
        assert [frame["ref"] for frame in frames if frame["type"] == "event"] == ["later-0"]
    kept = list((server.data / "backups").glob("replaced-*/switchboard.sqlite"))
    assert len(kept) == (place == "old")
    assert not is_half(past.backup), "the backup stays as it was"


def test_a_restore_voids_one_time_links(fresh):
    secret = fresh.post("invite-link", fresh.administrator())["secret"]
    backup = str(fresh.directory / "backup.sqlite")
    assert fresh.command("backup", backup).returncode == 0
    assert fresh.command("restore", backup).returncode == 75, "not below a running server"
    fresh.stop()
    assert fresh.command("restore", backup).returncode == 0
    fresh.start()
    with pytest.raises(Refused, match="not-found"):
        fresh.post("redeem", secret=secret, handle="late", password="correct horse battery", device="test")


def truncated(path):
    os.truncate(path, path.stat().st_size // 2)


def hollow(path):
    with open(path, "r+b") as file:
        file.seek(path.stat().st_size // 4096 // 2 * 4096)
        file.write(bytes(4096))


def no_database(path):
    path.write_bytes(b"not a database, whatever its name says " * 1_000)


def empty(path):
    path.write_bytes(b"")


def with_a_hole(path):
    with sqlite3.connect(path) as database:
        database.execute("DELETE FROM events WHERE sequence = 30")


def of_something_else(path):
    path.unlink()
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE accounts (id INTEGER)")


def with_a_foreign_description(path):
    description = Path(f"{path}.json")
    description.write_text(json.dumps(json.loads(description.read_text()) | {"position": 1}))


def with_half_a_description(path):
    os.truncate(f"{path}.json", 20)


@pytest.mark.parametrize(
    "damage",
    [
        truncated, hollow, no_database, empty, with_a_hole, of_something_else, with_a_foreign_description,
        with_half_a_description,
    ],
)
def test_a_damaged_backup_is_refused_and_changes_nothing(past, over, damage):
    path = over.directory / "damaged.sqlite"
    shutil.copy(past.backup, path)
    shutil.copy(f"{past.backup}.json", f"{path}.json")
    damage(path)
    for words in (["restore", "--verify", str(path)], ["restore", str(path)]):
        refused = over.command(*words)
        assert refused.returncode == DAMAGED, refused.stdout + refused.stderr
        assert refused.stderr.startswith("switchboard: ")
    assert not (over.data / "backups").exists()
    assert past.check(over) == "old"


REFUSALS = ("is missing, but there was one", "is an older copy", "belongs to another data directory")


def check_and_mend(past, server):
    """The directory after a restore that was cut off: old, new, or refused and mended by another restore."""
    found = past.check(server)
    if found in ("old", "new"):
        return found
    assert any(reason in found for reason in REFUSALS), found
    repeated = server.command("restore", str(past.backup))
    assert repeated.returncode == 0, repeated.stderr
    assert past.check(server) == "new"
    return "refused"




# Not strict: the moment is short, and random kills may miss it.
def test_a_killed_restore_leaves_the_old_or_the_new_log(past, tmp_path):
    began = time.monotonic()
    assert past.directory(tmp_path / "whole").command("restore", str(past.backup)).returncode == 0
    whole = time.monotonic() - began
    found = []
    for tenths in (2, 5, 6, 7, 8, 9, 10, 20):
        server = past.directory(tmp_path / str(tenths))
        process = subprocess.Popen(
            server.words("restore", str(past.backup)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(whole * tenths / 10)
        process.kill()
        process.wait()
        found.append(check_and_mend(past, server))
    assert (found[0], found[-1]) == ("old", "new")


def cut_restore(library, past, server, sync, seed):
    """A restore that ends by a power cut at its n-th sync; whether it did."""
    environment = {
        "LD_PRELOAD": str(library), "LOSSYDISK_DIR": str(server.data), "LOSSYDISK_SEED": str(seed),
        "LOSSYDISK_CUT_SYNC": str(sync),
    }
    return server.command("restore", str(past.backup), env=os.environ | environment).returncode == lossydisk.CUT


def test_a_power_cut_at_any_sync_of_a_restore_leaves_the_old_or_the_new_log(past, tmp_path):
    library = lossydisk.build(tmp_path)
    found = []
    for sync in range(1, 100):
        server = past.directory(tmp_path / str(sync))
        if not cut_restore(library, past, server, sync, seed=1):
            break
        found.append(check_and_mend(past, server))
    assert {"old", "refused", "new"} <= set(found)


def test_a_restore_into_a_new_directory_that_was_cut_off_is_no_empty_server(past, tmp_path):
    library = lossydisk.build(tmp_path)
    server = Server(tmp_path)
    server.data.mkdir(mode=0o700)
    assert cut_restore(library, past, server, sync=2, seed=1)
    try:
        with pytest.raises(RuntimeError):
            server.start()
    finally:
        server.stop()
