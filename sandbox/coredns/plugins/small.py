"""Plugins of a few lines that see every query.

https://coredns.io/plugins/ any, errors, loadbalance, log, loop, metadata, minimal, prometheus,
whoami.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.rcode
import dns.rdatatype
import dns.rrset

from sandbox.coredns.errors import CorefileError, NotEmulatedError
from sandbox.coredns.request import Answer, Failure, Next, Request
from sandbox.dns.records import rrset
from sandbox.dns.wire import Message


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.coredns.directives import Directive
    from sandbox.coredns.setup import Block


ROTATED = frozenset({dns.rdatatype.A, dns.rdatatype.AAAA, dns.rdatatype.MX})
ONCE = "this plugin can only be used once per Server Block"


@dataclass
class Through:
    """A handler that only passes on; it still makes its server block one that answers."""

    name: str

    async def serve(self, request: Request, following: Next) -> Answer:
        """Ask the following plugins."""
        return await following(request)


@dataclass
class Errors:
    """`errors`: failures to the log."""

    log: Callable[[str], None]
    name: str = "errors"

    async def serve(self, request: Request, following: Next) -> Answer:
        """Pass on, and log what went wrong."""
        answer = await following(request)
        if isinstance(answer, Failure) and answer.error:
            asked = f"{int(answer.rcode)} {request.name} {request.rtype}"
            self.log(f"[ERROR] plugin/errors: {asked}: {answer.error}")
        return answer


@dataclass
class Log:
    """`log`: every query and its rcode to the log."""

    log: Callable[[str], None]
    name: str = "log"

    async def serve(self, request: Request, following: Next) -> Answer:
        """Pass on, and log one line."""
        answer = await following(request)
        client = f"{request.client.address}:{request.client.port}"
        asked = f'"{request.rtype} {request.rclass} {request.name} {request.client.transport}"'
        if answer is not None:
            rcode = answer.rcode if isinstance(answer, Failure) else answer.rcode()
            self.log(f"[INFO] {client} - {request.message.id} {asked} {dns.rcode.to_text(rcode)}")
        return answer


@dataclass
class Any:
    """`any`: ANY queries are answered with a HINFO record (RFC 8482)."""

    name: str = "any"

    async def serve(self, request: Request, following: Next) -> Answer:
        """Answer ANY; pass on the rest."""
        if request.rtype != "ANY":
            return await following(request)
        response = request.reply()
        content = '"ANY obsoleted" "See RFC 8482"'
        response.answer = [rrset(request.name, 8482, "HINFO", [content])]
        return response


@dataclass
class LoadBalance:
    """`loadbalance`: addresses in random order."""

    name: str = "loadbalance"

    async def serve(self, request: Request, following: Next) -> Answer:
        """Shuffle the answer's addresses; CNAMEs stay in front."""
        answer = await following(request)
        if isinstance(answer, Message):
            answer.answer = [_shuffled(rrset) for rrset in answer.answer]
        return answer


@dataclass
class Minimal:
    """`minimal`: no authority and additional sections beside an answer."""

    name: str = "minimal"

    async def serve(self, request: Request, following: Next) -> Answer:
        """Strip an answer; leave denials and referrals."""
        answer = await following(request)
        if isinstance(answer, Message) and answer.answer:
            answer.authority, answer.additional = [], []
        return answer


@dataclass
class Whoami:
    """`whoami`: who asked, in the additional section."""

    name: str = "whoami"

    async def serve(self, request: Request, _: Next) -> Answer:
        """Answer everything."""
        response = request.reply()
        rtype = "AAAA" if ":" in request.client.address else "A"
        response.additional = [rrset(request.name, 0, rtype, [request.client.address])]
        return response


def errors(_: Sequence[Directive], block: Block) -> Errors:
    """Read `errors { ... }`; consolidation changes nothing here."""
    return Errors(block.around.log)


def log(_: Sequence[Directive], block: Block) -> Log:
    """Read `log [NAMES...] [FORMAT] { class ... }`; every class is logged here."""
    return Log(block.around.log)


def any_(directives: Sequence[Directive], _: Block) -> Any:
    """Read `any`."""
    for directive in directives:
        directive.none()
    return Any()


def load_balance(directives: Sequence[Directive], _: Block) -> LoadBalance:
    """Read `loadbalance [round_robin]`."""
    for directive in directives:
        policy = directive.args[:1]
        if policy and policy[0] == "weighted":
            raise NotEmulatedError("loadbalance's weighted policy")
        if policy not in ([], ["round_robin"]):
            raise directive.error(f"unknown policy: {policy[0]}")
    return LoadBalance()


def minimal(directives: Sequence[Directive], _: Block) -> Minimal:
    """Read `minimal`."""
    for directive in directives:
        directive.none()
    return Minimal()


def whoami(directives: Sequence[Directive], _: Block) -> Whoami:
    """Read `whoami`."""
    for directive in directives:
        directive.none()
    return Whoami()


def loop(directives: Sequence[Directive], _: Block) -> Through:
    """Read `loop`; the world has no loops to find."""
    if len(directives) > 1:
        raise CorefileError(ONCE)
    directives[0].none()
    return Through("loop")


def prometheus(directives: Sequence[Directive], _: Block) -> Through:
    """Read `prometheus [ADDRESS]`; nothing is measured."""
    if len(directives) > 1:
        raise CorefileError(ONCE)
    if len(directives[0].args) > 1:
        raise directives[0].argument_error()
    return Through("prometheus")


def metadata(_: Sequence[Directive], __: Block) -> Through:
    """Read `metadata [ZONES...]`."""
    return Through("metadata")


def _shuffled(records: dns.rrset.RRset) -> dns.rrset.RRset:
    if records.rdtype not in ROTATED:
        return records
    rdatas = list(records)
    random.shuffle(rdatas)
    return dns.rrset.from_rdata_list(records.name, records.ttl, rdatas)
