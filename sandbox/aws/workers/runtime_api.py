"""Our end of the Lambda Runtime API, one small server per worker.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html. It has no thread: whoever invokes
the worker turns its wheel, reads the worker's output on the way, and sees at once when it dies.
"""

from __future__ import annotations

import os
import selectors
import socket
import time
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

CHUNK = 256 * 1024
STUCK_SECONDS = 10.0  # for a worker that does not take what it asked for
BLANK_LINE = b"\r\n\r\n"
REASONS = {200: "OK", 202: "Accepted", 404: "Not Found"}


class WorkerGoneError(Exception):
    """The worker's output closed: its process has ended."""


@dataclass
class Request:
    """One HTTP request of the worker's."""

    connection: socket.socket
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def reply(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Answer it; raise OSError when the worker is gone."""
        lines = [f"HTTP/1.1 {status} {REASONS[status]}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join(lines).encode() + BLANK_LINE
        self.connection.sendall(head + body)

    def accept(self) -> None:
        """Acknowledge a result."""
        self.reply(202, {"Content-Type": "application/json"}, b'{"status":"OK"}')


@dataclass
class RuntimeApi:
    """The server, bound to a free loopback port; `on_output` is given what the worker prints."""

    on_output: Callable[[bytes], None]
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    _listener: socket.socket = field(init=False)
    _buffers: dict[socket.socket, bytearray] = field(default_factory=dict)
    _output: IO[bytes] | None = None

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._selector.register(self._listener, selectors.EVENT_READ)

    @property
    def address(self) -> str:
        """What AWS_LAMBDA_RUNTIME_API is set to."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def watch(self, output: IO[bytes]) -> None:
        """Read the worker's output along with its requests."""
        os.set_blocking(output.fileno(), False)
        self._output = output
        self._selector.register(output, selectors.EVENT_READ)

    def request(self, deadline: float) -> Request:
        """Return the worker's next request.

        Raise TimeoutError when none is complete by `deadline` (of time.monotonic), and
        WorkerGoneError when the worker's process ended.
        """
        while True:
            for connection in list(self._buffers):
                request = self._complete(connection)
                if request:
                    return request
            ready = self._selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError
            # Requests first: a worker may post its last words and exit at once.
            for key in sorted((key for key, _ in ready), key=self._is_output):
                self._read(key.fileobj)

    def drain(self) -> None:
        """Read what the worker printed so far."""
        while self._output and (text := self._read_output()):
            self.on_output(text)

    def close(self) -> None:
        """Close every socket."""
        for connection in [self._listener, *self._buffers]:
            connection.close()
        self._selector.close()

    def _is_output(self, key: selectors.SelectorKey) -> bool:
        return key.fileobj is self._output

    def _read(self, source: object) -> None:
        if source is self._listener:
            self._accept()
        elif isinstance(source, socket.socket):
            self._receive(source)
        else:
            text = self._read_output()
            if text == b"":
                raise WorkerGoneError
            self.on_output(text or b"")

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(STUCK_SECONDS)
        self._buffers[connection] = bytearray()
        self._selector.register(connection, selectors.EVENT_READ)

    def _receive(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(CHUNK)
        except ConnectionError:
            data = b""
        if data:
            self._buffers[connection] += data
        else:
            self._selector.unregister(connection)
            del self._buffers[connection]
            connection.close()

    def _read_output(self) -> bytes | None:
        """Return what was printed; empty at the end, None when there is nothing at the moment."""
        assert self._output is not None  # noqa: S101 - it is only read while it is watched
        try:
            return os.read(self._output.fileno(), CHUNK)
        except BlockingIOError:
            return None

    def _complete(self, connection: socket.socket) -> Request | None:
        buffer = self._buffers[connection]
        end = buffer.find(BLANK_LINE)
        if end < 0:
            return None
        first, *lines = bytes(buffer[:end]).decode("latin-1").split("\r\n")
        headers = dict(_headers(lines))
        start = end + len(BLANK_LINE)
        stop = start + int(headers.get("content-length", "0"))
        if len(buffer) < stop:
            return None
        body = bytes(buffer[start:stop])
        del buffer[:stop]
        method, path, _ = first.split(" ", 2)
        return Request(connection, method, path, headers, body)


def _headers(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, _, value = line.partition(":")
        yield name.strip().lower(), value.strip()
