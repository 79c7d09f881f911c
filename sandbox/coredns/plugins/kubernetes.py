"""https://coredns.io/plugins/kubernetes: Services by the DNS-based service discovery's names.

Addresses, external names, pod addresses and reverse look-ups; no SRV records, no API server: the
world hands in the Services.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING

import dns.exception
import dns.name
import dns.rcode
import dns.reversename
import dns.rrset

from sandbox.coredns.errors import CorefileError, NotEmulatedError
from sandbox.coredns.request import Answer, Fall, Next, Request
from sandbox.coredns.zones import matching, origins
from sandbox.dns.records import rrset


if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.coredns.directives import Directive, Line
    from sandbox.coredns.setup import Block, Service, Services


FAMILIES = {4: "A", 6: "AAAA"}
POD_MODES = frozenset({"disabled", "insecure", "verified"})
IGNORED = frozenset(
    {
        "endpoint", "tls", "kubeconfig", "apiserver_qps", "apiserver_burst",
        "apiserver_max_inflight", "endpoint_pod_names", "multicluster", "startup_timeout",
    }
)  # fmt: skip
LONGEST_TTL = 3600
Records = list[dns.rrset.RRset]


@dataclass
class Kubernetes:
    """The plugin of one server block."""

    zones: Sequence[str]
    services: Services
    ttl: int = 5
    pods: str = "disabled"
    namespaces: list[str] = field(default_factory=list)
    fall: Fall = field(default_factory=Fall)
    name: str = "kubernetes"

    async def serve(self, request: Request, following: Next) -> Answer:
        """Answer for a name of the cluster."""
        zone = matching(self.zones, request.name)
        if zone is None:
            return await following(request)
        found = await self._found(zone, request)
        if found is None and self.fall.through(request.name):
            return await following(request)
        response = request.reply(dns.rcode.NXDOMAIN if found is None else dns.rcode.NOERROR)
        response.answer = found or []
        response.authority = [] if found else [self._soa(zone)]
        return response

    async def _found(self, zone: str, request: Request) -> Records | None:
        """Return the records, [] for a name without such data, None for no such name."""
        if request.name == zone:
            return [self._soa(zone)] if request.rtype == "SOA" else []
        if zone.endswith(".arpa."):
            return self._pointer(request)
        labels = request.name.removesuffix(f".{zone}").split(".")
        return await self._below(labels, request)

    async def _below(self, labels: list[str], request: Request) -> Records | None:
        match labels:
            case [name, namespace, "svc"]:
                return await self._service(name, namespace, request)
            case [dashed, namespace, "pod"]:
                return self._pod(dashed, namespace, request)
            case ["svc"] | ["pod"]:
                return []
            case [namespace, "svc"] if any(s.namespace == namespace for s in self._exposed()):
                return []
        return None

    def _exposed(self) -> list[Service]:
        chosen = self.namespaces
        return [s for s in self.services() if not chosen or s.namespace in chosen]

    async def _service(self, name: str, namespace: str, request: Request) -> Records | None:
        for service in self._exposed():
            if (service.name, service.namespace) == (name, namespace):
                if service.external_name:
                    return await self._external(service.external_name, request)
                return self._addresses(service.cluster_ips or service.endpoints, request)
        return None

    async def _external(self, target: str, request: Request) -> Records:
        alias = rrset(request.name, self.ttl, "CNAME", [target])
        if request.rtype not in FAMILIES.values():
            return [alias]
        return [alias, *(await request.lookup(f"{target.rstrip('.')}.", request.rtype)).answer]

    def _addresses(self, addresses: Sequence[str], request: Request) -> Records:
        wanted = [a for a in addresses if FAMILIES[ip_address(a).version] == request.rtype]
        return [rrset(request.name, self.ttl, request.rtype, wanted)] if wanted else []

    def _pod(self, dashed: str, namespace: str, request: Request) -> Records | None:
        if self.pods == "disabled" or not any(s.namespace == namespace for s in self._exposed()):
            return None
        for text in (dashed.replace("-", "."), dashed.replace("-", ":")):
            try:
                return self._addresses([str(ip_address(text))], request)
            except ValueError:
                continue
        return None

    def _pointer(self, request: Request) -> Records | None:
        try:
            address = dns.reversename.to_address(dns.name.from_text(request.name))
        except (dns.exception.DNSException, ValueError):
            return None
        for service in self._exposed():
            if address in service.cluster_ips:
                zone = next(z for z in self.zones if not z.endswith(".arpa."))
                owner = f"{service.name}.{service.namespace}.svc.{zone}"
                return [rrset(request.name, self.ttl, "PTR", [owner])]
        return None

    def _soa(self, zone: str) -> dns.rrset.RRset:
        content = f"ns.dns.{zone} hostmaster.{zone} 1 7200 1800 86400 {self.ttl}"
        return rrset(zone, self.ttl, "SOA", [content])


def setup(directives: Sequence[Directive], block: Block) -> Kubernetes:
    """Read `kubernetes [ZONES...] { ... }`; raise CorefileError."""
    if len(directives) > 1:
        raise CorefileError("this plugin can only be used once per Server Block")
    zones = origins(directives[0].args, block.zones)
    if all(zone.endswith(".arpa.") for zone in zones):
        raise CorefileError("non-reverse zone name must be used")
    plugin = Kubernetes(zones, block.around.services)
    for line in directives[0].block:
        _property(plugin, line)
    return plugin


def _property(plugin: Kubernetes, line: Line) -> None:
    match line.name:
        case "pods":
            plugin.pods = line.one()
            if plugin.pods not in POD_MODES:
                raise line.error(f"wrong value for pods: {plugin.pods}")
        case "ttl":
            plugin.ttl = _ttl(line)
        case "namespaces":
            plugin.namespaces += line.some()
        case "fallthrough":
            plugin.fall = Fall(origins(line.args, ["."]))
        case "labels" | "namespace_labels" | "noendpoints" | "ignore":
            raise NotEmulatedError(f"kubernetes' {line.name}")
        case _ if line.name not in IGNORED:
            raise line.unknown()


def _ttl(line: Line) -> int:
    text = line.some()[0]
    if not text.isdecimal() or int(text) > LONGEST_TTL:
        raise line.error(f"ttl must be in range [0, {LONGEST_TTL}]: {text}")
    return int(text)
