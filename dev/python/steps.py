"""The steps of a commit and of a night, in the order in which they run."""

from __future__ import annotations

import argparse
from pathlib import Path

from step_runner import Step, StepRunner, closing_line, finish, pytest_run, swift_tests

ROOT = Path(__file__).resolve().parents[2]
BUILD = "build everything"
ENVIRONMENT = "test environment"
HOUR = 3600
# The runtime's crash backtracer can hang for minutes, and a test that kills a server waits for it.
QUIET_CRASHES = {"SWIFT_BACKTRACE": "enable=no"}
CLIENTS = {**QUIET_CRASHES, "SWITCHBOARD_BINARY": str(ROOT / ".build/debug/switchboard")}
PYTEST = [str(ROOT / ".build/venv/bin/python"), "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider"]


def commit_steps() -> list[Step]:
    gates = [Step(f"gate {gate.name}", [str(gate)]) for gate in sorted((ROOT / "dev").glob("check-*"))]
    return [
        *gates,
        Step(ENVIRONMENT, [str(ROOT / "dev/python-env")]),
        Step("tests of the gates", [*PYTEST, "dev/tests"], pytest_run, needs=ENVIRONMENT),
        Step("tests of the lossy disk", [*PYTEST, "Tests/PowerCut"], pytest_run, needs=ENVIRONMENT),
        Step(BUILD, ["swift", "build", "--build-tests"], limit_seconds=HOUR),
        Step("swift tests", ["swift", "test", "--skip-build", "--disable-xctest"], swift_tests,
             environment=QUIET_CRASHES, needs=BUILD),
        Step("client tests", [*PYTEST, "Tests/Clients"], pytest_run, environment=CLIENTS, needs=BUILD, limit_seconds=HOUR,
             unless=lambda: "" if any((ROOT / "Tests/Clients").glob("test_*.py")) else "Tests/Clients holds no tests"),
    ]


def nightly_steps() -> list[Step]:
    return [
        *commit_steps(),
        Step("kill test, 200 rounds", [str(ROOT / "dev/durability-test"), "kill", "200"], needs=ENVIRONMENT, limit_seconds=3 * HOUR),
        Step("power cut test, 20 rounds", [str(ROOT / "dev/durability-test"), "power_cut", "20"], needs=ENVIRONMENT,
             limit_seconds=3 * HOUR),
        Step("fuzz, 10 minutes each", [str(ROOT / "dev/fuzz"), "--seconds", "600"], closing_line,
             limit_seconds=6 * HOUR),
    ]


def main(description: str, steps: list[Step]) -> None:
    """Parses the command line, runs the steps that it asks for, and ends the process."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", metavar="WORDS", help="run only the steps with this in their name")
    parser.add_argument("--list", action="store_true", help="print the steps' names")
    arguments = parser.parse_args()
    chosen = [step for step in steps if not arguments.only or any(words in step.name for words in arguments.only)]
    if arguments.list:
        print("\n".join(step.name for step in chosen))
        return
    finish(StepRunner(ROOT, ROOT / ".build/logs").run(chosen))
