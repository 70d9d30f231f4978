"""The runner counts what ran, hides nothing, and has the last word."""

import sys
from pathlib import Path

import pytest
from step_runner import Step, StepRunner, Tally, closing_line, pytest_run, swift_tests

SWIFT_GOOD = """\
◇ Test run started.
◇ Test good() started.
➜ Test off() skipped: "why"
◇ Test case passing 1 argument n → 1 to many(_:) started.
✔ Test good() passed after 0.001 seconds.
✔ Test many(_:) with 3 test cases passed after 0.001 seconds.
✔ Suite S passed after 0.001 seconds.
✔ Test run with 3 tests in 1 suite passed after 0.002 seconds.
"""
SWIFT_BAD = """\
✘ Test "a named one" recorded an issue at a.swift:5:35: Expectation failed: (1 + 1 → 2) == 3
✔ Test good() passed after 0.001 seconds.
✘ Test many(_:) with 3 test cases failed after 0.001 seconds with 1 issue.
✘ Test "a named one" failed after 0.001 seconds with 2 issues.
✘ Suite S failed after 0.001 seconds with 3 issues.
✘ Test run with 3 tests in 1 suite failed after 0.002 seconds with 3 issues.
"""


def test_swift_testing_is_counted():
    assert swift_tests(SWIFT_GOOD, 0) == Tally(2, 0, 1)
    assert swift_tests(SWIFT_BAD, 1) == Tally(1, 2, 0)


def test_a_swift_run_that_ends_early_is_a_failure():
    crashed = "\n".join(SWIFT_GOOD.splitlines()[:5])
    assert swift_tests(crashed, 1) == Tally(1, 1, 1)
    assert swift_tests("", 0) == Tally(0, 1, 0)
    assert swift_tests(SWIFT_GOOD, 1) == Tally(1, 1, 1)


@pytest.mark.parametrize("line, status, tally", [
    ("3 passed in 0.12s", 0, Tally(3, 0, 0)), ("1 failed, 2 passed, 1 skipped in 3.00s", 1, Tally(2, 1, 1)),
    ("2 passed, 1 error in 1.00s", 1, Tally(2, 1, 0)), ("no tests ran in 0.01s", 5, Tally(0, 1, 0)),
    ("2 passed in 61.20s (0:01:01)", 0, Tally(2, 0, 0)), ("Killed", 137, Tally(0, 1, 0)),
])
def test_pytest_is_counted(line, status, tally):
    assert pytest_run(f"..F\n{line}\n", status) == tally


def test_a_closing_line_is_read():
    assert closing_line("x\n2 passed, 1 failed\n", 1) == Tally(2, 1)
    assert closing_line("3 passed, 0 failed\n", 1) == Tally(3, 1)
    assert closing_line("nothing\n", 0) == Tally(0, 1)


def run(tmp_path, capsys, steps):
    tally = StepRunner(tmp_path, tmp_path / "logs").run(steps)
    return tally, capsys.readouterr().out


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_failure_hides_no_later_step_and_the_sum_is_the_last_line(tmp_path, capsys):
    tally, output = run(tmp_path, capsys, [
        Step("one", python("print('secret of one')")),
        Step("two", python("print('words of two'); raise SystemExit(3)")),
        Step("three", python("")),
        Step("four", python(""), needs="two"),
        Step("five", python(""), unless=lambda: "not today"),
        Step("six", ["/does/not/exist"]),
    ])
    assert tally == Tally(2, 3)
    assert output.splitlines()[-1] == "2 passed, 3 failed"
    assert "words of two" in output and "exit status 3" in output and "logs/two.log" in output
    assert "secret of one" not in output
    assert 'it needs the step "two"' in output and "left out: not today" in output
    assert (tmp_path / "logs/summary").read_text() == "2 passed, 3 failed\n"


def test_of_a_long_failure_the_end_is_shown_and_the_issues(tmp_path, capsys):
    code = "print('✘ Test a() recorded an issue at a.swift:1:1: no'); print('\\n'.join(f'line {n}' for n in range(1000))); raise SystemExit(1)"
    _, output = run(tmp_path, capsys, [Step("long", python(code))])
    assert "line 999" in output and "line 800" in output and "line 799\n" not in output
    assert "recorded an issue at a.swift" in output


def test_a_long_step_shows_that_it_lives(tmp_path, capsys):
    runner = StepRunner(tmp_path, tmp_path / "logs", heartbeat_seconds=0.1)
    runner.run([Step("slow", python("import time; print('half way', flush=True); time.sleep(0.5)"))])
    assert "s: half way" in capsys.readouterr().out


def test_a_step_that_hangs_is_ended_with_its_children(tmp_path, capsys):
    child = tmp_path / "child"
    code = ("import pathlib, subprocess; child = subprocess.Popen(['sleep', '60']); "
            f"pathlib.Path({str(child)!r}).write_text(str(child.pid)); child.wait()")
    tally, output = run(tmp_path, capsys, [Step("hangs", python(code), limit_seconds=2), Step("next", python(""))])
    assert tally == Tally(1, 1)
    assert "ended: it took over 2 s" in output and "exit status 124" in output
    assert not is_running(int(child.read_text()))


def is_running(process: int) -> bool:
    """False for one that has ended and was not yet collected, too."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
