"""A change that breaks what worked is taken back by itself, and only that; others by a person."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support.embedded import route, until


if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.embedded import Embedded

pytestmark = [pytest.mark.world, pytest.mark.xdist_group("world")]

ZONE = "hearth.example"
HOME, DOCS = f"home.{ZONE}", f"docs.{ZONE}"
WAYS: list[tuple[str, Any, Any]] = [
    (HOME, "tailnet", "split-dns"),
    (HOME, "tailnet", "public-record"),
    (DOCS, "tailnet", "split-dns"),
]
SLOW = {"method": "POST", "path": "*/batch", "delay_ms": 800}


@pytest.fixture
def moved(in_step: Embedded) -> Iterator[float]:
    """Move the gateway to a device that is lost while the answers are being moved to it.

    The old device goes on, so that all of it worked until then. Yield when it began.
    """
    began, old = time.time(), in_step.devices("gateway-envoy")[0]
    in_step.forget_requests()
    in_step.admin("cloudflare", "POST", "/faults", SLOW)
    machine = {"hostname": "gateway-envoy", "tags": ["tag:k8s"]}
    new = in_step.admin("tailscale", "POST", "/devices", machine)
    in_step.admin("tailscale", "POST", f"/devices/{old['nodeId']}/connect")
    until(lambda: [r for r in in_step.requests("cloudflare") if r["method"] == "POST"], bool)
    in_step.admin("tailscale", "POST", f"/devices/{new['nodeId']}/disconnect")
    yield began
    in_step.admin("tailscale", "POST", f"/devices/{new['nodeId']}/connect")
    for change in in_step.outputs_since(began):
        in_step.command("approve", change["change_id"])


def test_new_gateway_that_takes_no_connection(in_step: Embedded, moved: float) -> None:
    """Records and resolver go back to the device that answers, until somebody approves the move."""
    outputs = in_step.outputs_since(moved)

    assert [(o["outcome"], o["proof"]["word"]) for o in outputs] == [("undone", "worse")]
    entries = in_step.change(outputs[0]["change_id"])["entries"]
    taken_back = [entry["change"] for entry in entries if entry["round"].endswith("-undo")]
    (asked,) = in_step.change(outputs[0]["change_id"])["asked"]
    assert outputs[0]["to_tell"] == len(taken_back)
    assert f"tailkeeper approve {outputs[0]['change_id']}" in asked["words"]
    assert {change["surface"] for change in taken_back} == {"records", "resolver"}
    assert {HOME, DOCS} <= {change["key"] for change in taken_back}
    until(lambda: [answer.ok for answer in in_step.ask_all(WAYS)], all, seconds=10)


def answers(world: Embedded) -> Any:
    """Return everything that tailkeeper writes, to the letter: what clients are told."""
    zones = world.admin("cloudflare", "GET", "/state")["zones"]
    parts = ("id", "name", "type", "content", "ttl", "proxied", "comment")
    records = [
        {part: record.get(part) for part in parts} for zone in zones for record in zone["records"]
    ]
    hosts = json.loads(
        world.kubectl("-n", "tailnet-dns", "get", "cm", "tailkeeper-hosts", "-o", "json")
    )
    return sorted(records, key=str), hosts["data"], world.tailnet()["split_dns"]


def undo(world: Embedded, change_id: str, *words: str) -> tuple[int, dict[str, Any]]:
    """Take a change back; return the exit code and the output."""
    ran = world.command("undo", change_id, "--json", *words)
    assert ran.stdout, ran.stderr
    output: dict[str, Any] = json.loads(ran.stdout)
    return ran.returncode, output


def test_a_gateway_that_moved_is_put_back_and_moved_again(in_step: Embedded) -> None:
    """To the letter, on every surface; twice is in sync; an undo of the undo is the move again."""
    began, before = time.time(), answers(in_step)
    carrier = in_step.records(ZONE)["CNAME", HOME]
    old = next(d for d in in_step.devices("gateway-envoy") if d["name"] == carrier)
    machine = {"hostname": "gateway-envoy", "tags": ["tag:k8s"]}
    in_step.admin("tailscale", "POST", "/devices", machine)
    in_step.admin("tailscale", "POST", f"/devices/{old['nodeId']}/connect")
    (moved,) = in_step.outputs_since(began)
    after = answers(in_step)

    undone = undo(in_step, moved["change_id"])
    put_back = answers(in_step)
    twice = undo(in_step, moved["change_id"])
    again = undo(in_step, undone[1]["change_id"])

    assert [(code, output["outcome"]) for code, output in (undone, twice, again)] == [
        (0, "applied"),
        (0, "in_sync"),
        (0, "applied"),
    ]
    assert before != after
    assert put_back == before
    assert answers(in_step) == after
    assert undone[1]["proof"]["word"] == "proven"
    shown = in_step.change(moved["change_id"])
    assert shown["undone_by"] == []  # what undid it was undone itself
    assert in_step.change(undone[1]["change_id"])["undone_by"] == [again[1]["change_id"]]
    assert in_step.change(undone[1]["change_id"])["causes"][0]["kind"] == "undo"


def test_what_somebody_changed_since_is_told_and_left(in_step: Embedded) -> None:
    """The rest of the change is taken back."""
    names = [f"{name}.{ZONE}" for name in ("mine", "theirs")]
    before = answers(in_step)
    in_step.kubectl("apply", "-f", "-", given=route("two", names))
    made = in_step.converge()["change_id"]
    zone = next(z for z in in_step.admin("cloudflare", "GET", "/state")["zones"])
    theirs = next(r for r in zone["records"] if (r["type"], r["name"]) == ("CNAME", names[1]))
    edit(in_step, zone["id"], theirs["id"], {"content": "elsewhere.example.net"})

    code, output = undo(in_step, made)

    refused = [c for c in output["changes"] if c["verdict"]["word"] == "refuse"]
    assert (code, output["outcome"], output["plan"]["refused"]) == (3, "applied", 1)
    assert [(c["surface"], c["key"]) for c in refused] == [("records", names[1])]
    assert "CNAME elsewhere.example.net" in refused[0]["verdict"]["reasons"][0]
    records, *rest = answers(in_step)
    assert rest == list(before[1:])
    left = [r for r in records if r not in before[0]]
    assert {r["name"] for r in left} == {names[1], f"cname-{names[1]}"}
    in_step.converge()  # the route still asks for it; that it was undone stands
    assert ("CNAME", names[0]) not in in_step.records(ZONE)
    in_step.kubectl("-n", "home", "delete", "httproute", "two")
    for record in left:
        edit(in_step, zone["id"], record["id"], None)


def edit(world: Embedded, zone: str, record: str, body: dict[str, Any] | None) -> None:
    """Change, delete or, without an id, make a record, as somebody with a token of theirs does."""
    there = world.connection["cloudflare"]
    url = f"{there['base_url']}/client/v4/zones/{zone}/dns_records" + (
        f"/{record}" if record else ""
    )
    headers = {"Authorization": f"Bearer {there['api_token']}"}
    method = ("PATCH" if body else "DELETE") if record else "POST"
    httpx.request(method, url, json=body, headers=headers, timeout=20).raise_for_status()


def test_a_zone_of_externaldns_and_back(in_step: Embedded) -> None:
    """Its marks pass to us and back again, by the runbook's commands; the zone is as it was."""
    zone = in_step.admin("cloudflare", "GET", "/state")["zones"][0]
    mark = '"heritage=external-dns,external-dns/owner=old,external-dns/resource=ingress/a/b"'
    names = [("CNAME", f"old.{ZONE}"), ("TXT", f"cname-old.{ZONE}")]
    for kind, name in names:
        content = mark if kind == "TXT" else "origin.example.net"
        edit(in_step, zone["id"], "", {"type": kind, "name": name, "content": content, "ttl": 1})
    before = answers(in_step)
    words = ["import-externaldns", "--owner", "old", "--zone", ZONE, "--json"]

    outputs = [
        json.loads(in_step.command(*words, *way).stdout)
        for way in ([], ["--mark", "--as", "hearth"], ["--back", "--dry-run"])
    ]
    taken = in_step.records(ZONE)
    taken_back = undo(in_step, outputs[1]["change_id"])
    restored = answers(in_step)

    assert [output["outcome"] for output in outputs] == ["planned", "applied", "planned"]
    (name,) = outputs[0]["survey"][0]["names"]
    assert (name["host"], name["resource"], name["format"]) == (names[0][1], "ingress/a/b", "typed")
    assert taken[names[1]] == mark.replace("owner=old", "owner=hearth")
    assert taken[names[0]] == "origin.example.net"
    assert outputs[2]["survey"][0]["marks"] > 1
    assert (taken_back[0], restored) == (0, before)
    for record in in_step.admin("cloudflare", "GET", "/state")["zones"][0]["records"]:
        if (record["type"], record["name"]) in names:
            edit(in_step, zone["id"], record["id"], None)
