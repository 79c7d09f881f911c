"""A query on its way through the plugins, and what may come back."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from sandbox.dns.wire import Client, Message, question, reply


@dataclass(frozen=True)
class Failure:
    """A plugin gave up without writing an answer: the server writes the rcode."""

    rcode: dns.rcode.Rcode = dns.rcode.SERVFAIL
    error: str = ""


Answer = Message | Failure | None  # None: the query is dropped


@dataclass(frozen=True)
class Request:
    """A query as the next plugin sees it.

    `lookup` asks this same CoreDNS for another name and type, as plugins do to follow a CNAME.
    """

    message: Message
    client: Client
    lookup: Callable[[str, str], Awaitable[Message]] = field(repr=False)

    @property
    def name(self) -> str:
        """The name asked for, in lower case with its final dot."""
        return question(self.message)[0]

    @property
    def rtype(self) -> str:
        """The type asked for, such as `AAAA`; `TYPE65534` for one without a name."""
        return question(self.message)[1]

    @property
    def rclass(self) -> str:
        """The class asked for, such as `IN`."""
        return dns.rdataclass.to_text(self.message.question[0].rdclass)

    def reply(self, rcode: dns.rcode.Rcode = dns.rcode.NOERROR) -> Message:
        """Return an empty authoritative answer."""
        return reply(self.message, rcode, authoritative=True)

    def asking(
        self, *, name: str | None = None, rtype: str | None = None, rclass: str | None = None
    ) -> Request:
        """Return the same query with another question; raise dns.exception for no name."""
        asked = dns.rrset.RRset(
            self.message.question[0].name if name is None else dns.name.from_text(name),
            dns.rdataclass.from_text(rclass or self.rclass),
            dns.rdatatype.from_text(rtype or self.rtype),
        )
        message = copy.copy(self.message)
        message.sections = [[asked], [], [], []]
        return replace(self, message=message)


Next = Callable[[Request], Awaitable[Answer]]


class Plugin(Protocol):
    """A handler in the chain of a server block."""

    @property
    def name(self) -> str:
        """The directive's name."""

    async def serve(self, request: Request, following: Next) -> Answer:
        """Answer, fail, or ask the plugins that follow."""


class Refreshing(Protocol):
    """A plugin that reads its file again by itself."""

    @property
    def interval(self) -> float:
        """Seconds between two readings; 0 for never."""

    def refresh(self) -> None:
        """Read the file again if it has changed."""


@dataclass(frozen=True)
class Fall:
    """A `fallthrough` option: `zones` is None when it is absent, `["."]` for everything."""

    zones: list[str] | None = None

    def through(self, name: str) -> bool:
        """Say whether a name without an answer goes on to the next plugin."""
        zones = self.zones or []
        return any(zone in (".", name) or name.endswith(f".{zone}") for zone in zones)
