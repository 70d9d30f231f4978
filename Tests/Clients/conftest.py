import pytest

from deployment import Server


@pytest.fixture(scope="module")
def server():
    with Server() as running:
        yield running


@pytest.fixture()
def fresh():
    """A server that the test may kill and restart."""
    one = Server().start()
    yield one
    one.stop()
