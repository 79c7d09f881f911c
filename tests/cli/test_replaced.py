"""What the connection file says when parts of the world are somebody else's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli.replaced import Replaced


OURS: dict[str, Any] = {
    "tailscale": {
        "base_url": "http://127.0.0.1:1",
        "admin_url": "http://127.0.0.1:2",
        "client_id": "ours",
        "client_secret": "ours",
        "magic_dns_domain": "a.ts.net",
    },
    "cloudflare": {"base_url": "http://127.0.0.1:3", "admin_url": "", "api_token": "ours"},
    "kubernetes": {"base_url": "https://127.0.0.1:4", "admin_url": "", "tailkeeper": "/ours"},
    "dns": {"public": "127.0.0.1:5", "tailnet": "127.0.0.1:6"},
    "socks5": "127.0.0.1:7",
    "tls": {"ca_file": "/ca.pem"},
}
KUBECONFIG = "clusters: [{name: c, cluster: {server: 'https://10.0.0.1:6443'}}]"


@pytest.mark.parametrize(
    ("replaced", "part", "expected"),
    [
        (
            Replaced(tailscale_url="https://t", tailscale_secret={"api_key": "key"}),
            "tailscale",
            {
                "base_url": "https://t",
                "admin_url": "",
                "api_key": "key",
                "magic_dns_domain": "a.ts.net",
            },
        ),
        (
            Replaced(cloudflare_url="https://c", cloudflare_token="theirs"),
            "cloudflare",
            {"base_url": "https://c", "admin_url": "", "api_token": "theirs"},
        ),
        (
            Replaced(kubeconfig=Path("/theirs"), kubeconfig_text=KUBECONFIG),
            "kubernetes",
            {"base_url": "https://10.0.0.1:6443", "admin_url": "", "kubeconfig": "/theirs"},
        ),
        (
            Replaced(public_dns="127.0.0.1:53"),
            "dns",
            {"public": "127.0.0.1:53", "tailnet": "127.0.0.1:6"},
        ),
        (Replaced(socks5="127.0.0.1:1055"), "socks5", "127.0.0.1:1055"),
    ],
)
def test_a_replaced_part_is_described_by_its_owner(
    replaced: Replaced, part: str, expected: Any
) -> None:
    """Nothing of our own unused stand-in is left in it, least of all a credential."""
    world = replaced.laid_over(OURS)

    assert world == {**OURS, part: expected}
