"""A short round of the kill test; `make kill-test` is the long one."""

import kill_test


def test_three_kills_under_load():
    assert kill_test.run(rounds=3, seed=1, senders=10) == []
