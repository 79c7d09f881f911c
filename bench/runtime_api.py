"""The Lambda Runtime API for one runtime client, timed from `next` to `response`.

Plain sockets: what is measured is the client and its handler, not a framework's server.
"""

from __future__ import annotations

import json
import socket
import time
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterator

ARN = "arn:aws:lambda:eu-central-1:123456789012:function:receiver"
ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
LONGEST = 65_536


@dataclass
class Timings:
    """When each event was given and answered, in seconds, and what was answered."""

    given: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)
    done: Event = field(default_factory=Event)

    @property
    def statuses(self) -> set[int]:
        """Return the HTTP statuses that were answered; 500 stands for an error of the function."""
        return {int(json.loads(answer).get("statusCode", 500)) for answer in self.answers}

    @property
    def seconds(self) -> float:
        """Return the time from the first event given to the last answer."""
        return self.given[-1] + self.latencies[-1] - self.given[0]


def serve(listening: socket.socket, event: bytes, count: int, timings: Timings) -> None:
    """Hand the event out `count` times to whoever connects, then answer nothing more."""
    invocation = _invocation(event)
    while not timings.done.is_set():
        connection, _ = listening.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for method, body in _requests(connection):
            if method == b"POST":
                timings.latencies.append(time.perf_counter() - timings.given[-1])
                timings.answers.append(body)
                connection.sendall(ACCEPTED)
            elif len(timings.given) == count:
                timings.done.set()
                return
            else:
                timings.given.append(time.perf_counter())
                connection.sendall(invocation)


def _requests(connection: socket.socket) -> Iterator[tuple[bytes, bytes]]:
    """Yield the method and body of each request on a connection."""
    buffered = b""
    while True:
        while b"\r\n\r\n" not in buffered:
            received = connection.recv(LONGEST)
            if not received:
                return
            buffered += received
        head, _, buffered = buffered.partition(b"\r\n\r\n")
        length = _length(head)
        while len(buffered) < length:
            buffered += connection.recv(LONGEST)
        yield head.partition(b" ")[0], buffered[:length]
        buffered = buffered[length:]


def _length(head: bytes) -> int:
    """Return the value of Content-Length, 0 without one."""
    _, found, rest = head.lower().partition(b"content-length:")
    return int(rest.partition(b"\r\n")[0]) if found else 0


def _invocation(event: bytes) -> bytes:
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(event)),
        "Lambda-Runtime-Aws-Request-Id": "request",
        "Lambda-Runtime-Invoked-Function-Arn": ARN,
        "Lambda-Runtime-Deadline-Ms": str(int(time.time() * 1000) + 600_000),
        "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000",
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 200 OK\r\n{lines}\r\n".encode() + event
