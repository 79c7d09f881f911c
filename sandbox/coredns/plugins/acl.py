"""https://coredns.io/plugins/acl: who may ask for what."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

import dns.flags
import dns.rcode
import dns.rdatatype

from sandbox.coredns.request import Answer, Failure, Next, Request
from sandbox.coredns.zones import matching, origins


if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.coredns.directives import Directive, Line
    from sandbox.coredns.setup import Block


ACTIONS = frozenset({"allow", "block", "filter", "drop"})
EVERYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))


@dataclass(frozen=True)
class Policy:
    """One line of a rule; no types means every type."""

    action: str
    types: frozenset[str]
    networks: Sequence[IPv4Network | IPv6Network]

    def matches(self, request: Request) -> bool:
        """Say whether the policy is about this query."""
        if self.types and request.rtype not in self.types:
            return False
        client = ip_address(request.client.address)
        return any(client in network for network in self.networks)


@dataclass
class Acl:
    """All `acl` directives of a server block: zones and policies."""

    rules: Sequence[tuple[Sequence[str], Sequence[Policy]]]
    name: str = "acl"

    async def serve(self, request: Request, following: Next) -> Answer:
        """Let a query through, or not: the first policy that matches decides."""
        action = self._action(request)
        if action == "block":
            return Failure(dns.rcode.REFUSED)
        if action == "drop":
            return None
        if action == "filter":
            response = request.reply()
            response.flags &= ~dns.flags.AA
            return response
        return await following(request)

    def _action(self, request: Request) -> str:
        for zones, policies in self.rules:
            if matching(zones, request.name) is None:
                continue
            for policy in policies:
                if policy.matches(request):
                    if policy.action != "allow":
                        return policy.action
                    break
        return "allow"


def setup(directives: Sequence[Directive], block: Block) -> Acl:
    """Read every `acl [ZONES...] { ACTION [type QTYPE...] [net SOURCE...] }`."""
    return Acl(
        [
            (origins(directive.args, block.zones), [_policy(line) for line in directive.block])
            for directive in directives
        ]
    )


def _policy(line: Line) -> Policy:
    if line.name.lower() not in ACTIONS:
        raise line.error(f"unexpected token '{line.name}'; expect '{', '.join(sorted(ACTIONS))}'")
    found: dict[str, list[str]] = {"type": [], "net": []}
    section = ""
    for word in line.args:
        if word.lower() in found:
            section = word.lower()
        elif section:
            found[section].append(word)
        else:
            raise line.error(f"unexpected token '{word}'; expect 'type | net'")
    types = frozenset(_type(line, word) for word in found["type"] if word != "*")
    networks = [_network(line, word) for word in found["net"] if word != "*"]
    everywhere = not networks or "*" in found["net"]
    return Policy(
        line.name.lower(),
        frozenset() if "*" in found["type"] else types,
        EVERYWHERE if everywhere else networks,
    )


def _type(line: Line, word: str) -> str:
    if word.upper() not in dns.rdatatype.RdataType.__members__:
        raise line.error(f"unexpected token '{word}'; expect legal QTYPE")
    return word.upper()


def _network(line: Line, word: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(word, strict=False)
    except ValueError:
        raise line.error(f"illegal CIDR notation '{word}'") from None
