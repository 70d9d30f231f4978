"""A short round of the power-cut test, with its control; `make power-cut-test` is the long one."""

import power_cut_test


def test_two_power_cuts_lose_nothing_and_the_control_does():
    assert power_cut_test.run(rounds=2) == []
