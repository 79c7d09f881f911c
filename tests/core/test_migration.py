"""A zone that ExternalDNS keeps: what passes to another owner, what stays, and why."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.config import ZoneConfig
from tailkeeper.ownership import MarkNames
from tailkeeper.records.mark_edits import edit_of_mark, standing_mark, texts_by_name
from tailkeeper.records.migration import Survey, survey


ZONE = ZoneConfig("example.com", "homelab")
RESOURCE = "external-dns/resource=httproute/apps/app"
X = f'"heritage=external-dns,external-dns/owner=x,{RESOURCE}"'
ODD = f"heritage=external-dns,{RESOURCE},external-dns/owner=x,external-dns/targetLabel=a"


def zone(*rows: tuple[str, str, str]) -> list[dict[str, Any]]:
    """Return records of (type, first label, content)."""
    return [
        {
            "id": f"r{number}",
            "type": kind,
            "name": f"{name}.example.com",
            "content": content,
            "ttl": 1,
            "proxied": False,
        }
        for number, (kind, name, content) in enumerate(rows)
    ]


def passed(records: list[dict[str, Any]], seen: Survey) -> list[dict[str, Any]]:
    """Return the records after the changes of a survey."""
    texts = texts_by_name(records)
    after = {record["id"]: dict(record) for record in records}
    for change in seen.changes:
        (found,) = edit_of_mark(texts[change.key.removeprefix("mark/")], change).patches
        after[found["id"]] |= found
    return list(after.values())


@pytest.mark.parametrize(
    ("rows", "form"),
    [
        ([("CNAME", "app", "gw"), ("TXT", "cname-app", X)], "typed"),
        ([("CNAME", "app", "gw"), ("TXT", "app", X)], "legacy"),
        ([("A", "app", "192.0.2.1"), ("TXT", "a-app", X), ("TXT", "app", X)], "both"),
        ([("AAAA", "app", "2001:db8::1"), ("TXT", "aaaa-app", ODD)], "typed"),
    ],
)
def test_every_format_is_taken_over_and_given_back(rows: Any, form: str) -> None:
    """Only the owner changes; the way back gives what was there, to the letter."""
    records = zone(*rows)

    taken = survey(ZONE, records, "x", "homelab")
    after = passed(records, taken)
    back = survey(ZONE, after, "homelab", "x")

    (name,) = taken.names
    assert (name["host"], name["format"]) == ("app.example.com", form)
    assert name["resource"] == "httproute/apps/app"
    assert len(taken.changes) == len(rows) - 1
    assert not taken.left
    assert all("external-dns/owner=homelab" in r["content"] for r in after if r["type"] == "TXT")
    assert [r for r in after if r["type"] != "TXT"] == [r for r in records if r["type"] != "TXT"]
    assert passed(after, back) == records


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([("TXT", "cname-app", X)], "covers nothing"),
        ([("CNAME", "app", "gw"), ("TXT", "a-app", X)], "covers nothing"),
        ([("MX", "app", "mail"), ("TXT", "mx-app", X)], "app.example.com is MX"),
        (
            [
                ("CNAME", "app", "gw"),
                ("TXT", "cname-app", X.replace("=x", "=y")),
                ("TXT", "app", X),
            ],
            "decided by a mark of another owner",
        ),
        (
            [("A", "app", "192.0.2.1"), ("TXT", "app", X), ("TXT", "app", X.replace("=x", "=y"))],
            "several marks",
        ),
    ],
)
def test_what_is_not_sure_stays(rows: Any, why: str) -> None:
    """It is told with its reason, and is not among the changes."""
    seen = survey(ZONE, zone(*rows), "x", "homelab")

    assert [why in left["why"] for left in seen.left] == [True]
    assert not seen.changes


def test_a_zone_with_a_prefix_needs_it_configured() -> None:
    """Marks whose names mean nothing to us stay, and the setting is named that would mend it."""
    rows = [("CNAME", f"app{n}", "gw") for n in range(3)]
    rows += [("TXT", f"external.cname-app{n}", X) for n in range(3)]
    records = zone(*rows)

    blind = survey(ZONE, records, "x", "homelab")
    seeing = survey(
        ZoneConfig("example.com", "homelab", txt_prefix="external."), records, "x", "homelab"
    )

    assert (len(blind.changes), len(blind.left)) == (0, 3)
    assert blind.hint == 'txt_prefix: "external." would let 3 more of its marks cover a record'
    assert (len(seeing.changes), seeing.left, seeing.hint) == (3, (), "")


def test_a_setting_too_many_is_told() -> None:
    """Marks without an affix, where one is configured."""
    names = [("CNAME", f"app{n}", "gw") for n in range(12)]
    marks = [("TXT", f"cname-app{n}", X) for n in range(12)]
    config = ZoneConfig("example.com", "homelab", txt_suffix="-ours")

    seen = survey(config, zone(*names, *marks), "x", "homelab")

    assert seen.hint == 'txt_prefix: "" would let 12 more of its marks cover a record'


def test_others_are_counted_and_left() -> None:
    """Names of another owner, and names that nobody has marked."""
    seen = survey(
        ZONE,
        zone(
            ("A", "theirs", "192.0.2.1"),
            ("TXT", "a-theirs", X.replace("=x", "=y")),
            ("A", "nobodys", "192.0.2.2"),
            ("TXT", "nobodys", "hello"),
        ),
        "x",
        "homelab",
    )

    assert (seen.names, seen.changes, seen.left) == ((), (), ())
    assert seen.others == {"y": 1, "": 1}


AFFIXES = st.sampled_from(["", "ext-", "ext.", "%{record_type}-"])
OWNERS = st.from_regex(r"[a-z][a-z0-9.-]{0,20}", fullmatch=True)


@given(
    prefix=AFFIXES,
    owner=OWNERS,
    names=st.dictionaries(
        st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True), st.sampled_from(["A", "CNAME"])
    ),
)
def test_over_and_back_is_the_identity(prefix: str, owner: str, names: dict[str, str]) -> None:
    """Whatever the names, the owner and the prefix: nothing of the zone is lost or changed."""
    config = ZoneConfig("example.com", "homelab-of-ours", txt_prefix=prefix)
    marks = MarkNames(prefix)
    rows = [(kind, name, "gw") for name, kind in names.items()]
    rows += [
        (
            "TXT",
            marks.name(f"{name}.example.com", kind).removesuffix(".example.com"),
            X.replace("=x", f"={owner}"),
        )
        for name, kind in names.items()
    ]
    records = zone(*rows)

    after = passed(records, taken := survey(config, records, owner, "homelab-of-ours"))

    assert len(taken.changes) == len(names)
    assert passed(after, survey(config, after, "homelab-of-ours", owner)) == records


def test_quotes_are_cloudflares_to_choose() -> None:
    """A mark that comes back quoted is the one that was written bare; another one is not."""
    records = zone(("CNAME", "app", "gw"), ("TXT", "app", ODD))
    (change,) = survey(ZONE, records, "x", "homelab").changes
    quoted = [{**records[1], "content": f'"{change.after["mark"]}"'}]

    assert standing_mark(quoted, change) == change.after
    assert standing_mark([records[1]], change) == change.before
    assert standing_mark([{**records[1], "content": X}], change) == {"mark": X}
    assert standing_mark([{**records[1], "content": "hello"}], change) is None
