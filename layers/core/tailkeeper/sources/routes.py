"""Exposures of the Gateway API's routes, by the documented rules of ExternalDNS's gateway sources.

Names come from `spec.hostnames` and the hostname annotation (or one of them, by the annotation
gateway-hostname-source), narrowed by each listener that takes the route; a route without names
takes the listener's. TCPRoutes and UDPRoutes have none of their own. Only what a Gateway accepted
counts. Rules: ExternalDNS, docs/sources/gateway.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailkeeper.hostnames import canonical
from tailkeeper.model import Exposure
from tailkeeper.sources.annotations import Annotations
from tailkeeper.sources.listeners import (
    GROUP,
    PROTOCOLS,
    Asker,
    Attachment,
    Parent,
    UnknownNamespaceError,
    attachments,
)
from tailkeeper.sources.parents import (
    UnattachedError,
    check_accepted,
    check_joined,
    parent_of,
)
from tailkeeper.sources.reports import Report
from tailkeeper.sources.views import views_of


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tailkeeper.sources.parents import Ref
    from tailkeeper.sources.surroundings import Surroundings

KINDS = tuple(PROTOCOLS)
AROUND = ("Gateway", "ListenerSet", "XListenerSet", "Namespace")
"""The kinds that decide beside the route; when one is read in part, absence proves nothing."""


class Route:
    """A route's own words."""

    def __init__(self, kind: str, route: Mapping[str, Any]) -> None:
        self.kind = kind
        self.meta: Mapping[str, Any] = route["metadata"]
        self.namespace: str = self.meta["namespace"]
        self.source = f"{kind.lower()}/{self.namespace}/{self.meta['name']}"
        self.annotations = Annotations(self.meta.get("annotations"))
        self._spec: Mapping[str, Any] = route.get("spec") or {}
        self.parents = frozenset(map(self.parent, self._spec.get("parentRefs") or ()))
        self._judged = (route.get("status") or {}).get("parents") or ()
        self.wanted = self._wanted()
        readable = (canonical(name) if name else "" for name in self.wanted)
        self.names = tuple(name for name in readable if name is not None)
        self.asked = frozenset(name for name in self.names if name)

    def _wanted(self) -> tuple[str, ...]:
        """Return the names it asks for, as written; "" stands for those of its listeners."""
        spec = tuple(self._spec.get("hostnames") or ())
        annotated = self.annotations.listed("hostname")
        match self.annotations.hostname_source("gateway"):
            case "annotation-only":
                return annotated
            case "defined-hosts-only":
                return spec
        return (spec or ("",)) + annotated

    def parent(self, ref: Mapping[str, Any]) -> Ref:
        """Return a parentRef with its defaults filled in."""
        group, kind = ref.get("group") or GROUP, ref.get("kind") or "Gateway"
        return group, kind, ref.get("namespace") or self.namespace, ref["name"]

    @property
    def judgements(self) -> list[Mapping[str, Any]]:
        """Return the status of each parent that the spec still names."""
        return [
            status for status in self._judged if self.parent(status["parentRef"]) in self.parents
        ]

    @property
    def waits_for(self) -> str:
        """Say which of its parents has not judged it at all; "" where all have."""
        waiting = self.parents - {self.parent(status["parentRef"]) for status in self._judged}
        if waiting == self.parents:
            return "no Gateway has judged it yet"
        told = (f"{kind} {space}/{name}" for _, kind, space, name in sorted(waiting))
        return next((f"{parent} has not judged it yet" for parent in told), "")

    def complaints(self) -> Iterator[str]:
        """Yield what it says to no effect."""
        for name in self.wanted:
            if name and canonical(name) is None:
                yield f"{name!r} is no DNS name"
        if self.annotations.elsewhere:
            yield f"its records are left to the controller {self.annotations.elsewhere}"
        yield from self.annotations.complaints()


def read_route(
    kind: str, document: Mapping[str, Any], around: Surroundings
) -> Iterator[Exposure | Report]:
    """Yield the exposures of one route of a kind, and reports of what made none."""
    route = Route(kind, document)
    for complaint in route.complaints():
        yield Report(route.source, complaint)
    if not route.parents:
        yield Report(route.source, "it names no parent")
    elif route.waits_for:
        yield Report(route.source, route.waits_for, tuple(sorted(route.asked)), kept=True)
    found: set[Attachment] = set()
    for status in route.judgements:
        try:
            found |= _attached(route, status, around)
        except UnattachedError as reason:
            hosts = tuple(sorted(reason.kept or route.asked))
            yield Report(route.source, reason.why, hosts, kept=bool(reason.kept))
    yield from _exposures(route, found, around)


def _attached(route: Route, status: Mapping[str, Any], around: Surroundings) -> set[Attachment]:
    ref = status["parentRef"]
    parent = parent_of(route.parent(ref), around, route.asked)
    # Names before judgement: what waits for a judgement is kept by name.
    found = _served(route, ref, parent, around)
    hosts = frozenset(attachment.host for attachment in found)
    subject = f"Gateway {parent.gateway}"
    if parent.gateway not in around.followed:
        raise UnattachedError(f"{subject} is not in the configuration", hosts)
    check_joined(parent, ref, hosts)
    check_accepted(status.get("conditions") or (), route.meta, subject, "it", hosts)
    return found


def _served(
    route: Route, ref: Mapping[str, Any], parent: Parent, around: Surroundings
) -> set[Attachment]:
    asker = Asker(route.kind, route.namespace, route.names)
    try:
        found = attachments(parent, ref, asker, around.namespaces)
    except UnknownNamespaceError:
        why = f"the labels of its namespace {route.namespace} were not read"
        raise UnattachedError(why, route.asked) from None
    if not found:
        where = f"section {ref['sectionName']}" if ref.get("sectionName") else "any listener"
        raise UnattachedError(f"Gateway {parent.gateway} does not serve its names on {where}")
    return found


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
    said = route.annotations
    views, published = views_of(attachment.host, said, around)
    return Exposure(
        host=attachment.host,
        source=route.source,
        cluster=around.cluster,
        gateway=attachment.gateway,
        views=views,
        port=attachment.port,
        protocol=attachment.protocol,
        target=attachment.target or None,
        ttl=said.ttl,
        proxied=said.proxied,
        published=published,
        answer=said.answer or Annotations(gateway.get("annotations")).answer,
        comment=said.comment,
        tags=said.tags,
    )
