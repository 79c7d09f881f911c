"""DNS answers as values, judged."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailkeeper.proof.answers import Answer, Record, judge_rest, judge_split, judge_zone, listed


NAME = "app.example.com"
OURS, THEIRS = "ns.here", "ada.ns.cloudflare.com"


def said(kind: str, *contents: str, rcode: str = "NOERROR", **more: Any) -> Answer:
    """Return an answer for NAME with records of one type."""
    return Answer(NAME, rcode, tuple(Record(NAME, kind, c) for c in contents), **more)


def alias(target: str, *tail: Record, rcode: str = "NOERROR") -> Answer:
    """Return an answer that leads elsewhere, with what is there."""
    return Answer(NAME, rcode, (Record(NAME, "CNAME", target), *tail))


NOTHING = said("A")
MISSING = said("A", rcode="NXDOMAIN", denier=THEIRS)
TAILNET = said("A", "100.64.0.7")
PUBLIC = said("A", "203.0.113.1")


@pytest.mark.parametrize(
    ("otherwise", "resolver", "public", "state"),
    [
        ("nxdomain", MISSING, NOTHING, "healthy"),
        ("nxdomain", NOTHING, NOTHING, "down"),
        ("nxdomain", PUBLIC, PUBLIC, "down"),
        ("public", PUBLIC, PUBLIC, "healthy"),
        ("public", NOTHING, NOTHING, "healthy"),
        ("public", MISSING, MISSING, "healthy"),
        ("public", TAILNET, PUBLIC, "down"),
        ("public", TAILNET, TAILNET, "healthy"),
        ("public", PUBLIC, MISSING, "down"),
        ("public", MISSING, PUBLIC, "down"),
        ("public", said("A", rcode="SERVFAIL"), MISSING, "down"),
        ("public", MISSING, said("A", rcode="REFUSED"), "blind"),
        ("public", said("A", "203.0.113.2"), PUBLIC, "degraded"),
        ("public", NOTHING, MISSING, "degraded"),
        ("public", said("A", rcode="NXDOMAIN", denier=OURS), MISSING, "healthy"),
        ("forwarded", said("A", rcode="NXDOMAIN", denier=OURS), MISSING, "down"),
        ("forwarded", said("A", rcode="NXDOMAIN"), MISSING, "down"),
        ("forwarded", MISSING, MISSING, "healthy"),
        ("public", alias("x.net", Record("x.net", "A", "192.0.2.1")), alias("x.net"), "healthy"),
        ("public", alias("x.net", rcode="NXDOMAIN"), alias("x.net"), "healthy"),
        ("public", alias("y.net"), alias("x.net"), "degraded"),
    ],
)
def test_the_rest_of_a_domain_is_public_or_nothing(
    otherwise: str, resolver: Answer, public: Answer, state: str
) -> None:
    """A hijack, an invention and a lack are down; a difference that caches explain is not."""
    outcome = judge_rest(otherwise, {"A": resolver}, {"A": public})

    assert outcome.state == state
    assert (outcome.hop == "dns") == (state in {"down", "degraded"})


def test_a_resolver_may_answer_by_an_alias() -> None:
    """What a CNAME leads to counts, as it does for the client."""
    answers = {
        "A": alias("gw.example.com", Record("gw.example.com", "A", "100.64.0.7")),
        "AAAA": alias("gw.example.com"),
        "HTTPS": alias("gw.example.com"),
    }

    assert judge_split(["100.64.0.7"], answers).state == "healthy"


@pytest.mark.parametrize("kind", ["A", "AAAA", "HTTPS"])
@pytest.mark.parametrize("rcode", ["NXDOMAIN", "SERVFAIL", "REFUSED"])
def test_one_type_that_fails_spoils_the_name(kind: str, rcode: str) -> None:
    """NXDOMAIN for HTTPS alone lets some clients give up a name that has an address."""
    answers = {"A": TAILNET, "AAAA": NOTHING, "HTTPS": NOTHING} | {kind: said("A", rcode=rcode)}

    outcome = judge_split(["100.64.0.7"], answers)

    assert (outcome.state, outcome.detail) == ("down", f"{kind}: {rcode}")


V4 = st.sets(st.integers(1, 5).map("100.64.0.{}".format))
V6 = st.sets(st.integers(1, 5).map("fd7a:115c:a1e0::{}".format))


@given(V4, V6, V4, V6)
def test_the_resolver_is_right_exactly_when_it_says_the_plan(
    planned4: set[str], planned6: set[str], found4: set[str], found6: set[str]
) -> None:
    """No address more, none less, in either family; spelling does not matter."""
    answers = {"A": said("A", *found4), "AAAA": said("AAAA", *found6), "HTTPS": NOTHING}
    planned = [*planned4, *(address.upper() for address in planned6)]

    outcome = judge_split(planned, answers)

    assert (outcome.state == "healthy") == ((planned4, planned6) == (found4, found6))


@given(V4, V6, V4, V6)
def test_the_zone_is_right_exactly_when_it_says_the_plan(
    planned4: set[str], planned6: set[str], found4: set[str], found6: set[str]
) -> None:
    """The record set is compared whole."""
    kinds = {"A": planned4, "AAAA": planned6}
    planned = [
        {"type": kind, "content": content, "proxied": False}
        for kind, contents in kinds.items()
        for content in contents
    ]
    answers = {"A": said("A", *found4), "AAAA": said("AAAA", *found6), "HTTPS": NOTHING}

    outcome = judge_zone(planned, answers)

    assert (outcome.state == "healthy") == ((planned4, planned6) == (found4, found6))


def test_a_server_that_fails_for_one_type_is_not_taken_at_its_word() -> None:
    """SERVFAIL for AAAA leaves open what else the name has."""
    answers = {"A": TAILNET, "AAAA": said("AAAA", rcode="SERVFAIL"), "HTTPS": NOTHING}

    outcome = judge_zone([{"type": "A", "content": "100.64.0.7", "proxied": False}], answers)

    assert (outcome.state, outcome.detail) == ("down", "the zone says AAAA: SERVFAIL")


def test_a_long_list_is_cut_for_a_person() -> None:
    """Four items and a count."""
    assert listed(f"10.0.0.{n}" for n in range(6)) == (
        "10.0.0.0, 10.0.0.1, 10.0.0.2, 10.0.0.3 and 2 more"
    )
