"""The front of HTTP APIs: payload format 2.0, routes, limits, and what API Gateway says itself."""

from __future__ import annotations

import base64
import http.client
import json
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from sandbox.aws.http_api import LARGEST_BODY, Bucket, HttpApi
from sandbox.aws.payload import (
    HttpRequest,
    MalformedResponseError,
    Match,
    event_of,
    response_of,
)
from sandbox.aws.routes import Routes, UnknownRouteError
from sandbox.aws.workers.pool import ThrottledError
from sandbox.aws.workers.worker import Outcome


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ARN = "arn:aws:lambda:eu-central-1:123456789012:function:f"


def integration(**changes: Any) -> dict[str, Any]:
    """Return a Lambda integration as SAM writes it."""
    uri = f"arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/{ARN}/invocations"
    given = {"type": "aws_proxy", "httpMethod": "POST", "uri": uri, "payloadFormatVersion": "2.0"}
    return {"x-amazon-apigateway-integration": {**given, **changes}, "responses": {}}


def routes(*keys: str) -> Routes:
    """Return an API with these routes."""
    paths: dict[str, dict[str, Any]] = {}
    for key in keys:
        method, path = key.split(" ")
        verb = "x-amazon-apigateway-any-method" if method == "ANY" else method.lower()
        paths.setdefault(path, {})[verb] = integration()
    return Routes.of("api1", {"openapi": "3.0.1", "paths": paths})


ALL = routes("GET /a", "GET /a/{id}", "ANY /a/{id}", "GET /a/{rest+}", "POST /a/b", "ANY /$default")


@pytest.mark.parametrize(
    ("method", "path", "key", "variables"),
    [
        ("GET", "/a", "GET /a", {}),
        ("POST", "/a/b", "POST /a/b", {}),
        ("GET", "/a/b%20c", "GET /a/{id}", {"id": "b c"}),
        ("PUT", "/a/1", "ANY /a/{id}", {"id": "1"}),
        ("GET", "/a/1/2", "GET /a/{rest+}", {"rest": "1/2"}),
        ("PUT", "/other", "$default", {}),
    ],
)
def test_the_most_specific_route_wins(
    method: str, path: str, key: str, variables: dict[str, str]
) -> None:
    """A static path before a variable, a variable before a greedy one, then the default."""
    found = ALL.find(method, path)
    assert found
    assert (found[1].route_key, found[1].parameters) == (key, variables)


@pytest.mark.parametrize(
    "body",
    [
        {"paths": {"/": {"get": integration(payloadFormatVersion="1.0")}}},
        {"paths": {"/": {"get": {**integration(), "security": [{}]}}}},
        {"paths": {"/": {"get": integration(uri="https://example.com")}}},
        {"paths": {}, "x-amazon-apigateway-cors": {}},
    ],
)
def test_what_the_front_does_not_carry_is_refused(body: dict[str, Any]) -> None:
    """Rather than carried wrongly."""
    with pytest.raises(UnknownRouteError):
        Routes.of("api1", body)


def test_a_request_becomes_an_event() -> None:
    """Lower-cased headers, duplicates joined, cookies apart, empty fields left out."""
    headers = (
        ("X-Twice", "a"),
        ("x-twice", "b"),
        ("Content-Type", "application/json; charset=utf-8"),
        ("Cookie", "a=1; b=2"),
        ("User-Agent", "me"),
    )
    request = HttpRequest("POST", "/hooks/x", "q=1&q=%20&e=", headers, b'{"a": 1}')
    event = event_of(request, Match("api1", "POST /hooks/{kind}", {"kind": "x"}), "eu", "1")
    context = event.pop("requestContext")
    assert event == {
        "version": "2.0",
        "routeKey": "POST /hooks/{kind}",
        "rawPath": "/hooks/x",
        "rawQueryString": "q=1&q=%20&e=",
        "cookies": ["a=1", "b=2"],
        "headers": {
            "x-twice": "a,b",
            "content-type": "application/json; charset=utf-8",
            "user-agent": "me",
        },
        "queryStringParameters": {"q": "1, ", "e": ""},
        "pathParameters": {"kind": "x"},
        "body": '{"a": 1}',
        "isBase64Encoded": False,
    }
    assert context["http"] == {
        "method": "POST",
        "path": "/hooks/x",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "me",
    }


@pytest.mark.parametrize(
    ("content_type", "is_encoded"),
    [
        ("text/plain", False),
        ("application/json", False),
        ("application/xml", False),
        ("application/x-www-form-urlencoded", True),
        ("application/octet-stream", True),
        ("", True),
    ],
)
def test_binary_bodies_are_base64(content_type: str, is_encoded: bool) -> None:  # noqa: FBT001 - a table
    """By the content type; a form is binary to API Gateway."""
    headers = (("Content-Type", content_type),) if content_type else ()
    event = event_of(HttpRequest("POST", "/", "", headers, b"a=1"), Match("a", "k"), "eu", "1")
    assert event["isBase64Encoded"] is is_encoded
    assert event["body"] == (base64.b64encode(b"a=1").decode() if is_encoded else "a=1")


@pytest.mark.parametrize(
    ("result", "status", "content_type", "body"),
    [
        ({"statusCode": 202, "body": "x"}, 202, "text/plain; charset=utf-8", b"x"),
        ({"statusCode": "204"}, 204, "text/plain; charset=utf-8", b""),
        ({"hello": "world"}, 200, "application/json", b'{"hello": "world"}'),
        ("just text", 200, "application/json", b"just text"),
        (None, 200, "application/json", b"null"),
        (
            {"statusCode": 200, "headers": {"Content-Type": "a/b"}, "body": "AAE=",
             "isBase64Encoded": True},
            200, "a/b", b"\x00\x01",
        ),
    ],
)  # fmt: skip
def test_a_result_becomes_a_response(
    result: Any, status: int, content_type: str, body: bytes
) -> None:
    """What has no statusCode is the body itself."""
    response = response_of(json.dumps(result).encode())
    headers = dict(response.headers)
    assert (response.status, headers["content-type"], response.body) == (status, content_type, body)


@pytest.mark.parametrize(
    "payload",
    [
        b"\xff",
        b'{"statusCode": "x"}',
        b'{"statusCode": 200, "headers": [1]}',
        b'{"statusCode": 200, "body": "?", "isBase64Encoded": true}',
    ],
)
def test_a_malformed_result_is_found(payload: bytes) -> None:
    """It becomes a 500."""
    with pytest.raises(MalformedResponseError):
        response_of(payload)


def test_a_bucket_refills() -> None:
    """`burst` at once, then `rate` a second."""
    bucket = Bucket(rate=0.0, burst=2)
    assert [bucket.take() for _ in range(3)] == [True, True, False]


def echo(_: str, event: bytes) -> Outcome:
    """Answer with the length of the body."""
    return Outcome(
        json.dumps({"statusCode": 200, "body": str(len(json.loads(event)["body"]))}).encode()
    )


def throttled(_: str, __: bytes) -> Outcome:
    """Refuse as a function without concurrency does."""
    raise ThrottledError("f")


def stuck(_: str, __: bytes) -> Outcome:
    """Take longer than the front waits."""
    threading.Event().wait(0.5)
    return Outcome(b"{}")


@pytest.fixture
def front() -> Iterator[Callable[..., HttpApi]]:
    """Yield a way to start fronts."""
    started: list[HttpApi] = []

    def start(invoke: Callable[[str, bytes], Outcome], **more: Any) -> HttpApi:
        api = HttpApi(routes("POST /x"), "eu-central-1", invoke, **more)
        api.start()
        started.append(api)
        return api

    yield start
    for api in started:
        api.stop()


def post(
    url: str, path: str, body: bytes = b"x", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Make a request; return status, headers and body."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    connection.request("POST", path, body, {"Content-Type": "text/plain", **headers})
    response = connection.getresponse()
    answer = response.status, dict(response.getheaders()), response.read()
    connection.close()
    return answer


@pytest.mark.parametrize(
    ("invoke", "options", "path", "expected"),
    [
        (echo, {}, "/y", (404, b'{"message":"Not Found"}')),
        (throttled, {}, "/x", (503, b'{"message":"Service Unavailable"}')),
        (stuck, {"longest_seconds": 0.05}, "/x", (503, b'{"message":"Service Unavailable"}')),
        (echo, {"bucket": Bucket(0, 0)}, "/x", (429, b'{"message":"Too Many Requests"}')),
        (
            lambda _, __: Outcome(b"{}", is_error=True),
            {},
            "/x",
            (500, b'{"message":"Internal Server Error"}'),
        ),
        (
            lambda _, __: Outcome(b'{"statusCode": "x"}'),
            {},
            "/x",
            (500, b'{"message":"Internal Server Error"}'),
        ),
    ],
)
def test_api_gateway_speaks_for_itself(
    front: Any, invoke: Any, options: dict[str, Any], path: str, expected: tuple[int, bytes]
) -> None:
    """Where there is no route, no concurrency, no time, or no sense in the answer."""
    status, _, body = post(front(invoke, **options).url, path)
    assert (status, body) == expected


@pytest.mark.parametrize(
    ("size", "status"), [(5 * 1024 * 1024, 200), (7 * 1024 * 1024, 413), (LARGEST_BODY + 1, 413)]
)
def test_bodies_have_limits(front: Any, size: int, status: int) -> None:
    """Ten megabytes are API Gateway's limit, six are Lambda's."""
    answer = post(front(echo).url, "/x", b"x" * size)
    assert answer[0] == status


def test_a_real_function_answers(sandbox: Any) -> None:
    """Through the front, a worker and back: the event as the function saw it."""
    status, _, body = post(
        sandbox.ready["http_api_url"], "/hooks/a%2Fb?q=1", b"\x00", **{"Content-Type": "x/y"}
    )
    event = json.loads(body)
    assert status == 202
    assert event["pathParameters"] == {"kind": "a/b"}
    assert event["routeKey"] == "POST /hooks/{kind}"
    assert event["requestContext"]["apiId"] == sandbox.id_of("Api")
    assert base64.b64decode(event["body"]) == b"\x00"
    assert event["headers"]["x-forwarded-proto"] == "http"


@pytest.mark.parametrize(
    ("wish", "status", "content_type", "body"),
    [
        ("headers", 200, "text/html", b"<p>"),
        ("binary", 200, "image/png", b"\x89PNG\x00"),
        ("malformed", 500, "application/json", b'{"message":"Internal Server Error"}'),
        ("fail", 500, "application/json", b'{"message":"Internal Server Error"}'),
    ],
)
def test_a_real_function_decides_the_answer(
    sandbox: Any, wish: str, status: int, content_type: str, body: bytes
) -> None:
    """An exception's details stay in the log."""
    answer = post(sandbox.ready["http_api_url"], f"/hooks/a?answer={wish}")
    assert (answer[0], answer[1]["content-type"], answer[2]) == (status, content_type, body)


def test_many_requests_at_once_are_all_answered(sandbox: Any) -> None:
    """A function has few workers here; what exceeds them waits."""
    results: list[int] = []
    url = sandbox.ready["http_api_url"]
    callers = [
        threading.Thread(target=lambda: results.append(post(url, "/hooks/a")[0])) for _ in range(60)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert results == [202] * 60
