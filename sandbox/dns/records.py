"""From Cloudflare's records, and from plain text, to DNS records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


AUTOMATIC_TTL = 300  # what Cloudflare serves for `"ttl": 1`
STRING = 255  # bytes of one character string


def rrset(name: str, ttl: int, rtype: str, contents: Iterable[str]) -> dns.rrset.RRset:
    """Return a record set; names in `contents` may lack their final dot. Raise dns.exception."""
    owner = dns.name.from_text(name)
    rdatas = [
        dns.rdata.from_text(
            dns.rdataclass.IN, rtype, content, origin=dns.name.root, relativize=False
        )
        for content in contents
    ]
    return dns.rrset.from_rdata_list(owner, ttl, rdatas)


def rrset_of(name: str, records: list[Mapping[str, Any]]) -> dns.rrset.RRset:
    """Return records of one name and type, as Cloudflare's API writes them, as one set."""
    ttls = [ttl_of(record) for record in records]
    contents = [content_of(record) for record in records]
    return rrset(name, min(ttls), str(records[0]["type"]), contents)


def ttl_of(record: Mapping[str, Any]) -> int:
    """Return the seconds that a record may be cached; 1 means automatic."""
    ttl = int(record.get("ttl", 1))
    return AUTOMATIC_TTL if ttl == 1 else ttl


def content_of(record: Mapping[str, Any]) -> str:
    """Return a record's content as a zone file has it."""
    content = str(record["content"])
    if record["type"] == "TXT":
        return quoted(content)
    if record["type"] in {"MX", "URI"} and "priority" in record:
        return f"{record['priority']} {content}"
    return content


def quoted(content: str) -> str:
    """Return TXT content as quoted strings; what is quoted already stays as it is."""
    if content.startswith('"') and _is_quoted(content):
        return content
    pieces = [content[start : start + STRING] for start in range(0, len(content), STRING)] or [""]
    escaped = (piece.replace("\\", "\\\\").replace('"', '\\"') for piece in pieces)
    return " ".join(f'"{piece}"' for piece in escaped)


def _is_quoted(content: str) -> bool:
    try:
        dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.TXT, content)
    except dns.exception.DNSException:
        return False
    return True
