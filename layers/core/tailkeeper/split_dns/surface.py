"""The `split-dns` surface: which nameserver the tailnet asks for each of the resolvers' domains.

A list may have other members; those that may answer stay beside ours
(`tailkeeper.split_dns.nameservers`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tailkeeper.model import Change


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PLACE = "tailnet"


@dataclass(frozen=True, slots=True)
class Nameserver:
    """One resolver as the tailnet should ask it; `former` are the addresses it had before.

    `address` is "" while its device is refused.
    """

    resolver: str
    address: str
    former: frozenset[str] = frozenset()


def plan_split_dns(
    standing: Mapping[str, Iterable[str]],
    wanted: Mapping[str, Iterable[Nameserver]],
    others: Mapping[str, Iterable[str]] | None = None,
) -> list[Change]:
    """Return the changes of the domains that are ours; other domains are never touched.

    `others` are, by domain, the nameservers of somebody else that stay.
    """
    changes = []
    for domain, resolvers in wanted.items():
        nameservers = tuple(resolvers)
        before = sorted(standing.get(domain) or ())
        own = {n.address for n in nameservers if n.address}
        after = sorted(own.union((others or {}).get(domain, ()))) if own else []
        if before != after or not after:
            former = frozenset().union(*(nameserver.former for nameserver in nameservers))
            changes.append(
                Change(
                    "split-dns",
                    domain,
                    {"nameservers": before} if before else None,
                    {"nameservers": after},
                    place=PLACE,
                    gateway=_decider(nameservers),
                    moved=bool(before) and set(before) - set(after) <= former,
                )
            )
    return changes


def value_of(nameservers: Iterable[str] | None) -> dict[str, Any] | None:
    """Return a domain's nameservers as changes carry them; None where it has none."""
    return {"nameservers": sorted(nameservers)} if nameservers else None


def _decider(nameservers: tuple[Nameserver, ...]) -> str:
    """Return the resolver by whose device the change stands or falls: a refused one first."""
    return min(nameservers, key=lambda nameserver: bool(nameserver.address)).resolver
