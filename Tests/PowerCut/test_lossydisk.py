#!/usr/bin/env python3
"""The lossy disk itself is tested: it must lose what was not synced, and nothing else.

Run: python3 Tests/PowerCut/test_lossydisk.py
"""

import os
import pathlib
import shutil
import sqlite3
import sys
import tempfile
import unittest

import lossydisk

WRITER = """
import os, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA journal_mode = WAL")
db.execute("PRAGMA synchronous = " + sys.argv[2])
db.execute("PRAGMA wal_autocheckpoint = 20")
start = db.execute("SELECT ifnull(max(id), 0) FROM rows").fetchone()[0]
for id in range(start + 1, start + 5001):
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO rows VALUES (?, ?)", (id, os.urandom(50 + id % 900)))
    db.execute("COMMIT")
    os.write(1, b"%d\\n" % id)
"""

FILES = """
import os, sys
directory, step = sys.argv[1], sys.argv[2]
path = os.path.join(directory, "file")
fd = os.open(path, os.O_RDWR)
os.pwrite(fd, b"B" * 8192, 0)
if step == "synced":
    os.fsync(fd)
os.close(fd)
fresh = os.path.join(directory, "fresh")
fd = os.open(fresh, os.O_RDWR | os.O_CREAT, 0o600)
os.write(fd, b"new")
os.fsync(fd)
os.close(fd)
os.rename(fresh, os.path.join(directory, "name"))
os.unlink(os.path.join(directory, "old"))
if step == "synced":
    fd = os.open(directory, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)
print("done", flush=True)
sys.stdin.read()
"""


class LossyDisk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = pathlib.Path(tempfile.mkdtemp(prefix="lossydisk-"))
        cls.library = lossydisk.build(cls.temporary)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.temporary)

    def directory(self):
        return pathlib.Path(tempfile.mkdtemp(dir=self.temporary))

    def lost_rows(self, synchronous, seed, random, cut_sync=0):
        """One life of a database: the acknowledged rows that are gone, or «damaged»."""
        directory = self.directory()
        path = directory / "rows.sqlite"
        with sqlite3.connect(path) as made:
            made.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL)")
        made.close()
        process = lossydisk.LossyProcess(
            self.library, directory, [sys.executable, "-c", WRITER, str(path), synchronous], seed, cut_sync
        )
        acknowledged = process.acknowledged(until=None if cut_sync else random.randint(1, 300))
        self.assertEqual(process.wait(), lossydisk.CUT)
        db = sqlite3.connect(path)
        try:
            if db.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
                return "damaged"
            kept = {row[0] for row in db.execute("SELECT id FROM rows")}
        except sqlite3.DatabaseError:
            return "damaged"
        finally:
            db.close()
            shutil.rmtree(directory)
        return [id for id in map(int, acknowledged) if id not in kept]

    def test_full_keeps_what_was_acknowledged(self):
        for seed, random in lossydisk.rounds(20):
            self.assertEqual(self.lost_rows("FULL", seed, random), [], f"seed {seed}")

    def test_full_keeps_it_at_every_sync(self):
        for seed, random in lossydisk.rounds(60):
            self.assertEqual(self.lost_rows("FULL", seed, random, cut_sync=seed), [], f"cut at sync {seed}")

    def test_off_loses_within_20_rounds(self):
        self.assertTrue(any(self.lost_rows("OFF", seed, random) for seed, random in lossydisk.rounds(20)))

    def files_after_cut(self, step, seed):
        directory = self.directory()
        (directory / "file").write_bytes(b"A" * 8192)
        (directory / "name").write_bytes(b"old")
        (directory / "old").write_bytes(b"here")
        process = lossydisk.LossyProcess(
            self.library, directory, [sys.executable, "-c", FILES, str(directory), step], seed
        )
        self.assertEqual(process.acknowledged(until=1), ["done"])
        self.assertEqual(process.wait(), lossydisk.CUT)
        self.assertEqual([name for name in os.listdir(directory) if name.startswith(".lossydisk")], [])
        old = directory / "old"
        return (directory / "file").read_bytes(), (directory / "name").read_bytes(), old.exists()

    def test_synced_files_and_names_stay(self):
        for seed, _ in lossydisk.rounds(10):
            self.assertEqual(self.files_after_cut("synced", seed), (b"B" * 8192, b"new", False))

    def test_unsynced_writes_are_torn_by_sectors(self):
        contents = [self.files_after_cut("unsynced", seed)[0] for seed, _ in lossydisk.rounds(20)]
        for content in contents:
            for start in range(0, 8192, 512):
                self.assertIn(content[start : start + 512], (b"A" * 512, b"B" * 512))
        self.assertTrue(any(b"A" in content and b"B" in content for content in contents), "none was torn")
        self.assertIn(b"A" * 8192, contents)

    def test_unsynced_names_come_back_in_order(self):
        seen = {self.files_after_cut("unsynced", seed)[1:] for seed, _ in lossydisk.rounds(20)}
        self.assertEqual(seen, {(b"new", False), (b"new", True), (b"old", True)})


if __name__ == "__main__":
    unittest.main()
