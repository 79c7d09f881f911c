"""The front of an HTTP API: carries requests to functions, as API Gateway does, on its own port.

Limits: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.aws.payload import (
    HttpRequest,
    HttpResponse,
    MalformedResponseError,
    event_of,
    response_of,
)
from sandbox.aws.provision.stack import ACCOUNT
from sandbox.aws.workers.pool import ThrottledError
from sandbox.aws.workers.worker import LARGEST_EVENT
from sandbox.threads import close


if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.aws.routes import Routes
    from sandbox.aws.workers.worker import Outcome

log = logging.getLogger(__name__)
LARGEST_BODY = 10 * 1024 * 1024
LONGEST_SECONDS = 30.0
AT_ONCE = 64
BACKLOG = 1024
ANY_PORT = ("127.0.0.1", 0)

NOT_FOUND = HttpResponse.message(404, "Not Found")
TOO_LARGE = HttpResponse.message(413, "Request Entity Too Large")
TOO_MANY = HttpResponse.message(429, "Too Many Requests")
FAILED = HttpResponse.message(500, "Internal Server Error")
UNAVAILABLE = HttpResponse.message(503, "Service Unavailable")


@dataclass
class Bucket:
    """A token bucket: `burst` requests at once, `rate` a second on average."""

    rate: float
    burst: float
    _tokens: float = field(init=False)
    _at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._tokens = self.burst

    def take(self) -> bool:
        """Take a token, if there is one."""
        now = time.monotonic()
        self._tokens = min(self.burst, self._tokens + (now - self._at) * self.rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


@dataclass
class HttpApi:
    """One API behind a loopback port; `listening` is its socket.

    `invoke` runs a function by its ARN with an event's bytes, and raises ThrottledError.
    """

    routes: Routes
    region: str
    invoke: Callable[[str, bytes], Outcome]
    bucket: Bucket | None = None
    longest_seconds: float = LONGEST_SECONDS
    url: str = ""
    listening: socket.socket = field(default_factory=lambda: socket.create_server(ANY_PORT))
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(AT_ONCE))
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _server: threading.Thread = field(init=False)

    def start(self) -> None:
        """Listen, in a thread of its own."""
        ready = threading.Event()
        self._server = threading.Thread(target=self._serve, args=(ready,), daemon=True)
        self._server.start()
        ready.wait()

    def stop(self) -> None:
        """Close the port."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._server.join()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _serve(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        runner = self._loop.run_until_complete(self._listen())
        ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        close(self._loop)

    async def _listen(self) -> web.ServerRunner:
        runner = web.ServerRunner(web.Server(self._handle), shutdown_timeout=0.1)
        await runner.setup()
        await web.SockSite(runner, self.listening, backlog=BACKLOG).start()
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        return runner

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        answer = await self._answer(request)
        response = web.Response(status=answer.status, body=answer.body)
        for name, value in answer.headers:
            response.headers.add(name, value)
        return response

    async def _answer(self, request: web.BaseRequest) -> HttpResponse:
        path = request.raw_path.split("?", 1)[0]
        found = self.routes.find(request.method, path)
        if not found:
            return NOT_FOUND
        if self.bucket and not self.bucket.take():
            return TOO_MANY
        body = await _body(request)
        if body is None:
            return TOO_LARGE
        route, match = found
        asked = HttpRequest(
            request.method,
            path,
            request.rel_url.raw_query_string,
            (*request.headers.items(), *self._forwarded(request)),
            body,
        )
        event = json.dumps(event_of(asked, match, self.region, ACCOUNT)).encode()
        if len(event) > LARGEST_EVENT:
            return TOO_LARGE
        return await self._carried(route.function_arn, event)

    async def _carried(self, function_arn: str, event: bytes) -> HttpResponse:
        running = self._loop.run_in_executor(self._threads, self.invoke, function_arn, event)
        try:
            outcome = await asyncio.wait_for(running, self.longest_seconds)
            return FAILED if outcome.is_error else response_of(outcome.payload)
        except (TimeoutError, ThrottledError):
            return UNAVAILABLE
        except MalformedResponseError:
            return FAILED
        except Exception:
            log.exception("the integration of %s failed", function_arn)
            return FAILED

    def _forwarded(self, request: web.BaseRequest) -> list[tuple[str, str]]:
        port = str(request.url.port or 80)
        return [
            ("X-Forwarded-For", request.remote or ""),
            ("X-Forwarded-Port", port),
            ("X-Forwarded-Proto", request.scheme),
        ]


async def _body(request: web.BaseRequest) -> bytes | None:
    """Return the body; None when it is larger than API Gateway takes."""
    if (request.content_length or 0) > LARGEST_BODY:
        return None
    received = bytearray()
    async for chunk in request.content.iter_any():
        received += chunk
        if len(received) > LARGEST_BODY:
            return None
    return bytes(received)


def bucket_of(settings: dict[str, Any]) -> Bucket | None:
    """Return the bucket of a stage's settings."""
    if not settings:
        return None
    rate = float(settings.get("ThrottlingRateLimit", 10_000))
    return Bucket(rate, float(settings.get("ThrottlingBurstLimit", 5_000)))
