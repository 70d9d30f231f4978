"""What a newcomer does: `make run`, then copied lines. At most three of them until one client hears the other."""

import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from deployment import BINARY, free_port

ROOT = Path(__file__).resolve().parent.parent.parent


class Lines:
    """What a program prints, line by line, as it comes."""

    def __init__(self, command, **options):
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True, **options
        )
        self.lines = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def wait(self, pattern, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for line in list(self.lines):
                found = re.search(pattern, line)
                if found:
                    return found
            if self.process.poll() is not None and not any(re.search(pattern, line) for line in self.lines):
                time.sleep(0.2)
                break
            time.sleep(0.05)
        for line in list(self.lines):
            found = re.search(pattern, line)
            if found:
                return found
        raise AssertionError(f"no line like {pattern!r} in:\n" + "\n".join(self.lines[-60:]))

    def end(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(40)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


@pytest.fixture(scope="module")
def screen(tmp_path_factory):
    """The server as `make run` starts it, on a port and a directory of its own."""
    environment = os.environ | {
        "SWITCHBOARD_HTTP_PORT": str(free_port()),
        "SWITCHBOARD_DATA_DIRECTORY": str(tmp_path_factory.mktemp("newcomer") / "data"),
    }
    # The release build takes minutes: where every commit is checked it is made, as a newcomer makes it.
    command = ["make", "run"] if os.environ.get("CI") else ["make", "run", "BUILD=debug"]
    running = Lines(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL)
    try:
        running.wait(r"is ready at http://", 2400)
        running.wait(r"Hello from a WebSocket", 20)
        yield running
    finally:
        running.end()


def test_the_first_message_takes_two_copied_commands(screen):
    listen = screen.wait(r"^\s+(curl -N .*/v1/stream)$", 5).group(1)
    say = screen.wait(r"^\s+(curl .*/v1/post -d .*)$", 5).group(1)
    listener = Lines(["bash", "-c", listen])
    try:
        listener.wait(r'"type":"ready"', 10)
        subprocess.run(["bash", "-c", say], check=True, capture_output=True, timeout=20)
        assert '"text":"Hello"' in listener.wait(r"^data: .*\"kind\":\"message\".*", 10).group(0)
    finally:
        listener.end()


def test_the_first_administrator_is_made_by_the_copied_link(screen):
    redeem = screen.wait(r"^\s+(curl .*/v1/redeem -d .*)$", 5).group(1)
    made = redeem.replace("NAME", "anna").replace("PASSWORD", "correct horse battery staple")
    answer = subprocess.run(["bash", "-c", made], check=True, capture_output=True, text=True, timeout=60).stdout
    assert '"token":"sbd_' in answer, answer
    again = subprocess.run(["bash", "-c", made], capture_output=True, text=True, timeout=60).stdout
    assert '"error"' in again, "the link is good for one use"


def test_send_and_chat_talk_through_pipes(screen):
    url = screen.wait(r"is ready at (http://\S+)", 5).group(1)
    chat = Lines([BINARY, "chat", "--url", url], cwd=ROOT, stdin=subprocess.PIPE)
    try:
        time.sleep(2)
        subprocess.run(
            [BINARY, "send", "lobby", "--url", url], input="Hello from a pipe\n", text=True, check=True, cwd=ROOT,
            timeout=30, capture_output=True,
        )
        chat.wait(r"Hello from a pipe", 15)
    finally:
        chat.process.stdin.close()
        chat.end()
