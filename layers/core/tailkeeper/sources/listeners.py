"""Which of a Gateway's listeners take a route, and under which names (Gateway API v1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tailkeeper.hostnames import canonical, intersection
from tailkeeper.selectors import SelectorError, label_selector


if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

GROUP = "gateway.networking.k8s.io"
PROTOCOLS = {"HTTPS": "https", "HTTP": "http"}


@dataclass(frozen=True, slots=True, order=True)
class Attachment:
    """A name under which a listener serves a route; https sorts before http."""

    host: str
    gateway: str
    plain: bool
    port: int

    @property
    def protocol(self) -> str:
        """Return `https` or `http`."""
        return "http" if self.plain else "https"


class UnknownNamespaceError(LookupError):
    """A listener selects namespaces by label, and the route's namespace was not read."""


def attachments(
    gateway: Mapping[str, Any],
    namespace: str,
    ref: Mapping[str, Any],
    names: Collection[str],
    namespaces: Mapping[str, Mapping[str, str]],
) -> set[Attachment]:
    """Return the names under which the listeners that `ref` points at serve an HTTPRoute.

    The route's canonical `names` hold "" for any name; `namespaces` are labels by name. Raises
    UnknownNamespaceError.
    """
    meta = gateway["metadata"]
    key = f"{meta['namespace']}/{meta['name']}"
    return {
        Attachment(host, key, listener["protocol"] == "HTTP", int(listener["port"]))
        for listener in gateway["spec"].get("listeners") or ()
        if _is_meant(listener, ref) and _allows(listener, meta["namespace"], namespace, namespaces)
        for host in _shared(listener.get("hostname") or "", names)
    }


def _shared(hostname: str, names: Collection[str]) -> Iterator[str]:
    own = canonical(hostname) if hostname else ""
    if own is not None:
        yield from filter(None, (intersection(own, name) for name in names))


def _is_meant(listener: Mapping[str, Any], ref: Mapping[str, Any]) -> bool:
    section, port = ref.get("sectionName"), ref.get("port")
    return (
        listener.get("protocol") in PROTOCOLS
        and section in {None, "", listener.get("name")}
        and port in {None, listener.get("port")}
    )


def _allows(
    listener: Mapping[str, Any],
    home: str,
    namespace: str,
    namespaces: Mapping[str, Mapping[str, str]],
) -> bool:
    allowed = listener.get("allowedRoutes") or {}
    kinds = allowed.get("kinds") or ()
    if kinds and not any(_is_http_route(kind) for kind in kinds):
        return False
    rule = allowed.get("namespaces") or {}
    match rule.get("from") or "Same":
        case "All":
            return True
        case "Same":
            return namespace == home
        case "Selector":
            return _selects(rule.get("selector"), namespace, namespaces)
    return False


def _is_http_route(kind: Mapping[str, Any]) -> bool:
    return (kind.get("group") or GROUP) == GROUP and kind.get("kind") == "HTTPRoute"


def _selects(
    selector: Mapping[str, Any] | None,
    namespace: str,
    namespaces: Mapping[str, Mapping[str, str]],
) -> bool:
    if namespace not in namespaces:
        raise UnknownNamespaceError(namespace)
    # A LabelSelector that is absent selects nothing; an empty one selects everything.
    if selector is None:
        return False
    try:
        return label_selector(selector).matches(namespaces[namespace])
    except SelectorError:
        return False
