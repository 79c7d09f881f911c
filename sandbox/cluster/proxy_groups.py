"""ProxyGroups: Services, Ingresses and the API server behind Tailscale Services.

A Tailscale Service has a name and addresses of its own, whichever proxies serve it; so the proxies
themselves are not played here. Facts are those of operator 1.96 to 1.103.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.cluster.api import write_status
from sandbox.cluster.conditions import condition, merged
from sandbox.cluster.exposed import PREFIX, is_load_balancer, is_ours
from sandbox.cluster.frontends import Chain, Frontend, Host, Route
from sandbox.cluster.ingress import frontend
from sandbox.cluster.loop import Loop


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.clock import Clock
    from sandbox.cluster.api import Api, Object
    from sandbox.cluster.certificates import Authority
    from sandbox.cluster.planes import SharedPlane
    from sandbox.tailnet.datapath import Connect, DataPath
    from sandbox.tailscale import Tailscale

REACTION = 1.0  # seconds of the world between a change and the status that follows
MANAGER = "proxy-groups"
MARK = f"{PREFIX}/owner-references"
API_SERVER = Route(backends=(("default/kubernetes:443", 1),))


@dataclass(frozen=True)
class Shared:
    """An object behind a Tailscale Service, called `label` in the tailnet."""

    thing: Object
    label: str
    ports: tuple[int, ...]

    @property
    def service(self) -> str:
        """The Tailscale Service's name."""
        return f"svc:{self.label}"


def shared(api: Api) -> Iterator[Shared]:
    """Yield what ProxyGroups carry; a group that is not there carries nothing."""
    groups = {thing["metadata"]["name"]: thing for thing in api.list("ProxyGroup")}
    kinds = {name: thing["spec"]["type"] for name, thing in groups.items()}
    for kind in ("Service", "Ingress"):
        for thing in api.list(kind):
            asked = thing["metadata"].get("annotations") or {}
            is_meant = is_ours if kind == "Ingress" else is_load_balancer
            if kinds.get(asked.get(f"{PREFIX}/proxy-group")) == "ingress" and is_meant(thing):
                yield _behind(thing, asked)
    for name, thing in groups.items():
        if kinds[name] == "kube-apiserver":
            named = (thing["spec"].get("kubeAPIServer") or {}).get("hostname") or name
            yield Shared(thing, named, (443,))


def _behind(thing: Object, asked: dict[str, str]) -> Shared:
    meta, spec = thing["metadata"], thing["spec"]
    default = f"{meta['namespace']}-{meta['name']}"
    if thing["kind"] == "Service":
        ports = tuple(p["port"] for p in spec.get("ports") or [] if p.get("protocol") != "UDP")
        return Shared(thing, asked.get(f"{PREFIX}/hostname") or default, ports)
    hosts = [host for entry in spec.get("tls") or [] for host in entry.get("hosts") or []]
    return Shared(thing, hosts[0].partition(".")[0] if hosts else f"{default}-ingress", (443,))


class ProxyGroups:
    """The controller; `connect` leads to a port of a Service of the cluster."""

    def __init__(
        self,
        api: Api,
        *,
        tailscale: Tailscale,
        path: DataPath,
        clock: Clock,
        plane: SharedPlane,
        authority: Authority,
        connect: Callable[[str, str, int], Connect],
    ) -> None:
        self._api = api
        self._tailscale = tailscale
        self._path = path
        self._plane = plane
        self._authority = authority
        self._connect = connect
        self._loop = Loop(self.reconcile, clock, REACTION)

    def start(self) -> None:
        """Follow the changes of the cluster."""
        self._api.subscribe(self._notice)
        self._loop.start()

    async def stop(self) -> None:
        """Stop following."""
        await self._loop.stop()

    async def reconcile(self) -> None:
        """Give everything behind a group its Tailscale Service and its status, and clean up."""
        wanted = {item.service: item for item in shared(self._api)}
        for service in [one for one in self._tailscale.services if MARK in _annotations(one)]:
            if service["name"] not in wanted:
                self._path.silence(service["name"])
                self._tailscale.vips.delete(service["name"])
                self._tailscale.changed()
        frontends = [self._frontend(item) for item in wanted.values()]
        await self._plane.serve(MANAGER, [each for each in frontends if each])
        for item in wanted.values():
            self._serve(item)

    def _serve(self, item: Shared) -> None:
        ports = [f"tcp:{port}" for port in item.ports]
        known = next((s for s in self._tailscale.services if s["name"] == item.service), None)
        if known is None or known.get("ports") != ports:
            machines = self._tailscale.machines
            asked = {"name": item.service, "ports": ports, "annotations": {MARK: "{}"}}
            taken = machines.labels() | machines.addresses()
            known = self._tailscale.vips.put(item.service, asked, taken=taken)
            self._tailscale.changed()
        self._path.silence(item.service, but=item.ports)
        for port in item.ports:
            self._path.listen(item.service, port, self._way(item, port))
        found = _status(item, self._fqdn(item), known["addrs"])
        write_status(self._api, item.thing, found, MANAGER)

    def _way(self, item: Shared, port: int) -> Connect:
        meta, served = item.thing["metadata"], self._frontend(item)
        if served:
            return lambda: self._plane.connect(served.key)
        return self._connect(meta["namespace"], meta["name"], port)

    def _fqdn(self, item: Shared) -> str:
        return f"{item.label}.{self._tailscale.magic_dns_domain}"

    def _frontend(self, item: Shared) -> Frontend | None:
        """Return what ends TLS for an Ingress or the API server; a Service goes through as is."""
        if item.thing["kind"] == "Service":
            return None
        fqdn = self._fqdn(item)
        certificate = self._authority.issue(fqdn)
        if item.thing["kind"] == "Ingress":
            return frontend(self._api, item.thing, fqdn, certificate)
        chain = Chain("https", fqdn, (Host("*", (API_SERVER,)),), certificate)
        return Frontend(f"proxygroup-{item.label}:443", (chain,))

    def _notice(self, _: str, thing: Object) -> None:
        if thing["kind"] in {"Service", "Ingress", "ProxyGroup"}:
            self._loop.poke()


def _annotations(service: dict[str, Any]) -> dict[str, str]:
    return service.get("annotations") or {}


def _status(item: Shared, fqdn: str, addresses: list[str]) -> dict[str, Any]:
    """Return the object's status: a Service's has name and address in one entry."""
    old = item.thing.get("status") or {}
    if item.thing["kind"] == "Ingress":
        ports = [{"port": 443, "protocol": "TCP"}]
        return {**old, "loadBalancer": {"ingress": [{"hostname": fqdn, "ports": ports}]}}
    kind = "TailscaleIngressSvcConfigured"
    if item.thing["kind"] == "ProxyGroup":
        kind = "KubeAPIServerProxyConfigured"
    told = "2/2 proxy backends ready and advertising"
    ready = condition(kind, true=True, reason=kind, message=told)
    found = {**old, "conditions": merged(old.get("conditions"), [ready], time.time())}
    if item.thing["kind"] == "ProxyGroup":
        return {**found, "url": f"https://{fqdn}"}
    return {**found, "loadBalancer": {"ingress": [{"hostname": fqdn, "ip": addresses[0]}]}}
