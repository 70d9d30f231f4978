"""A server of one's own for a test: started, killed, restarted, and asked over its public API only."""

import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import httpx

BINARY = os.environ.get("SWITCHBOARD_BINARY", ".build/debug/switchboard")

# Nothing here speaks TLS, and reading all certificates of the system for each request takes longer than the request.
PLAIN = False

# Raised by ordinary configuration, so that tests and loads from one address are not cut off.
RAISED = """\
limits:
  commands-per-second: 1000000
  command-burst: 1000000
  signals-per-second: 1000000
  signal-burst: 1000000
  reads-per-second: 1000000
  read-burst: 1000000
  sessions-per-account: 100000
door:
  connections-per-address: 1000000
  new-connections-per-minute: 100000000
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One server process and its data directory."""

    def __init__(self, directory=None, data="", extra="", environment=None, wrapper=()):
        self.directory = Path(directory or tempfile.mkdtemp(prefix="switchboard-test-"))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.socket_url = f"ws://127.0.0.1:{self.port}/v1/socket"
        self.data = self.directory / "data"
        self.configuration = self.directory / "switchboard.yaml"
        self.configuration.write_text(
            f"data:\n  directory: {self.data}\n{data}http:\n  port: {self.port}\n" + RAISED + extra
        )
        self.environment = {"SWIFT_BACKTRACE": "enable=no"} | (environment or {})
        self.wrapper = list(wrapper)
        self.process = None
        self.log = self.directory / "server.log"

    def start(self, wait=30):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*self.wrapper, BINARY, "serve", "--config", str(self.configuration)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | self.environment,
            )
        deadline = time.monotonic() + wait
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}:\n{self.tail()}")
            try:
                if httpx.get(self.url + "/readyz", timeout=1, verify=PLAIN).status_code == 200:
                    return self
            except httpx.HTTPError:
                pass
            time.sleep(0.02)
        raise RuntimeError(f"the server is not ready after {wait} s:\n{self.tail()}")

    def tail(self, lines=30):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def administrator_secret(self, wait=10):
        """The one-time secret of the first screen, which comes right after the server is ready; None if it offers none."""
        deadline = time.monotonic() + wait
        while "Hello from a WebSocket" not in (said := self.log.read_text()):
            if time.monotonic() > deadline:
                raise RuntimeError(f"no first screen:\n{self.tail()}")
            time.sleep(0.02)
        found = re.search(r"#(sba_[\w-]+)", said)
        return found and found.group(1)

    def kill(self):
        """kill -9: nothing is flushed, nothing is said."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def command(self, *words, **options):
        """A subcommand on this server's data directory."""
        return subprocess.run(self.words(*words), capture_output=True, text=True, timeout=60, **options)

    def words(self, *words):
        return [BINARY, *words, "--config", str(self.configuration)]

    def administrator(self):
        """Makes the account «root» and signs it in: its token."""
        made = self.command("account", "add", "root", "--administrator", input="correct horse battery\n")
        assert made.returncode == 0, made.stderr
        return self.post("login", handle="root", password="correct horse battery", device="test")["token"]

    def processor_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self):
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    # The API, by plain HTTP.

    def post(self, operation, token=None, **fields):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = httpx.post(f"{self.url}/v1/{operation}", json=fields, headers=headers, timeout=30, verify=PLAIN)
        if answer.status_code >= 400:
            raise Refused(answer)
        return answer.json()

    def get(self, operation, token=None, **fields):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = httpx.get(f"{self.url}/v1/{operation}", params=fields, headers=headers, timeout=90, verify=PLAIN)
        if answer.status_code >= 400:
            raise Refused(answer)
        return answer.json()

    def guest(self, name=None):
        """A guest in the lobby: (token, handle)."""
        fields = {"name": name} if name else {}
        answer = self.post("guest", **fields)
        self.post("join", answer["token"], conversation="lobby")
        return answer["token"], answer["account"]


class Refused(Exception):
    def __init__(self, answer):
        super().__init__(f"{answer.status_code} {answer.text[:300]}")
        self.status = answer.status_code
        try:
            self.code = answer.json()["error"]["code"]
        except (json.JSONDecodeError, KeyError, TypeError):
            self.code = None
