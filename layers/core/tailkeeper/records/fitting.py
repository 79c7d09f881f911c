"""What Cloudflare keeps of what somebody asked for a record: TTL, proxy, comment, tags.

A record that it would reject is made to fit, and said so. Limits: Cloudflare's documentation, by
the zone's plan.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tailkeeper.carriers.tailnet import is_tailnet_address
from tailkeeper.records.held import AUTOMATIC


if TYPE_CHECKING:
    from tailkeeper.records.surface import Wanted

LONGEST_TTL = 86_400


@dataclass(frozen=True, slots=True)
class Limits:
    """Of a record: the shortest TTL in seconds, a comment's characters, its tags; of a batch."""

    shortest_ttl: int
    comment: int
    tags: int
    operations: int


LIMITS = {"free": Limits(60, 100, 0, 200), "enterprise": Limits(30, 500, 20, 3500)}
PAID = Limits(60, 500, 20, 3500)
PLANS = ("free", "pro", "business", "enterprise")


def limits_of(plan: str) -> Limits:
    """Return the limits of a zone's plan; a plan that we do not know is a paid one."""
    return LIMITS.get(plan, PAID)


def fitted(wanted: Wanted, plan: str, reports: list[str]) -> Wanted:
    """Return what the zone's plan can hold of it; report what it cannot."""
    if wanted.parts:
        return replace(wanted, parts=tuple(fitted(part, plan, reports) for part in wanted.parts))
    if not (wanted.ttl or wanted.proxied or wanted.comment or wanted.tags):
        return wanted
    limits = limits_of(plan)
    ttl, comment, tags = _ttl(wanted, limits), wanted.comment, wanted.tags[: limits.tags]
    if ttl != wanted.ttl:
        reports.append(
            f"{wanted.host} has a TTL of {ttl} s: Cloudflare keeps none of {wanted.ttl} s"
        )
    if comment and len(comment) > limits.comment:
        comment = comment[: limits.comment]
        reports.append(f"{wanted.host}'s comment is cut after {limits.comment} characters")
    if tags != wanted.tags:
        reports.append(f"{wanted.host} keeps {len(tags)} tags: its zone's plan has no more")
    proxied = wanted.proxied and not any(map(is_tailnet_address, wanted.targets))
    if proxied != wanted.proxied:
        reports.append(f"{wanted.host} is not proxied: Cloudflare cannot reach the tailnet")
    return replace(wanted, ttl=ttl, comment=comment, tags=tags, proxied=proxied)


def _ttl(wanted: Wanted, limits: Limits) -> int | None:
    if not wanted.ttl or wanted.ttl == AUTOMATIC:
        return wanted.ttl
    return min(max(wanted.ttl, limits.shortest_ttl), LONGEST_TTL)
