"""https://coredns.io/plugins/file: a zone from a master file.

What surprises: a file that is missing is only a warning, and its zone SERVFAIL until it is there;
a zone file without an SOA record is an error.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dns.exception
import dns.flags
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.zone

from sandbox.coredns.durations import duration
from sandbox.coredns.errors import CorefileError
from sandbox.coredns.files import Files, joined
from sandbox.coredns.plugins.zone import CNAME, NS, Zone
from sandbox.coredns.request import Answer, Failure, Fall, Next, Request
from sandbox.coredns.zones import matching, origins, within


if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.coredns.directives import Directive, Line
    from sandbox.coredns.setup import Block
    from sandbox.dns.wire import Message


CHAIN = 8


@dataclass
class ZoneFile:
    """One zone of a `file` directive."""

    files: Files
    path: str
    origin: str
    fall: Fall = field(default_factory=Fall)
    interval: float = 60.0
    by_change: bool = False
    zone: Zone | None = None
    read: str | None = None
    name: str = "file"

    def load(self) -> None:
        """Read the file for the first time; raise CorefileError for a broken one."""
        self.read = self.files.text(self.path)
        if self.read is not None:
            self.zone = Zone.parse(self.read, self.origin, self.path)

    def refresh(self) -> None:
        """Read the file again; a broken one, or one with the same serial, changes nothing."""
        text = self.files.text(self.path)
        if text is None or text == self.read:
            return
        self.read = text
        try:
            fresh = Zone.parse(text, self.origin, self.path)
        except CorefileError:
            return
        if self.zone is None or self.by_change or fresh.serial != self.zone.serial:
            self.zone = fresh

    async def answer(self, request: Request, following: Next) -> Answer:
        """Answer from the zone."""
        if self.zone is None:
            return Failure()
        response = request.reply()
        name = request.name
        for _ in range(CHAIN):
            target = self._fill(response, name, request)
            if not target:
                break
            if not within(target, self.origin):
                response.answer += (await request.lookup(target, request.rtype)).answer
                break
            name = target
        if response.rcode() == dns.rcode.NXDOMAIN and self.fall.through(request.name):
            return await following(request)
        return response

    def _fill(self, response: Message, name: str, request: Request) -> str:
        """Add what the zone has for one name; return a CNAME's target, or ""."""
        zone = self.zone or Zone(self.origin)
        if cut := zone.delegation(name):
            response.authority = [cut]
            response.flags &= ~dns.flags.AA
            return ""
        sets = zone.node(name)
        if sets is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
            response.authority = [zone.soa]
            return ""
        wanted = dns.rdatatype.from_text(request.rtype)
        if CNAME in sets and wanted != CNAME:
            response.answer.append(sets[CNAME])
            record: Any = sets[CNAME][0]
            return str(record.target.to_text().lower())
        if wanted in sets:
            response.answer.append(sets[wanted])
            apex = zone.nodes[self.origin]
            response.authority = [apex[NS]] if NS in apex and wanted != NS else []
        elif not response.answer:
            response.authority = [zone.soa]
        return ""


@dataclass
class FilePlugin:
    """All zones of the `file` directives of one server block."""

    zones: Sequence[ZoneFile]
    name: str = "file"

    async def serve(self, request: Request, following: Next) -> Answer:
        """Answer from the zone that holds the name."""
        origin = matching([zone.origin for zone in self.zones], request.name)
        for zone in self.zones:
            if zone.origin == origin:
                return await zone.answer(request, following)
        return await following(request)


def setup(directives: Sequence[Directive], block: Block) -> FilePlugin:
    """Read every `file DBFILE [ZONES...] { ... }`; raise CorefileError."""
    return FilePlugin([zone for directive in directives for zone in _zones(directive, block)])


def _zones(directive: Directive, block: Block) -> list[ZoneFile]:
    path, *zones = directive.some()
    path = joined(block.root or "/", path)
    plugins = [ZoneFile(block.around.files, path, o) for o in origins(zones, block.zones)]
    for plugin in plugins:
        plugin.load()
        if plugin.zone is None:
            again = f"trying again in {plugin.interval:g}s"
            block.around.log(f'[WARNING] plugin/file: Failed to open "{path}": {again}')
        for line in directive.block:
            _property(plugin, line)
    return plugins


def _property(plugin: ZoneFile, line: Line) -> None:
    match line.name:
        case "reload":
            plugin.interval = _interval(line.args)
        case "reload_by_mtime":
            plugin.by_change = True
        case "fallthrough":
            plugin.fall = Fall(origins(line.args, ["."]))
        case "upstream":
            pass  # read and ignored, as CoreDNS does
        case _:
            raise line.unknown()


def _interval(args: Sequence[str]) -> float:
    if not args:
        raise CorefileError("reload duration value is expected")
    return duration(args[0])
