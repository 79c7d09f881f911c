"""https://coredns.io/plugins/rewrite: another question for the plugins, the client's own back.

What surprises: the first rule that matches is the last unless it says `continue`; records in the
answer keep the rewritten name unless the match is `exact` or the rule says `answer auto`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.exception
import dns.rcode
import dns.rdataclass
import dns.rdatatype

from sandbox.coredns.errors import CorefileError, NotEmulatedError
from sandbox.coredns.plugins.rewrite_names import Matcher, matcher, name_rule
from sandbox.coredns.plugins.rewrite_records import Change, Rcode, Ttl
from sandbox.coredns.request import Answer, Failure, Next, Request
from sandbox.dns.wire import reply


if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.coredns.directives import Directive
    from sandbox.coredns.setup import Block


CONTINUE, STOP = "continue", "stop"


@dataclass(frozen=True)
class Rule:
    """One rule: a matcher that changes the question, and what it does to the answer."""

    match: Matcher
    stops: bool = True


@dataclass
class Rewrite:
    """All rules of one server block."""

    rules: Sequence[Rule]
    name: str = "rewrite"

    async def serve(self, request: Request, following: Next) -> Answer:
        """Ask the following plugins the rewritten question, and restore the client's."""
        asked = request
        changes: list[Change] = []
        for rule in self.rules:
            try:
                outcome = rule.match(asked)
            except dns.exception.DNSException as error:
                return Failure(error=f"invalid name after rewrite: {error}")
            if outcome is None:
                continue
            asked, more = outcome
            changes += more
            if rule.stops:
                break
        answer = await following(asked)
        return answer if asked is request and not changes else _reverted(answer, request, changes)


def _reverted(answer: Answer, request: Request, changes: Sequence[Change]) -> Answer:
    if answer is None:
        return None
    if isinstance(answer, Failure):
        response = reply(request.message, answer.rcode)
    else:
        response = reply(request.message, answer.rcode())
        response.flags = answer.flags
        for number in (1, 2, 3):
            response.sections[number] = list(answer.sections[number])
    try:
        for change in changes:
            change(response)
    except dns.exception.DNSException as error:
        return Failure(error=f"invalid name in answer: {error}")
    return response


def setup(directives: Sequence[Directive], _: Block) -> Rewrite:
    """Read every `rewrite [continue|stop] FIELD ...`, on one line or in braces."""
    return Rewrite([_rule(_words(directive)) for directive in directives])


def _words(directive: Directive) -> list[str]:
    words = list(directive.args)
    for line in directive.block:
        words += [line.name, *line.args]
    return words


def _rule(words: Sequence[str]) -> Rule:
    if not words:
        raise CorefileError("no rule type specified for rewrite")
    mode = words[0].lower()
    if mode in {CONTINUE, STOP}:
        words = words[1:]
        if not words:
            raise CorefileError(f"{mode} rule must begin with a rule type")
    return Rule(_matcher(words[0].lower(), words[1:]), stops=mode != CONTINUE)


def _matcher(kind: str, args: Sequence[str]) -> Matcher:
    match kind:
        case "name":
            return name_rule(args)
        case "type" | "class":
            return _exchange(kind, args)
        case "ttl":
            return _ttl_rule(args)
        case "rcode":
            return _rcode_rule(args)
        case "answer":
            raise CorefileError("response rewrites must begin with a name rule")
        case "edns0" | "cname":
            raise NotEmulatedError(f"rewrite's {kind}")
        case _:
            raise CorefileError(f'invalid rule type "{kind}"')


def _exchange(kind: str, args: Sequence[str]) -> Matcher:
    if len(args) != 2:
        raise CorefileError(f"{kind} rules must have exactly two arguments")
    known = dns.rdatatype.RdataType if kind == "type" else dns.rdataclass.RdataClass
    old, new = (text.upper() for text in args)
    for text in (old, new):
        if text not in known.__members__:
            raise CorefileError(f"invalid {kind} {text}")

    def match(request: Request) -> tuple[Request, list[Change]] | None:
        if kind == "type":
            return (request.asking(rtype=new), []) if request.rtype == old else None
        return (request.asking(rclass=new), []) if request.rclass == old else None

    return match


def _ttl_rule(args: Sequence[str]) -> Matcher:
    if len(args) not in {2, 3}:
        raise CorefileError("too few arguments for a ttl rule")
    kind, old, seconds = args if len(args) == 3 else ("exact", *args)
    low, _, high = seconds.partition("-")
    bounds = [low or "0", high or (str(2**31 - 1) if "-" in seconds else low)]
    if not all(bound.isdecimal() for bound in bounds):
        raise CorefileError(f"invalid ttl value: {seconds}")
    change = Ttl(int(bounds[0]), int(bounds[1]))
    fits = matcher(kind.lower(), old, "")
    return lambda request: (request, [change]) if fits(request.name) is not None else None


def _rcode_rule(args: Sequence[str]) -> Matcher:
    if len(args) not in {3, 4}:
        raise CorefileError("too few arguments for a rcode rule")
    kind, pattern, old, new = args if len(args) == 4 else ("exact", *args)
    codes = [dns.rcode.Rcode.__members__.get(text.upper()) for text in (old, new)]
    if codes[0] is None or codes[1] is None:
        raise CorefileError(f"invalid rcode {old} or {new}")
    change = Rcode(codes[0], codes[1])
    fits = matcher(kind.lower(), pattern, "")
    return lambda request: (request, [change]) if fits(request.name) is not None else None
