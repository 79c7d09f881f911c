"""https://coredns.io/plugins/hosts: A, AAAA and PTR from a hosts file and from the Corefile.

What surprises: a name that it does not hold is SERVFAIL without `fallthrough`; another family or
type of a name that it holds is an empty answer, `fallthrough` or not; a line that it does not
understand is not an error; a file that disappears is still served as it was last read.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import dns.exception
import dns.name
import dns.reversename

from sandbox.coredns.durations import seconds
from sandbox.coredns.errors import CorefileError
from sandbox.coredns.files import Files, joined
from sandbox.coredns.plugins.hosts_table import FAMILIES, Table
from sandbox.coredns.request import Answer, Failure, Fall, Next, Request
from sandbox.coredns.zones import matching, origins
from sandbox.dns.records import rrset


if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.coredns.directives import Directive, Line
    from sandbox.coredns.setup import Block
    from sandbox.coredns.version import Version


LONGEST_TTL = 65535


@dataclass
class Hosts:
    """The plugin of one server block."""

    files: Files
    version: Version
    zones: Sequence[str] = ()
    path: str = "/etc/hosts"
    ttl: int = 3600
    reverse: bool = True
    interval: float = 5.0
    fall: Fall = field(default_factory=Fall)
    unsupported: bool = False
    inline: Table = field(default_factory=Table)
    table: Table = field(default_factory=Table)
    read: str | None = None
    name: str = "hosts"

    async def serve(self, request: Request, following: Next) -> Answer:
        """Answer for the names it holds."""
        if request.rtype == "PTR":
            return await self._pointer(request, following)
        if matching(self.zones, request.name) is None:
            return await following(request)
        held = self.held(request.name)
        if not held:
            through = self.fall.through(request.name)
            return await following(request) if through else Failure()
        if request.rtype not in FAMILIES.values() and self._passes_on(request.name):
            return await following(request)
        response = request.reply()
        if addresses := held.get(request.rtype):
            response.answer = [rrset(request.name, self.ttl, request.rtype, addresses)]
        return response

    def held(self, name: str) -> dict[str, list[str]]:
        """Return a name's addresses by type; the file's first, then the Corefile's."""
        exact = self._exact(name)
        if exact or not self.version.hosts_has_wildcards:
            return exact
        return self._exact(f"*.{name.partition('.')[2]}")

    def refresh(self) -> None:
        """Read the file again if it has changed."""
        text = self.files.text(self.path)
        if text is not None and text != self.read:
            self.read = text
            self.table = Table.parse(text.splitlines(), self.zones)

    def _exact(self, name: str) -> dict[str, list[str]]:
        merged: dict[str, list[str]] = defaultdict(list)
        for table in (self.table, self.inline):
            for family, addresses in table.addresses.get(name, {}).items():
                merged[family] += addresses
        return merged

    def _passes_on(self, name: str) -> bool:
        wanted = self.unsupported or self.version.hosts_passes_other_types
        return wanted and self.fall.through(name)

    async def _pointer(self, request: Request, following: Next) -> Answer:
        owners = self._owners(request) if self.reverse else []
        if not owners:
            return await following(request)
        response = request.reply()
        response.answer = [rrset(request.name, self.ttl, "PTR", owners)]
        return response

    def _owners(self, request: Request) -> list[str]:
        try:
            address = dns.reversename.to_address(dns.name.from_text(request.name))
        except (dns.exception.DNSException, ValueError):
            return []
        names = self.table.owners.get(address, []) + self.inline.owners.get(address, [])
        wild = self.version.hosts_has_wildcards
        return [name for name in names if not (wild and name.startswith("*."))]


def setup(directives: Sequence[Directive], block: Block) -> Hosts:
    """Read `hosts [FILE [ZONES...]] { ... }`; raise CorefileError."""
    if len(directives) > 1:
        raise CorefileError("this plugin can only be used once per Server Block")
    args = directives[0].args
    plugin = Hosts(block.around.files, block.around.version)
    plugin.path = joined(block.root or "/", args[0]) if args else plugin.path
    plugin.zones = origins(args[1:], block.zones)
    inline: list[str] = []
    for line in directives[0].block:
        _property(plugin, line, inline)
    if plugin.unsupported and plugin.fall.zones is None:
        raise directives[0].error("fallthrough_unsupported requires fallthrough")
    plugin.inline = Table.parse(inline, plugin.zones)
    if args and block.around.files.text(plugin.path) is None:
        block.around.log(f"[WARNING] plugin/hosts: File does not exist: {plugin.path}")
    plugin.refresh()
    return plugin


def _property(plugin: Hosts, line: Line, inline: list[str]) -> None:
    match line.name:
        case "ttl":
            plugin.ttl = _ttl(line)
        case "reload":
            plugin.interval = _interval(line)
        case "no_reverse":
            plugin.reverse = False
        case "fallthrough":
            plugin.fall = Fall(origins(line.args, ["."]))
        case "fallthrough_unsupported" if plugin.version.hosts_knows_fallthrough_unsupported:
            line.none()
            plugin.unsupported = True
        case _ if plugin.fall.zones is None:
            inline.append(" ".join([line.name, *line.args]))
        case _:
            raise line.unknown()


def _ttl(line: Line) -> int:
    if not line.args:
        raise line.error("ttl needs a time in second")
    try:
        ttl = int(line.args[0])
    except ValueError:
        raise line.error("ttl needs a number of second") from None
    if not 0 < ttl <= LONGEST_TTL:
        raise line.error("ttl provided is invalid")
    return ttl


def _interval(line: Line) -> float:
    if len(line.args) != 1:
        raise line.error("reload needs a duration (zero seconds to disable)")
    try:
        interval = seconds(line.args[0])
    except ValueError:
        raise line.error(f"invalid duration for reload '{line.args[0]}'") from None
    if interval < 0:
        raise line.error(f"invalid negative duration for reload '{line.args[0]}'")
    return interval
