"""A gateway, or the resolver, moves: the answers follow, or stay as they last were right."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.embedded import until


if TYPE_CHECKING:
    from tests.support.embedded import Embedded

pytestmark = pytest.mark.world

PUBLISHED = ("home", "music", "photos", "recipes")
ZONE = "hearth.example"
WAYS: tuple[tuple[Any, Any], ...] = (("tailnet", "split-dns"), ("tailnet", "public-record"))


def everything() -> list[tuple[str, Any, Any]]:
    """Return every name in every way into the tailnet."""
    names = [f"{name}.{ZONE}" for name in PUBLISHED]
    return [(name, *way) for name in names for way in WAYS] + [(f"docs.{ZONE}", *WAYS[0])]


def assert_everything_answers(world: Embedded) -> None:
    """Fail unless every name answers over HTTPS, from its own backend, by the live device."""
    live = world.devices("gateway-envoy")[0]
    answers = world.ask_all(everything())
    assert [a for a in answers if not a.ok] == []
    assert {a.addresses[-1] for a in answers} == {live["addresses"][0]}
    served = {(a.name.partition(".")[0], a.served_by) for a in answers}
    assert served == {(name, f"{name}/{name}:80") for name in (*PUBLISHED, "docs")}
    public = world.ask_all([(f"{name}.{ZONE}", "public", "public-record") for name in PUBLISHED])
    assert {answer.records[0] for answer in public} == {f"CNAME {live['name']}"}


def test_first_converge(in_step: Embedded) -> None:
    """Everything is in step after one run: records, resolver, split DNS, and the rest untouched."""
    assert_everything_answers(in_step)

    docs = in_step.ask(f"docs.{ZONE}", "public")
    assert docs.records[0] == "CNAME docs-hearth-example.pages.dev"
    split = in_step.tailnet()["split_dns"]
    assert split == {ZONE: [in_step.devices("tailnet-dns")[0]["addresses"][0]]}
    hosts = in_step.kubectl("-n", "tailnet-dns", "get", "cm", "tailkeeper-hosts", "-o", "yaml")
    assert f"docs.{ZONE}" in hosts


def test_recreated_proxy(in_step: Embedded) -> None:
    """F05: a new device beside its offline twin is followed, in one change, by the event alone."""
    old = in_step.devices("gateway-envoy")[0]
    began = time.time()
    machine = {"hostname": "gateway-envoy", "tags": ["tag:k8s"]}
    in_step.admin("tailscale", "POST", "/devices", machine)
    in_step.admin("tailscale", "POST", f"/devices/{old['nodeId']}/disconnect")
    broken = in_step.ask_all(everything())

    outputs = in_step.outputs_since(began)

    assert not any(answer.ok for answer in broken)
    assert [output["outcome"] for output in outputs] == ["applied"]
    assert outputs[0]["causes"][0]["kind"] == "tailscale"
    assert outputs[0]["proof"]["word"] == "proven"
    change = in_step.change(outputs[0]["change_id"])
    assert {entry["change"]["surface"] for entry in change["entries"]} == {"records", "resolver"}
    assert {entry["state"] for entry in change["entries"]} == {"applied"}
    assert_everything_answers(in_step)


def test_new_address_under_the_same_name(in_step: Embedded) -> None:
    """F06: a device that was deleted comes back with its name and another address."""
    old = in_step.devices("gateway-envoy")[0]
    began = time.time()
    in_step.admin("tailscale", "DELETE", f"/devices/{old['nodeId']}")
    until(lambda: in_step.devices("gateway-envoy"), lambda found: found[0]["connectedToControl"])

    outputs = in_step.outputs_since(began)

    new = in_step.devices("gateway-envoy")[0]
    assert new["name"] == old["name"]
    assert new["addresses"] != old["addresses"]
    assert "applied" in {output["outcome"] for output in outputs}
    assert_everything_answers(in_step)


def test_resolver_with_a_new_address(in_step: Embedded) -> None:
    """F07: when the resolver's own device changes, split DNS is pointed to the new one."""
    old = in_step.devices("tailnet-dns")[0]
    began = time.time()
    in_step.admin("tailscale", "DELETE", f"/devices/{old['nodeId']}")
    until(lambda: in_step.devices("tailnet-dns"), bool)

    outputs = in_step.outputs_since(began)

    assert "applied" in {output["outcome"] for output in outputs}
    new = in_step.devices("tailnet-dns")[0]["addresses"][0]
    assert in_step.tailnet()["split_dns"] == {ZONE: [new]}
    assert_everything_answers(in_step)
