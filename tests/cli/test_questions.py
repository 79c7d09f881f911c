"""What the story asks for, and when an answer is right."""

from __future__ import annotations

from typing import Any

import pytest

from cli.journal import Entry
from cli.story.questions import Asked, Expected, cells_of, expected_of, fault, leads_inside
from sandbox.client import Answer
from tailkeeper.model import Change


CNAME = "CNAME gateway.tail.ts.net"
HOST = "photos.example.com"
PLANNED = Expected(HOST, frozenset({CNAME}), frozenset({"100.64.0.1"}))
BY_ADDRESS = Expected(HOST, frozenset({"A 100.64.0.1", "AAAA fd7a:115c:a1e0::1"}))
ELSEWHERE = Expected(HOST, frozenset(), frozenset({"100.64.0.1"}))


def entry(surface: Any, after: Any, before: Any = None) -> Entry:
    """Return a journalled change of the host."""
    return Entry(Change(surface, HOST, before, after), "applied", "", "1", "")


def records(content: str, *, proxied: bool = False) -> dict[str, Any]:
    """Return the value of a name with one CNAME."""
    return {"records": [{"type": "CNAME", "content": content, "ttl": 1, "proxied": proxied}]}


def test_expected_of_a_journal() -> None:
    """Later entries count more; what is no host's answer is left out."""
    resolver = {"addresses": ["100.64.0.1"]}
    entries = [
        entry("records", records("old.tail.ts.net")),
        entry("resolver", resolver),
        entry("resolver", {"mode": "hosts", "domains": []}, {"text": "x"}),
        entry("split-dns", {"nameservers": ["100.64.0.2"]}),
        entry("records", records("gateway.tail.ts.net")),
    ]

    assert expected_of(entries) == [PLANNED]
    assert expected_of([entry("resolver", None, resolver)]) == [Expected(HOST)]
    assert expected_of([entry("records", records("x", proxied=True))])[0].proxied


@pytest.mark.parametrize(
    ("expected", "ways"),
    [
        (PLANNED, 3),
        (ELSEWHERE, 2),
        (BY_ADDRESS, 2),
        (Expected(HOST, frozenset({"CNAME site.pages.dev"})), 1),
        (Expected(HOST, frozenset({CNAME}), frozenset({"100.64.0.1"}), proxied=True), 2),
    ],
)
def test_ways(expected: Expected, ways: int) -> None:
    """A name is asked for by each way that is planned for it."""
    assert len(expected.asked()) == ways


def tailnet(*addresses: str, error: str = "") -> Answer:
    """Return an answer from inside the tailnet."""
    return Answer(HOST, "tailnet", "split-dns", addresses=addresses, status=200, error=error)


def public(*said: str) -> Answer:
    """Return an answer of public DNS."""
    return Answer(HOST, "public", "public-record", records=said)


@pytest.mark.parametrize(
    ("expected", "answer", "wrong"),
    [
        (PLANNED, tailnet("100.64.0.1"), ""),
        (PLANNED, tailnet("100.64.0.9"), "leads to 100.64.0.9"),
        (PLANNED, tailnet(error="tailnet: device unreachable"), "tailnet: device unreachable"),
        (PLANNED, public(CNAME), ""),
        (PLANNED, public("CNAME gateway-1.tail.ts.net"), "says CNAME gateway-1.tail.ts.net"),
        (PLANNED, public("A 100.64.0.1"), "says A 100.64.0.1"),
        (BY_ADDRESS, public("A 100.64.0.1"), ""),
        (BY_ADDRESS, public("A 100.64.0.1", "A 1.2.3.4"), "says A 100.64.0.1, A 1.2.3.4"),
        (ELSEWHERE, public("CNAME site.pages.dev", "A 172.66.44.117"), ""),
        (ELSEWHERE, public(CNAME), f"leads into the tailnet: {CNAME}"),
        (ELSEWHERE, public("A 100.64.0.1"), "leads into the tailnet: A 100.64.0.1"),
    ],
)
def test_fault(expected: Expected, answer: Answer, wrong: str) -> None:
    """An answer is right when it is exactly the planned one, and public ones do not leak."""
    assert fault(expected, answer) == wrong


@pytest.mark.parametrize(
    ("record", "inside"),
    [
        (CNAME, True),
        ("A 100.127.255.255", True),
        ("A 100.128.0.1", False),
        ("CNAME ts.net.example.com", False),
    ],
)
def test_leads_inside(record: str, *, inside: bool) -> None:
    """The tailnet is 100.64.0.0/10 and the names below ts.net."""
    assert leads_inside(record) == inside


def test_cells() -> None:
    """The table has a cell for each way, empty where nobody asked."""
    asked = [
        Asked(ELSEWHERE, answer, "") for answer in (tailnet("100.64.0.1"), public("A 1.2.3.4"))
    ]

    ((first, second, third),) = cells_of(asked).values()

    assert (first, second, third) == (asked[0], None, asked[1])
    assert (asked[0].text, asked[1].text) == ("200 from 100.64.0.1", "A 1.2.3.4")
