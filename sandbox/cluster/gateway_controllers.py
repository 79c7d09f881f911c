"""The Gateway API's controllers that this world plays, and the Service that each makes.

Envoy Gateway's Services are in its own namespace; the others put theirs beside the Gateway, with
the labels that the Gateway API has for that (GEP-1762).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from sandbox.cluster.envoy_service import ports, service, settings


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Object = Mapping[str, Any]

ENVOY_GATEWAY = "gateway.envoyproxy.io/gatewayclass-controller"
LABEL = "gateway.networking.k8s.io/gateway"
CLASSES = {
    "cilium": "io.cilium/gateway-controller",
    "istio": "istio.io/gateway-controller",
    "nginx": "gateway.nginx.org/nginx-gateway-controller",
}
"""The classes that their controllers make by themselves, or their charts."""

ISTIO_TYPE = "networking.istio.io/service-type"
PARAMETERS = {
    "CiliumGatewayClassConfig": ("spec", "service"),
    "NginxProxy": ("spec", "kubernetes", "service"),
}


@dataclass(frozen=True)
class Controller:
    """A controller by its `name` in GatewayClasses.

    `make` returns the Service for a Gateway and its parameters, an object of one of the `kinds`;
    `manager` is what the Service's label says of who manages it.
    """

    name: str
    manager: str
    make: Callable[[Object, Object | None], dict[str, Any]]
    kinds: Sequence[str]


def envoy_gateway(namespace: str) -> Controller:
    """Return Envoy Gateway, whose Services live in `namespace`."""
    make = partial(service, namespace=namespace)
    return Controller(ENVOY_GATEWAY, "envoy-gateway", make, ("EnvoyProxy",))


def others(classes: Sequence[Object]) -> list[Controller]:
    """Return the other controllers of these GatewayClasses that this world plays."""
    asked = {thing["spec"]["controllerName"] for thing in classes}
    found = sorted(asked & set(CLASSES.values()))
    return [_beside_gateways(name, name.replace("/", ".")) for name in found]


def plays(controller: str) -> bool:
    """Say whether this world plays a controller."""
    return controller in {ENVOY_GATEWAY, *CLASSES.values()}


def _beside_gateways(name: str, manager: str) -> Controller:
    return Controller(name, manager, partial(_service, manager), tuple(PARAMETERS))


def _service(manager: str, gateway: Object, parameters: Object | None) -> dict[str, Any]:
    meta, spec = gateway["metadata"], gateway["spec"]
    asked = spec.get("infrastructure") or {}
    wanted = settings(parameters, PARAMETERS.get((parameters or {}).get("kind", ""), ()))
    annotations = {**wanted.get("annotations", {}), **asked.get("annotations", {})}
    told = (meta.get("annotations") or {}).get(ISTIO_TYPE)
    labels = {
        "app.kubernetes.io/managed-by": manager,
        f"{LABEL}-name": meta["name"],
        f"{LABEL}-class-name": spec["gatewayClassName"],
    }
    balanced = wanted.get("loadBalancerClass")
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": f"{meta['name']}-{spec['gatewayClassName']}",
            "namespace": meta["namespace"],
            "labels": {**asked.get("labels", {}), **labels},
            **({"annotations": annotations} if annotations else {}),
        },
        "spec": {
            "type": told or wanted.get("type", "LoadBalancer"),
            "selector": {f"{LABEL}-name": meta["name"]},
            "ports": ports(gateway),
            **({"loadBalancerClass": balanced} if balanced else {}),
        },
    }
