"""The commands of README.md and docs/operations: each is run as it stands, or is named here with the reason why not.

A command is a line of a fenced block (those without a language, or with `sh`), or a whole `switchboard …` in a sentence.
"""

import json
import os
import re
import subprocess
from pathlib import Path

import httpx
import pexpect
import pytest

from deployment import BINARY, Server

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs/operations").glob("*.md"))]
PASSWORD = "correct horse battery staple"

# By command: where it is run (see `place`) and what it prints.
RUN = {
    'echo "Hello from a pipe" | .build/release/switchboard send lobby': ("running", ""),
    "switchboard backup /backups/switchboard-2025-11-21.sqlite": ("running", r"\d"),
    "15 3 * * *  switchboard  cd /var/lib/switchboard && switchboard backup /backups/switchboard-$(date +\\%a-\\%V).sqlite "
    "&& find /backups -name 'switchboard-*' -mtime +14 -delete": ("running", r"\d"),
    "switchboard backup FILE": ("running", r"\d"),
    "switchboard restore --verify /backups/switchboard-2025-11-21.sqlite": ("backed up", r"\d"),
    "switchboard restore --verify FILE": ("backed up", r"\d"),
    "cd /var/lib/switchboard && sudo -u switchboard switchboard restore /backups/switchboard-2025-11-21.sqlite": (
        "backed up", "in place",
    ),
    "switchboard restore FILE": ("backed up", "in place"),
    "switchboard config example > switchboard.yaml": ("empty", ""),
    "switchboard config check": ("empty", ""),
    "switchboard config diff": ("empty", ""),
    "switchboard config explain http.port": ("empty", "8080"),
    "switchboard config explain": ("empty", r"http\.port"),
    "switchboard config documentation": ("empty", "# Configuration"),
    "curl -H 'Content-Type: application/json' http://127.0.0.1:8080/v1/redeem -d "
    '\'{"secret":"sba_…","handle":"anna","password":"…","device":"terminal"}\'': ("running", '"token":"sbd_'),
    "switchboard account add anna --administrator": ("backed up", "anna"),
}

# By command: why nothing here runs it.
NOT_RUN = {
    "make run": "run by test_newcomer",
    "make test": "runs this",
    ".build/release/switchboard chat": "run by test_chat_talks_in_a_terminal",
    "switchboard serve --json": "run by test_serve_says_in_one_line_where_it_is",
    "switchboard account add": "a name, not a line to copy",
    "systemctl stop switchboard": "needs a machine of its own",
    "systemctl start switchboard": "needs a machine of its own",
}


def commands(page):
    text = page.read_text()
    for block in re.findall(r"^```(?:sh)?\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        for line in re.sub(r"\s*\\\n\s*", " ", block).splitlines():
            yield re.sub(r"\s{2,}#\s.*", "", line).strip()
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    yield from re.findall(r"`(switchboard [^`]+)`", prose)


COMMANDS = dict.fromkeys(command for page in PAGES for command in commands(page) if command)


class Place:
    """A directory in which a command is run as an operator would: the program in the path, the configuration at hand."""

    def __init__(self, directory, scratch, server=None):
        self.directory = directory
        self.server = server
        self.backups = scratch / "backups"
        self.backups.mkdir()
        (scratch / "bin").mkdir()
        (scratch / "bin/switchboard").symlink_to(Path(BINARY).resolve())
        (directory / ".build/release").mkdir(parents=True)
        (directory / ".build/release/switchboard").symlink_to(Path(BINARY).resolve())
        self.environment = os.environ | {"PATH": f"{scratch}/bin:{os.environ['PATH']}", "SWIFT_BACKTRACE": "enable=no"}
        if server:
            self.environment["SWITCHBOARD_URL"] = server.url

    def adapted(self, command):
        """The same command with this place's names for what an operator has under others."""
        names = {
            "15 3 * * *  switchboard  ": "",
            "\\%": "%",
            "sudo -u switchboard ": "",
            "/var/lib/switchboard": str(self.directory),
            "/backups": str(self.backups),
            " FILE": f" {self.backups}/switchboard-2025-11-21.sqlite",
            '"password":"…"': f'"password":"{PASSWORD}"',
        }
        if self.server:
            names["http://127.0.0.1:8080"] = self.server.url
            names["sba_…"] = self.server.administrator_secret()
        for theirs, ours in names.items():
            command = command.replace(theirs, ours)
        return command

    def run(self, command, typed=""):
        return subprocess.run(
            ["bash", "-c", self.adapted(command)], cwd=self.directory, env=self.environment, input=typed, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
        )


@pytest.fixture()
def place(request, tmp_path):
    """`running`: of a server that runs; `backed up`: of one that was stopped after a backup; `empty`: a new directory."""
    if request.param == "empty":
        (tmp_path / "empty").mkdir()
        yield Place(tmp_path / "empty", tmp_path)
        return
    (tmp_path / "server").mkdir()
    with Server(tmp_path / "server") as server:
        one = Place(server.directory, tmp_path, server)
        if request.param == "backed up":
            assert one.run("switchboard backup FILE").returncode == 0
            server.stop()
        yield one


def test_every_command_is_run_or_excused():
    assert set(COMMANDS) - set(RUN) - set(NOT_RUN) == set(), "name it in RUN or in NOT_RUN"
    assert set(RUN) | set(NOT_RUN) == set(COMMANDS), "no page has it any longer"


@pytest.mark.parametrize("command,place", [(command, RUN[command][0]) for command in RUN], indirect=["place"])
def test_a_command_does_what_it_says(command, place):
    done = place.run(command, typed=f"{PASSWORD}\n")
    assert done.returncode == 0, done.stdout
    assert re.search(RUN[command][1], done.stdout), done.stdout
    if " backup " in command:
        assert len(list(place.backups.glob("*.sqlite"))) == len(list(place.backups.glob("*.sqlite.json"))) == 1
    if " restore " in command and "--verify" not in command:
        assert list((place.directory / "data/backups").glob("replaced-*")), "what was there before is kept"
    if " send " in command:
        token, _ = place.server.guest()
        said = [event.get("body") for event in place.server.get("history", token, conversation="lobby")["events"]]
        assert {"text": "Hello from a pipe"} in said


@pytest.mark.parametrize("place", ["empty"], indirect=True)
def test_the_example_is_a_right_configuration_that_differs_in_nothing(place):
    for command in ("switchboard config example > switchboard.yaml", "switchboard config check"):
        done = place.run(command)
        assert done.returncode == 0, done.stdout
    lines = (place.directory / "switchboard.yaml").read_text().splitlines()
    assert not [line for line in lines if line.strip() and not line.lstrip().startswith("#")], "commented out"
    assert "http.port" not in place.run("switchboard config diff").stdout


@pytest.mark.parametrize("place", ["running"], indirect=True)
def test_chat_talks_in_a_terminal(place):
    chat = pexpect.spawn(
        "bash", ["-c", place.adapted(".build/release/switchboard chat")], cwd=place.directory, env=place.environment,
        encoding="utf-8", timeout=10, dimensions=(40, 120),
    )
    try:
        chat.expect("lobby")
        chat.sendline("/help")
        chat.expect("/quit")
        chat.sendline("Hello from a terminal")
        token, _ = place.server.guest()
        place.run('echo "Hello from a pipe" | .build/release/switchboard send lobby')
        chat.expect("Hello from a pipe")
        said = [event.get("body") for event in place.server.get("history", token, conversation="lobby")["events"]]
        assert {"text": "Hello from a terminal"} in said
        chat.sendline("/quit")
        chat.expect(pexpect.EOF)
        chat.close()
        assert chat.exitstatus == 0
    finally:
        chat.close(force=True)


@pytest.fixture()
def announced(tmp_path):
    """What `switchboard serve --json` says first, at a port that the system chooses."""
    place = Place(tmp_path, tmp_path)
    place.environment["SWITCHBOARD_HTTP_PORT"] = "0"
    serving = subprocess.Popen(
        ["switchboard", "serve", "--json"], cwd=tmp_path, env=place.environment, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )
    try:
        yield json.loads(serving.stdout.readline())
    finally:
        serving.terminate()
        serving.communicate(timeout=30)


def test_serve_says_in_one_line_where_it_is(announced):
    assert httpx.get(announced["address"] + "/readyz").status_code == 200
    assert "/#sba_" in announced["administratorLink"]


def test_the_link_of_the_first_administrator_leads_to_the_server(announced):
    assert announced["administratorLink"].startswith(announced["address"] + "/#")
