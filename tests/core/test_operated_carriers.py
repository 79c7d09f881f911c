"""What the operator carries is guarded as gateways are: by identity, moves, partial reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tailkeeper.carriers.gateways import GatewayDevice, Refusal
from tailkeeper.proof.expectations import targets_of
from tests.support.operated import DOMAIN, api_server, balanced, exposed, ingress, secret
from tests.support.worlds import Bench, device, route


if TYPE_CHECKING:
    from tailkeeper.model import Plan

HOST = "db.example.com"
SAID = {"dns_hostname": HOST, "dns_expose": "true"}
EXPOSED = {"dns_hostname": "x.example.com", "dns_expose": "true"}
ADDRESSES = ["100.64.0.5", "fd7a:115c:a1e0::5"]
VIP = {"name": "svc:db", "addrs": ["100.100.0.5", "fd7a:115c:a1e0::6405"], "ports": ["tcp:5432"]}
PORT = {"port": 5432}

Objects = dict[str, list[dict[str, Any]]]
Make = Callable[[int], Objects]


def by_device(number: int) -> Objects:
    """Return a LoadBalancer Service, with status and state Secret, carried by that device."""
    status = [{"hostname": f"db.{DOMAIN}"}, {"ip": f"100.64.0.{number}"}]
    return {
        "Service": [balanced("db", PORT, ingress=status, **SAID)],
        "StateSecret": [secret("db", f"n{number}")],
    }


def by_secret(number: int) -> Objects:
    """Return a Service that only asks to be exposed: its status says nothing."""
    return {
        "Service": [exposed("db", PORT, **SAID)],
        "StateSecret": [secret("db", f"n{number}", fqdn=f"db.{DOMAIN}")],
    }


def by_ingress(number: int) -> Objects:
    """Return an Ingress, which gives its device's name and no address."""
    return {
        "Ingress": [ingress("db", f"db.{DOMAIN}", tls="db", **SAID)],
        "StateSecret": [secret("db", f"n{number}", kind="ingress")],
    }


def bench_of(make: Make, **parts: Any) -> Bench:
    """Return a world where device 5 carries what is made."""
    bench = Bench([], others=make(5), **parts)
    bench.devices.append(device(5, "db", "db"))
    return bench


def converged(bench: Bench) -> Plan | None:
    """Apply what the guard lets through; return the plan."""
    plan = bench.plan()
    bench.apply(plan.with_word("apply") if plan else ())
    return plan


def of_host(plan: Plan | None, host: str = HOST) -> dict[str, tuple[str, int]]:
    """Return the guard's word and row for each surface of a host."""
    changes = plan.changes if plan else ()
    return {
        c.surface: (c.verdict.word, c.verdict.row) for c in changes if c.verdict and c.key == host
    }


def contents(bench: Bench) -> list[str]:
    """Return what the zone answers, marks left out."""
    return [r["content"] for r in bench.records.values() if r["type"] != "TXT"]


EACH = pytest.mark.parametrize("make", [by_device, by_secret, by_ingress])


@EACH
def test_a_name_points_at_the_device_of_its_object(make: Make) -> None:
    """In the zone by name, in the resolver by address, and then there is nothing left to do."""
    bench = bench_of(make)

    plan = converged(bench)

    assert of_host(plan) == {"records": ("apply", 13), "resolver": ("apply", 13)}
    assert contents(bench) == [f"db.{DOMAIN}"]
    assert "100.64.0.5 db.example.com" in (bench.text or "")
    assert bench.plan() is None


@EACH
def test_a_device_that_registered_again_is_followed(make: Make) -> None:
    """F05: by the cluster's word, whatever its display name; the offline twin is left alone."""
    bench = bench_of(make)
    converged(bench)
    (kind,) = {kind.lower() for kind in make(5)} - {"statesecret"}
    answers = {"nodes": ["n5"], "answers": [f"db.{DOMAIN}", *ADDRESSES]}
    bench.memory = replace(bench.memory, carriers={f"homelab/{kind}/apps/db": answers})
    bench.devices[-1]["connected"] = False
    bench.devices.append(device(6, "db-1", "db"))
    bench.others = make(6)

    assert of_host(converged(bench)) == {"records": ("apply", 7), "resolver": ("apply", 7)}
    assert contents(bench) == [f"db-1.{DOMAIN}"]
    assert bench.plan() is None


@EACH
def test_an_offline_device_is_refused_and_the_last_good_answer_stays(make: Make) -> None:
    """Row 3: neither name nor address goes."""
    bench = bench_of(make)
    converged(bench)
    bench.devices[-1]["connected"] = False
    before = contents(bench), bench.text

    plan = converged(bench)

    assert set(of_host(plan).values()) <= {("refuse", 3)}
    assert (contents(bench), bench.text) == before


@EACH
def test_a_device_of_the_right_name_is_not_enough(make: Make) -> None:
    """A machine that calls itself so, unnamed by the cluster, is never published."""
    bench = bench_of(make)
    bench.others["StateSecret"] = []
    for documents in bench.others.values():
        for document in documents:
            document["status"] = {}

    assert of_host(bench.plan()) == {"records": ("refuse", 3), "resolver": ("refuse", 3)}


@EACH
def test_a_partial_read_deletes_nothing(make: Make) -> None:
    """Row 4: the kind was not read, so its names prove nothing; a hosts file tells no kind."""
    bench = bench_of(make)
    converged(bench)
    (kind,) = {*bench.others} - {"StateSecret"}
    bench.others, bench.partial = {}, {kind: "timed out"}

    plan = bench.plan(10_000)

    assert of_host(plan) == {"records": ("refuse", 4), "resolver": ("refuse", 4)}


@EACH
def test_a_kind_that_shrank_to_nothing_is_held(make: Make) -> None:
    """Row 8: by the zone's mark, the resolver's entry is known to be of that kind, too."""
    bench = bench_of(make)
    converged(bench)
    bench.others = {}

    assert of_host(bench.plan(10_000)) == {"records": ("hold", 8), "resolver": ("hold", 8)}


def test_a_mark_of_old_does_not_hide_a_partial_read() -> None:
    """The mark says Service, but a route has the name by now; routes were not read."""
    bench = Bench([route("db")], others={"Service": [balanced("x", **EXPOSED)]})
    converged(bench)
    for record in bench.records.values():
        record["content"] = record["content"].replace("httproute/apps/db", "service/apps/db")
    bench.routes, bench.partial = [], {"HTTPRoute": "timed out"}

    assert bench.world().held["example.com"][HOST].resource == "service/apps/db"
    assert of_host(bench.plan(10_000)) == {"records": ("refuse", 4), "resolver": ("refuse", 4)}


def test_without_its_secret_the_remembered_device_carries_an_exposed_service() -> None:
    """As with a gateway, while it is connected."""
    bench = bench_of(by_secret)
    bench.memory = replace(
        bench.memory, carriers={"homelab/service/apps/db": {"nodes": ["n5"], "answers": []}}
    )
    bench.others["StateSecret"], bench.partial = [], {"StateSecret": "403"}

    carrier = bench.world().carriers["homelab/service/apps/db"]

    assert isinstance(carrier, GatewayDevice)
    assert carrier.why.startswith("remembered: Service apps/db was not read (StateSecret: 403)")


def grouped(kind: str) -> Objects:
    """Return a Service or Ingress on a ProxyGroup, whose status gives a virtual address or name."""
    said = {**SAID, "ts_proxy_group": "proxies"}
    if kind == "Ingress":
        return {kind: [ingress("db", f"db.{DOMAIN}", tls="db", **said)]}
    status = [{"hostname": f"db.{DOMAIN}", "ip": "100.100.0.5"}]
    return {kind: [balanced("db", PORT, ingress=status, **said)]}


@pytest.mark.parametrize("kind", ["Service", "Ingress"])
def test_a_proxy_groups_service_stands_for_its_devices(kind: str) -> None:
    """The Tailscale Service is the carrier: its addresses, its name."""
    bench = Bench([], others=grouped(kind), tailnet_services=[VIP])

    assert of_host(converged(bench)) == {"records": ("apply", 13), "resolver": ("apply", 13)}
    assert contents(bench) == [f"db.{DOMAIN}"]
    assert "100.100.0.5 db.example.com" in (bench.text or "")
    assert bench.plan() is None


@pytest.mark.parametrize("kind", ["Service", "Ingress"])
def test_a_virtual_address_that_moved_is_followed(kind: str) -> None:
    """The name stays; the resolver follows, as row 7 has it."""
    bench = Bench([], others=grouped(kind), tailnet_services=[VIP])
    converged(bench)
    answers = {"nodes": ["svc:db"], "answers": [f"db.{DOMAIN}", *VIP["addrs"]]}
    key = f"homelab/{kind.lower()}/apps/db"
    bench.memory = replace(bench.memory, carriers={key: answers})
    bench.tailnet_services = [{**VIP, "addrs": ["100.100.0.9"]}]
    for document in bench.others[kind]:
        for entry in document["status"]["loadBalancer"]["ingress"]:
            entry.update({"ip": "100.100.0.9"} if "ip" in entry else {})

    assert of_host(converged(bench)) == {"resolver": ("apply", 7)}


@pytest.mark.parametrize(
    ("services", "partial", "why"),
    [
        ([], {}, "is not in the tailnet"),
        ([], {"services": "404: is the scope `services` missing?"}, "not among the devices read"),
    ],
)
def test_a_service_that_is_not_read_is_refused(services: Any, partial: Any, why: str) -> None:
    """Without the scope `services` its address cannot be checked."""
    world = Bench([], others=grouped("Service"), tailnet_services=services).world()
    document = {**world.tailnet_document, "partial": partial}

    carrier = replace(world, tailnet_document=document).carriers["homelab/service/apps/db"]

    assert isinstance(carrier, Refusal)
    assert why in carrier.reasons[0]


def test_a_declared_name_follows_an_object() -> None:
    """`target` may be an object of the cluster: here the API server of a ProxyGroup."""
    group = api_server("kube", f"https://db.{DOMAIN}")
    declared = {"host": "kube.example.com", "target": "proxygroup/kube"}
    bench = Bench([], others={"ProxyGroup": [group]}, tailnet_services=[VIP], declared=[declared])

    plan = converged(bench)

    assert of_host(plan, "kube.example.com") == {
        "records": ("apply", 13),
        "resolver": ("apply", 13),
    }
    assert contents(bench) == [f"db.{DOMAIN}"]


@pytest.mark.parametrize(
    ("target", "partial", "why"),
    [
        ("service/apps/gone", {}, "the cluster has no Service apps/gone that the tailnet reaches"),
        ("ingress/apps/gone", {"Ingress": "403"}, "was not read (Ingress: 403)"),
    ],
)
def test_a_declared_object_that_is_not_there_is_refused(
    target: str, partial: dict[str, str], why: str
) -> None:
    """Its name keeps the last good answer."""
    declared = [{"host": "x.example.com", "target": target}]
    bench = Bench([], partial=partial, declared=declared)

    assert of_host(bench.plan(), "x.example.com") == {
        "records": ("refuse", 3),
        "resolver": ("refuse", 3),
    }
    carrier = bench.world().carriers[f"homelab/{target}"]
    assert isinstance(carrier, Refusal)
    assert why in carrier.reasons[0]


@pytest.mark.parametrize(
    ("zone", "own", "expected"),
    [
        ("cname", "", [f"db.{DOMAIN}"]),
        ("cname", "address", ADDRESSES),
        ("address", "cname", [f"db.{DOMAIN}"]),
        ("address", "", ADDRESSES),
    ],
)
def test_name_or_address_is_chosen_by_zone_and_by_exposure(
    zone: str, own: str, expected: list[str]
) -> None:
    """A public 100.x shows the tailnet's shape, so it is asked for; the exposure's word counts."""
    said = {**SAID, **({"own_target": own} if own else {})}
    objects = {**by_device(5), "Service": [balanced("db", PORT, **said)]}
    bench = Bench([], others=objects)
    bench.devices.append(device(5, "db", "db"))
    bench.zone["target"] = zone

    converged(bench)

    assert sorted(contents(bench)) == expected


@pytest.mark.parametrize(
    ("event", "asked", "settles"),
    [("n7", {}, True), ("", {}, False), ("n7", {"dns_expose": "false"}, True)],
)
def test_a_new_device_is_waited_for(event: str, asked: dict[str, str], *, settles: bool) -> None:
    """An event's device that calls itself as an object asks, and which no Secret names yet."""
    bench = bench_of(by_device)
    bench.others["Service"][0]["metadata"]["annotations"] |= {
        "tailscale.com/hostname": "db",
        **{f"external-dns.alpha.kubernetes.io/{k[4:]}": v for k, v in asked.items()},
    }
    bench.devices.append(device(7, "db-1", "db"))
    world = replace(bench.world(), event_nodes=frozenset(filter(None, [event])))

    assert bool(world.unsettled) is settles


def test_nothing_waits_for_a_name_that_is_never_written() -> None:
    """A dead proxy with only a name of the tailnet would cost every run its budget."""
    objects = by_device(5)
    objects["Service"][0]["metadata"]["annotations"] = {}
    bench = Bench([], others=objects)
    bench.devices.append(device(5, "db", "db", connected=False))

    assert bench.world().unsettled == ()


def test_a_name_of_the_tailnet_is_probed_and_never_written() -> None:
    """Without an annotation, MagicDNS answers for it."""
    objects = by_device(5)
    objects["Service"][0]["metadata"]["annotations"] = {}
    bench = Bench([], others=objects)
    bench.devices.append(device(5, "db", "db"))

    plan = bench.plan()
    (target,) = [t for t in targets_of(bench.world(), plan) if t["kind"] == "exposure"]

    assert of_host(plan, f"db.{DOMAIN}") == {}
    assert target == {
        "kind": "exposure",
        "host": f"db.{DOMAIN}",
        "port": 5432,
        "protocol": "tcp",
        "zone": "",
        "created": False,
        "magic": True,
    }
