"""Ownership marks: ExternalDNS's TXT registry, read and written in its own format.

A mark is a TXT record beside a record. Its value names the owner and the cluster object that
asked for the name; its name says which record it covers:

    heritage=external-dns,external-dns/owner=homelab,external-dns/resource=httproute/media/jellyfin
    cname-jellyfin.example.com      covers the CNAME of jellyfin.example.com (0.12 and newer)
    jellyfin.example.com            covers it too, without naming a type (0.17 and older)

With --txt-encrypt-enabled the value is base64 of AES-256-GCM: a mark that we cannot read, and
therefore somebody else's.

    python -m tailkeeper.ownership < case.json      names and values both ways, docs/documents.md

Rules: kubernetes-sigs/external-dns, docs/registry/txt.md.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from functools import lru_cache


HERITAGE = "external-dns"
USUAL = re.compile(
    r'"?heritage=external-dns,external-dns/owner=([^,="]+),external-dns/resource=([^,="]+)"?'
)
# Nonce, tag and the shortest text that names an owner: 69 bytes, less where it was compressed.
CIPHERTEXT = re.compile(r"(?:[A-Za-z0-9+/]{4}){22,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
RECORD_TYPE = "%{record_type}"
MARKED_TYPES = ("A", "AAAA", "CNAME", "NS", "MX", "SRV", "NAPTR")


@dataclass(frozen=True, slots=True)
class Mark:
    """Who owns a record, and for which object, as `<kind>/<namespace>/<name>` in lower-case kind.

    `labels` keeps what else a mark of ExternalDNS said, so that rewriting it loses nothing.
    """

    owner: str
    resource: str = ""
    labels: tuple[tuple[str, str], ...] = ()

    @property
    def value(self) -> str:
        """Return the TXT record's content: quoted, the keys in order."""
        known = {"owner": self.owner, "resource": self.resource}
        labels = {key: text for key, text in {**dict(self.labels), **known}.items() if text}
        parts = [f"{HERITAGE}/{key}={labels[key]}" for key in sorted(labels)]
        return '"' + ",".join([f"heritage={HERITAGE}", *parts]) + '"'

    @classmethod
    def parse(cls, content: str) -> Mark | None:
        """Read a TXT record's content, quoted or not; None when it is no mark of ExternalDNS.

        Above 255 characters, content comes as several quoted strings that belong together.
        """
        if usual := USUAL.fullmatch(content):
            return cls(usual[1], usual[2])
        if HERITAGE not in content:
            return None
        tokens = (token.partition("=") for token in _joined(content).split(","))
        pairs = [(key, text) for key, equals, text in tokens if equals]
        if {text for key, text in pairs if key == "heritage"} != {HERITAGE}:
            return None
        labels = {
            key.removeprefix(f"{HERITAGE}/"): text
            for key, text in pairs
            if key.startswith(f"{HERITAGE}/")
        }
        owner, resource = labels.pop("owner", ""), labels.pop("resource", "")
        return cls(owner, resource, tuple(sorted(labels.items())))


def is_encrypted(content: str) -> bool:
    """Return whether a TXT record's content may be a mark that ExternalDNS encrypted.

    Only its name can confirm it: so may a verification token look.
    """
    return CIPHERTEXT.fullmatch(_joined(content)) is not None


def _joined(content: str) -> str:
    return content.replace('" "', "").strip('"')


@lru_cache
def _affix(prefix: str, suffix: str, kind: str) -> tuple[str, str]:
    """Return what goes around the first label, for a record type or for none."""
    return prefix.lower().replace(RECORD_TYPE, kind), suffix.lower().replace(RECORD_TYPE, kind)


@dataclass(frozen=True, slots=True)
class MarkNames:
    """How marks are named: ExternalDNS's --txt-prefix, --txt-suffix, --txt-wildcard-replacement.

    The affix goes around the first label; `%{record_type}` in it takes the place of the
    automatic `<type>-`. Prefix and suffix exclude each other.
    """

    prefix: str = ""
    suffix: str = ""
    wildcard: str = ""

    def __post_init__(self) -> None:
        if self.prefix and self.suffix:
            raise ValueError("a registry has a prefix or a suffix for its marks, not both")

    @property
    def _names_type(self) -> bool:
        return RECORD_TYPE in self.prefix or RECORD_TYPE in self.suffix

    def name(self, host: str, record_type: str) -> str:
        """Return the name of the mark that covers one record, in the format of 0.18 and newer."""
        kind = record_type.lower()
        first, dot, rest = self._plain(host).partition(".")
        label = first if self._names_type else f"{kind}-{first}"
        return self._affixed(label, kind) + dot + rest

    def candidates(self, host: str, record_type: str) -> tuple[str, ...]:
        """Return every name under which a mark of the record may stand, the newest format first.

        The legacy name is never read for AAAA, which it predates, nor where a newer mark has
        that name: `a-app` would be the legacy mark of `a-app` and is the mark of `app`, type A.
        """
        newest = self.name(host, record_type)
        plain = self._plain(host)
        first, dot, rest = plain.partition(".")
        legacy = self._affixed(first, "") + dot + rest
        if record_type == "AAAA" or self.covered(legacy) != (plain, ""):
            return (newest,)
        return (newest, legacy)

    def covered(self, mark: str) -> tuple[str, str] | None:
        """Return the (name, type) that a mark's name covers, or None where it is no mark's name.

        The type is "" for the legacy format. A replaced wildcard stays replaced: which of the
        two names was meant shows only beside the zone's records.
        """
        # Types first: with `%{record_type}` in the affix, the rest of the name may hold dashes.
        if self._names_type:
            for record_type in MARKED_TYPES:
                if host := self._stripped(mark.lower(), record_type.lower()):
                    return host, record_type
        if not (bare := self._stripped(mark.lower(), "")):
            return None
        kind, dash, rest = bare.partition("-")
        if dash and rest and kind.upper() in MARKED_TYPES:
            return rest, kind.upper()
        return bare, ""

    def _plain(self, host: str) -> str:
        return self.wildcard.lower() + host[1:] if self.wildcard and host[:2] == "*." else host

    def wild(self, host: str) -> str:
        """Return the wildcard that a mark's host stands for; "" where it stands for itself."""
        first, dot, rest = host.partition(".")
        return f"*.{rest}" if dot and first == self.wildcard.lower() else ""

    def _affixed(self, label: str, kind: str) -> str:
        prefix, suffix = _affix(self.prefix, self.suffix, kind)
        return prefix + label + suffix

    def _stripped(self, name: str, kind: str) -> str:
        """Take the affix off; "" where it is not there. A suffix may itself hold dots."""
        prefix, suffix = _affix(self.prefix, self.suffix, kind)
        if not suffix:
            return name[len(prefix) :] if name.startswith(prefix) else ""
        labels = name.split(".")
        size = suffix.count(".") + 1
        head, rest = ".".join(labels[:size]), labels[size:]
        return ".".join([head[: -len(suffix)], *rest]) if head.endswith(suffix) else ""


if __name__ == "__main__":
    from tailkeeper.doors.filter import serve
    from tailkeeper.doors.mark_cases import mark_case

    sys.exit(serve(mark_case))
