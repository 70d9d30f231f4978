"""Lets the tests import the gates' modules, and gives them a small checkout to spoil."""

import subprocess
import sys
from pathlib import Path

import pytest

DEV = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(DEV / "python"))
sys.dont_write_bytecode = True


class Checkout:
    """A temporary tree on which a gate is run as a person would run it."""

    def __init__(self, root: Path):
        self.root = root

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run(self, gate: str) -> tuple[int, str]:
        script = DEV / gate
        # The interpreter that runs the tests, without the detour over the PATH.
        interpreter = [sys.executable] if "python" in script.read_text().split("\n", 1)[0] else []
        finished = subprocess.run([*interpreter, str(script), "--root", str(self.root)], capture_output=True, text=True, check=False)
        return finished.returncode, finished.stdout + finished.stderr

    def assert_passes(self, gate: str) -> None:
        status, output = self.run(gate)
        assert status == 0, output

    def assert_finds(self, gate: str, *expected: str) -> None:
        status, output = self.run(gate)
        assert status == 1, output
        for text in expected:
            assert text in output


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)
