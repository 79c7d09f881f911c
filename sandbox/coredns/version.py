"""What differs between CoreDNS's versions, as far as this stand-in cares.

Sources: the release notes; pull requests 8185 and 8193 (hosts, 1.14.5), 8282 (hosts, after it);
CVE-2026-26017 (rewrite before acl, 1.14.2).
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Version:
    """A release of CoreDNS."""

    major: int = 1
    minor: int = 14
    patch: int = 6

    @classmethod
    def of_image(cls, image: str) -> Version:
        """Return the version in an image's tag (`coredns/coredns:1.13.2`), else the newest."""
        found = re.search(r":v?(\d+)\.(\d+)\.(\d+)", image)
        return cls(*map(int, found.groups())) if found else cls()

    @property
    def rewrites_before_acl(self) -> bool:
        """Whether `rewrite` runs before `acl` and `cache`."""
        return self >= Version(1, 14, 2)

    @property
    def hosts_has_wildcards(self) -> bool:
        """Whether `*.` in a hosts file means anything."""
        return self >= Version(1, 14, 5)

    @property
    def hosts_passes_other_types(self) -> bool:
        """Whether `fallthrough` alone sends on TXT, HTTPS and so on for a name that hosts has."""
        return self == Version(1, 14, 5)

    @property
    def hosts_knows_fallthrough_unsupported(self) -> bool:
        """Whether that is an option of its own."""
        return self >= Version(1, 14, 6)


# Plugins run in this order whatever the Corefile's (plugin.cfg).
OLD_MIDDLE = "acl any chaos loadbalance tsig cache rewrite header"
NEW_MIDDLE = "rewrite acl any chaos loadbalance tsig cache header"
FIRST = (
    "root metadata geoip cancel tls proxyproto quic grpc_server https https3 timeouts multisocket"
    " reload nsid bufsize bind debug trace ready health pprof prometheus errors log dnstap local"
    " dns64"
)
LAST = (
    "dnssec autopath minimal template transfer hosts route53 azure clouddns k8s_external"
    " kubernetes file auto secondary etcd loop forward grpc erratic whoami on sign view nomad"
)


def plugin_order(version: Version) -> list[str]:
    """Return every directive that exists, in the order of execution."""
    middle = NEW_MIDDLE if version.rewrites_before_acl else OLD_MIDDLE
    return f"{FIRST} {middle} {LAST}".split()
