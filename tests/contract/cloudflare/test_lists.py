"""Lists of records: pages, filters, order, and their speed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest


if TYPE_CHECKING:
    from tests.contract.cloudflare.conftest import Rig

RECORDS: list[dict[str, Any]] = [
    {"name": "app", "type": "CNAME", "content": "gw-1.ainu.ts.net", "comment": "Managed by us"},
    {"name": "cname-app", "type": "TXT", "content": '"heritage=external-dns"', "ttl": 300},
    {"name": "docs", "type": "A", "content": "192.0.2.7", "proxied": True, "tags": ["team:web"]},
    {"name": "old", "type": "A", "content": "192.0.2.8", "tags": ["team:Infra", "keep:"]},
    {"name": "six", "type": "AAAA", "content": "2001:db8::8", "comment": "by hand"},
]


@pytest.fixture
def filled(rig: Rig) -> Rig:
    """Return the rig with five records of every kind."""
    for record in RECORDS:
        rig.zone.create(record)
    return rig


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"name": {"exact": "App.example.com"}}, ["app"]),
        ({"name": {"contains": "app.example.com"}}, ["app", "cname-app"]),
        ({"name": {"startswith": "d"}}, ["docs"]),
        ({"name": {"endswith": "x.example.com"}}, ["six"]),
        ({"content": {"exact": "192.0.2.8"}}, ["old"]),
        ({"content": {"contains": "HERITAGE"}}, ["cname-app"]),
        ({"content": {"startswith": "192.0.2."}}, ["docs", "old"]),
        ({"content": {"endswith": ".ts.net"}}, ["app"]),
        ({"comment": {"contains": "managed"}}, ["app"]),
        ({"comment": {"startswith": "by"}}, ["six"]),
        ({"comment": {"present": "true"}}, ["app", "six"]),
        ({"comment": {"absent": "true"}, "type": "A"}, ["docs", "old"]),
        ({"type": "A"}, ["docs", "old"]),
        ({"proxied": True}, ["docs"]),
        ({"proxied": False, "type": "A"}, ["old"]),
        ({"type": "AAAA", "proxied": True, "match": "any"}, ["docs", "six"]),
        ({"name": {"exact": "app.example.com"}, "type": "TXT", "match": "any"},
         ["app", "cname-app"]),
        ({"tag": {"exact": "team:infra"}}, ["old"]),
        ({"tag": {"present": "team"}}, ["docs", "old"]),
        ({"tag": {"absent": "team"}, "type": "CNAME"}, ["app"]),
        ({"tag": {"contains": "team:eb"}}, ["docs"]),
        ({"tag": {"exact": "team:web", "present": "keep"}, "tag_match": "any"}, ["docs", "old"]),
        ({"search": "ts.NET"}, ["app"]),
        ({"name": {"exact": "nothing.example.com"}}, []),
    ],
)  # fmt: skip
def test_every_filter_finds_what_it_names(
    filled: Rig, filters: dict[str, Any], found: list[str]
) -> None:
    """Filters are case-insensitive and sent by the SDK as Cloudflare reads them."""
    page = filled.sdk.dns.records.list(zone_id=filled.zone.id, **filters)
    assert sorted(r.name.removesuffix(".example.com") for r in page.result) == found


@pytest.mark.parametrize(
    ("order", "direction", "first"),
    [("name", "asc", "app"), ("name", "desc", "six"), ("ttl", "desc", "cname-app"),
     ("content", "asc", "cname-app"), ("proxied", "desc", "docs"), ("type", "desc", "cname-app")],
)  # fmt: skip
def test_a_list_is_ordered_as_asked(filled: Rig, order: str, direction: str, first: str) -> None:
    """`order` and `direction` decide which record comes first."""
    query = {"order": order, "direction": direction}
    result = filled.http.get(filled.records, params=query).json()["result"]
    assert result[0]["name"] == f"{first}.example.com"


def test_pages_cover_everything_once_and_say_so(filled: Rig) -> None:
    """`result_info` counts the page and the whole; the page after the last is empty."""
    pages = [
        filled.http.get(filled.records, params={"per_page": 2, "page": n}).json()
        for n in (1, 2, 3, 4)
    ]

    assert [len(page["result"]) for page in pages] == [2, 2, 1, 0]
    assert len({r["id"] for page in pages for r in page["result"]}) == 5
    assert pages[2]["result_info"] == {
        "page": 3, "per_page": 2, "count": 1, "total_count": 5, "total_pages": 3,
    }  # fmt: skip


def test_the_sdks_pager_asks_one_page_too_many(filled: Rig) -> None:
    """The SDK stops at an empty page only, which is why the product does not use its pager."""
    assert len(list(filled.sdk.dns.records.list(zone_id=filled.zone.id))) == 5
    assert [r["query"] for r in filled.stand_in.requests] == ["", "page=2"]


@pytest.mark.parametrize(
    "query",
    ["page=0", "per_page=0", "per_page=5000001", "per_page=x", "order=id", "match=some",
     "direction=up", "tag.like=a:b"],
)  # fmt: skip
def test_a_list_that_makes_no_sense_is_refused(filled: Rig, query: str) -> None:
    """Numbers and words outside what the API documents get 1004."""
    answer = filled.http.get(f"{filled.records}?type=A&{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == 1004


def test_five_thousand_records_come_quickly(rig: Rig) -> None:
    """A full list and a filtered one of 5,000 records take well under 150 ms."""
    records = [
        {"name": f"h{n}.example.com", "type": "CNAME", "content": "gw.ts.net"} for n in range(5000)
    ]
    state = {"zones": [{"name": "example.com", "plan": "enterprise", "records": records}]}
    assert rig.admin.put("/state", json=state).status_code == 204
    queries: tuple[dict[str, Any], ...] = (
        {"per_page": 5000},
        {"name.exact": "h77.example.com"},
        {"name.contains": "h4999"},
    )
    rig.http.get(rig.records, params=queries[0])

    for query, count in zip(queries, (5000, 1, 1), strict=True):
        began = time.process_time()
        answer = rig.http.get(rig.records, params=query)
        assert time.process_time() - began < 0.15
        assert answer.json()["result_info"]["count"] == count
