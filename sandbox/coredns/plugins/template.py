"""https://coredns.io/plugins/template: answers written as templates.

What surprises: a class or type that does not fit goes on to the next template and plugin, a name
that no regular expression matches is SERVFAIL without `fallthrough`; records are only parsed when
a query comes, so that a broken one is SERVFAIL then and never an error of the Corefile.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dns.exception
import dns.flags
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.tokenizer
import dns.ttl

from sandbox.coredns import gotemplate, regex
from sandbox.coredns.errors import CorefileError, NotEmulatedError
from sandbox.coredns.plugins.template_rule import Rule
from sandbox.coredns.request import Answer, Failure, Fall, Next, Request
from sandbox.coredns.zones import origins


if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.coredns.directives import Directive, Line
    from sandbox.coredns.setup import Block


CLASSES = frozenset({"IN", "CH", "HS", "NONE", "ANY"})
DEFAULT_TTL = 3600


@dataclass
class TemplatePlugin:
    """All templates of one server block, tried in order."""

    rules: Sequence[Rule]
    name: str = "template"

    async def serve(self, request: Request, following: Next) -> Answer:
        """Answer by the first template that fits."""
        for rule in self.rules:
            if not rule.concerns(request):
                continue
            data = rule.match(request)
            if data is not None:
                return await _answer(rule, data, request)
            if not rule.fall.through(request.name):
                return Failure()
        return await following(request)


async def _answer(rule: Rule, data: dict[str, Any], request: Request) -> Answer:
    if rule.rcode == dns.rcode.SERVFAIL:
        return Failure()
    response = request.reply(rule.rcode)
    try:
        for template in rule.sections["answer"]:
            response.answer.append(record := parsed(template.render(data)))
            if record.rdtype == dns.rdatatype.CNAME and request.rtype in {"A", "AAAA"}:
                response.answer += await _behind(record, request)
        response.authority = [parsed(t.render(data)) for t in rule.sections["authority"]]
        response.additional = [parsed(t.render(data)) for t in rule.sections["additional"]]
    except (dns.exception.DNSException, ValueError) as error:
        return Failure(error=str(error))
    return response


async def _behind(record: dns.rrset.RRset, request: Request) -> list[dns.rrset.RRset]:
    alias: Any = record[0]
    found = await request.lookup(alias.target.to_text(), request.rtype)
    return list(found.answer)


def parsed(text: str) -> dns.rrset.RRset:
    """Return the one record that a line of a zone file spells: `NAME [TTL] [CLASS] TYPE DATA`.

    Raises a dns.exception or ValueError.
    """
    words = dns.tokenizer.Tokenizer(text)
    name = words.get_name(dns.name.root)
    ttl, rclass = DEFAULT_TTL, "IN"
    while (word := words.get_identifier()) in CLASSES or word[:1].isdigit():
        if word in CLASSES:
            rclass = word
        else:
            ttl = dns.ttl.from_text(word)
    rdata = dns.rdata.from_text(rclass, word, words, dns.name.root, relativize=False)
    return dns.rrset.from_rdata(name, ttl, rdata)


def setup(directives: Sequence[Directive], block: Block) -> TemplatePlugin:
    """Read every `template CLASS TYPE [ZONE...] { ... }`; raise CorefileError."""
    return TemplatePlugin([_rule(directive, block) for directive in directives])


def _rule(directive: Directive, block: Block) -> Rule:
    if len(directive.args) < 2:
        raise directive.argument_error()
    rclass, rtype, *zones = directive.args
    if rclass not in CLASSES:
        raise directive.error(f"invalid query class {rclass}")
    if not _is_type(rtype):
        raise directive.error(f"invalid RR class {rtype}")
    rule = Rule(rclass, rtype, origins(zones, block.zones))
    for line in directive.block:
        _property(rule, line)
    return rule


def _property(rule: Rule, line: Line) -> None:
    match line.name:
        case "match":
            rule.patterns += [_pattern(line, text) for text in line.some()]
        case "answer" | "authority" | "additional":
            rule.sections[line.name] += [_template(line, text) for text in line.some()]
        case "rcode":
            rule.rcode = _rcode(line)
        case "fallthrough":
            rule.fall = Fall(origins(line.args, ["."]))
        case "ederror":
            _check_ederror(line)
        case "upstream":
            pass  # read and ignored, as CoreDNS does
        case "var" | "expr":
            raise NotEmulatedError(f"template's {line.name}")
        case _:
            raise line.unexpected()


def _pattern(line: Line, text: str) -> re.Pattern[str]:
    try:
        return regex.compiled(text)
    except re.error as error:
        raise line.error(f"could not parse regex: {text}, {error}") from error


def _template(line: Line, text: str) -> gotemplate.Template:
    try:
        return gotemplate.compiled(text)
    except NotEmulatedError:
        raise
    except CorefileError as error:
        reason = f"template: {line.name}:1: {error}"
        raise line.error(f"could not compile template: {line.name}, {reason}") from error


def _rcode(line: Line) -> dns.rcode.Rcode:
    text = line.some()[0]
    if text not in dns.rcode.Rcode.__members__:
        raise line.error(f"unknown rcode {text}")
    return dns.rcode.Rcode[text]


def _check_ederror(line: Line) -> None:
    if len(line.args) not in {1, 2}:
        raise line.argument_error()
    if not line.args[0].isdecimal():
        raise line.error(f"error parsing extended DNS error code {line.name}")


def _is_type(text: str) -> bool:
    return text in dns.rdatatype.RdataType.__members__
