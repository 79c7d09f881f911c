"""HTTPRoutes as a data plane's routes, in Gateway API's order of precedence.

Not emulated: query-parameter and regular-expression header matches, rewrites, mirrors, timeouts.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sandbox.cluster.frontends import HeaderEdit, Host, Match, Redirect, Route


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Permits = Callable[[Mapping[str, Any]], bool]
    Attached = tuple[Mapping[str, Any], Iterable[str], Permits]

KINDS = {"PathPrefix": "prefix", "Exact": "exact", "RegularExpression": "regex"}
ORDER = {"exact": 0, "regex": 1, "prefix": 2}


def hosts(attached: Iterable[Attached]) -> tuple[Host, ...]:
    """Return the virtual hosts of one listener.

    `attached` holds (route, hostnames it is served for, whether a backendRef of it resolves).
    """
    found: dict[str, list[tuple[Any, Route]]] = defaultdict(list)
    for route, hostnames, permits in attached:
        entries = [(precedence(r, route), r) for r in routes(route, permits)]
        for name in hostnames:
            found[name or "*"] += entries
    return tuple(
        Host(name, tuple(r for _, r in sorted(entries, key=lambda entry: entry[0])))
        for name, entries in sorted(found.items())
    )


def precedence(entry: Route, route: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the sort key of Gateway API: path, method, headers, then the older route, its name."""
    match, meta = entry.match, route["metadata"]
    return (
        ORDER[match.kind],
        -len(match.path),
        not match.method,
        -len(match.headers),
        meta.get("creationTimestamp", ""),
        f"{meta['namespace']}/{meta['name']}",
    )


def routes(route: Mapping[str, Any], permits: Permits) -> list[Route]:
    """Return one route for each match of each rule."""
    home = route["metadata"]["namespace"]
    return [
        _route(rule, _match(match), home, permits)
        for rule in route["spec"].get("rules") or [{}]
        for match in rule.get("matches") or [{}]
    ]


def _match(match: Mapping[str, Any]) -> Match:
    path = match.get("path") or {}
    return Match(
        KINDS[path.get("type", "PathPrefix")],  # type: ignore[arg-type]  # the table's values
        path.get("value", "/"),
        match.get("method", ""),
        tuple((h["name"].lower(), h["value"]) for h in match.get("headers") or []),
    )


def _route(rule: Mapping[str, Any], match: Match, home: str, permits: Permits) -> Route:
    filters = {f["type"]: f for f in rule.get("filters") or []}
    redirect = filters.get("RequestRedirect", {}).get("requestRedirect")
    return Route(
        match,
        tuple(
            (service_key(ref, home), ref.get("weight", 1))
            for ref in rule.get("backendRefs") or []
            if permits(ref) and ref.get("weight", 1)
        ),
        _redirect(redirect) if redirect is not None else None,
        request=_edit(filters.get("RequestHeaderModifier", {}).get("requestHeaderModifier")),
        response=_edit(filters.get("ResponseHeaderModifier", {}).get("responseHeaderModifier")),
    )


def service_key(ref: Mapping[str, Any], home: str) -> str:
    """Return `<namespace>/<service>:<port>` of a backendRef of a route in namespace `home`."""
    return f"{ref.get('namespace') or home}/{ref['name']}:{ref.get('port', 80)}"


def _redirect(spec: Mapping[str, Any]) -> Redirect:
    path = spec.get("path") or {}
    return Redirect(
        spec.get("scheme", ""),
        spec.get("hostname", ""),
        spec.get("port", 0),
        path.get("replaceFullPath", ""),
        spec.get("statusCode", 302),
    )


def _edit(spec: Mapping[str, Any] | None) -> HeaderEdit:
    spec = spec or {}
    return HeaderEdit(
        tuple((h["name"].lower(), h["value"]) for h in spec.get("set") or []),
        tuple((h["name"].lower(), h["value"]) for h in spec.get("add") or []),
        tuple(name.lower() for name in spec.get("remove") or []),
    )
