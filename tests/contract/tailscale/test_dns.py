"""DNS settings, and how they hang together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest


if TYPE_CHECKING:
    from tests.contract.tailscale.conftest import Api

pytestmark = pytest.mark.anyio

DNS = "/tailnet/-/dns"


@pytest.mark.parametrize(
    ("method", "body", "expected"),
    [
        ("PATCH", {"b.example": ["100.64.0.9"]}, {"a.example": ["100.64.0.1"]}),
        ("PATCH", {"b.example": None, "unknown.example": None}, {"a.example": ["100.64.0.1"]}),
        ("PATCH", {}, {"a.example": ["100.64.0.1"], "b.example": ["100.64.0.2"]}),
        ("PUT", {"b.example": ["100.64.0.9"]}, {}),
        ("PUT", {"b.example": None}, {}),
        ("PUT", {}, {}),
    ],
)
async def test_split_dns_is_patched_or_replaced(
    api: Api, method: str, body: dict[str, Any], expected: dict[str, Any]
) -> None:
    """`PATCH` touches the named domains and `PUT` all; null clears one; both answer the whole."""
    await api(
        "PUT", f"{DNS}/split-dns", {"A.example.": ["100.64.0.1"], "b.example": ["100.64.0.2"]}
    )

    changed = (await api(method, f"{DNS}/split-dns", body)).json

    assert changed == expected | {k: v for k, v in body.items() if v}
    assert (await api("GET", f"{DNS}/split-dns")).json == changed
    assert api.tailscale.split_dns == changed


async def test_magic_dns_needs_a_nameserver(api: Api) -> None:
    """Without nameservers MagicDNS goes off, and stays off until somebody turns it on."""
    preferences = f"{DNS}/preferences"
    emptied = (await api("POST", f"{DNS}/nameservers", {"dns": []})).json
    refused = await api("POST", preferences, {"magicDNS": True})
    filled = (await api("POST", f"{DNS}/nameservers", {"dns": ["8.8.8.8"]})).json
    turned_on = await api("POST", preferences, {"magicDNS": True})

    assert emptied == {"dns": [], "magicDNS": False}
    assert refused.status == 400
    assert filled == {"dns": ["8.8.8.8"], "magicDNS": False}
    assert turned_on.json == {"magicDNS": True}


async def test_the_configuration_is_all_of_it(api: Api) -> None:
    """`/configuration` shows and replaces what the other endpoints show."""
    document = {
        "nameservers": [{"address": "9.9.9.9", "useWithExitNode": True}],
        "splitDNS": {"example.com": [{"address": "100.64.0.1", "useWithExitNode": False}]},
        "searchPaths": ["example.com"],
        "preferences": {"overrideLocalDNS": True, "magicDNS": True},
    }
    await api("PUT", f"{DNS}/split-dns", {"old.example": ["100.64.0.7"]})

    answered = (await api("POST", f"{DNS}/configuration", document)).json

    assert answered == document == (await api("GET", f"{DNS}/configuration")).json
    assert (await api("GET", f"{DNS}/split-dns")).json == {"example.com": ["100.64.0.1"]}
    assert (await api("GET", f"{DNS}/nameservers")).json == {"dns": ["9.9.9.9"]}
    assert (await api("GET", f"{DNS}/searchpaths")).json == {"searchPaths": ["example.com"]}


async def test_an_empty_configuration_clears_everything(api: Api) -> None:
    """What the new configuration does not name is gone; MagicDNS is off by default."""
    await api("PUT", f"{DNS}/split-dns", {"old.example": ["100.64.0.7"]})

    answered = (await api("POST", f"{DNS}/configuration", {})).json

    assert answered == {
        "nameservers": [],
        "splitDNS": {},
        "searchPaths": [],
        "preferences": {"overrideLocalDNS": False, "magicDNS": False},
    }
