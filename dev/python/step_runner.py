"""Runs named steps one after another, shows how they go, and adds up what passed and failed.

A step that fails does not hide the later ones. The last line that is printed is `N passed, N failed`, with
`, N skipped` behind it where something was skipped.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

HEARTBEAT_SECONDS = 30
TAIL_LINES = 200
ISSUE_LINES = 60
TOOK_TOO_LONG = 124


@dataclass(frozen=True)
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        text = f"{self.passed} passed, {self.failed} failed"
        return f"{text}, {self.skipped} skipped" if self.skipped else text


Reader = Callable[[str, int], Tally]


def one_check(output: str, status: int) -> Tally:
    """The step as a whole is one check."""
    return Tally(passed=1) if status == 0 else Tally(failed=1)


def closing_line(output: str, status: int) -> Tally:
    """The last line of the form `N passed, N failed` that the step itself printed."""
    found = re.findall(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", output, re.MULTILINE)
    if not found:
        return one_check(output, 1)
    passed, failed, skipped = (int(number or 0) for number in found[-1])
    return Tally(passed, max(failed, 1) if status != 0 else failed, skipped)


def swift_tests(output: str, status: int) -> Tally:
    """Swift Testing's own lines; a run that ended early is one more failure."""
    ends = re.findall(r"^\W*Test (?!run with |case )(?:.*) (passed|failed) after [\d.]+ seconds", output, re.MULTILINE)
    failed = ends.count("failed")
    skipped = len(re.findall(r"^\W*Test (?!run with |case )(?:.*) skipped(?::|\.|$)", output, re.MULTILINE))
    total = re.search(r"^\W*Test run with (\d+) tests?\b.* (?:passed|failed) after", output, re.MULTILINE)
    if total is None:
        return Tally(ends.count("passed"), failed + 1, skipped)
    if status != 0 and failed == 0:
        failed = 1
    return Tally(max(int(total[1]) - failed - skipped, 0), failed, skipped)


def pytest_run(output: str, status: int) -> Tally:
    """pytest's closing line; a run without one is one failure."""
    closing = [line for line in output.splitlines() if re.search(r"\b(?:passed|failed|errors?|skipped|no tests ran)\b.* in [\d.]+s", line)]
    if not closing:
        return one_check(output, 1)
    counts = {word.rstrip("s"): int(number) for number, word in re.findall(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed)",
                                                                         closing[-1])}
    failed = counts.get("failed", 0) + counts.get("error", 0)
    if status != 0 and failed == 0:
        failed = 1
    return Tally(counts.get("passed", 0) + counts.get("xfailed", 0), failed, counts.get("skipped", 0))


@dataclass(frozen=True)
class Step:
    name: str
    command: list[str]
    reader: Reader = one_check
    environment: dict[str, str] = field(default_factory=dict)
    needs: str = ""  # the name of a step that must have passed for this one to mean anything
    unless: Callable[[], str] = lambda: ""  # a reason to leave the step out
    limit_seconds: float = 1800  # after which it is ended, with all that it started, and has failed


class StepRunner:
    def __init__(self, root: Path, logs: Path, heartbeat_seconds: float = HEARTBEAT_SECONDS):
        self.root = root
        self.logs = logs
        self.heartbeat_seconds = heartbeat_seconds

    def run(self, steps: list[Step]) -> Tally:
        """Runs all steps; what this returns is also the last line printed."""
        self.logs.mkdir(parents=True, exist_ok=True)
        total, broken = Tally(), set()
        for number, step in enumerate(steps, 1):
            print(f"==> {number}/{len(steps)} {step.name}", flush=True)
            if reason := step.unless():
                print(f"    left out: {reason}", flush=True)
                continue
            if step.needs in broken:
                print(f"    failed: it needs the step \"{step.needs}\"", flush=True)
                broken.add(step.name)
                total += Tally(failed=1)
                continue
            tally = self._run_one(step)
            if tally.failed:
                broken.add(step.name)
            total += tally
        (self.logs / "summary").write_text(f"{total}\n")
        print(f"\n{total}", flush=True)
        return total

    def _run_one(self, step: Step) -> Tally:
        log = self.logs / (re.sub(r"\W+", "-", step.name).strip("-") + ".log")
        began = time.monotonic()
        status = self._execute(step, log, began)
        output = log.read_text(encoding="utf-8", errors="replace")
        tally = step.reader(output, status)
        seconds = time.monotonic() - began
        if tally.failed:
            self._show_failure(step, log, output, status)
        print(f"    {tally} ({seconds:.1f} s)", flush=True)
        return tally

    def _execute(self, step: Step, log: Path, began: float) -> int:
        done = threading.Event()
        beat = threading.Thread(target=self._beat, args=(log, began, done), daemon=True)
        environment = {**os.environ, **step.environment}
        with log.open("wb") as file:
            beat.start()
            try:
                # A session of its own, so that all that the step started can be ended with it.
                process = subprocess.Popen(step.command, cwd=self.root, env=environment, stdin=subprocess.DEVNULL,
                                           stdout=file, stderr=subprocess.STDOUT, start_new_session=True)
                return self._wait(process, step.limit_seconds)
            except OSError as error:
                file.write(f"{step.command[0]}: {error.strerror}\n".encode())
                return 127
            finally:
                done.set()
                beat.join()

    @staticmethod
    def _wait(process: subprocess.Popen, limit_seconds: float) -> int:
        try:
            return process.wait(limit_seconds)
        except subprocess.TimeoutExpired:
            print(f"    ended: it took over {limit_seconds:.0f} s", flush=True)
            return TOOK_TOO_LONG
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _beat(self, log: Path, began: float, done: threading.Event) -> None:
        while not done.wait(self.heartbeat_seconds):
            last = log.read_bytes()[-2000:].decode("utf-8", errors="replace").strip().splitlines()
            print(f"    … {time.monotonic() - began:.0f} s: {last[-1].strip()[:100] if last else ''}", flush=True)

    def _show_failure(self, step: Step, log: Path, output: str, status: int) -> None:
        lines = output.splitlines()
        issues = [line for line in lines if "recorded an issue" in line or re.search(r"\berror: |^Fatal error|Fatal error:", line)]
        tail = lines[-TAIL_LINES:]
        shown = [line for line in issues if line not in set(tail)][:ISSUE_LINES]
        for line in shown + ["…"] * bool(shown) + tail:
            print(f"    | {line}")
        try:
            place = log.relative_to(self.root)
        except ValueError:
            place = log
        print(f"    exit status {status}; the whole output is in {place}", flush=True)


def finish(tally: Tally) -> None:
    """Ends the process: 0 only if something ran and nothing failed."""
    sys.exit(0 if tally.failed == 0 and tally.passed > 0 else 1)
