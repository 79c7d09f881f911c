"""Fixtures: an empty stack on moto, and a line to it that can fail."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from moto.server import ThreadedMotoServer

from tailkeeper.adapters.stack import Stack, stack
from tests.support.handlers import deployed
from tests.support.line import Line, line_to


if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """Run moto for the session."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """Return an empty stack whose lease the test's run holds."""
    for name, value in deployed(endpoint).items():
        monkeypatch.setenv(name, value)
    stack.cache_clear()
    made = stack()
    made.table.put(
        {"pk": "lease", "sk": "stack", "holder": "arn:run", "fence": 1, "expires": 0, "asked": 0}
    )
    yield made
    stack.cache_clear()


@pytest.fixture
def line(aws: Stack, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    """Lead the functions' calls over a line that can fail; `aws` stays direct."""
    with line_to(endpoint) as relay:
        monkeypatch.setenv("AWS_ENDPOINT_URL", relay.url)
        stack.cache_clear()
        yield relay
