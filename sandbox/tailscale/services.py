"""Tailscale Services: names with virtual addresses, and the devices that host them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.tailscale.answers import Refusal, not_found
from sandbox.tailscale.ids import assignable, twin


if TYPE_CHECKING:
    from sandbox.tailscale.ids import Ids

Service = dict[str, Any]

NAME = re.compile(r"svc:[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
PORT = re.compile(r"tcp:(\d{1,5})(-\d{1,5})?|do-not-validate")
EDITABLE = ("displayName", "comment", "annotations", "ports", "tags")


@dataclass
class Services:
    """The Services, and their hosts as `{service: {nodeId: approval level}}`."""

    ids: Ids
    all: list[Service] = field(default_factory=list)
    hosts: dict[str, dict[str, str]] = field(default_factory=dict)

    def find(self, name: str) -> Service:
        """Return the Service of that name; raise Refusal 404 if there is none."""
        for service in self.all:
            if service["name"] == name:
                return service
        raise not_found()

    def labels(self) -> set[str]:
        """Return the Services' names without `svc:`: they share the machines' namespace."""
        return {service["name"].removeprefix("svc:") for service in self.all}

    def addresses(self) -> set[str]:
        """Return the addresses in use."""
        return {address for service in self.all for address in service["addrs"]}

    def put(self, path_name: str, wanted: Service, *, taken: set[str]) -> Service:
        """Create the Service, or update and perhaps rename it; return it.

        `taken` are the labels and addresses of the machines. Raises Refusal 400 on a bad or taken
        name, bad ports, or addresses that the Service cannot have.
        """
        name = wanted.get("name", path_name)
        current = next((one for one in self.all if one["name"] == path_name), None)
        if not NAME.fullmatch(name) or (current is None and name != path_name):
            raise Refusal(400, f"invalid service name {name!r}")
        busy = taken | self.labels() - {path_name.removeprefix("svc:")}
        if name.removeprefix("svc:") in busy:
            raise Refusal(400, f"service name {name!r} is already in use")
        bad = [port for port in wanted.get("ports", []) if not PORT.fullmatch(port)]
        if bad:
            raise Refusal(400, f"invalid ports {bad}")
        addresses = self._addresses(current, wanted.get("addrs") or [], taken)
        fields = {key: wanted[key] for key in EDITABLE if key in wanted}
        return self._store(current, {"name": name, "addrs": addresses, **fields})

    def _addresses(self, current: Service | None, wanted: list[str], taken: set[str]) -> list[str]:
        mine = current["addrs"] if current else []
        busy = taken | self.addresses() - set(mine)
        if not wanted:
            v4 = mine[0] if mine else self.ids.address(busy)
            return mine or [v4, twin(v4)]
        if len(wanted) != max(len(mine), 1) or wanted[1:] != mine[1:]:
            raise Refusal(400, f"invalid addrs {wanted}")
        if not assignable(wanted[0]) or wanted[0] in busy:
            raise Refusal(400, f"address {wanted[0]} is invalid or already in use")
        return [wanted[0], *(mine[1:] or [twin(wanted[0])])]

    def _store(self, current: Service | None, service: Service) -> Service:
        if current is None:
            self.all.append(service)
            return service
        self.hosts[service["name"]] = self.hosts.pop(current["name"], {})
        current.clear()
        current.update(service)
        return current

    def delete(self, name: str) -> None:
        """Delete the Service; raise Refusal 404 if there is none."""
        self.all.remove(self.find(name))
        self.hosts.pop(name, None)

    def host(self, name: str, node_id: str, level: str = "approved:auto") -> None:
        """Let a device host the Service; level as in ServiceHostInfo, e.g. `not-approved`."""
        self.find(name)
        self.hosts.setdefault(name, {})[node_id] = level

    def forget(self, node_id: str) -> None:
        """Drop a device that is gone from every Service."""
        for hosts in self.hosts.values():
            hosts.pop(node_id, None)

    def level(self, name: str, node_id: str) -> str:
        """Return the approval level of a host; raise Refusal 404 if it hosts nothing there."""
        self.find(name)
        try:
            return self.hosts[name][node_id]
        except KeyError:
            raise not_found() from None

    def host_list(self, name: str) -> list[dict[str, str]]:
        """Return the hosts in the wire format.

        The document says `stableNodeID`; the live API answers `nodeId` (says
        tailscale-client-go-v2, services.go): both are here.
        """
        self.find(name)
        return [
            {"stableNodeID": node, "nodeId": node, "approvalLevel": level, "configured": "ready"}
            for node, level in self.hosts.get(name, {}).items()
        ]

    def load(self, services: list[Service], hosts: dict[str, dict[str, str]] | None) -> None:
        """Replace the Services, and their hosts unless None; raise KeyError without a name."""
        names = {service["name"] for service in services}
        kept = self.hosts if hosts is None else hosts
        self.all = [{"addrs": [], **service} for service in services]
        self.hosts = {name: dict(nodes) for name, nodes in kept.items() if name in names}
