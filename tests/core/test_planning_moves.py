"""Devices that move: gateways and resolvers, and everything that follows them in one plan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tailkeeper.resolver.document import parse
from tests.support.worlds import Bench, device, route


if TYPE_CHECKING:
    from tailkeeper.model import Plan

GATEWAY, RESOLVER = "homelab/tailscale/gw", "homelab/dns/dns"


def in_step(**parts: Any) -> Bench:
    """Return a world in step."""
    bench = Bench([route("a"), route("b")], **parts)
    converged(bench)
    return bench


def converged(bench: Bench) -> Plan | None:
    """Apply what the guard lets through; return the plan."""
    plan = bench.plan()
    bench.apply(plan.with_word("apply") if plan else ())
    return plan


def rows(plan: Plan | None) -> dict[tuple[str, str], int]:
    """Return the guard's row for each change."""
    assert plan
    return {(c.surface, c.key): c.verdict.row for c in plan.changes if c.verdict}


def test_a_gateway_that_registered_again_is_followed_to_its_new_name_and_address() -> None:
    """F05: names, hosts and nothing else, in one plan; the twin that is offline is not touched."""
    bench = in_step()
    bench.move()

    assert rows(converged(bench)) == {
        ("records", "a.example.com"): 7,
        ("records", "b.example.com"): 7,
        ("resolver", "a.example.com"): 7,
        ("resolver", "b.example.com"): 7,
    }
    assert {r["content"] for r in bench.records.values() if r["type"] == "CNAME"} == {
        "gateway-envoy-1.tail.ts.net"
    }
    assert bench.plan() is None


def test_a_new_address_under_the_same_name_is_the_resolvers_matter_alone() -> None:
    """F06: a CNAME follows by itself."""
    bench = in_step()
    answers = {"nodes": ["n1"], "answers": ["100.64.0.1", "fd7a:115c:a1e0::1"]}
    bench.memory = replace(bench.memory, carriers={GATEWAY: answers})
    bench.devices[0]["addresses"] = ["100.64.0.5", "fd7a:115c:a1e0::5"]
    bench.addresses, bench.service_address = ["100.64.0.5"], "100.64.0.5"

    assert rows(converged(bench)) == {
        ("resolver", "a.example.com"): 7,
        ("resolver", "b.example.com"): 7,
    }
    assert bench.plan() is None


@pytest.mark.parametrize(("remembered", "row"), [(True, 7), (False, 13)])
def test_a_resolver_that_moved_is_asked_at_its_new_address(row: int, *, remembered: bool) -> None:
    """F07: split DNS follows its Service's device; hosts and records stay as they are."""
    bench = in_step()
    if remembered:
        answers = {"nodes": ["n9"], "answers": ["100.64.0.9", "dns.tail.ts.net"]}
        bench.memory = replace(bench.memory, carriers={RESOLVER: answers})
    bench.devices[1]["addresses"] = ["100.64.0.99"]
    bench.resolver_address = "100.64.0.99"

    assert rows(converged(bench)) == {("split-dns", "example.com"): row}
    assert bench.split_dns == {"example.com": ["100.64.0.99"]}


def test_both_may_move_at_once() -> None:
    """A node that is drained takes the gateway and the resolver with it."""
    bench = in_step()
    bench.move()
    bench.devices[1] = device(8, "dns-1", "dns")
    bench.resolver_address = "100.64.0.8"

    converged(bench)

    assert bench.plan() is None
    assert bench.split_dns == {"example.com": ["100.64.0.8"]}
    assert parse(bench.text or "") == {
        f"{name}.example.com": ("100.64.0.2", "fd7a:115c:a1e0::2") for name in "ab"
    }


def test_a_person_who_set_the_domain_is_overruled_as_by_any_change() -> None:
    """A nameserver that never was ours is an ordinary update, which the journal can undo."""
    bench = in_step()
    bench.split_dns["example.com"] = ["100.64.0.77"]

    assert rows(converged(bench)) == {("split-dns", "example.com"): 13}
