"""What the prober is told to expect: before, during and after a change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tailkeeper.proof.expectations import targets_of
from tailkeeper.world import Memory
from tests.support.worlds import Bench, route


if TYPE_CHECKING:
    from tailkeeper.model import Plan

HOST = "a.example.com"
DNS = "100.64.0.9"


def targets(bench: Bench, plan: Plan | None) -> dict[str, dict[str, Any]]:
    """Return the targets by host."""
    return {target["host"]: target for target in targets_of(bench.world(), plan)}


def test_what_a_plan_creates_is_marked_as_created() -> None:
    """The record and the resolver's entry are new, so neither may be asked for beforehand."""
    bench = Bench([route("a")])

    target = targets(bench, bench.plan())[HOST]

    assert target == {
        "kind": "exposure",
        "host": HOST,
        "port": 443,
        "protocol": "https",
        "zone": "example.com",
        "created": True,
        "public": {
            "records": [{"type": "CNAME", "content": "gateway-envoy.tail.ts.net", "proxied": False}]
        },
        "tailnet": {
            "nameserver": DNS,
            "addresses": ["100.64.0.1", "fd7a:115c:a1e0::1"],
            "created": True,
        },
    }


def test_after_it_is_applied_the_same_is_expected_and_may_be_asked() -> None:
    """Only `created` goes away."""
    bench = Bench([route("a")])
    plan = bench.plan()
    assert plan is not None
    planned = targets(bench, plan)[HOST]
    bench.apply(plan.with_word("apply"))

    target = targets(bench, None)[HOST]

    assert target == {
        **planned,
        "created": False,
        "tailnet": {**planned["tailnet"], "created": False},
    }


def test_a_move_expects_the_new_device_of_names_that_exist() -> None:
    """An update is no creation: the way that clients have until then is the proof's baseline."""
    bench = Bench([route("a")])
    plan = bench.plan()
    assert plan is not None
    bench.apply(plan.with_word("apply"))
    bench.move()

    target = targets(bench, bench.plan())[HOST]

    assert target["public"]["records"][0]["content"] == "gateway-envoy-1.tail.ts.net"
    assert target["tailnet"]["addresses"] == ["100.64.0.2", "fd7a:115c:a1e0::2"]
    assert (target["created"], target["tailnet"]["created"]) == (False, False)
    assert target["public"]["before"]["records"][0]["content"] == "gateway-envoy.tail.ts.net"
    assert target["tailnet"]["before"] == {
        "nameserver": DNS,
        "addresses": ["100.64.0.1", "fd7a:115c:a1e0::1"],
    }


def test_a_new_resolver_is_expected_and_the_old_one_remembered() -> None:
    """Nothing is wrong with the entries: it is the nameserver that clients lose."""
    bench = Bench([route("a")])
    plan = bench.plan()
    assert plan is not None
    bench.apply(plan.with_word("apply"))
    bench.split_dns["example.com"] = ["100.64.0.77"]
    bench.memory = Memory({"homelab/dns/dns": {"nodes": ["n8"], "answers": ["100.64.0.77"]}})

    found = targets(bench, bench.plan())

    assert found[HOST]["tailnet"]["before"]["nameserver"] == "100.64.0.77"
    assert "before" not in found[HOST]["public"]
    (apex,) = (target for target in found.values() if target["kind"] == "apex")
    assert apex["tailnet"]["nameserver"] == DNS
    assert apex["tailnet"]["before"]["nameserver"] == "100.64.0.77"


@pytest.mark.parametrize(
    ("name", "otherwise", "kinds"),
    [
        ("a", "public", ["absent", "apex", "challenge"]),
        ("a", "nxdomain", ["absent", "apex", "challenge"]),
        ("*", "public", ["apex", "challenge"]),
    ],
)
def test_the_rest_of_a_domain_has_sentinels(name: str, otherwise: str, kinds: list[str]) -> None:
    """A wildcard leaves no name absent; a challenge goes to public DNS in either policy."""
    bench = Bench([route(name)])
    bench.resolver |= {"mode": "corefile", "otherwise": otherwise}

    found = {t["kind"]: t for t in targets(bench, bench.plan()).values()}
    del found["exposure"]

    assert sorted(found) == kinds
    assert {t["tailnet"]["nameserver"] for t in found.values()} == {DNS}
    assert {k: t["tailnet"]["otherwise"] for k, t in found.items()} == {
        **dict.fromkeys(kinds, otherwise),
        "challenge": "forwarded",
    }
    absent = "tailkeeper-no-such-name.example.com"
    assert found["challenge"]["host"] == f"_acme-challenge.{absent}"
    assert found["apex"]["host"] == "example.com"
