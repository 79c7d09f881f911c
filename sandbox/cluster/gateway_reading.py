"""One reading of all that Envoy Gateway looks at."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.cluster.attachment import attach, parents


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from sandbox.cluster.api import Api, Object
    from sandbox.cluster.attachment import Attachment

Name = tuple[str, str]


def name_of(thing: Mapping[str, Any]) -> Name:
    """Return (namespace, name) of an object."""
    return thing["metadata"].get("namespace", ""), thing["metadata"]["name"]


@dataclass
class Attached:
    """What routes attached to one Gateway: per listener, (route, hostnames)."""

    served: dict[str, list[tuple[Object, tuple[str, ...]]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def counts(self) -> dict[str, int]:
        """Return how many routes each listener has."""
        return {name: len(entries) for name, entries in self.served.items()}


@dataclass
class Cluster:
    """The GatewayClasses of one controller, their Gateways, and what these may refer to."""

    classes: list[Object]
    gateways: dict[Name, Object]
    routes: list[Object]
    services: dict[Name, Object]
    namespaces: dict[str, Mapping[str, str]]
    grants: list[Object]

    def has_service(self, namespace: str, name: str) -> bool:
        """Say whether the Service exists."""
        return (namespace, name) in self.services

    def judge(self, route: Object) -> Iterator[tuple[Mapping[str, Any], Name, Attachment]]:
        """Yield (parentRef, Gateway, attachment) for each parent of the route that is ours."""
        for ref, namespace, name in parents(route):
            gateway = self.gateways.get((namespace, name))
            if gateway:
                yield ref, (namespace, name), attach(route, ref, gateway, self.namespaces)


def as_http(route: Object) -> Object:
    """Return a GRPCRoute with its methods as the paths that they are on the wire."""
    rules = [
        {**rule, "matches": [_path(match) for match in rule.get("matches") or [{}]]}
        for rule in route["spec"].get("rules") or [{}]
    ]
    return {**route, "spec": {**route["spec"], "rules": rules}}


def _path(match: Mapping[str, Any]) -> dict[str, Any]:
    asked = match.get("method") or {}
    path = f"/{asked.get('service') or ''}"
    if asked.get("service") and asked.get("method"):
        path += f"/{asked['method']}"
    kind = "RegularExpression" if asked.get("type") == "RegularExpression" else "PathPrefix"
    found = {"path": {"type": kind, "value": path}}
    return found | ({"headers": match["headers"]} if match.get("headers") else {})


def read(api: Api, controller: str) -> Cluster:
    """Read what belongs to the GatewayClasses of this controller."""
    classes = [c for c in api.list("GatewayClass") if c["spec"]["controllerName"] == controller]
    ours = {c["metadata"]["name"] for c in classes}
    return Cluster(
        classes,
        {
            name_of(gateway): gateway
            for gateway in api.list("Gateway")
            if gateway["spec"]["gatewayClassName"] in ours
        },
        [*api.list("HTTPRoute"), *map(as_http, api.list("GRPCRoute"))],
        {name_of(thing): thing for thing in api.list("Service")},
        {t["metadata"]["name"]: t["metadata"].get("labels") or {} for t in api.list("Namespace")},
        list(api.list("ReferenceGrant")),
    )
