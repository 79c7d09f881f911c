"""What the zones' servers say, and what a public resolver makes of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import dns.message
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.cloudflare.account import Account
from sandbox.dns import PublicDns, Zones
from sandbox.dns.public import children
from sandbox.dns.records import rrset, rrset_of


if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_zones_servers_answer_for_it(
    public: PublicDns, ask: Callable[..., str], authoritative_case: list[str]
) -> None:
    """Without recursion: AA, denials with the SOA, CNAMEs followed within the zone only."""
    asked, expected = authoritative_case

    assert ask(public.answer, asked, recursion=False) == expected


def test_with_recursion_the_port_adds_what_others_say(
    public: PublicDns, ask: Callable[..., str], combined_case: list[str]
) -> None:
    """A target that other people publish follows the CNAME; a dead end adds nothing."""
    asked, expected = combined_case

    assert ask(public.answer, asked) == expected


def test_a_resolver_goes_to_the_end(
    public: PublicDns, ask: Callable[..., str], recursive_case: list[str]
) -> None:
    """The whole chain, and the last name's rcode and SOA."""
    asked, expected = recursive_case

    assert ask(public.recurse, asked) == expected


def test_the_soa_is_cloudflares(public: PublicDns) -> None:
    """Its first server, its mailbox, and half an hour for denials."""
    answer = asyncio.run(public.answer(dns.message.make_query("example.com", "SOA")))

    first, mailbox, *numbers = answer.answer[0][0].to_text().split()
    assert (first, mailbox) == ("ada.ns.cloudflare.com.", "dns.cloudflare.com.")
    assert numbers[1:] == ["10000", "2400", "604800", "1800"]


@pytest.mark.parametrize(
    ("content", "strings"),
    [
        ('"quoted already"', [b"quoted already"]),
        ('"two" "strings"', [b"two", b"strings"]),
        ("plain text", [b"plain text"]),
        ('half "quoted"', [b'half "quoted"']),
        ('"unclosed', [b'"unclosed']),
        ("", [b""]),
        ("x" * 300, [b"x" * 255, b"x" * 45]),
        ("back\\slash", [b"back\\slash"]),
    ],
)
def test_txt_content_becomes_strings(content: str, strings: list[bytes]) -> None:
    """Quoted content is taken as quoted, other content is cut into strings of 255 bytes."""
    records = rrset_of("a.example.com", [{"type": "TXT", "content": content, "ttl": 60}])
    record: Any = records[0]

    assert (list(record.strings), records.ttl) == (strings, 60)


def test_the_cloudflare_stand_in_is_such_an_account(ask: Callable[..., str]) -> None:
    """Wildcards and proxied names come from the account, records in the API's own words."""
    account = Account()
    zone = account.add_zone("example.com")
    zone.create({"name": "*.example.com", "type": "A", "content": "198.51.100.1", "ttl": 60})
    zone.create(
        {"name": "p.example.com", "type": "A", "content": "198.51.100.2", "ttl": 1, "proxied": True}
    )
    zones: Zones = account
    public = PublicDns(zones)

    wild = ask(public.answer, "any.example.com A", recursion=False)
    proxied = ask(public.answer, "p.example.com HTTPS", recursion=False)

    assert wild == "NOERROR aa | any.example.com. 60 A 198.51.100.1"
    assert "ipv4hint" in proxied
    assert "198.51.100.2" not in ask(public.answer, "p.example.com A")


@given(st.lists(st.from_regex(r"[a-z]{1,3}", fullmatch=True), max_size=5))
def test_names_between_apex_and_name(labels: list[str]) -> None:
    """Each is one label longer than the one before, and the last is the name."""
    name = ".".join([*labels, "example.com"])

    between = children("example.com", name)

    assert [entry.count(".") for entry in between] == list(range(2, 2 + len(labels)))
    assert between[-1:] == ([name] if labels else [])


def test_record_sets_hold_what_they_are_given() -> None:
    """A set of two addresses is one set, with their TTL."""
    two = rrset("a.example.com", 30, "A", ["10.0.0.1", "10.0.0.2"])

    assert (len(two), two.ttl, two.name.to_text()) == (2, 30, "a.example.com.")
