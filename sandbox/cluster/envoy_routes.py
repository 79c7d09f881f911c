"""Envoy's route configurations, one file for each filter chain, in the words of its v3 API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.cluster.backends import SERVICE_HEADER
from sandbox.cluster.envoy_config import CLUSTER


if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.cluster.frontends import HeaderEdit, Host, Redirect, Route

    Json = dict[str, Any]


def route_configuration(name: str, hosts: Sequence[Host]) -> Json:
    """Return a chain's virtual hosts."""
    return {
        "name": name,
        "ignore_port_in_host_matching": True,
        "virtual_hosts": [
            {
                "name": host.name.replace("*", "wildcard"),
                "domains": [host.name],
                "routes": [_route(route) for route in host.routes],
            }
            for host in hosts
        ],
    }


def _route(route: Route) -> Json:
    return {"match": _match(route), **_action(route), **_edits(route)}


def _match(route: Route) -> Json:
    match = route.match
    body: Json
    if match.kind == "exact":
        body = {"path": match.path}
    elif match.kind == "regex":
        body = {"safe_regex": {"regex": match.path}}
    elif match.path == "/":
        body = {"prefix": "/"}
    else:
        body = {"path_separated_prefix": match.path.rstrip("/")}
    wanted = [*match.headers, *([(":method", match.method)] if match.method else [])]
    if wanted:
        body["headers"] = [
            {"name": name, "string_match": {"exact": value}} for name, value in wanted
        ]
    return body


def _action(route: Route) -> Json:
    if route.redirect:
        return {"redirect": _redirect(route.redirect)}
    if not route.backends:
        return {"direct_response": {"status": route.status}}
    return {
        "route": {
            "weighted_clusters": {
                "clusters": [
                    {
                        "name": CLUSTER,
                        "weight": weight,
                        "request_headers_to_add": [_header(SERVICE_HEADER, service)],
                    }
                    for service, weight in route.backends
                ]
            }
        }
    }


def _redirect(redirect: Redirect) -> Json:
    codes = {301: "MOVED_PERMANENTLY", 302: "FOUND", 303: "SEE_OTHER"}
    codes |= {307: "TEMPORARY_REDIRECT", 308: "PERMANENT_REDIRECT"}
    found = {
        "scheme_redirect": redirect.scheme,
        "host_redirect": redirect.hostname,
        "port_redirect": redirect.port,
        "path_redirect": redirect.path,
    }
    return {k: v for k, v in found.items() if v} | {"response_code": codes[redirect.status]}


def _edits(route: Route) -> Json:
    found: Json = {}
    for side, edit in (("request", route.request), ("response", route.response)):
        added = [*_headers(edit)]
        if added:
            found[f"{side}_headers_to_add"] = added
        if edit.remove:
            found[f"{side}_headers_to_remove"] = list(edit.remove)
    return found


def _headers(edit: HeaderEdit) -> list[Json]:
    return [_header(name, value) for name, value in edit.put] + [
        {**_header(name, value), "append_action": "APPEND_IF_EXISTS_OR_ADD"}
        for name, value in edit.add
    ]


def _header(name: str, value: str) -> Json:
    return {
        "header": {"key": name, "value": value.replace("%", "%%")},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
