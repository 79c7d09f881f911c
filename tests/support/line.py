"""A line to AWS that checks every signature, records every call, and fails when told to."""

from __future__ import annotations

import hashlib
import hmac
import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl

import urllib3


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OBJECTS = {"GET": "GetObject", "PUT": "PutObject"}


@dataclass
class Fault:
    """What happens to the next calls of an operation: an answer of ours, or none at all.

    `cut` drops the connection `before` AWS hears of the call, or `after` it was carried out.
    """

    operation: str
    times: int = 1
    status: int = 0
    body: Any = None
    cut: Literal["", "before", "after"] = ""


@dataclass
class Line:
    """A relay to AWS; `calls` are (operation, parameters) as they came, `headers` theirs."""

    target: str
    url: str = ""
    calls: list[tuple[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False))

    @property
    def operations(self) -> list[str]:
        """Return the names of the calls, in order."""
        return [operation for operation, _ in self.calls]

    def fail(
        self,
        operation: str,
        *,
        times: int = 1,
        status: int = 0,
        body: Any = None,
        cut: Literal["", "before", "after"] = "",
    ) -> None:
        """Let the next calls of an operation fail."""
        self.faults.append(Fault(operation, times, status, body, cut))

    def fault_of(self, operation: str) -> Fault | None:
        """Return the fault that this call meets, if any, and spend it."""
        fault = next((f for f in self.faults if f.operation == operation), None)
        if fault:
            fault.times -= 1
            if not fault.times:
                self.faults.remove(fault)
        return fault


@contextmanager
def line_to(target: str) -> Iterator[Line]:
    """Open a line on loopback."""
    line = Line(target)

    class Relay(_Relay):
        """The requests of this line."""

        of = line

    server = ThreadingHTTPServer(("127.0.0.1", 0), Relay)
    line.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield line
    server.shutdown()
    thread.join()
    server.server_close()
    line.pool.clear()


class _Relay(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65_536  # unbuffered, each answer waits 40 ms for an acknowledgement of its headers
    of: Line

    def log_message(self, *_: Any) -> None:
        """Say nothing on the terminal."""

    def handle_one_request(self) -> None:
        """Answer one request; a client that went away is no error."""
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def relay(self) -> None:
        """Answer with what AWS answers, through the first fault that is meant for it."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        target = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        query = dict(parse_qsl(body.decode())) if self.command == "POST" and not target else {}
        operation = target or query.get("Action") or OBJECTS[self.command]
        self.of.calls.append((operation, json.loads(body) if target else query or self.path))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.of.headers.append(headers)
        if not _is_signed(self.command, self.path, headers, body):
            return self._answer(403, b'{"__type": "InvalidSignatureException"}')
        fault = self.of.fault_of(operation)
        if fault and not fault.cut:
            said = fault.body
            text = said if isinstance(said, bytes) else json.dumps(said or {}).encode()
            return self._answer(fault.status or 200, text)
        if fault and fault.cut == "before":
            return self._cut()
        answer = self.of.pool.request(
            self.command, self.of.target + self.path, body=body, headers=dict(self.headers)
        )
        return self._cut() if fault else self._answer(answer.status, answer.data)

    do_GET = do_PUT = do_POST = relay  # noqa: N815 - http.server's names

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _cut(self) -> None:
        self.close_connection = True


def _is_signed(method: str, url: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Check a Signature Version 4 by AWS's own description, with `test` as the secret key."""
    fields = dict(
        part.strip().split("=", 1)
        for part in headers.get("authorization", "").partition(" ")[2].split(",")
    )
    scope = fields["Credential"].split("/")[1:]
    names = fields["SignedHeaders"].split(";")
    path, _, query = url.partition("?")
    payload = headers.get("x-amz-content-sha256") or hashlib.sha256(body).hexdigest()
    lines = [method, path, query, *(f"{name}:{headers[name].strip()}" for name in names)]
    request = "\n".join([*lines, "", ";".join(names), payload])
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], "/".join(scope), digest])
    key = b"AWS4test"
    for part in scope:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    expected = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    hashed = payload in {"UNSIGNED-PAYLOAD", hashlib.sha256(body).hexdigest()}
    return hashed and hmac.compare_digest(expected, fields["Signature"])
