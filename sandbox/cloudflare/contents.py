"""What each record type may hold.

Sentences of 9005, 9006, 9007, 9009 as the API gives them; limits from Cloudflare's page on record
types (wire format of 4,096 bytes).
"""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address
from typing import Any

from sandbox.cloudflare.errors import invalid, refused
from sandbox.cloudflare.names import is_name


# For types whose value has parts: the parts of `data`, in the order of the content.
PARTS: dict[str, tuple[str, ...]] = {
    "CAA": ("flags", "tag", "value"),
    "CERT": ("type", "key_tag", "algorithm", "certificate"),
    "DNSKEY": ("flags", "protocol", "algorithm", "public_key"),
    "DS": ("key_tag", "algorithm", "digest_type", "digest"),
    "HTTPS": ("priority", "target", "value"),
    "LOC": (),
    "NAPTR": ("order", "preference", "flags", "service", "regex", "replacement"),
    "SMIMEA": ("usage", "selector", "matching_type", "certificate"),
    "SRV": ("priority", "weight", "port", "target"),
    "SSHFP": ("algorithm", "type", "fingerprint"),
    "SVCB": ("priority", "target", "value"),
    "TLSA": ("usage", "selector", "matching_type", "certificate"),
    "URI": ("weight", "target"),
}
WITH_PRIORITY = frozenset({"MX", "URI"})
PROXIABLE = frozenset({"A", "AAAA", "CNAME"})
PLAIN = PROXIABLE | {"MX", "NS", "OPENPGPKEY", "PTR", "TXT"}
TYPES = PLAIN | frozenset(PARTS)
UNREACHABLE = tuple(
    IPv4Network(net)
    for net in ("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
                "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3")
)  # fmt: skip
LONGEST_TXT = 4096


def content_of(rtype: str, name: str, fields: dict[str, Any]) -> str:
    """Return the record's content, in Cloudflare's own form; raise Refused if it cannot be."""
    data, content = fields.get("data"), fields.get("content")
    if rtype in PARTS and isinstance(data, dict):
        return " ".join(str(data[part]) for part in PARTS[rtype] or data if part in data)
    if not isinstance(content, str) or not content:
        raise invalid(9020, f"Content for {rtype} record is missing.")
    match rtype:
        case "A":
            return _ipv4(content)
        case "AAAA":
            return _ipv6(content)
        case "CNAME":
            return _target(9007, rtype, content, itself=name)
        case "NS" | "MX" | "PTR":
            return _target({"NS": 9008, "MX": 9009, "PTR": 9011}[rtype], rtype, content)
        case "TXT" if len(content) > LONGEST_TXT:
            raise invalid(9207, f"Content for TXT record must not exceed {LONGEST_TXT} bytes.")
    return content


def _ipv4(content: str) -> str:
    try:
        return str(IPv4Address(content))
    except AddressValueError as error:
        raise refused(9005, "Content for A record must be a valid IPv4 address.") from error


def _ipv6(content: str) -> str:
    try:
        return str(IPv6Address(content))
    except AddressValueError as error:
        raise refused(9006, "Content for AAAA record must be a valid IPv6 address.") from error


def _target(code: int, rtype: str, content: str, *, itself: str = "") -> str:
    target = content.removesuffix(".")
    if not is_name(target) or target.rpartition(".")[2].isdigit():
        raise refused(code, f"Content for {rtype} record is invalid.")
    if target.lower() == itself:
        raise refused(9039, "CNAME content cannot reference itself.")
    return target


def is_proxiable(rtype: str, content: str) -> bool:
    """Say whether Cloudflare can stand in front: a web type, and an address it can reach."""
    if rtype == "A":
        return not any(IPv4Address(content) in net for net in UNREACHABLE)
    return rtype in PROXIABLE
