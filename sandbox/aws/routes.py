"""An HTTP API's routes, read from the OpenAPI body that SAM writes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from sandbox.aws.payload import Match


if TYPE_CHECKING:
    from collections.abc import Mapping

ANY = "x-amazon-apigateway-any-method"
INTEGRATION = "x-amazon-apigateway-integration"
FUNCTION_ARN = re.compile(r"/functions/(arn:[^/]+)/invocations$")
VARIABLE = re.compile(r"\{([^}+]+)(\+?)\}")
KNOWN_BODY = frozenset({"info", "paths", "openapi", "tags"})
DEFAULT = "$default"


class UnknownRouteError(Exception):
    """The API's body asks for something that the front does not carry."""


@dataclass(frozen=True)
class Route:
    """One route and the function behind it."""

    method: str
    path: str
    function_arn: str
    pattern: re.Pattern[str]

    @property
    def key(self) -> str:
        """The route key, as API Gateway writes it."""
        return DEFAULT if self.path == DEFAULT else f"{self.method} {self.path}"

    @property
    def rank(self) -> tuple[int, int, int]:
        """The order in which routes are tried: static before variables before greedy ones."""
        variables = VARIABLE.findall(self.path)
        greedy = sum(1 for _, plus in variables if plus)
        return (2 * (self.path == DEFAULT) + (greedy > 0), len(variables), self.method == "ANY")


@dataclass(frozen=True)
class Routes:
    """All routes of one API."""

    api_id: str
    routes: tuple[Route, ...]

    @classmethod
    def of(cls, api_id: str, body: Mapping[str, Any]) -> Routes:
        """Return the routes of an OpenAPI body; raise UnknownRouteError."""
        if set(body) - KNOWN_BODY:
            raise UnknownRouteError(f"the HTTP API would drop {sorted(set(body) - KNOWN_BODY)}")
        found = [
            _route(method, path, operation)
            for path, operations in body.get("paths", {}).items()
            for method, operation in operations.items()
        ]
        return cls(api_id, tuple(sorted(found, key=lambda route: route.rank)))

    def find(self, method: str, path: str) -> tuple[Route, Match] | None:
        """Return the route for a request's method and raw path."""
        for route in self.routes:
            found = route.pattern.fullmatch(path)
            if found and route.method in {"ANY", method}:
                variables = {_name(k): unquote(v) for k, v in found.groupdict().items()}
                return route, Match(self.api_id, route.key, variables)
        return None


def _route(method: str, path: str, operation: Mapping[str, Any]) -> Route:
    integration = operation.get(INTEGRATION, {})
    arn = FUNCTION_ARN.search(integration.get("uri", ""))
    wanted = {"type": "aws_proxy", "payloadFormatVersion": "2.0"}
    given = {name: integration.get(name) for name in wanted}
    if not arn or given != wanted or "security" in operation:
        raise UnknownRouteError(
            f"{method} {path}: only open Lambda routes of payload 2.0 are known"
        )
    verb = "ANY" if method == ANY else method.upper()
    path = DEFAULT if path.strip("/") == DEFAULT else path
    return Route(verb, path, arn[1], _pattern(path))


def _pattern(path: str) -> re.Pattern[str]:
    if path == DEFAULT:
        return re.compile(".*")
    parts = re.split(r"(\{[^}]+\})", path)
    return re.compile("".join(_part(part) for part in parts))


def _part(part: str) -> str:
    variable = VARIABLE.fullmatch(part)
    if not variable:
        return re.escape(part)
    name = variable[1].encode().hex()  # a variable's name may hold what a group's may not
    return f"(?P<v{name}>.+)" if variable[2] else f"(?P<v{name}>[^/]+)"


def _name(group: str) -> str:
    return bytes.fromhex(group[1:]).decode()
