"""Which listener takes which route, by the rules of Gateway API v1 (conditions and reasons)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.cluster.hostnames import shared


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

GROUP = "gateway.networking.k8s.io"
ROUTES = ["HTTPRoute", "GRPCRoute"]
Object = Mapping[str, Any]
Labels = Mapping[str, str]


@dataclass(frozen=True)
class Verdict:
    """A condition's worth: whether it is true, its reason, and a sentence."""

    true: bool
    reason: str
    message: str


@dataclass(frozen=True)
class Attachment:
    """What one parentRef of a route came to: per listener, the hostnames it is served for."""

    accepted: Verdict
    hostnames: Mapping[str, tuple[str, ...]]


ACCEPTED = Verdict(True, "Accepted", "Route is accepted")
RESOLVED = Verdict(True, "ResolvedRefs", "Resolved all the Object references for the Route")


def _refused(reason: str, message: str) -> Attachment:
    return Attachment(Verdict(False, reason, message), {})


def parents(route: Object) -> Iterator[tuple[dict[str, Any], str, str]]:
    """Yield (parentRef, Gateway namespace, Gateway name) for each parent that is a Gateway."""
    for ref in route["spec"].get("parentRefs") or []:
        if ref.get("group", GROUP) == GROUP and ref.get("kind", "Gateway") == "Gateway":
            yield ref, ref.get("namespace") or route["metadata"]["namespace"], ref["name"]


def attach(
    route: Object, ref: Mapping[str, Any], gateway: Object, namespaces: Mapping[str, Labels]
) -> Attachment:
    """Judge one parentRef; `namespaces` maps each namespace to its labels."""
    named = [listener for listener in gateway["spec"]["listeners"] if _is_meant(ref, listener)]
    if not named:
        return _refused("NoMatchingParent", "No listeners match this parent ref")
    allowing = [listener for listener in named if _allows(listener, route, gateway, namespaces)]
    if not allowing:
        return _refused(
            "NotAllowedByListeners",
            "No listeners included by this parent ref allowed this attachment.",
        )
    served = {
        listener["name"]: shared(listener.get("hostname", ""), route["spec"].get("hostnames") or [])
        for listener in allowing
    }
    served = {name: hostnames for name, hostnames in served.items() if hostnames}
    if not served:
        return _refused(
            "NoMatchingListenerHostname",
            "There were no hostname intersections between the HTTPRoute and this parent ref's"
            " Listener(s).",
        )
    return Attachment(ACCEPTED, served)


def _is_meant(ref: Mapping[str, Any], listener: Mapping[str, Any]) -> bool:
    return bool(
        ref.get("sectionName", listener["name"]) == listener["name"]
        and ref.get("port", listener["port"]) == listener["port"]
    )


def _allows(
    listener: Mapping[str, Any], route: Object, gateway: Object, namespaces: Mapping[str, Labels]
) -> bool:
    if listener["protocol"] not in {"HTTP", "HTTPS"}:
        return False
    allowed = listener.get("allowedRoutes") or {}
    kinds = [kind["kind"] for kind in allowed.get("kinds") or []] or ROUTES
    if route.get("kind", "HTTPRoute") not in kinds:
        return False
    where = allowed.get("namespaces") or {}
    home = route["metadata"]["namespace"]
    match where.get("from", "Same"):
        case "All":
            return True
        case "Selector":
            return selects(where.get("selector") or {}, namespaces.get(home, {}))
        case _:
            return bool(home == gateway["metadata"]["namespace"])


def selects(selector: Mapping[str, Any], labels: Labels) -> bool:
    """Say whether a LabelSelector selects these labels; an empty one selects all."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_meets(term, labels) for term in selector.get("matchExpressions") or [])


def _meets(term: Mapping[str, Any], labels: Labels) -> bool:
    value = labels.get(term["key"])
    match term["operator"]:
        case "In":
            return value in term["values"]
        case "NotIn":
            return value not in term["values"]
        case "Exists":
            return value is not None
        case _:
            return value is None


def resolve(
    route: Object,
    has_service: Callable[[str, str], bool],
    grants: Sequence[Object],
) -> Verdict:
    """Judge a route's backend references; the first that fails names the reason."""
    for ref in backend_refs(route):
        verdict = resolve_one(ref, route["metadata"]["namespace"], has_service, grants)
        if not verdict.true:
            return verdict
    return RESOLVED


def backend_refs(route: Object) -> Iterator[Mapping[str, Any]]:
    """Yield every backendRef of every rule."""
    for rule in route["spec"].get("rules") or []:
        yield from rule.get("backendRefs") or []


def resolve_one(
    ref: Mapping[str, Any],
    home: str,
    has_service: Callable[[str, str], bool],
    grants: Sequence[Object],
) -> Verdict:
    """Judge one backendRef of a route in namespace `home`."""
    namespace, name = ref.get("namespace") or home, ref["name"]
    if ref.get("group") or ref.get("kind", "Service") != "Service":
        kind = f"{ref.get('group') or 'core'}/{ref.get('kind')}"
        return Verdict(False, "InvalidKind", f"{kind} is not a kind of backend that is supported")
    if namespace != home and not any(_grants(grant, home, namespace, name) for grant in grants):
        return Verdict(
            False,
            "RefNotPermitted",
            f"Backend ref to Service {namespace}/{name} not permitted by any ReferenceGrant.",
        )
    if not has_service(namespace, name):
        return Verdict(False, "BackendNotFound", f"Service {namespace}/{name} not found")
    return RESOLVED


def _grants(grant: Object, home: str, namespace: str, name: str) -> bool:
    spec = grant["spec"]
    return bool(
        grant["metadata"]["namespace"] == namespace
        and any(
            f["group"] == GROUP and f["kind"] in ROUTES and f["namespace"] == home
            for f in spec["from"]
        )
        and any(
            not t.get("group") and t["kind"] == "Service" and t.get("name", name) == name
            for t in spec["to"]
        )
    )
