"""Gateways that the tailnet carries, and the hostname and tag of the device that will."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailkeeper.carriers.evidence import carries
from tailkeeper.carriers.operated import reaches_tailnet
from tailkeeper.carriers.tailnet import is_tailnet_address
from tailkeeper.config import DeviceName, GatewayConfig
from tailkeeper.derive.inventory import Inventory, annotations_of, key_of, namespace_of
from tailkeeper.sources.annotations import Annotations


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

OPERATOR_TAG = "tag:k8s"  # the operator's own default for its proxies
SERVICE_IN = {
    "CiliumGatewayClassConfig": ("spec", "service"),
    "EnvoyProxy": ("spec", "provider", "kubernetes", "envoyService"),
    "NginxProxy": ("spec", "kubernetes", "service"),
}
"""Where the parameters of a Gateway, or of its class, say what its Service is to be."""
HOSTNAME, TAGS = "tailscale.com/hostname", "tailscale.com/tags"


def derive_gateways(inventory: Inventory) -> Iterator[GatewayConfig]:
    """Yield the Gateways that a device carries, by their Service, target annotation or status."""
    for gateway in inventory.by_kind["Gateway"]:
        service = _service(inventory, gateway)
        named = _target_is_on_tailnet(gateway) or _status_is_on_tailnet(gateway)
        if not (named or _asks_for_device(service)):
            note = f"Gateway {key_of(gateway)} is left out: nothing puts it on the tailnet"
            inventory.notes.append(note)
            continue
        device = derive_device(inventory, service)
        if device is None:
            note = (
                f"Gateway {key_of(gateway)}: its Service has no {HOSTNAME} annotation, so its "
                "device is known only while the cluster can be read"
            )
            inventory.notes.append(note)
        yield GatewayConfig(namespace_of(gateway), gateway["metadata"]["name"], device)


def derive_device(inventory: Inventory, service: Mapping[str, Any]) -> DeviceName | None:
    """Return the hostname and tag that a Service's annotations ask the operator for."""
    annotations = annotations_of(service)
    hostname = annotations.get(HOSTNAME)
    tags = annotations.get(TAGS) or default_tags(inventory)
    return DeviceName(hostname, tags.split(",")[0].strip()) if hostname else None


def default_tags(inventory: Inventory) -> str:
    """Return the tags that the operator gives its proxies, by its chart's values."""
    charts = inventory.charts("tailscale-operator")
    configured = ((chart.values.get("proxyConfig") or {}).get("defaultTags") for chart in charts)
    return str(next(filter(None, configured), OPERATOR_TAG))


def target_annotation(gateway: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what a Gateway's target annotation says."""
    return Annotations(annotations_of(gateway)).listed("target")


def _asks_for_device(service: Mapping[str, Any]) -> bool:
    return reaches_tailnet(service) or HOSTNAME in annotations_of(service)


def _target_is_on_tailnet(gateway: Mapping[str, Any]) -> bool:
    return any(target.endswith(".ts.net") for target in target_annotation(gateway))


def _status_is_on_tailnet(gateway: Mapping[str, Any]) -> bool:
    """Say whether a device's address is the Gateway's: one Service may stand before many."""
    addresses = (gateway.get("status") or {}).get("addresses") or ()
    return any(is_tailnet_address(item.get("value") or "") for item in addresses)


def _service(inventory: Inventory, gateway: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the Gateway's Service as it is, or as its parameters will make it."""
    name, namespace = gateway["metadata"]["name"], namespace_of(gateway)
    for service in inventory.by_kind["Service"]:
        if carries(service, namespace, name):
            return service
    wanted: Mapping[str, Any] = {}
    for parameters in _parameters(inventory, gateway):
        wanted = parameters
        for field in SERVICE_IN[parameters["kind"]]:
            wanted = wanted.get(field) or {}
    infrastructure = (gateway.get("spec") or {}).get("infrastructure") or {}
    annotations = {**(wanted.get("annotations") or {}), **(infrastructure.get("annotations") or {})}
    metadata = {"name": name, "namespace": namespace, "annotations": annotations}
    return {"metadata": metadata, "spec": {"type": "LoadBalancer", **wanted}}


def _parameters(inventory: Inventory, gateway: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """Yield the parameters that apply, the Gateway's own last: they win over its class's."""
    spec = gateway.get("spec") or {}
    gateway_class = inventory.find("GatewayClass", None, spec.get("gatewayClassName", "")) or {}
    shared = (gateway_class.get("spec") or {}).get("parametersRef") or {}
    own = (spec.get("infrastructure") or {}).get("parametersRef") or {}
    for ref, namespace in ((shared, shared.get("namespace")), (own, namespace_of(gateway))):
        if ref.get("kind") in SERVICE_IN:
            found = inventory.find(ref["kind"], namespace, ref["name"])
            if found:
                yield found
