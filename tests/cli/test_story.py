"""Which device the story moves."""

from __future__ import annotations

import pytest

from cli.story.questions import Expected


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
