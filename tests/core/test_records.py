"""The records surface: what of a zone is ours, and what would be changed in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.config import ZoneConfig
from tailkeeper.ownership import Mark
from tailkeeper.records.held import spelled
from tailkeeper.records.surface import Wanted, held_by_name, plan_zone


if TYPE_CHECKING:
    from tailkeeper.model import Change

ZONE = ZoneConfig("example.com", "homelab")
DEVICE = "gateway-envoy.tail.ts.net"
RESOURCE = "httproute/apps/app"


def record(kind: str, content: str, name: str = "app", **parts: Any) -> dict[str, Any]:
    """Return a record as the zone's reader trims it."""
    identity = f"{name}-{kind}-{content}"
    fields = {"id": identity, "type": kind, "content": content, "ttl": 1, "proxied": False}
    return {**fields, "name": f"{name}.example.com", "comment": "", **parts}


def mark(name: str, owner: str = "homelab", resource: str = RESOURCE) -> dict[str, Any]:
    """Return a mark of that name."""
    return record("TXT", Mark(owner, resource).value, name)


def wants(*targets: str, host: str = "app.example.com", **parts: Any) -> dict[str, Wanted]:
    """Return what one exposure wants."""
    source = parts.pop("source", "httproute")
    return {host: Wanted(host, targets or (DEVICE,), RESOURCE, source, **parts)}


def planned(records: list[dict[str, Any]], wanted: Any, zone: ZoneConfig = ZONE) -> list[Change]:
    """Return the changes of a zone."""
    return plan_zone(zone, held_by_name(zone, records), wanted)


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("100.64.0.1", "A"),
        ("fd7a:115c:a1e0::1", "AAAA"),
        ("gw.tail.ts.net", "CNAME"),
        ("1.2.3", "CNAME"),
    ],
)
def test_a_target_says_its_type(target: str, kind: str) -> None:
    """As ExternalDNS chooses it."""
    assert spelled(target)[0] == kind


@pytest.mark.parametrize(
    ("zone", "name", "marks", "ours"),
    [
        ({}, "app", ["cname-app"], True),
        ({}, "app", ["app"], True),
        ({}, "app", ["a-app"], False),
        ({}, "app", [], False),
        ({"txt_prefix": "k8s."}, "app", ["k8s.cname-app"], True),
        ({"txt_prefix": "k8s."}, "app", ["cname-app"], False),
        ({"txt_prefix": "%{record_type}-"}, "app", ["cname-app"], True),
        ({"txt_prefix": "k8s-"}, "app", ["k8s-app"], True),
        ({"txt_suffix": "-mark"}, "app", ["cname-app-mark"], True),
        ({"txt_suffix": "-mark"}, "app", ["app-mark"], True),
        ({"txt_wildcard": "any"}, "*", ["cname-any"], True),
        ({}, "*", ["cname-*"], True),
    ],
)
def test_a_record_is_ours_by_its_mark(
    zone: dict[str, str],
    name: str,
    marks: list[str],
    *,
    ours: bool,
) -> None:
    """In the formats of ExternalDNS's registry, old and new, with every affix."""
    config = ZoneConfig("example.com", "homelab", **zone)  # type: ignore[arg-type]  # all text
    held = held_by_name(config, [record("CNAME", DEVICE, name), *map(mark, marks)])

    names = held[f"{name}.example.com"]
    assert bool(names.ours) == ours
    assert bool(names.foreign) != ours
    assert not ours or [m["name"] for m in names.marks] == [f"{marks[0]}.example.com"]


@pytest.mark.parametrize(
    ("kind", "content", "marks"),
    [
        ("AAAA", "fd7a:115c:a1e0::1", [mark("app")]),
        ("CNAME", DEVICE, [mark("cname-app", "somebody")]),
        ("CNAME", DEVICE, [mark("cname-app", "somebody"), mark("app")]),
        ("CNAME", DEVICE, [record("TXT", '"v=spf1 -all"', "cname-app")]),
        ("MX", "mail.example.com", [mark("mx-app")]),
        ("TXT", '"v=spf1 -all"', []),
    ],
)
def test_what_has_no_mark_of_ours_is_foreign(
    kind: str, content: str, marks: list[dict[str, Any]]
) -> None:
    """The newest mark decides; the legacy one never covers AAAA; other types are never ours."""
    held = held_by_name(ZONE, [record(kind, content), *marks])["app.example.com"]

    assert held.ours == []
    assert len(held.foreign) == 1


def test_a_mark_of_another_owner_is_never_ours_to_delete() -> None:
    """Beside our newer mark, somebody's old one stays theirs."""
    records = [record("CNAME", DEVICE), mark("cname-app"), mark("app", "somebody")]

    (held,) = held_by_name(ZONE, records).values()

    assert [m["name"] for m in held.marks] == ["cname-app.example.com"]


SEALED = '"' + "ZW5jcnlwdGVk" * 10 + 'YQ=="'


@pytest.mark.parametrize(
    ("records", "ours", "why"),
    [
        ([mark("cname-app"), mark("cname-app", "somebody", "x")], False, "for somebody"),
        ([mark("cname-app"), record("TXT", SEALED, "cname-app")], False, "cannot be read"),
        ([record("TXT", SEALED, "cname-app"), mark("app")], False, "cannot be read"),
        ([mark("cname-app"), record("TXT", SEALED)], True, ""),
        ([mark("cname-app"), record("TXT", SEALED, "a-app")], True, "cannot be read"),
        ([mark("cname-app"), mark("cname-app", resource="ingress/a/b")], True, ""),
    ],
)
def test_a_record_is_nobodys_where_its_marks_disagree(
    records: list[dict[str, Any]], why: str, *, ours: bool
) -> None:
    """An encrypted mark is somebody's, never absent; under a name of no type it is just a text."""
    held = held_by_name(ZONE, [record("CNAME", DEVICE), *records])["app.example.com"]

    assert bool(held.ours) == ours
    assert why in " ".join(held.rivals)
    assert bool(held.rivals) == bool(why)


@pytest.mark.parametrize(
    ("marks", "why"),
    [
        ([mark("cname-app", "somebody")], "cname-app.example.com marks it for somebody"),
        ([record("TXT", SEALED, "a-app")], "a-app.example.com cannot be read"),
    ],
)
def test_a_name_that_somebody_marked_is_not_created(marks: list[dict[str, Any]], why: str) -> None:
    """Whose record is gone, or not there yet: two marks under one name would be nobody's."""
    (change,) = planned(marks, wants())

    assert change.obstacle == f"app.example.com is not ours: {why}"


def test_a_widowed_wildcards_mark_is_used_again() -> None:
    """Its name says `any`, which may be the wildcard or a name: Cloudflare takes no text twice."""
    zone = ZoneConfig("example.com", "homelab", txt_wildcard="any")
    held = held_by_name(zone, [mark("cname-any")])

    assert [m["name"] for m in held["*.example.com"].marks] == ["cname-any.example.com"]


def test_what_nobody_configured_stays_record_by_record() -> None:
    """Each address keeps its own TTL, comment and tags when another one joins or goes."""
    kept: Any = {"comment": "by hand", "tags": ["b:1", "a:2"]}
    records = [
        record("A", "100.64.0.1", ttl=300, **kept),
        record("A", "100.64.0.2", ttl=60),
        record("AAAA", "fd7a:115c:a1e0::1", ttl=120),
        mark("a-app"),
        mark("aaaa-app"),
    ]

    assert planned(records, wants("100.64.0.2", "fd7a:115c:a1e0::1", "100.64.0.1")) == []
    (change,) = planned(records, wants("100.64.0.1", "fd7a:115c:a1e0::2"))

    assert [(r["content"], r["ttl"]) for r in change.after["records"]] == [
        ("100.64.0.1", 300),
        ("fd7a:115c:a1e0::2", 120),
    ]
    assert change.after["records"][0]["tags"] == ["a:2", "b:1"]


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"comment": "new"}, {"comment": "new", "tags": ["a:1"]}),
        ({"comment": ""}, {"tags": ["a:1"]}),
        ({"tags": ("b:2", "a:1")}, {"comment": "old", "tags": ["a:1", "b:2"]}),
        ({"comment": "old", "tags": ("a:1",)}, None),
        ({}, None),
    ],
)
def test_a_comment_or_tags_that_differ_are_an_update(wish: Any, said: Any) -> None:
    """An empty comment was configured, and clears what stands; none leaves it."""
    records = [record("CNAME", DEVICE, comment="old", tags=["a:1"]), mark("cname-app")]

    changes = planned(records, wants(**wish))

    extras = [
        {k: r[k] for k in ("comment", "tags") if k in r}
        for c in changes
        for r in c.after["records"]
    ]
    assert extras == ([said] if said else [])


@pytest.mark.parametrize(
    ("zone", "name", "standing", "why"),
    [
        ({}, "a" * 57, [], ""),
        ({}, "a" * 58, [], f"cname-{'a' * 58}.example.com would be longer"),
        ({"txt_prefix": "k8s."}, "a" * 57, [], ""),
        ({"txt_prefix": "k8s-"}, "a" * 57, [], "k8s-cname-a"),
        ({}, ".".join("a" * size for size in (50, 63, 63, 58)), [], "longer than DNS allows"),
        ({}, "a" * 63, ["a" * 63], ""),
    ],
)
def test_a_name_without_room_for_its_mark_is_not_written(
    zone: dict[str, Any], name: str, standing: list[str], why: str
) -> None:
    """ExternalDNS would write it unmarked, and forget that it is its own; old marks do."""
    records = [
        each
        for mine in standing
        for each in (record("CNAME", "old", mine), mark(mine, resource="x"))
    ]
    wish = wants(host=f"{name}.example.com")

    (change,) = planned(records, wish, ZoneConfig("example.com", "homelab", **zone))

    assert why in change.obstacle
    assert bool(why) == bool(change.obstacle)
    assert [m["name"] for m in change.after.get("marks", ())] == [
        f"{s}.example.com" for s in standing
    ]


def test_an_update_marks_the_object_that_is_followed() -> None:
    """By itself another object is no change; with labels that a mark has besides, it keeps them."""
    labelled = Mark("homelab", "ingress/apps/app", (("dualstack", "true"),)).value
    records = [record("CNAME", DEVICE), record("TXT", labelled, "cname-app")]

    assert planned(records, wants()) == []
    (change,) = planned(records, wants("new.tail.ts.net"))

    assert change.after["resource"] == RESOURCE
    (text,) = change.after["marks"]
    assert Mark.parse(text["content"]) == Mark("homelab", RESOURCE, (("dualstack", "true"),))


@pytest.mark.parametrize("kept", ["cname-app", "a-app"])
def test_marks_outlive_the_record_that_somebody_deleted(kept: str) -> None:
    """The name is made again, and what it still holds of marks is known, so that none doubles."""
    records = [mark(kept), mark("cname-other", "somebody")]

    (change,) = planned(records, wants())

    assert (change.action, change.obstacle) == ("Create", "")
    held = held_by_name(ZONE, records)
    assert [m["name"] for m in held["app.example.com"].marks] == [f"{kept}.example.com"]
    assert held["other.example.com"].marks == []


def externaldns(name: str, content: str, marks: list[str], ttl: int) -> list[dict[str, Any]]:
    """Return a record as ExternalDNS left it, with its old mark, its new one, or both."""
    resource = f"httproute/apps/{name}"
    return [
        record("CNAME", content, name, ttl=ttl),
        *(mark(prefix + name, resource=resource) for prefix in marks),
    ]


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcdef"),
            st.sampled_from([[""], ["cname-"], ["", "cname-"]]),
            st.sampled_from([1, 120, 300]),
            st.booleans(),
        ),
        unique_by=lambda row: row[0],
    )
)
def test_a_zone_is_taken_over_from_external_dns_without_a_change(
    rows: list[tuple[str, list[str], int, bool]],
) -> None:
    """Its marks are read as they are; a TTL that nobody configured, and its resource, stay."""
    records = [r for name, marks, ttl, _ in rows for r in externaldns(name, DEVICE, marks, ttl)]
    wanted: dict[str, Wanted] = {}
    for name, _, ttl, configured in rows:
        more = {"ttl": ttl} if configured else {}
        wanted |= wants(host=f"{name}.example.com", **more)

    assert planned(records, wanted) == []


@pytest.mark.parametrize(
    ("standing", "configured", "proxied", "ttl"),
    [(300, None, False, 300), (300, 120, False, 120), (1, None, False, 1), (300, 120, True, 1)],
)
def test_a_ttl_is_changed_only_when_somebody_configured_one(
    standing: int,
    configured: int | None,
    ttl: int,
    *,
    proxied: bool,
) -> None:
    """Cloudflare's own rule goes first: a proxied record has the automatic TTL."""
    records = [record("CNAME", "old.tail.ts.net", ttl=standing), mark("cname-app")]

    (change,) = planned(records, wants(ttl=configured, proxied=proxied))

    assert change.after["records"][0]["ttl"] == ttl


def test_a_proxied_record_with_a_ttl_is_in_step() -> None:
    """Else each run would ask for a TTL that Cloudflare does not keep."""
    records = [record("CNAME", DEVICE, proxied=True), mark("cname-app")]

    assert planned(records, wants(ttl=120, proxied=True)) == []


@pytest.mark.parametrize(
    ("content", "target"),
    [
        ("fd7a:115c:a1e0::1", "FD7A:115C:A1E0:0:0:0:0:1"),
        ("pages.example.net", "Pages.Example.net."),
    ],
)
def test_two_spellings_of_one_target_are_the_same(content: str, target: str) -> None:
    """Cloudflare answers with its own spelling."""
    kind, _ = spelled(content)
    records = [record(kind, content), mark(f"{kind.lower()}-app")]

    assert planned(records, wants(target)) == []


@pytest.mark.parametrize(
    ("standing", "targets", "obstacle"),
    [
        ([record("A", "203.0.113.1")], (DEVICE,), "has a A record that is not ours"),
        ([record("CNAME", "pages.dev")], ("100.64.0.1",), "has a CNAME record that is not ours"),
        ([record("MX", "mail.example.com")], (DEVICE,), "a CNAME cannot stand beside it"),
        ([record("MX", "mail.example.com")], ("100.64.0.1",), ""),
        ([record("TXT", '"v=spf1"')], ("100.64.0.1",), ""),
        ([], (DEVICE,), ""),
    ],
)
def test_what_belongs_to_others_is_in_the_way(
    standing: list[dict[str, Any]], targets: tuple[str, ...], obstacle: str
) -> None:
    """F13: any answer of theirs, and anything at all beside a CNAME."""
    (change,) = planned(standing, wants(*targets))

    assert obstacle in change.obstacle
    assert bool(change.obstacle) == bool(obstacle)


@pytest.mark.parametrize(
    "host",
    [
        "example.com",
        "_acme-challenge.example.com",
        "_acme-challenge.app.example.com",
        "www.example.com",
    ],
)
def test_protected_names_are_never_written(host: str) -> None:
    """F10: the apex, certificate challenges, and what a person listed."""
    (change,) = plan_zone(ZONE, {}, wants(host=host), ["www.example.com"])

    assert "is protected" in change.obstacle


def test_a_name_of_ours_that_nobody_wants_goes_by_its_marks_source() -> None:
    """The kind of the object that asked for it says which reader must have been complete."""
    records = [record("CNAME", DEVICE), mark("cname-app", resource="ingress/apps/app")]

    (change,) = planned(records, {})

    assert (change.action, change.source, change.gateway) == ("Delete", "ingress", "")


@pytest.mark.parametrize(
    ("content", "former", "moved"),
    [
        ("old.tail.ts.net", {"old.tail.ts.net", "100.64.0.9"}, True),
        ("other.tail.ts.net", {"old.tail.ts.net"}, False),
        ("old.tail.ts.net", set(), False),
    ],
)
def test_a_change_has_moved_when_the_gateway_answered_this_once(
    content: str,
    former: set[str],
    *,
    moved: bool,
) -> None:
    """Only a value that was this gateway's own makes it row 7."""
    records = [record("CNAME", content), mark("cname-app")]

    (change,) = planned(records, wants(gateway="g", former=frozenset(former)))

    assert (change.action, change.moved) == ("Update", moved)


def test_a_name_with_one_strange_address_has_not_moved() -> None:
    """Row 7 takes a change in any number, so all that goes must have been the gateway's."""
    records = [
        record("A", "100.64.0.1"),
        record("AAAA", "fd7a:115c:a1e0::77"),
        mark("a-app"),
        mark("aaaa-app"),
    ]

    (change,) = planned(records, wants("100.64.0.2", former=frozenset({"100.64.0.1"})))

    assert not change.moved
