"""The tailnet's DNS settings."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import asdict, dataclass, field
from typing import Any

from sandbox.tailscale.answers import Refusal


DOMAIN = re.compile(r"([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def resolver(address: str) -> str:
    """Return the address of a nameserver; raise Refusal 400 if it is no IP address or DoH URL."""
    if not address.startswith("https://"):
        try:
            ipaddress.ip_address(address)
        except ValueError:
            raise Refusal(400, f"invalid nameserver {address!r}") from None
    return address


def domain(name: str) -> str:
    """Return the domain in lower case without a trailing dot; raise Refusal 400 if it is none."""
    plain = name.lower().removesuffix(".")
    if not DOMAIN.fullmatch(plain):
        raise Refusal(400, f"invalid domain {name!r}")
    return plain


@dataclass
class Dns:
    """Global nameservers, split DNS, search paths and preferences.

    `with_exit_node` lists, for each split domain and for "" (the global ones), the nameservers
    that stay in use behind an exit node.
    """

    nameservers: list[str] = field(default_factory=lambda: ["1.1.1.1"])
    split_dns: dict[str, list[str]] = field(default_factory=dict)
    search_paths: list[str] = field(default_factory=list)
    preferences: dict[str, bool] = field(
        default_factory=lambda: {"magicDNS": True, "overrideLocalDNS": False}
    )
    with_exit_node: dict[str, list[str]] = field(default_factory=dict)

    def dump(self) -> dict[str, Any]:
        """Return all settings as JSON."""
        return asdict(self)

    def set_nameservers(self, addresses: list[str]) -> None:
        """Replace the global nameservers; without any, MagicDNS goes off until it is turned on."""
        self.nameservers = [resolver(address) for address in addresses]
        if not self.nameservers:
            self.preferences["magicDNS"] = False

    def set_magic_dns(self, *, on: bool) -> None:
        """Turn MagicDNS on or off; raise Refusal 400 if there is no nameserver to turn it on."""
        if on and not self.nameservers:
            raise Refusal(400, "MagicDNS cannot be enabled without a nameserver")
        self.preferences["magicDNS"] = on

    def update_split(self, changes: dict[str, list[str] | None]) -> None:
        """Set the domains that are named; null (or no nameserver) clears a domain."""
        checked = {
            domain(name): [resolver(address) for address in addresses or []]
            for name, addresses in changes.items()
        }
        merged = self.split_dns | checked
        self.split_dns = {name: addresses for name, addresses in merged.items() if addresses}

    def replace_split(self, settings: dict[str, list[str] | None]) -> None:
        """Set the domains that are named and clear all others."""
        before, self.split_dns = self.split_dns, {}
        try:
            self.update_split(settings)
        except Refusal:
            self.split_dns = before
            raise

    def configuration(self) -> dict[str, Any]:
        """Return everything in the form of `/dns/configuration`."""
        return {
            "nameservers": self._resolvers("", self.nameservers),
            "splitDNS": {k: self._resolvers(k, v) for k, v in self.split_dns.items()},
            "searchPaths": self.search_paths,
            "preferences": self.preferences,
        }

    def _resolvers(self, place: str, addresses: list[str]) -> list[dict[str, Any]]:
        kept = self.with_exit_node.get(place, [])
        return [{"address": one, "useWithExitNode": one in kept} for one in addresses]

    def configure(self, document: dict[str, Any]) -> None:
        """Replace everything by a document of the form of `/dns/configuration`."""
        places = {"": document.get("nameservers") or []}
        places |= {domain(k): v or [] for k, v in (document.get("splitDNS") or {}).items()}
        addresses = {k: [resolver(item["address"]) for item in v] for k, v in places.items()}
        preferences = {"magicDNS": False, "overrideLocalDNS": False}
        preferences |= document.get("preferences") or {}
        if preferences["magicDNS"] and not addresses[""]:
            raise Refusal(400, "MagicDNS cannot be enabled without a nameserver")
        self.nameservers = addresses.pop("")
        self.split_dns = {k: v for k, v in addresses.items() if v}
        self.search_paths = document.get("searchPaths") or []
        self.preferences = preferences
        self.with_exit_node = {
            k: [item["address"] for item in v if item.get("useWithExitNode")]
            for k, v in places.items()
        }
