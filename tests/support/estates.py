"""Estates to draw plans from: several zones, owners and clusters, with records of others."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from tailkeeper.config import Config
from tailkeeper.planning import plan_world
from tailkeeper.records.batches import packed
from tailkeeper.records.edits import edit_of
from tailkeeper.records.surface import Held, held_by_name
from tailkeeper.resolver.surface import applied as document_after
from tailkeeper.world import Memory, World
from tests.support.worlds import RESOLVER, SURFACES, Bench, device, route
from tests.support.zones import RefusedError, Zone


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tailkeeper.model import Change, Plan

NOW = 10_000.0
CLUSTERS = {"homelab": (1, "gateway-envoy"), "edge": (5, "edge")}
ZONES = ("example.com", "example.net", "lab.example.com")
LABELS = ("", "app", "a-app", "*", "deep.c", "_acme-challenge")
HOSTS = tuple(f"{label}.{zone}".strip(".") for zone in ZONES for label in LABELS)
TARGETS = ("100.64.0.77", "fd7a:115c:a1e0::77", "origin.example.org")
AFFIXES: tuple[dict[str, str], ...] = (
    {},
    {"txt_prefix": "k8s.", "txt_wildcard": "any"},
    {"txt_suffix": "-mark"},
    {"txt_prefix": "%{record_type}-"},
)
PARTIAL = ("HTTPRoute", "GRPCRoute", "Gateway", "Namespace", "Ingress", "Service", "ProxyGroup")


@lru_cache
def read(zones_and_exposures: str) -> Config:
    """Return the configuration of all estates, with these zones and declared exposures."""
    gateway = {"namespace": "tailscale", "name": "gw"}
    resolver = RESOLVER | {"domains": ZONES[:2]}
    clusters = [
        {
            "name": name,
            "gateways": [gateway | {"device": {"hostname": hostname, "tag": "tag:k8s"}}],
            "resolvers": [resolver] if name == "homelab" else [],
        }
        for name, (_, hostname) in CLUSTERS.items()
    ]
    shared = {"clusters": clusters, "guard": {"delete_share": 1.0}}
    return Config.from_json(shared | json.loads(zones_and_exposures))


class Long(dict[tuple[str, str], float]):
    """Names of which each has been missing for long."""

    def get(self, *_: Any) -> Any:
        """Return the beginning of time."""
        return 0.0


@dataclass
class Estate:
    """What there is: a Bench for each cluster, a zone by each name, what is declared by hand."""

    zones: list[dict[str, Any]]
    benches: dict[str, Bench]
    held: dict[str, Zone] = field(default_factory=lambda: {name: Zone() for name in ZONES})
    declared: list[dict[str, Any]] = field(default_factory=list)
    partial: dict[str, dict[str, str]] = field(default_factory=dict)
    memory: Memory = field(default_factory=lambda: Memory(missing_since=Long()))

    @property
    def config(self) -> Config:
        """Return the configuration; no number of deletes is too large here."""
        return read(json.dumps({"zones": self.zones, "exposures": self.declared}))

    def world(self) -> World:
        """Return what the readers would see."""
        seen = {name: bench.world() for name, bench in self.benches.items()}
        clusters = {
            name: {
                **world.clusters["homelab"],
                "cluster": name,
                "partial": self.partial.get(name, {}),
            }
            for name, world in seen.items()
        }
        for document in clusters.values():
            for gateway in document["objects"]["Gateway"]:
                del gateway["spec"]["listeners"][0]["hostname"]
        first = seen["homelab"]
        devices = [one for bench in self.benches.values() for one in bench.devices]
        return World(
            self.config,
            {**first.tailnet_document, "devices": devices},
            clusters,
            {
                name: {
                    "records": [*zone.records.values()],
                    "name_servers": [],
                    "plan": "pro",
                    "why": "",
                }
                for name, zone in self.held.items()
            },
            first.resolvers,
            memory=replace(
                self.memory,
                carriers={
                    k: v for b in self.benches.values() for k, v in b.memory.carriers.items()
                },
            ),
        )

    def plan(self, *, approved: bool = False) -> Plan | None:
        """Return the judged plan; with everything approved that a person may approve, if asked."""
        world = self.world()
        plan = plan_world(world, SURFACES, NOW).plan
        if not (plan and approved):
            return plan
        digests = frozenset(change.digest for change in plan.changes)
        return plan_world(replace(world, approved=digests), SURFACES, NOW).plan

    def apply(self, changes: Iterable[Change]) -> None:
        """Carry changes out as the adapters would, batch by batch, at a Cloudflare that refuses."""
        todo = list(changes)
        for zone in self.config.zones:
            held = held_by_name(zone, self.held[zone.name].records.values())
            mine = [c for c in todo if (c.surface, c.place) == ("records", zone.name)]
            edits = [edit_of(zone, change, held.get(change.key, Held())) for change in mine]
            for batch in packed(edits, 7):
                self.held[zone.name].carry_out(batch.body)
        bench = self.benches["homelab"]
        bench.apply(change for change in todo if change.surface == "split-dns")
        if documents := [change for change in todo if change.surface == "resolver"]:
            config = self.config.clusters[0].resolvers[0]
            bench.text = document_after(config, bench.text, documents)

    def converge(self) -> list[Change]:
        """Plan, apply what may be; return what was done."""
        plan = self.plan()
        done = list(plan.with_word("apply")) if plan else []
        self.apply(done)
        return done

    def picture(self) -> Any:
        """Return all that we write, as clients and other tools see it."""
        bench = self.benches["homelab"]
        zones = {name: zone.said() for name, zone in self.held.items()}
        return zones, bench.text, dict(bench.split_dns)

    def theirs(self) -> Any:
        """Return the records that are others'."""
        return {name: zone.said("their") for name, zone in self.held.items()}


def wanted(host: str, draw: st.DrawFn) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the objects that want a host: (cluster, route), or ("", declared exposure)."""
    for cluster in draw(st.sets(st.sampled_from(["homelab", "homelab", "edge", ""]), max_size=2)):
        if not cluster and host.startswith("_"):
            continue  # tailkeeper.yaml takes no such name
        if not cluster:
            views = draw(st.sampled_from([["public"], ["public", "tailnet"]]))
            yield "", {"host": host, "target": draw(st.sampled_from(TARGETS)), "views": views}
            continue
        one = route(f"r{HOSTS.index(host)}", expose=draw(st.sampled_from([True, True, False])))
        one["spec"]["hostnames"] = [host]
        notes = draw(st.sampled_from([{}, {}, {"tailkeeper.dev/target": "address"}]))
        one["metadata"]["annotations"] = {**one["metadata"]["annotations"], **notes}
        yield cluster, one


def want(estate: Estate, draw: st.DrawFn) -> None:
    """Draw what everybody wants now, in the place of what they wanted."""
    estate.declared = []
    for bench in estate.benches.values():
        bench.routes = []
    for host in draw(st.lists(st.sampled_from(HOSTS), unique=True, max_size=7)):
        for cluster, thing in wanted(host, draw):
            (estate.benches[cluster].routes if cluster else estate.declared).append(thing)


def theirs(host: str, zone: dict[str, Any], draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw what others keep at a host: answers, mail, a delegation, their own marks."""
    marks = Config.from_json({"zones": [zone]}).zones[0].marks
    kind, content = draw(
        st.sampled_from(
            [
                *(("A", "192.0.2.1"), ("AAAA", "2001:db8::1"), ("CNAME", "x.example.org")),
                *(("MX", "mail.example.org"), ("NS", "ns.example.org"), ("TXT", "v=spf1 -all")),
            ]
        )
    )
    if kind == "NS" and "a-app" in host:
        return []  # where a mark of ours would be: that name is rejected by itself
    found = [{"name": host, "type": kind, "content": content}]
    value = '"heritage=external-dns,external-dns/owner=others,external-dns/resource=ingress/a/b"'
    if draw(st.booleans()):
        kind = draw(st.sampled_from(["A", "AAAA", "CNAME"]))
        found.append({"name": marks.name(host, kind), "type": "TXT", "content": value})
    return found


@st.composite
def estates(draw: st.DrawFn) -> Estate:
    """Draw an estate that was converged once, and in which everybody wants something else now."""
    zones = [
        {
            "name": name,
            "owner": draw(st.sampled_from(["homelab", "second"])),
            "target": draw(st.sampled_from(["cname", "address"])),
            "policy": draw(st.sampled_from(["sync", "sync", "sync", "upsert-only", "create-only"])),
            "annotation_filter": "external-dns.alpha.kubernetes.io/expose=true",
            **draw(st.sampled_from(AFFIXES)),
        }
        for name in ZONES
    ]
    benches = {
        name: Bench([], carrier=number, addresses=[f"100.64.0.{number}"])
        for name, (number, _) in CLUSTERS.items()
    }
    benches["edge"].devices = [device(5, "edge", "edge")]
    estate = Estate(zones, benches)
    for host in draw(st.lists(st.sampled_from(HOSTS), unique=True, max_size=3)):
        zone = max((z for z in zones if host.endswith(z["name"])), key=lambda z: len(z["name"]))
        for record in theirs(host, zone, draw):
            try:
                estate.held[zone["name"]].add(record, "their")
            except RefusedError:
                continue
    want(estate, draw)
    estate.converge()
    want(estate, draw)
    if draw(st.booleans()):
        estate.benches["homelab"].move()
    return estate
