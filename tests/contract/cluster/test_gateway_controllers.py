"""Controllers of the Gateway API other than Envoy Gateway: their Services, and who is played."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from sandbox.cluster.completion import complete
from sandbox.cluster.gateway_controllers import CLASSES, others


if TYPE_CHECKING:
    from sandbox.cluster.certificates import Authority

TAILNET = {"type": "LoadBalancer", "loadBalancerClass": "tailscale"}
NAMED = {"tailscale.com/hostname": "gw"}


def gateway(class_name: str, **metadata: Any) -> dict[str, Any]:
    """Return a Gateway that names itself on the tailnet."""
    listener = {"name": "https", "port": 443, "protocol": "HTTPS", "hostname": "*.a.example"}
    infrastructure = {"annotations": NAMED, "labels": {"a": "b"}}
    return {
        "kind": "Gateway",
        "metadata": {"name": "web", "namespace": "edge", **metadata},
        "spec": {
            "gatewayClassName": class_name,
            "listeners": [listener],
            "infrastructure": infrastructure,
        },
    }


def class_of(name: str) -> dict[str, Any]:
    """Return a GatewayClass of a controller."""
    spec = {"controllerName": CLASSES.get(name, name)}
    return {"kind": "GatewayClass", "metadata": {"name": name}, "spec": spec}


@pytest.mark.parametrize(
    ("name", "metadata", "parameters", "spec"),
    [
        ("istio", {}, None, {"type": "LoadBalancer"}),
        (
            "istio",
            {"annotations": {"networking.istio.io/service-type": "ClusterIP"}},
            None,
            {"type": "ClusterIP"},
        ),
        (
            "cilium",
            {},
            {"kind": "CiliumGatewayClassConfig", "spec": {"service": TAILNET}},
            TAILNET,
        ),
        (
            "nginx",
            {},
            {"kind": "NginxProxy", "spec": {"kubernetes": {"service": TAILNET}}},
            TAILNET,
        ),
        ("nginx", {}, {"kind": "NginxProxy", "spec": {"kubernetes": 7}}, {"type": "LoadBalancer"}),
    ],
)
def test_the_service_is_beside_its_gateway(
    name: str, metadata: Any, parameters: Any, spec: dict[str, Any]
) -> None:
    """It has the Gateway API's labels, what the infrastructure asks for, and the parameters'."""
    (controller,) = others([class_of(name), class_of("somebody.example/controller")])

    service = controller.make(gateway(name, **metadata), parameters)

    meta = service["metadata"]
    assert (meta["namespace"], meta["name"]) == ("edge", f"web-{name}")
    assert meta["labels"]["gateway.networking.k8s.io/gateway-name"] == "web"
    assert (meta["labels"]["a"], meta["annotations"]) == ("b", NAMED)
    assert [port["port"] for port in service["spec"]["ports"]] == [443]
    assert service["spec"] | spec == service["spec"]
    assert ("loadBalancerClass" in service["spec"]) == ("loadBalancerClass" in spec)


@pytest.mark.parametrize(
    ("objects", "classes", "note"),
    [
        ([gateway("istio")], ["istio"], "GatewayClass istio is in no manifest"),
        ([gateway("cilium"), class_of("cilium")], [], ""),
        ([gateway("mine")], [], "GatewayClass mine is not declared"),
        (
            [gateway("traefik"), class_of("traefik")],
            [],
            "Gateway edge/web is not served: traefik does not run here",
        ),
    ],
)
def test_who_does_not_run_here_is_said(
    objects: list[dict[str, Any]], classes: list[str], note: str, authority: Authority
) -> None:
    """A class that its controller makes by itself is made; one of a stranger is told."""
    found = complete(objects, authority)

    made = [t["metadata"]["name"] for t in found.objects if t["kind"] == "GatewayClass"]
    assert made == classes
    assert note in yaml.safe_dump(found.notes, width=1000)
    assert bool(note) == bool(found.notes)
