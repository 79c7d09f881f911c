"""What each view should say once a plan is applied: the targets of the proof.

A target is a JSON document:

    {"host", "port", "protocol", "zone", "created",
     "public":  {"records": [{"type", "content", "proxied"}]}   absent: the answer is not ours
     "tailnet": {"nameserver", "addresses": [...], "created"}   absent: no resolver answers it
     "magic":   true                                            a MagicDNS name, asked as it is
     "kind":    "exposure" | "apex" | "absent" | "challenge"}   the last three guard the rest

`created` says that the public record, or the resolver's entry, does not exist yet: asking for it
would plant a negative answer in caches. Where the plan changes what "public" or "tailnet" says, its
"before" is what stands until then: the way that clients have, and may lose. Of the rest of a
domain, "tailnet" says how it is answered `otherwise`: `public`, `nxdomain`, or `forwarded` (public,
even where that is a denial).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailkeeper.carriers.gateways import GatewayDevice
from tailkeeper.hostnames import is_wildcard, within
from tailkeeper.proof.hops import NO_SUCH_NAME
from tailkeeper.records.surface import value_of
from tailkeeper.resolver.surface import entries_of
from tailkeeper.world import carrier_of, place_of, resolvers_of


if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from tailkeeper.config import ZoneConfig
    from tailkeeper.model import Change, Exposure, Plan
    from tailkeeper.world import World

BATCH = 500

Key = tuple[str, str, str]


def targets_of(world: World, plan: Plan | None) -> list[dict[str, Any]]:
    """Return the targets, one for each name, in the order of names."""
    changes: dict[Key, Change] = {
        (change.surface, change.place, change.key): change
        for change in (plan.with_word("apply") if plan else ())
    }
    by_host: dict[str, list[Exposure]] = {}
    for exposure in world.exposures:
        by_host.setdefault(exposure.host, []).append(exposure)
    targets = [_target(world, by_host[host], changes) for host in sorted(by_host)]
    return [*targets, *_sentinels(world, by_host, changes)]


def batches_of(world: World, targets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the targets in batches of up to 500, with the zones' own name servers."""
    authorities = {name: zone["name_servers"] for name, zone in world.zones.items()}
    return [
        {"targets": targets[start : start + BATCH], "authorities": authorities}
        for start in range(0, len(targets), BATCH)
    ]


def _target(
    world: World, exposures: Sequence[Exposure], changes: Mapping[Key, Change]
) -> dict[str, Any]:
    """Return the target of one name: its views may each be somebody else's, as split horizon is."""
    first = exposures[0]
    zone = world.config.zone_of(first.host)
    target: dict[str, Any] = {
        "kind": "exposure",
        "host": first.host,
        "port": first.port,
        "protocol": first.protocol,
        "zone": zone.name if zone else "",
        "created": False,
    }
    if zone and any(exposure.published for exposure in exposures):
        target |= _public(world, zone, first.host, changes)
    inside = next((exposure for exposure in exposures if "tailnet" in exposure.views), None)
    if inside:
        target |= _tailnet(world, inside, changes)
        if inside.gateway and not world.config.answers(inside.host):
            target["magic"] = True
    return target


def _public(
    world: World, zone: ZoneConfig, host: str, changes: Mapping[Key, Change]
) -> dict[str, Any]:
    change = changes.get(("records", zone.name, host))
    standing = value_of(world.held[zone.name].get(host))
    value = change.after if change else standing
    if not value:
        return {"created": bool(change and change.before is None)}
    before = _records(change.before) if change and change.before else None
    return {
        "created": bool(change and change.before is None),
        "public": _with_before(_records(value), before),
    }


def _records(value: Mapping[str, Any]) -> dict[str, Any]:
    parts = ("type", "content", "proxied")
    return {"records": [{part: record[part] for part in parts} for record in value["records"]]}


def _with_before(said: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
    """Return what is said with what stands before it, where that is something else."""
    new = before and any(said[name] != value for name, value in before.items())
    return {**said, "before": before} if new else said


def _tailnet(world: World, exposure: Exposure, changes: Mapping[Key, Change]) -> dict[str, Any]:
    """Return the tailnet part of a target, by the first resolver that answers the name."""
    for cluster, config in resolvers_of(world.config):
        domain = next((d for d in config.domains if within(exposure.host, d)), "")
        if not domain or exposure.cluster not in {"", cluster.name}:
            continue
        place = place_of(cluster, config)
        change = changes.get(("resolver", place, exposure.host))
        standing = entries_of(world.resolvers[place]["text"]).get(exposure.host, ())
        addresses = (change.after or {}).get("addresses", ()) if change else standing
        asked, asked_before = _nameservers(world, carrier_of(cluster, config), domain, changes)
        created = bool(change and change.before is None)
        if addresses and asked:
            said = {"nameserver": asked, "addresses": list(addresses), "created": created}
            before = {"nameserver": asked_before, "addresses": list(standing)}
            return {"tailnet": _with_before(said, before if standing else None)}
    return {}


def _nameservers(
    world: World, carrier: str, domain: str, changes: Mapping[Key, Change]
) -> tuple[str, str]:
    """Return the nameserver that the tailnet will ask for a domain, and the one it asks now.

    The former is "" when there will be none; where none is asked now they are the same.
    """
    change = changes.get(("split-dns", "tailnet", domain))
    now = world.tailnet_document["split_dns"].get(domain) or ()
    planned = (change.after or {}).get("nameservers", ()) if change else now
    device = world.carriers[carrier]
    own = device.addresses if isinstance(device, GatewayDevice) else ()
    will, does = (
        next((address for address in asked if address in own), next(iter(asked), ""))
        for asked in (planned, now)
    )
    return will, does or will


def _sentinels(
    world: World, known: Collection[str], changes: Mapping[Key, Change]
) -> Iterator[dict[str, Any]]:
    """Yield what stands for the rest of a domain, wherever a resolver answers it.

    A challenge is looked for below the name that does not exist: a denial of a real one, cached,
    would hold up the issuer of the certificate that wants it.
    """
    for cluster, config in resolvers_of(world.config):
        for domain in config.domains:
            asked, before = _nameservers(world, carrier_of(cluster, config), domain, changes)
            wild = any(is_wildcard(host) and within(host, domain) for host in known)
            absent = f"{NO_SUCH_NAME}.{domain}"
            rest = [("challenge", f"_acme-challenge.{absent}", "forwarded")]
            if domain not in known:
                rest.append(("apex", domain, config.otherwise))
            if not wild:
                rest.append(("absent", absent, config.otherwise))
            for kind, host, otherwise in rest if asked else ():
                said = {"nameserver": asked, "otherwise": otherwise}
                yield {
                    "kind": kind,
                    "host": host,
                    "zone": domain,
                    "created": False,
                    "tailnet": _with_before(said, {**said, "nameserver": before}),
                }
