"""Which listeners take a route, and under which names (Gateway API v1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tailkeeper.hostnames import canonical, intersection
from tailkeeper.selectors import SelectorError, label_selector


if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    Labels = Mapping[str, Mapping[str, str]]

GROUP = "gateway.networking.k8s.io"
PROTOCOLS: dict[str, dict[str, str]] = {
    "HTTPRoute": {"HTTPS": "https", "HTTP": "http"},
    "GRPCRoute": {"HTTPS": "tls", "HTTP": "tcp"},
    "TLSRoute": {"TLS": "tls"},
    "TCPRoute": {"TCP": "tcp", "TLS": "tls"},
    "UDPRoute": {"UDP": "udp"},
}
"""The listener protocols that take a kind of route, the best one first, and what is then spoken.

ExternalDNS has the same table, without preferences. A gRPC server need not answer GET, so it is
only greeted.
"""


@dataclass(frozen=True, slots=True, order=True)
class Attachment:
    """A name under which a listener serves a route; of two the better `rank` sorts first."""

    host: str
    gateway: str
    rank: int
    port: int
    protocol: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class Parent:
    """Where a parentRef leads: listeners, the namespace `home` they are in, and their Gateway.

    `target` is what their target annotation says, `joined` the ListenerSet that has the listeners.
    """

    gateway: str
    home: str
    listeners: Sequence[Mapping[str, Any]]
    target: str = ""
    joined: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Asker:
    """The route that asks: its kind, its namespace, its canonical names, "" for any name."""

    kind: str
    namespace: str
    names: Collection[str]


class UnknownNamespaceError(LookupError):
    """Somebody selects namespaces by label, and this one was not read."""


def attachments(
    parent: Parent, ref: Mapping[str, Any], asker: Asker, namespaces: Labels
) -> set[Attachment]:
    """Return the names under which the parent's listeners that `ref` points at serve a route.

    `namespaces` are labels by name. Raises UnknownNamespaceError.
    """
    spoken = PROTOCOLS[asker.kind]
    rank = {protocol: place for place, protocol in enumerate(spoken)}
    return {
        Attachment(
            host,
            parent.gateway,
            rank[listener["protocol"]],
            int(listener.get("port") or 0),
            spoken[listener["protocol"]],
            parent.target,
        )
        for listener in parent.listeners
        if listener.get("protocol") in spoken
        and is_meant(listener, ref)
        and _allows(listener, parent.home, asker, namespaces)
        for host in _shared(listener.get("hostname") or "", asker.names)
    }


def _shared(hostname: str, names: Collection[str]) -> Iterator[str]:
    own = canonical(hostname) if hostname else ""
    if own is not None:
        yield from filter(None, (intersection(own, name) for name in names))


def is_meant(listener: Mapping[str, Any], ref: Mapping[str, Any]) -> bool:
    """Say whether a parentRef points at a listener."""
    section, port = ref.get("sectionName"), ref.get("port")
    return section in {None, "", listener.get("name")} and port in {None, listener.get("port")}


def _allows(listener: Mapping[str, Any], home: str, asker: Asker, namespaces: Labels) -> bool:
    allowed = listener.get("allowedRoutes") or {}
    kinds = allowed.get("kinds") or ()
    if kinds and not any(_is_kind(kind, asker.kind) for kind in kinds):
        return False
    return lets_in(allowed.get("namespaces") or {}, "Same", home, asker.namespace, namespaces)


def _is_kind(allowed: Mapping[str, Any], kind: str) -> bool:
    return (allowed.get("group") or GROUP) == GROUP and allowed.get("kind") == kind


def lets_in(
    rule: Mapping[str, Any], default: str, home: str, namespace: str, namespaces: Labels
) -> bool:
    """Say whether a rule of `from` and `selector` lets in objects of a namespace.

    Raises UnknownNamespaceError.
    """
    match rule.get("from") or default:
        case "All":
            return True
        case "Same":
            return namespace == home
        case "Selector":
            return _selects(rule.get("selector"), namespace, namespaces)
    return False


def _selects(selector: Mapping[str, Any] | None, namespace: str, namespaces: Labels) -> bool:
    if namespace not in namespaces:
        raise UnknownNamespaceError(namespace)
    # A LabelSelector that is absent selects nothing; an empty one selects everything.
    if selector is None:
        return False
    try:
        return label_selector(selector).matches(namespaces[namespace])
    except SelectorError:
        return False
