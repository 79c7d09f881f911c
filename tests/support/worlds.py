"""Small worlds for the planner: build one, apply a plan to it, look again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any

from tailkeeper.config import Config
from tailkeeper.planning import plan_world
from tailkeeper.records.edits import edit_of
from tailkeeper.records.surface import Held, held_by_name
from tailkeeper.resolver import surface as resolver_surface
from tailkeeper.world import Memory, World


if TYPE_CHECKING:
    from collections.abc import Iterable

    from tailkeeper.model import Change, Plan

SURFACES = ("records", "resolver", "split-dns")
EXPOSE = {"external-dns.alpha.kubernetes.io/expose": "true"}
PLACE = "homelab/dns/tailkeeper-hosts"
ZONE: dict[str, Any] = {
    "name": "example.com",
    "owner": "homelab",
    "annotation_filter": "external-dns.alpha.kubernetes.io/expose=true",
}
RESOLVER: dict[str, Any] = {
    "namespace": "dns",
    "mode": "hosts",
    "config_map": "tailkeeper-hosts",
    "service": "dns",
    "domains": ["example.com"],
}


def device(number: int, name: str, hostname: str, *, connected: bool = True) -> dict[str, Any]:
    """Return a device as the tailnet's reader trims it."""
    return {
        "node_id": f"n{number}",
        "name": f"{name}.tail.ts.net",
        "hostname": hostname,
        "addresses": [f"100.64.0.{number}", f"fd7a:115c:a1e0::{number}"],
        "tags": ["tag:k8s"],
        "connected": connected,
        "created": "",
        "external": False,
    }


def route(name: str, *, expose: bool = True) -> dict[str, Any]:
    """Return an accepted HTTPRoute for `<name>.example.com`."""
    parent = {"name": "gw", "namespace": "tailscale"}
    accepted = {"type": "Accepted", "status": "True", "observedGeneration": 1}
    return {
        "metadata": {
            "name": name,
            "namespace": "apps",
            "generation": 1,
            "labels": {},
            "annotations": EXPOSE if expose else {},
        },
        "spec": {"hostnames": [f"{name}.example.com"], "parentRefs": [parent]},
        "status": {"parents": [{"parentRef": parent, "conditions": [accepted]}]},
    }


def gateway(addresses: Iterable[str]) -> dict[str, Any]:
    """Return the Gateway with these status addresses."""
    listener = {
        "name": "https",
        "protocol": "HTTPS",
        "port": 443,
        "hostname": "*.example.com",
        "allowedRoutes": {"namespaces": {"from": "All"}},
    }
    status = {"addresses": [{"type": "IPAddress", "value": a} for a in addresses]}
    return {
        "metadata": {"name": "gw", "namespace": "tailscale", "annotations": {}},
        "spec": {"listeners": [listener]},
        "status": status,
    }


def service(namespace: str, name: str, address: str, labels: dict[str, str]) -> dict[str, Any]:
    """Return a Service that the Tailscale operator gave an address."""
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"type": "LoadBalancer", "loadBalancerClass": "tailscale"},
        "status": {"loadBalancer": {"ingress": [{"ip": address}]}},
    }


def documents(world: World) -> dict[str, Any]:
    """Return a world as its readers hand it on, one document for each."""
    return {
        "tailnet": world.tailnet_document,
        "cluster": list(world.clusters.values()),
        "zones": world.zones,
        "resolver": world.resolvers,
    }


@dataclass
class Bench:
    """A world in the making: change its parts, then take `world()` or `plan()` of it."""

    routes: list[dict[str, Any]]
    carrier: int = 1
    devices: list[dict[str, Any]] = field(
        default_factory=lambda: [
            device(1, "gateway-envoy", "gateway-envoy"),
            device(9, "dns", "dns"),
        ]
    )
    addresses: list[str] = field(default_factory=lambda: ["100.64.0.1"])
    service_address: str = ""
    resolver_address: str = "100.64.0.9"
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    text: str | None = None
    split_dns: dict[str, list[str]] = field(default_factory=dict)
    writers: list[dict[str, Any]] = field(default_factory=list)
    owners: list[dict[str, Any]] = field(default_factory=list)
    unseen: dict[str, str] = field(default_factory=dict)
    external_dns: list[dict[str, Any]] = field(default_factory=list)
    partial: dict[str, str] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)
    zone: dict[str, Any] = field(default_factory=lambda: dict(ZONE))
    resolver: dict[str, Any] = field(default_factory=lambda: dict(RESOLVER))
    others: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    tailnet_services: list[dict[str, Any]] = field(default_factory=list)
    declared: list[dict[str, Any]] = field(default_factory=list)
    ids: Any = field(default_factory=count)

    @property
    def config(self) -> Config:
        """Return the configuration of this world."""
        gateways = [
            {
                "namespace": "tailscale",
                "name": "gw",
                "device": {"hostname": "gateway-envoy", "tag": "tag:k8s"},
            }
        ]
        cluster = {"name": "homelab", "gateways": gateways, "resolvers": [self.resolver]}
        return Config.from_json(
            {"clusters": [cluster], "zones": [self.zone], "exposures": self.declared}
        )

    def add(self, **record: Any) -> None:
        """Put a record into the zone."""
        identity = f"r{next(self.ids)}"
        self.records[identity] = {"ttl": 1, "proxied": False, **record, "id": identity}

    def world(self) -> World:
        """Return what the readers would see."""
        owning = "gateway.envoyproxy.io/owning-gateway"
        labels = {f"{owning}-name": "gw", f"{owning}-namespace": "tailscale"}
        parent = "tailscale.com/parent-resource"
        secret = {
            "namespace": "tailscale",
            "name": "ts-envoy-0",
            "labels": {parent: "envoy", f"{parent}-ns": "eg", f"{parent}-type": "svc"},
            "device_id": f"n{self.carrier}",
        }
        carried = self.service_address or f"100.64.0.{self.carrier}"
        names = sorted({r["metadata"]["namespace"] for r in self.routes})
        objects = {
            "Gateway": [gateway(self.addresses)],
            "HTTPRoute": self.routes,
            "Namespace": [{"metadata": {"name": name, "labels": {}}} for name in names],
            "Service": [
                service("eg", "envoy", carried, labels),
                service("dns", "dns", self.resolver_address, {}),
            ],
            "StateSecret": [secret],
            "ExternalDNS": self.external_dns,
        }
        for kind, documents in self.others.items():
            objects[kind] = [*objects.get(kind, ()), *documents]
        complete = not self.partial
        return World(
            config=self.config,
            tailnet_document={
                "devices": self.devices,
                "services": self.tailnet_services,
                "split_dns": self.split_dns,
                "partial": {},
            },
            clusters={
                "homelab": {
                    "cluster": "homelab",
                    "complete": complete,
                    "partial": self.partial,
                    "objects": objects,
                }
            },
            zones={
                "example.com": {"records": [*self.records.values()], "name_servers": [], "why": ""}
            },
            resolvers={
                f"homelab/dns/{self.resolver['config_map']}": {
                    "text": self.text,
                    "version": "",
                    "owners": self.owners,
                    "writers": self.writers,
                    "readers": [],
                    "unseen": self.unseen,
                    "why": "",
                }
            },
            memory=self.memory,
        )

    def plan(self, now: float = 0) -> Plan | None:
        """Return the judged plan of all surfaces."""
        return plan_world(self.world(), SURFACES, now).plan

    def apply(self, changes: Iterable[Change]) -> None:
        """Carry out changes as the adapters would."""
        todo = list(changes)
        zone = self.config.zones[0]
        held = held_by_name(zone, self.records.values())
        for change in todo:
            if change.surface == "records":
                edit = edit_of(zone, change, held.get(change.key, Held()))
                for delete in edit.deletes:
                    del self.records[delete["id"]]
                for patch in edit.patches:
                    self.records[patch["id"]].update(patch)
                for post in edit.posts:
                    self.add(**post)
            if change.surface == "split-dns":
                self.split_dns.pop(change.key, None)
                if change.after:
                    self.split_dns[change.key] = change.after["nameservers"]
        documents = [change for change in todo if change.surface == "resolver"]
        if documents:
            config = self.config.clusters[0].resolvers[0]
            self.text = resolver_surface.applied(config, self.text, documents)

    def move(self) -> None:
        """Recreate the gateway's proxy: device 2 is `gateway-envoy-1`, device 1 an offline twin."""
        self.memory = replace(
            self.memory,
            carriers={
                "homelab/tailscale/gw": {
                    "nodes": ["n1"],
                    "answers": ["gateway-envoy.tail.ts.net", "100.64.0.1", "fd7a:115c:a1e0::1"],
                }
            },
        )
        self.devices[0] = device(1, "gateway-envoy", "gateway-envoy", connected=False)
        self.devices.append(device(2, "gateway-envoy-1", "gateway-envoy"))
        self.carrier, self.addresses = 2, ["100.64.0.2"]
