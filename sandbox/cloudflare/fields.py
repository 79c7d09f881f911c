"""The fields of one record: what a client may write, what Cloudflare adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.cloudflare.contents import TYPES, WITH_PRIORITY, content_of, is_proxiable
from sandbox.cloudflare.errors import invalid, refused
from sandbox.cloudflare.names import completed


@dataclass(frozen=True)
class Plan:
    """What a zone's plan allows; numbers from Cloudflare's documentation."""

    legacy_id: str
    title: str
    records: int
    operations: int
    comment: int
    tags: int
    shortest_ttl: int = 60


PLANS = {
    plan.legacy_id: plan
    for plan in (
        Plan("free", "Free Website", 200, 200, 100, 0),
        Plan("pro", "Pro Website", 3_500, 3_500, 500, 20),
        Plan("business", "Business Website", 3_500, 3_500, 500, 20),
        Plan("enterprise", "Enterprise Website", 1_000_000, 3_500, 500, 20, shortest_ttl=30),
    )
}
WRITABLE = ("name", "type", "content", "ttl", "proxied", "comment", "tags", "settings", "priority",
            "data", "private_routing")  # fmt: skip


def writable(fields: dict[str, Any]) -> dict[str, Any]:
    """Return what a client may set; the rest (an id in the body, `meta` …) is ignored."""
    return {key: fields[key] for key in WRITABLE if key in fields}


def settled(fields: dict[str, Any], zone: str, plan: Plan) -> dict[str, Any]:
    """Return a record's writable fields, complete and in Cloudflare's form, or raise Refused."""
    rtype = fields.get("type")
    if rtype not in TYPES:
        raise invalid(9001, "DNS record type is invalid.")
    name = completed(fields.get("name"), zone)
    content = content_of(rtype, name, fields)
    proxied = _proxied(fields.get("proxied"), rtype, content)
    record = {
        "name": name,
        "type": rtype,
        "content": content,
        "proxiable": is_proxiable(rtype, content),
        "proxied": proxied,
        "ttl": 1 if proxied else _ttl(fields.get("ttl"), plan),
        "settings": _settings(rtype, fields.get("settings")),
        "meta": {},
        "comment": _comment(fields.get("comment"), plan),
        "tags": _tags(fields.get("tags"), plan),
    }
    if rtype in WITH_PRIORITY:
        record["priority"] = _priority(fields)
    if isinstance(fields.get("data"), dict):
        record["data"] = fields["data"]
    return record


def _proxied(value: Any, rtype: str, content: str) -> bool:
    if value is not None and not isinstance(value, bool):
        raise invalid(9003, "Invalid 'proxied' value, must be a boolean")
    if value and rtype not in {"A", "AAAA", "CNAME"}:
        raise refused(9004, "This record type cannot be proxied.")
    if value and not is_proxiable(rtype, content):
        raise refused(9003, f"Target {content} is not allowed for a proxied record.")
    return bool(value)


def _ttl(value: Any, plan: Plan) -> int:
    if value is None:
        return 1
    whole = isinstance(value, int | float) and not isinstance(value, bool) and int(value) == value
    if not whole or not (value == 1 or plan.shortest_ttl <= value <= 86_400):
        raise refused(
            9021,
            f"Invalid TTL. Must be between {plan.shortest_ttl} and 86,400 seconds,"
            " or 1 for Automatic.",
        )
    return int(value)


def _settings(rtype: str, value: Any) -> dict[str, Any]:
    known = {"flatten_cname": False} if rtype == "CNAME" else {}
    return known | (value if isinstance(value, dict) else {})


def _comment(value: Any, plan: Plan) -> str | None:
    if not value:
        return None
    if not isinstance(value, str) or {"\n", "\r"} & set(value):
        raise invalid(9302, "DNS record comment must be text without line breaks.")
    if len(value) > plan.comment:
        raise invalid(
            9301, f"DNS record comment has {len(value)} characters, exceeding {plan.comment}."
        )
    return value


def _tags(value: Any, plan: Plan) -> list[str]:
    if not value:
        return []
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        raise invalid(9303, "DNS record tags must be a list of name:value texts.")
    if len(value) > plan.tags:
        raise refused(
            9300, f"DNS record has {len(value)} tags, exceeding the quota of {plan.tags}."
        )
    return list(value)


def _priority(fields: dict[str, Any]) -> int:
    value = fields.get("priority", (fields.get("data") or {}).get("priority"))
    if not isinstance(value, int | float) or not 0 <= value <= 65_535:
        raise refused(9102, "priority is a required field.")
    return int(value)
