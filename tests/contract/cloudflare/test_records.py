"""DNS records over the wire: the real SDK, and the official models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cloudflare import BadRequestError, NotFoundError


if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.cloudflare.conftest import Rig

MARK = '"heritage=external-dns,external-dns/owner=homelab,external-dns/resource=httproute/a/b"'

GOOD = {
    "A": {"name": "a.example.com", "content": "192.0.2.1"},
    "AAAA": {"name": "six.example.com", "content": "2001:DB8::0:1"},
    "CNAME": {"name": "c.example.com", "content": "gateway.ainu-herring.ts.net."},
    "TXT": {"name": "cname-c.example.com", "content": MARK},
}


@pytest.mark.parametrize("rtype", GOOD)
def test_a_record_is_shown_as_the_official_model_says(
    rig: Rig, conforms: Callable[[Any, str], None], rtype: str
) -> None:
    """Created, read and listed, a record has the fields of its type's model."""
    made = rig.http.post(rig.records, json={"type": rtype, "ttl": 60, **GOOD[rtype]}).json()
    read = rig.http.get(f"{rig.records}/{made['result']['id']}").json()
    listed = rig.http.get(rig.records).json()

    conforms(made["result"], f"record_response.{rtype}Record")
    assert made == {"success": True, "errors": [], "messages": [], "result": read["result"]}
    assert listed["result"] == [read["result"]]
    assert len(read["result"]["id"]) == 32


def test_an_asterisk_is_literal_but_as_the_first_label(rig: Rig) -> None:
    """Cloudflare takes it anywhere, so that a wildcard's mark may be called `cname-*`."""
    for name in ("*.apps", "cname-*.apps", "x.*.apps"):
        body = {"type": "TXT", "name": name, "content": '"text"', "ttl": 60}
        assert rig.http.post(rig.records, json=body).json()["success"], name

    names = {record["name"] for record in rig.http.get(rig.records).json()["result"]}
    assert names == {f"{name}.apps.example.com" for name in ("*", "cname-*", "x.*")}


def test_the_sdk_reads_and_writes_one_record(rig: Rig) -> None:
    """Create, get, PUT, PATCH and delete come back as the SDK's own models."""
    dns, zone = rig.sdk.dns.records, rig.zone.id
    made = dns.create(
        zone_id=zone, name="a", type="A", content="192.0.2.1", ttl=60, proxied=True, comment="mine"
    )
    assert made
    assert made.name == "a.example.com"
    assert (made.proxied, made.ttl, made.proxiable) == (True, 1, True)

    put = dns.update(made.id, zone_id=zone, name="a", type="A", content="192.0.2.2", ttl=120)
    assert put
    assert (put.content, put.ttl, put.proxied, put.comment) == ("192.0.2.2", 120, False, None)

    edited = dns.edit(made.id, zone_id=zone, name="b", type="A", ttl=300, tags=["team:dns"])
    assert edited
    assert (edited.name, edited.content, edited.tags) == (
        "b.example.com",
        "192.0.2.2",
        ["team:dns"],
    )

    got = dns.get(made.id, zone_id=zone)
    assert got == edited
    gone = dns.delete(made.id, zone_id=zone)
    assert gone
    assert gone.id == made.id
    with pytest.raises(NotFoundError) as missing:
        dns.get(made.id, zone_id=zone)
    assert missing.value.errors[0].code == 81044


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"name": "@", "type": "A", "content": "192.0.2.1"}, ("example.com", "192.0.2.1")),
        ({"name": "WWW.Example.Com.", "type": "A", "content": "192.0.2.1"},
         ("www.example.com", "192.0.2.1")),
        ({"name": "a.example.org", "type": "A", "content": "192.0.2.1"},
         ("a.example.org.example.com", "192.0.2.1")),
        ({"name": "bücher", "type": "A", "content": "192.0.2.1"},
         ("xn--bcher-kva.example.com", "192.0.2.1")),
        ({"name": "*", "type": "AAAA", "content": "2001:DB8:0::1"},
         ("*.example.com", "2001:db8::1")),
        ({"name": "t", "type": "TXT", "content": MARK}, ("t.example.com", MARK)),
        ({"name": "t", "type": "TXT", "content": "bare words"}, ("t.example.com", "bare words")),
        ({"name": "m", "type": "MX", "content": "mail.example.com", "priority": 10},
         ("m.example.com", "mail.example.com")),
        ({"name": "_sip._tcp", "type": "SRV",
          "data": {"priority": 1, "weight": 2, "port": 5060, "target": "sip.example.com"}},
         ("_sip._tcp.example.com", "1 2 5060 sip.example.com")),
    ],
)  # fmt: skip
def test_names_and_contents_are_kept_in_cloudflares_form(
    rig: Rig, given: dict[str, Any], kept: tuple[str, str]
) -> None:
    """Relative names are completed, addresses compressed, TXT quoting left as it came."""
    result = rig.http.post(rig.records, json=given).json()["result"]
    assert (result["name"], result["content"], result["ttl"]) == (*kept, 1)


A = {"name": "a", "type": "A", "content": "192.0.2.1", "ttl": 60}
CNAME = {"name": "a", "type": "CNAME", "content": "b.example.com"}


@pytest.mark.parametrize(
    ("present", "given", "code"),
    [
        ({}, {}, 1004),
        ({}, A | {"type": "ALIAS"}, 1004),
        ({}, A | {"name": "a b"}, 9000),
        ({}, A | {"name": "a..b"}, 9000),
        ({}, A | {"name": "x" * 64}, 9000),
        ({}, A | {"name": "-a"}, 9000),
        ({}, A | {"content": "192.0.2.300"}, 9005),
        ({}, A | {"content": "gateway.ts.net"}, 9005),
        ({}, A | {"type": "AAAA"}, 9006),
        ({}, CNAME | {"content": "100.64.0.7"}, 9007),
        ({}, CNAME | {"content": "https://b.example.com"}, 9007),
        ({}, CNAME | {"content": "A.example.com"}, 9039),
        ({}, A | {"ttl": 59}, 9021),
        ({}, A | {"ttl": 86_401}, 9021),
        ({}, A | {"ttl": "60"}, 9021),
        ({}, A | {"proxied": "yes"}, 1004),
        ({}, {"name": "t", "type": "TXT", "content": "x", "proxied": True}, 9004),
        ({}, A | {"content": "100.64.0.7", "proxied": True}, 9003),
        ({}, {"name": "m", "type": "MX", "content": "mail.example.com"}, 9102),
        ({}, A | {"comment": "x" * 501}, 1004),
        ({}, A | {"comment": "two\nlines"}, 1004),
        ({}, A | {"tags": [f"t:{n}" for n in range(21)]}, 9300),
        (A, A, 81058),
        (A, A | {"ttl": 120}, 81057),
        (A, CNAME, 81053),
        (CNAME, CNAME | {"content": "c.example.com"}, 81053),
        (CNAME, A, 81054),
        (A, {"name": "a", "type": "NS", "content": "ns.example.org"}, 81056),
    ],
)  # fmt: skip
def test_what_cloudflare_refuses_is_refused_by_its_code(
    rig: Rig, present: dict[str, Any], given: dict[str, Any], code: int
) -> None:
    """A bad or conflicting record gets HTTP 400 and the code that clients look for."""
    if present:
        rig.zone.create(present)
    before = rig.zone.records

    with pytest.raises(BadRequestError) as error:
        rig.sdk.post(rig.records, cast_to=object, body=given)

    assert [e.code for e in error.value.errors] == [code]
    assert rig.zone.records == before


def test_a_cname_may_stand_beside_its_ownership_mark(rig: Rig) -> None:
    """Cloudflare's rule is about addresses and CNAMEs: ExternalDNS's TXT may share the name."""
    rig.zone.create(CNAME)
    assert rig.http.post(rig.records, json=A | {"type": "TXT", "content": MARK}).is_success


def test_a_patch_to_another_type_frees_the_name_in_one_step(rig: Rig) -> None:
    """A CNAME becomes an A record under the same id, as F14's change needs."""
    cname = rig.zone.create(CNAME).wire

    answer = rig.http.patch(
        f"{rig.records}/{cname['id']}", json={"type": "A", "content": "192.0.2.9"}
    )

    assert answer.json()["result"]["type"] == "A"
    assert [r.wire["id"] for r in rig.zone.named("a.example.com")] == [cname["id"]]


def test_times_tell_what_was_touched(rig: Rig) -> None:
    """`modified_on` moves with every write, a comment's own time only with the comment."""
    made = rig.zone.create(A | {"comment": "first"}).wire
    rig.clock.at[0] += 60
    after = rig.http.patch(f"{rig.records}/{made['id']}", json={"ttl": 120}).json()["result"]

    assert after["created_on"] == made["created_on"] == "2027-01-15T08:00:00.000000Z"
    assert after["modified_on"] == "2027-01-15T08:01:00.000000Z"
    assert after["comment_modified_on"] == made["comment_modified_on"] == made["created_on"]


@pytest.mark.parametrize(("plan", "quota"), [("free", 200), ("pro", 3_500)])
def test_a_zone_holds_what_its_plan_allows(rig: Rig, plan: str, quota: int) -> None:
    """One record over the plan's quota is refused with 81045."""
    record = {"type": "A", "content": "192.0.2.1"}
    full = [{"name": f"h{n}.example.net", **record} for n in range(quota)]
    rig.stand_in.load({"zones": [{"name": "example.net", "plan": plan, "records": full}]})
    zone = rig.stand_in.zone_of("example.net")
    assert zone

    answer = rig.http.post(f"/zones/{zone.id}/dns_records", json={"name": "more", **record})

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, 81045)
