"""What the cluster's tests share."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from sandbox.cluster.certificates import Authority


if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

T = TypeVar("T")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Return a fresh certificate authority."""
    return Authority(tmp_path / "ca")


class Browser:
    """Asks over TLS with an SNI and a Host of the test's choice; shares nothing with the server."""

    def __init__(self, ca_file: Path) -> None:
        self._context = ssl.create_default_context(cafile=str(ca_file))

    async def get(
        self, port: int, host: str, path: str = "/", *, sni: str = "", extra: str = ""
    ) -> tuple[int, str]:
        """Return (status, everything after the status line); raise OSError if refused."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=self._context, server_hostname=sni or host
        )
        try:
            head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{extra}\r\n"
            writer.write(head.encode())
            answer = (await reader.read()).decode()
        finally:
            writer.close()
        status, _, rest = answer.partition("\r\n")
        return int(status.split()[1]), rest


@pytest.fixture
def browser(authority: Authority) -> Browser:
    """Return a client that trusts the authority."""
    return Browser(authority.ca_file)


def run(story: Coroutine[Any, Any, T]) -> T:
    """Run a story to its end, within 20 seconds."""

    async def timed() -> T:
        return await asyncio.wait_for(story, 20)

    return asyncio.run(timed())


@pytest.fixture
def play() -> Any:
    """Return the function that runs an asynchronous story."""
    return run
