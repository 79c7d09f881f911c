"""IAM for functions and state machines: what their role does not allow is refused, as on AWS.

They sign with their role's name as the access key; whoever signs with another one owns the account.
An Allow is needed and no Deny may match; conditions count as met.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

from sandbox.aws.repairs import moto_module


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Answer = tuple[int, dict[str, str], bytes]

ACCOUNT = "123456789012"
SIGNED = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/")
OBJECTS = {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
INVOKED = re.compile(r"/functions/([^/]+)/invocations")
REQUEST_ID = "x-amzn-RequestId"
XML = frozenset({"s3", "sns", "sqs"})


@dataclass(frozen=True)
class Request:
    """A signed request; `target` is its header X-Amz-Target, or ""."""

    method: str
    path: str
    authorization: str
    target: str
    body: bytes


@dataclass(frozen=True)
class Call:
    """What somebody asks for: an action, such as `dynamodb:GetItem`, on resources."""

    action: str
    resources: tuple[str, ...]


def refused(request: Request) -> Answer | None:
    """Return the answer to a call that the signer's role does not allow, else None."""
    signed = SIGNED.search(request.authorization)
    if not signed or not (role := _role(signed[1])):
        return None
    _, region, service = signed.groups()
    call = _call(service, region, request)
    managed = (p.versions[-1].document for p in role.managed_policies.values())
    documents = [*role.policies.values(), *managed]
    denied = [each for each in call.resources if not allows(documents, call.action, each)]
    if not denied:
        return None
    return _answer(
        service,
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{role.name} is not authorized to perform: "
        f"{call.action} on resource: {denied[0]}",
    )


def allows(documents: Iterable[str], action: str, resource: str) -> bool:
    """Return whether policies, as JSON, allow an action on a resource."""
    effects = {
        statement["Effect"]
        for document in documents
        for statement in _statements(document)
        if _matches(statement["Action"], action) and _matches(statement["Resource"], resource)
    }
    return effects == {"Allow"}


@dataclass(frozen=True)
class Gate:
    """A WSGI application behind IAM."""

    app: Callable[..., Any]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        """Refuse a request, or pass it on."""
        authorization = environ.get("HTTP_AUTHORIZATION", "")
        if not (signed := SIGNED.search(authorization)) or not _role(signed[1]):
            return self.app(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        answer = refused(Request(method, path, authorization, target, body))
        if not answer:
            return self.app({**environ, "wsgi.input": io.BytesIO(body)}, start_response)
        status, headers, content = answer
        start_response(f"{status} Refused", list(headers.items()))
        return [content]


def _role(name: str) -> Any:
    roles = moto_module("iam.models").iam_backends[ACCOUNT]["aws"].roles.values()
    return next((role for role in roles if role.name == name), None)


@cache
def _statements(document: str) -> list[dict[str, Any]]:
    found = json.loads(document)["Statement"]
    return found if isinstance(found, list) else [found]


def _matches(patterns: str | list[str], value: str) -> bool:
    wanted = [patterns] if isinstance(patterns, str) else patterns
    return any(fnmatchcase(value.lower(), pattern.lower()) for pattern in wanted)


def _call(service: str, region: str, request: Request) -> Call:
    arn, path = f"arn:aws:{service}:{region}:{ACCOUNT}:", unquote(request.path)
    if service == "s3":
        action = OBJECTS.get(request.method, request.method)
        return Call(f"s3:{action}", (f"arn:aws:s3:::{path.lstrip('/')}",))
    if invoked := INVOKED.search(path):
        name = invoked[1] if invoked[1].startswith("arn:") else f"{arn}function:{invoked[1]}"
        return Call("lambda:InvokeFunction", (name,))
    if request.target:
        given, operation = json.loads(request.body), request.target.rpartition(".")[2]
    else:
        given = {name: values[-1] for name, values in parse_qs(request.body.decode()).items()}
        operation = given.get("Action", path)
    return Call(f"{service}:{operation}", tuple(_resources(arn, given)) or ("*",))


def _resources(arn: str, given: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the parameters of a call name; `arn` is the beginning of the service's ARNs."""
    match given:
        case {"TableName": name}:
            yield f"{arn}table/{name}"
        case {"RequestItems": tables}:
            yield from (f"{arn}table/{name}" for name in tables)
        case {"Entries": entries}:
            yield from (f"{arn}event-bus/{e.get('EventBusName', 'default')}" for e in entries)
        case {"Name": name} if ":ssm:" in arn:
            yield f"{arn}parameter/{name.lstrip('/')}"
        case {"SecretId": known} | {"TopicArn": known} | {"stateMachineArn": known}:
            yield known


def _answer(service: str, message: str) -> Answer:
    if service in XML:
        code = "AccessDenied" if service == "s3" else "AuthorizationError"
        error = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
        text = error if service == "s3" else f"<ErrorResponse>{error}</ErrorResponse>"
        return 403, {"Content-Type": "application/xml", REQUEST_ID: "refused"}, text.encode()
    code = "AccessDeniedException"
    body = json.dumps({"__type": code, "message": message, "Message": message}).encode()
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amzn-ErrorType": code}
    headers[REQUEST_ID] = "refused"
    return (403 if service == "lambda" else 400), headers, body
