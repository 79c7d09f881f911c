"""Zones, unknown routes, what the world's DNS is told, and what outlives a restart."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from sandbox.cloudflare import Cloudflare
from sandbox.cloudflare.edge import edge_records
from sandbox.threads import running


if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.contract.cloudflare.conftest import Rig


def test_a_zone_is_found_by_its_name(rig: Rig, conforms: Callable[[Any, str], None]) -> None:
    """The SDK's list and get agree; plan, name servers and status are where clients look."""
    (found,) = rig.sdk.zones.list(name="example.com").result
    got = rig.sdk.zones.get(zone_id=found.id)
    assert got
    assert (got.name, got.status, got.plan.legacy_id) == ("example.com", "active", "pro")
    assert all(server.endswith(".ns.cloudflare.com") for server in got.name_servers)
    conforms(rig.http.get(f"/zones/{found.id}").json()["result"], "zone.Zone")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["example.com", "example.org"]),
        ("name=contains:org", ["example.org"]),
        ("name=starts_with:example.c", ["example.com"]),
        ("name=missing.com", []),
        ("status=pending", []),
        ("per_page=1&page=2", ["example.org"]),
        ("order=name&direction=desc", ["example.org", "example.com"]),
    ],
)
def test_zones_are_listed_as_asked(rig: Rig, query: str, names: list[str]) -> None:
    """Names, operators, status, order and pages work as documented."""
    result = rig.http.get(f"/zones?{query}").json()["result"]
    assert [zone["name"] for zone in result] == names


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/zones/{missing}"),
        ("GET", "/zones/{missing}/dns_records"),
        ("GET", "/zones/nonsense/dns_records"),
        ("GET", "/zoness"),
        ("DELETE", "/zones"),
        ("GET", "/accounts/{missing}/tokens"),
    ],
)
def test_an_unknown_route_says_so(rig: Rig, method: str, path: str) -> None:
    """404 with 7003 and 7000 in the envelope, never a bare page."""
    answer = rig.http.request(method, path.format(missing="0" * 32))
    assert answer.status_code == 404
    assert [error["code"] for error in answer.json()["errors"]] == [7003, 7000]


@pytest.mark.parametrize(("body", "code"), [("{", 6007), ("[]", 9207)])
def test_a_body_that_is_no_object_is_refused(rig: Rig, body: str, code: int) -> None:
    """Broken JSON and a list where an object belongs have their codes."""
    answer = rig.http.post(rig.records, content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)


def test_lookup_answers_as_the_name_servers_do(rig: Rig) -> None:
    """Exact names, wildcards below the closest existing name only, nothing outside the zones."""
    for name, content in (("a", "192.0.2.1"), ("*", "192.0.2.2"), ("deep.b", "192.0.2.3")):
        rig.zone.create({"name": name, "type": "A", "content": content})

    def contents(name: str, rtype: str = "A") -> list[str]:
        return [record["content"] for record in rig.stand_in.lookup(name, rtype)]

    assert contents("A.example.com.") == ["192.0.2.1"]
    assert contents("anything.example.com") == contents("x.y.example.com") == ["192.0.2.2"]
    assert contents("a.example.com", "AAAA") == contents("b.example.com") == []
    assert contents("other.b.example.com") == contents("a.example.net") == []
    asked = ("b.example.com", "x.b.example.com", "x.example.com", "example.org", "no.example.org")
    assert [rig.stand_in.exists(name) for name in asked] == [True, False, True, True, False]
    assert rig.stand_in.lookup("q.example.com", "A")[0]["name"] == "q.example.com"


def test_the_nearest_zone_answers(rig: Rig) -> None:
    """`zone_of` follows labels, not text."""
    rig.stand_in.account.add_zone("lab.example.com")
    names = ("a.lab.example.com", "lab.example.com.", "slab.example.com", "notexample.com")
    zones = [rig.stand_in.zone_of(name) for name in names]
    assert [zone.name if zone else None for zone in zones] == [
        "lab.example.com", "lab.example.com", "example.com", None,
    ]  # fmt: skip


@pytest.mark.parametrize("origin", [{"type": "A", "content": "192.0.2.7"},
                                    {"type": "CNAME", "content": "pages.dev"}])  # fmt: skip
def test_a_proxied_name_shows_the_edge(rig: Rig, origin: dict[str, str]) -> None:
    """The origin is hidden: edge addresses, an HTTPS record with hints, no CNAME."""
    rig.zone.create({"name": "docs", "proxied": True, **origin})
    name = "docs.example.com"
    v4, v6, https, cname = (
        rig.stand_in.lookup(name, rtype) for rtype in ("A", "AAAA", "HTTPS", "CNAME")
    )

    assert all(ip_address(r["content"]) in ip_network("104.16.0.0/13") for r in v4)
    assert all(ip_address(r["content"]) in ip_network("2606:4700::/32") for r in v6)
    hints = f"ipv4hint={_joined(v4)} ipv6hint={_joined(v6)}"
    assert [r["content"] for r in https] == [f'1 . alpn="h3,h2" {hints}']
    assert cname == edge_records(name, "TXT") == []


def _joined(records: list[dict[str, Any]]) -> str:
    return ",".join(record["content"] for record in records)


def test_state_is_read_and_put_in_the_wires_words(rig: Rig) -> None:
    """What GET shows can be put back; records without ids get them; no value is ever shown."""
    state = {
        "zones": [
            {"name": "example.net", "plan": "free",
             "records": [{"name": "a.example.net", "type": "A", "content": "192.0.2.1"}]}
        ]
    }  # fmt: skip
    told: list[str] = []
    rig.stand_in.subscribe(lambda kind, _: told.append(kind))
    assert rig.admin.put("/state", json=state).status_code == 204
    shown = rig.admin.get("/state").json()
    assert rig.admin.put("/state", json=shown).status_code == 204

    net = next(zone for zone in shown["zones"] if zone["name"] == "example.net")
    assert [len(record["id"]) for record in net["records"]] == [32]
    assert rig.admin.get("/state").json() == shown
    assert told == ["replaced", "replaced"]
    assert "value" not in rig.admin.get("/state").text
    assert rig.http.get(f"/zones/{net['id']}").is_success


@pytest.mark.parametrize(
    "state",
    [{}, {"zones": [{"name": "x.com", "plan": "gold"}]}, {"zones": [], "tokens": [{"name": "t"}]},
     {"zones": [{"name": "x.com", "records": [{"name": "a", "type": "A", "content": "no"}]}]}],
)  # fmt: skip
def test_a_state_that_cannot_be_changes_nothing(rig: Rig, state: dict[str, Any]) -> None:
    """Nonsense is a 400, and the old state stays."""
    before = rig.admin.get("/state").json()
    assert rig.admin.put("/state", json=state).status_code == 400
    assert rig.admin.get("/state").json() == before


def test_a_restart_keeps_records_and_lets_tokens_in(tmp_path: Path) -> None:
    """Records, plan, and minted values live in the file; a deleted first token stays dead."""
    path = tmp_path / "cloudflare.json"
    first = Cloudflare(path=path, zones=["example.com"], api_token="first")
    with running(first):
        api = f"{first.base_url}/client/v4"
        headers = {"Authorization": "Bearer first"}
        zone = first.zone_of("example.com")
        assert zone
        record = {"name": "a", "type": "A", "content": "192.0.2.1"}
        made = httpx.post(f"{api}/zones/{zone.id}/dns_records", json=record, headers=headers).json()
        (old,) = first.account.tokens.values()
        body = {"name": "second", "policies": old.wire["policies"]}
        second = httpx.post(f"{api}/user/tokens", json=body, headers=headers).json()["result"]
        httpx.delete(f"{api}/user/tokens/{old.id}", headers=headers)

    again = Cloudflare(path=path, zones=["example.com", "example.org"], api_token="first")
    with running(again):
        api = f"{again.base_url}/client/v4"
        headers = {"Authorization": f"Bearer {second['value']}"}
        got = httpx.get(f"{api}/zones/{zone.id}/dns_records", headers=headers).json()["result"]
        assert got == [made["result"]]
        assert sorted(z.name for z in again.zones.values()) == ["example.com", "example.org"]
        dead = httpx.get(f"{api}/zones", headers={"Authorization": "Bearer first"})
        assert dead.status_code == 403


def test_requests_are_logged_without_credentials(rig: Rig) -> None:
    """The admin log shows paths and bodies, and a fault cuts a list short."""
    rig.admin.post("/faults", json={"path": "*/dns_records", "truncate": 0})
    rig.zone.create({"name": "a", "type": "A", "content": "192.0.2.1"})
    cut = rig.http.get(rig.records).json()
    assert (cut["result"], cut["result_info"]["total_count"]) == ([], 1)
    log = rig.admin.get("/requests")
    assert [entry["path"] for entry in log.json()] == [f"/client/v4{rig.records}"]
    assert "cfut_" not in log.text
