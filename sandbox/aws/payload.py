"""API Gateway's payload format 2.0: a request as an event, a function's result as a response.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import json
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TEXT_TYPES = frozenset({"application/json", "application/javascript", "application/xml"})
DEFAULT_TYPE = "text/plain; charset=utf-8"


class MalformedResponseError(Exception):
    """A function's result that API Gateway cannot turn into a response."""


@dataclass(frozen=True)
class HttpRequest:
    """One request as it came; `headers` and `query` are raw, in order, with duplicates."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    source_ip: str = "127.0.0.1"
    protocol: str = "HTTP/1.1"


@dataclass(frozen=True)
class HttpResponse:
    """One response; `headers` may name one more than once."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @classmethod
    def message(cls, status: int, text: str) -> HttpResponse:
        """Return what API Gateway says by itself."""
        body = json.dumps({"message": text}, separators=(",", ":")).encode()
        return cls(status, (("content-type", "application/json"),), body)


@dataclass(frozen=True)
class Match:
    """The route that a request took, and its path's variables."""

    api_id: str
    route_key: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def event_of(request: HttpRequest, match: Match, region: str, account: str) -> dict[str, Any]:
    """Return the event that a function gets for a request."""
    headers = _joined((name.lower(), value) for name, value in request.headers)
    cookies = headers.pop("cookie", "")
    is_binary = not _is_text(headers.get("content-type", ""))
    body = base64.b64encode(request.body) if is_binary else request.body
    event = {
        "version": "2.0",
        "routeKey": match.route_key,
        "rawPath": request.path,
        "rawQueryString": request.query,
        "cookies": [part.strip() for part in cookies.split(";") if part.strip()],
        "headers": headers,
        "queryStringParameters": _joined(parse_qsl(request.query, keep_blank_values=True)),
        "requestContext": _context(request, match, region, account),
        "pathParameters": dict(match.parameters),
        "body": body.decode(errors="replace"),
    }
    # API Gateway leaves out what is empty, except these.
    kept = ("rawQueryString", "headers")
    event = {name: value for name, value in event.items() if value or name in kept}
    return {**event, "isBase64Encoded": is_binary and bool(request.body)}


def response_of(payload: bytes) -> HttpResponse:
    """Return the response that a function's result means; raise MalformedResponseError."""
    try:
        result = json.loads(payload)
    except ValueError as error:
        raise MalformedResponseError(str(error)) from error
    if not isinstance(result, dict) or "statusCode" not in result:
        body = result if isinstance(result, str) else json.dumps(result)
        return HttpResponse(200, (("content-type", "application/json"),), body.encode())
    try:
        headers = {str(n).lower(): str(v) for n, v in (result.get("headers") or {}).items()}
        headers.setdefault("content-type", DEFAULT_TYPE)
        cookies = tuple(("set-cookie", str(cookie)) for cookie in result.get("cookies") or ())
        return HttpResponse(int(result["statusCode"]), (*headers.items(), *cookies), _body(result))
    except (TypeError, ValueError, AttributeError) as error:
        raise MalformedResponseError(str(error)) from error


def _body(result: Mapping[str, Any]) -> bytes:
    body = result.get("body") or ""
    text = body if isinstance(body, str) else json.dumps(body)
    return base64.b64decode(text, validate=True) if result.get("isBase64Encoded") else text.encode()


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _is_text(content_type: str) -> bool:
    kind = content_type.split(";", 1)[0].strip().lower()
    return kind.startswith("text/") or kind in TEXT_TYPES


def _context(request: HttpRequest, match: Match, region: str, account: str) -> dict[str, Any]:
    now = time.time()
    agent = next((v for n, v in request.headers if n.lower() == "user-agent"), "")
    return {
        "accountId": account,
        "apiId": match.api_id,
        "domainName": f"{match.api_id}.execute-api.{region}.amazonaws.com",
        "domainPrefix": match.api_id,
        "http": {
            "method": request.method,
            "path": request.path,
            "protocol": request.protocol,
            "sourceIp": request.source_ip,
            "userAgent": agent,
        },
        "requestId": uuid.uuid4().hex[:16],
        "routeKey": match.route_key,
        "stage": "$default",
        "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
        "timeEpoch": int(now * 1000),
    }
