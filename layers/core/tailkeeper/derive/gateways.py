"""Gateways that the tailnet carries, and the hostname and tag of the device that will."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailkeeper.carriers.evidence import carries
from tailkeeper.carriers.operated import reaches_tailnet
from tailkeeper.config import DeviceName, GatewayConfig
from tailkeeper.derive.inventory import Inventory, annotations_of, key_of, namespace_of
from tailkeeper.sources.annotations import Annotations


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

OPERATOR_TAG = "tag:k8s"  # the operator's own default for its proxies
HOSTNAME, TAGS = "tailscale.com/hostname", "tailscale.com/tags"


def derive_gateways(inventory: Inventory) -> Iterator[GatewayConfig]:
    """Yield the Gateways whose Service the Tailscale operator carries."""
    for gateway in inventory.by_kind["Gateway"]:
        service = _service(inventory, gateway)
        if not (_asks_for_device(service) or _target_is_on_tailnet(gateway)):
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


def _service(inventory: Inventory, gateway: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the Gateway's Service as it is, or as its parameters will make it."""
    name, namespace = gateway["metadata"]["name"], namespace_of(gateway)
    for service in inventory.by_kind["Service"]:
        if carries(service, namespace, name):
            return service
    wanted: Mapping[str, Any] = {}
    for proxy in _parameters(inventory, gateway):
        provider = (proxy.get("spec") or {}).get("provider") or {}
        wanted = (provider.get("kubernetes") or {}).get("envoyService") or {}
    infrastructure = (gateway.get("spec") or {}).get("infrastructure") or {}
    annotations = {**(wanted.get("annotations") or {}), **(infrastructure.get("annotations") or {})}
    metadata = {"name": name, "namespace": namespace, "annotations": annotations}
    return {"metadata": metadata, "spec": {"type": "LoadBalancer", **wanted}}


def _parameters(inventory: Inventory, gateway: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """Yield the EnvoyProxies that apply, the Gateway's own last: it wins over its class's."""
    spec = gateway.get("spec") or {}
    gateway_class = inventory.find("GatewayClass", None, spec.get("gatewayClassName", "")) or {}
    shared = (gateway_class.get("spec") or {}).get("parametersRef") or {}
    own = (spec.get("infrastructure") or {}).get("parametersRef") or {}
    for ref, namespace in ((shared, shared.get("namespace")), (own, namespace_of(gateway))):
        if ref.get("kind") == "EnvoyProxy":
            proxy = inventory.find("EnvoyProxy", namespace, ref["name"])
            if proxy:
                yield proxy
