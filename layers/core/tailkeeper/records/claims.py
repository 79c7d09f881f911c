"""Who answers a name that several exposures want, by ExternalDNS's rules.

A name with a CNAME holds nothing else (RFC 1034, 3.6.2): addresses win over a CNAME. Of each record
type, the object that the standing mark names keeps it, else the smallest targets win: the fewest,
then addresses before names, in order.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from tailkeeper.records.fitting import fitted
from tailkeeper.records.held import Held, spelled


if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from tailkeeper.records.surface import Wanted

    Kinds = dict[str, list[Wanted]]


@dataclass(frozen=True, slots=True)
class Unread:
    """What a read does not prove: kinds of objects that were not read whole, and single hosts."""

    kinds: Collection[str] = ()
    hosts: Collection[str] = ()

    def hides(self, host: str, resource: str) -> bool:
        """Say whether an object that no longer claims a name may still want it."""
        return host in self.hosts or resource.partition("/")[0] in self.kinds


NOTHING = Unread()


def settled(
    host: str,
    claims: Sequence[Wanted],
    standing: Held,
    reports: list[str],
    unread: Unread = NOTHING,
) -> Wanted | None:
    """Settle who answers a name, and report what is left out.

    None keeps what stands: an object that has the name is not known to have let go of it. Where the
    owner's gateway is refused, its claim is returned without targets.
    """
    owners = set(standing.resources.values())
    if len(claims) == 1 and len(claims[0].targets) == 1 and owners <= {claims[0].resource}:
        return claims[0]  # nearly every name, nearly always
    for owner in sorted(owners - {claim.resource for claim in claims}):
        if unread.hides(host, owner):
            reports.append(f"{host} stays as it is: {owner}, which has it, may be unread")
            return None
    kinds = _by_kind(claims)
    if not kinds or any(not c.targets and c.resource in owners for c in claims):
        return min(claims, key=lambda c: (c.resource not in owners, bool(c.targets), c.resource))
    if len(kinds) > 1 and (dropped := kinds.pop("CNAME", [])):
        names = ", ".join(target for claim in dropped for target in claim.targets)
        reports.append(f"{host} has addresses: the CNAME to {names} is left out")
    chosen = [_chosen(host, kind, kinds[kind], standing, reports) for kind in sorted(kinds)]
    return _joined(chosen)


def zone_wanted(
    claims: Mapping[str, Sequence[Wanted]],
    held: Mapping[str, Held],
    plan: str,
    reports: list[str],
    unread: Unread = NOTHING,
) -> dict[str, Wanted]:
    """Return what a zone of that plan should answer, by name, given everybody's claims to it."""
    wanted: dict[str, Wanted] = {}
    for host, made in claims.items():
        if made and (won := settled(host, made, held.get(host, Held()), reports, unread)):
            wanted[host] = fitted(won, plan, reports)
    return wanted


def _by_kind(claims: Iterable[Wanted]) -> Kinds:
    """Return the claims by record type, each with the targets of that type only."""
    kinds: Kinds = defaultdict(list)
    for claim in claims:
        targets: dict[str, list[str]] = defaultdict(list)
        for target in claim.targets:
            targets[spelled(target)[0]].append(target)
        for kind, fitting in targets.items():
            whole = len(fitting) == len(claim.targets)
            kinds[kind].append(claim if whole else replace(claim, targets=tuple(fitting)))
    return kinds


def _chosen(
    host: str, kind: str, claims: Sequence[Wanted], standing: Held, reports: list[str]
) -> Wanted:
    owner = standing.resources.get(kind, standing.resource)
    ranked = sorted(claims, key=lambda c: (c.resource != owner, _size(c.targets), c.resource))
    first = ranked[0]
    if len({_answers(claim) for claim in claims}) > 1:
        told = ", ".join(claim.resource for claim in ranked)
        reports.append(f"{host} is wanted differently by {told}: the first is followed")
    if kind == "CNAME" and len(first.targets) > 1:
        smallest = min(first.targets, key=_rank)
        reports.append(f"{host} can have one CNAME only: {smallest} is followed")
        return replace(first, targets=(smallest,))
    return first


def _answers(claim: Wanted) -> frozenset[tuple[str, str]]:
    return frozenset(map(spelled, claim.targets))


def _size(targets: Sequence[str]) -> tuple[Any, ...]:
    return len(targets), [_rank(target) for target in sorted(targets)]


def _rank(target: str) -> tuple[int, int, str]:
    """Order targets as ExternalDNS does: addresses by value, IPv4 first, then names."""
    kind, content = spelled(target)
    if kind == "CNAME":
        return 2, 0, content
    return int(kind == "AAAA"), int(ip_address(content)), ""


def _joined(chosen: Sequence[Wanted]) -> Wanted:
    """Return the claims of each record type as one; their gateway's move is one if it is one."""
    first = chosen[0]
    if len(chosen) == 1:
        return first
    targets = tuple(target for claim in chosen for target in claim.targets)
    if all(replace(claim, targets=first.targets) == first for claim in chosen):
        return replace(first, targets=targets)
    alone = all(claim.gateway == first.gateway for claim in chosen)
    former = first.former if alone else frozenset()
    return replace(first, targets=targets, former=former, parts=tuple(chosen))
