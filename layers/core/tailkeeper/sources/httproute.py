"""Exposures of HTTPRoutes, by the documented rules of ExternalDNS's gateway-httproute source.

Names come from `spec.hostnames` and the hostname annotation (or one of them, by the annotation
gateway-hostname-source), narrowed by each listener that takes the route; a route without names
takes the listener's. Only what a Gateway accepted counts. Rules: ExternalDNS,
docs/sources/gateway.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tailkeeper.hostnames import canonical
from tailkeeper.model import Exposure
from tailkeeper.sources.annotations import Annotations
from tailkeeper.sources.listeners import (
    GROUP,
    Attachment,
    UnknownNamespaceError,
    attachments,
)
from tailkeeper.sources.reports import Report


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

READS = ("HTTPRoute", "Gateway", "Namespace")
"""The kinds that decide; when one is read in part, absence proves nothing."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What routes are judged by: Gateways by key, those configured, namespace labels by name.

    `partial` are the kinds read in part; `publishes` says whether a zone takes a name from an
    object with these annotations.
    """

    cluster: str
    gateways: Mapping[str, Mapping[str, Any]]
    followed: frozenset[str]
    namespaces: Mapping[str, Mapping[str, str]]
    partial: frozenset[str]
    publishes: Callable[[str, Mapping[str, str]], bool]


class UnattachedError(Exception):
    """A parent makes no exposure of the route; `kept` hosts may be exposures all the same."""

    def __init__(self, why: str, kept: frozenset[str] = frozenset()) -> None:
        self.why, self.kept = why, kept
        super().__init__(why)


class Route:
    """An HTTPRoute's own words."""

    def __init__(self, route: Mapping[str, Any]) -> None:
        self.meta: Mapping[str, Any] = route["metadata"]
        self.namespace: str = self.meta["namespace"]
        self.source = f"httproute/{self.namespace}/{self.meta['name']}"
        self.annotations = Annotations(self.meta.get("annotations"))
        self.generation: int = self.meta.get("generation") or 0
        self._spec: Mapping[str, Any] = route.get("spec") or {}
        self._judged = (route.get("status") or {}).get("parents") or ()
        self.wanted = self._wanted()
        readable = (canonical(name) if name else "" for name in self.wanted)
        self.names = tuple(name for name in readable if name is not None)
        self.asked = frozenset(name for name in self.names if name)

    def _wanted(self) -> tuple[str, ...]:
        """Return the names it asks for, as written; "" stands for those of its listeners."""
        spec = tuple(self._spec.get("hostnames") or ())
        annotated = self.annotations.listed("hostname")
        match (self.annotations.get("gateway-hostname-source") or "").lower():
            case "annotation-only":
                return annotated
            case "defined-hosts-only":
                return spec
        return (spec or ("",)) + annotated

    @property
    def parents(self) -> frozenset[tuple[str, ...]]:
        """Return the (group, kind, namespace, name) of every parent that the spec names."""
        return frozenset(map(self.parent, self._spec.get("parentRefs") or ()))

    def parent(self, ref: Mapping[str, Any]) -> tuple[str, ...]:
        """Return a parentRef with its defaults filled in."""
        group, kind = ref.get("group") or GROUP, ref.get("kind") or "Gateway"
        return group, kind, ref.get("namespace") or self.namespace, ref["name"]

    @property
    def judgements(self) -> list[Mapping[str, Any]]:
        """Return the status of each parent that the spec still names."""
        return [
            status for status in self._judged if self.parent(status["parentRef"]) in self.parents
        ]

    def complaints(self) -> Iterator[str]:
        """Yield what it says to no effect."""
        for name in self.wanted:
            if name and canonical(name) is None:
                yield f"{name!r} is no DNS name"
        if self.annotations.elsewhere:
            yield f"its records are left to the controller {self.annotations.elsewhere}"
        yield from self.annotations.complaints()


def read_route(document: Mapping[str, Any], around: Surroundings) -> Iterator[Exposure | Report]:
    """Yield the exposures of one HTTPRoute, and reports of what made none."""
    route = Route(document)
    for complaint in route.complaints():
        yield Report(route.source, complaint)
    if not route.parents:
        yield Report(route.source, "it names no parent")
    elif not route.judgements:
        hosts = tuple(sorted(route.asked))
        yield Report(route.source, "no Gateway has judged it yet", hosts, kept=True)
    found: set[Attachment] = set()
    for status in route.judgements:
        try:
            found |= _attached(route, status, around)
        except UnattachedError as reason:
            hosts = tuple(sorted(reason.kept or route.asked))
            yield Report(route.source, reason.why, hosts, kept=bool(reason.kept))
    yield from _exposures(route, found, around)


def _attached(route: Route, status: Mapping[str, Any], around: Surroundings) -> set[Attachment]:
    group, kind, namespace, name = route.parent(status["parentRef"])
    key = f"{namespace}/{name}"
    if (group, kind) != (GROUP, "Gateway"):
        raise UnattachedError(f"its parent {kind} {key} is no Gateway")
    if key not in around.gateways:
        kept = route.asked if "Gateway" in around.partial else frozenset[str]()
        raise UnattachedError(f"Gateway {key} was not found", kept)
    # Names before judgement: what waits for a judgement is kept by name.
    found = _served(route, status["parentRef"], around.gateways[key], around)
    hosts = frozenset(attachment.host for attachment in found)
    if key not in around.followed:
        raise UnattachedError(f"Gateway {key} is not in the configuration", hosts)
    _check_accepted(route, status, key, hosts)
    return found


def _served(
    route: Route, ref: Mapping[str, Any], gateway: Mapping[str, Any], around: Surroundings
) -> set[Attachment]:
    try:
        found = attachments(gateway, route.namespace, ref, route.names, around.namespaces)
    except UnknownNamespaceError:
        why = f"the labels of its namespace {route.namespace} were not read"
        raise UnattachedError(why, route.asked) from None
    if not found:
        where = f"section {ref['sectionName']}" if ref.get("sectionName") else "any listener"
        raise UnattachedError(f"Gateway {ref['name']} does not serve its names on {where}")
    return found


def _check_accepted(
    route: Route, status: Mapping[str, Any], gateway: str, hosts: frozenset[str]
) -> None:
    """Raise UnattachedError unless the Gateway accepted what the route says now."""
    conditions = status.get("conditions") or ()
    accepted = next((c for c in conditions if c.get("type") == "Accepted"), None)
    if accepted is None:
        raise UnattachedError(f"Gateway {gateway} has not judged it yet", hosts)
    # Controllers need not say which generation they judged; then it is taken to be this one.
    seen = accepted.get("observedGeneration") or route.generation
    if seen < route.generation:
        why = f"Gateway {gateway} has judged its generation {seen}, not {route.generation}"
        raise UnattachedError(why, hosts)
    if accepted.get("status") != "True":
        reason = accepted.get("reason") or accepted.get("status")
        raise UnattachedError(f"Gateway {gateway} does not accept it: {reason}")


def _exposures(route: Route, found: set[Attachment], around: Surroundings) -> Iterator[Exposure]:
    seen: set[tuple[str, str]] = set()
    # One name, one probe: of two listeners that serve it, https sorts first.
    for attachment in sorted(found):
        name = (attachment.host, attachment.gateway)
        if name not in seen:
            seen.add(name)
            yield _exposure(route, attachment, around)


def _exposure(route: Route, attachment: Attachment, around: Surroundings) -> Exposure:
    gateway = around.gateways[attachment.gateway]["metadata"]
    targets = Annotations(gateway.get("annotations")).listed("target")
    mine = not route.annotations.elsewhere
    published = mine and around.publishes(attachment.host, route.annotations.all)
    return Exposure(
        host=attachment.host,
        source=route.source,
        cluster=around.cluster,
        gateway=attachment.gateway,
        views=("public", "tailnet") if published else ("tailnet",),
        port=attachment.port,
        protocol=attachment.protocol,
        target=",".join(targets) or None,
        ttl=route.annotations.ttl,
        proxied=route.annotations.proxied,
        published=published,
    )
