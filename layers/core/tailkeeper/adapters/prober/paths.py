"""The paths by which clients come to an exposure, and how each is probed.

view     path             what is asked
public   authoritative    the zone's own servers: exactly the planned records
tailnet  split-dns        the tailnet's resolver: the planned addresses; then these
tailnet  magic-dns        the MagicDNS name that the public CNAME leads to, or the exposure's own
tailnet  public-record    the tailnet addresses that the public records hold
tailnet  rest-of-zone     the resolver, for names that are no exposures

Before a change, the tailnet's paths are those that clients have then, so that what works by them
can be seen to work no more. The public view is always held against the plan.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tailkeeper.carriers.tailnet import is_tailnet_address
from tailkeeper.proof.answers import ADDRESSES, ASKED, judge_rest, judge_split, judge_zone
from tailkeeper.proof.hops import Blind, Outcome, asked_name


if TYPE_CHECKING:
    from tailkeeper.adapters.prober.patience import Patience
    from tailkeeper.adapters.prober.vantage import Vantage

Target = Mapping[str, Any]  # as tailkeeper.proof.expectations makes it
MAGIC_DNS = ".ts.net"
CHALLENGE = ("TXT", *ADDRESSES)


@dataclass(frozen=True)
class Path:
    """One way of one view; `probe` raises Fault or Blind."""

    view: str
    name: str
    probe: Callable[[Vantage, Target, Patience], Awaitable[Outcome]]


def paths_of(target: Target) -> Iterator[Path]:
    """Yield the paths to a target."""
    if target["kind"] != "exposure":
        yield Path("tailnet", "rest-of-zone", _rest_of_zone)
        return
    if "public" in target:
        yield Path("public", "authoritative", _authoritative)
        if _magic_names(target["public"]):
            yield Path("tailnet", "magic-dns", _magic_dns)
        if _tailnet_records(target["public"]):
            yield Path("tailnet", "public-record", _public_record)
    if "tailnet" in target:
        yield Path("tailnet", "split-dns", _split_dns)
    if "magic" in target:
        yield Path("tailnet", "magic-dns", _own_name)


async def _authoritative(vantage: Vantage, target: Target, patience: Patience) -> Outcome:
    _must_exist(vantage, created=target["created"])
    name = asked_name(target["host"])
    answers = await vantage.authorities.ask(name, ASKED, patience)
    return judge_zone(target["public"]["records"], answers)


async def _split_dns(vantage: Vantage, target: Target, patience: Patience) -> Outcome:
    _must_exist(vantage, created=target["tailnet"]["created"])
    said = _said(vantage, target["tailnet"])
    name = asked_name(target["host"])
    answers = await vantage.resolve(said["nameserver"], name, ASKED, patience)
    resolved = judge_split(said["addresses"], answers)
    if resolved.state != "healthy":
        return resolved
    return await vantage.reach(said["addresses"], target, patience)


async def _magic_dns(vantage: Vantage, target: Target, patience: Patience) -> Outcome:
    return await vantage.reach(_led_to(vantage, target, _magic_names), target, patience)


async def _own_name(vantage: Vantage, target: Target, patience: Patience) -> Outcome:
    return await vantage.reach([target["host"]], target, patience)


async def _public_record(vantage: Vantage, target: Target, patience: Patience) -> Outcome:
    return await vantage.reach(_led_to(vantage, target, _tailnet_records), target, patience)


async def _rest_of_zone(vantage: Vantage, target: Target, patience: Patience) -> Outcome:
    name, said = target["host"], _said(vantage, target["tailnet"])
    kinds = CHALLENGE if target["kind"] == "challenge" else ADDRESSES
    public = {}
    if said["otherwise"] != "nxdomain":
        public = await vantage.authorities.ask(name, kinds, patience)
    answers = await vantage.resolve(said["nameserver"], name, kinds, patience)
    return judge_rest(said["otherwise"], answers, public)


def _said(vantage: Vantage, part: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a part of a target says when we look: before the change, what stands."""
    said: Mapping[str, Any] = part.get("before", part) if vantage.before else part
    return said


def _led_to(
    vantage: Vantage, target: Target, places: Callable[[Mapping[str, Any]], list[str]]
) -> list[str]:
    """Return where the public records lead clients of the tailnet; raise Blind for nowhere."""
    public = _said(vantage, target["public"])
    found = places(public) or _magic_names(public) or _tailnet_records(public)
    if not found:
        raise Blind("the public records did not lead into the tailnet before the change")
    return found


def _must_exist(vantage: Vantage, *, created: bool) -> None:
    """Raise Blind for a name that the change has yet to create."""
    if vantage.before and created:
        raise Blind("not asked before it exists: its denial would stay in caches")


def _magic_names(public: Mapping[str, Any]) -> list[str]:
    return [c for c in _unproxied(public) if c.lower().removesuffix(".").endswith(MAGIC_DNS)]


def _tailnet_records(public: Mapping[str, Any]) -> list[str]:
    return [content for content in _unproxied(public) if is_tailnet_address(content)]


def _unproxied(public: Mapping[str, Any]) -> list[str]:
    return [record["content"] for record in public["records"] if not record["proxied"]]
