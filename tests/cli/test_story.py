"""Which device the story moves."""

from __future__ import annotations

import pytest

from cli.story.questions import Expected, fault
from sandbox.client import Answer


DEVICE = {"name": "gw.tail.ts.net", "addresses": ["100.64.0.1", "fd7a:115c:a1e0::1"]}


@pytest.mark.parametrize(
    ("records", "addresses", "led"),
    [
        ([], ["100.64.0.1"], True),
        (["CNAME gw.tail.ts.net"], [], True),
        (["A 100.64.0.1", "AAAA fd7a:115c:a1e0::1"], [], True),
        (["CNAME gw-1.tail.ts.net"], ["100.64.0.2"], False),
        (["CNAME site.pages.dev"], [], False),
    ],
)
def test_a_host_leads_to_a_device_by_address_or_by_name(
    records: list[str], addresses: list[str], *, led: bool
) -> None:
    """Where no resolver answers with addresses, the public record alone says it."""
    expected = Expected("a.example.com", frozenset(records), frozenset(addresses))

    assert expected.led_to(DEVICE) == led


@pytest.mark.parametrize(
    ("planned", "records", "error", "why"),
    [
        ([], (), "dns: NXDOMAIN for a.example.com", ""),
        ([], (), "dns: SERVFAIL for a.example.com", "dns: SERVFAIL for a.example.com"),
        ([], ("CNAME site.pages.dev", "A 192.0.2.1"), "", ""),
        ([], ("A 100.64.0.1",), "", "leads into the tailnet: A 100.64.0.1"),
        (["A 100.64.0.1"], ("A 100.64.0.1",), "", ""),
        (["A 100.64.0.1"], (), "", "says nothing"),
        (
            ["A 100.64.0.1"],
            (),
            "dns: NXDOMAIN for a.example.com",
            "dns: NXDOMAIN for a.example.com",
        ),
        (["CNAME gw.ts.net"], ("CNAME gw.ts.net", "A 100.64.0.1"), "", ""),
    ],
)
def test_the_public_view_says_what_was_planned(
    planned: list[str], records: tuple[str, ...], error: str, why: str
) -> None:
    """A name that nothing publishes need not exist, and must not lead inside."""
    answer = Answer("a.example.com", "public", "public-record", records, (), 0, "", error, 1.0)

    assert fault(Expected("a.example.com", frozenset(planned)), answer) == why
