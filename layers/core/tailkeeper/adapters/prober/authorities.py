"""What the zones' own name servers say."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tailkeeper.adapters.prober.datagrams import DatagramServer, Place
from tailkeeper.adapters.prober.messages import answer_of, question
from tailkeeper.adapters.prober.nameservers import NoAnswer
from tailkeeper.adapters.prober.patience import ENOUGH, Patience, Silences
from tailkeeper.hops import Blind
from tailkeeper.hostnames import zone_of


if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from tailkeeper.answers import Answer, Answers

DNS = 53
TRIES = 3
ANYWHERE = ""  # the zone that stands for every name


@dataclass(frozen=True)
class Authorities:
    """The servers that answer for each zone."""

    servers: Mapping[str, Sequence[DatagramServer]]
    _silences: Silences = field(default_factory=Silences)

    async def ask(self, name: str, kinds: Sequence[str], patience: Patience) -> Answers:
        """Return a name's answers by type; raise Blind when no server gives one."""
        zone = ANYWHERE if ANYWHERE in self.servers else zone_of(name, self.servers)
        servers = self.servers[zone] if zone is not None else ()
        if not servers or zone is None:
            raise Blind(f"it is not known which name servers answer for {name}")
        if self._silences.gave_up(zone):
            raise Blind(f"the name servers for {name} let {ENOUGH} wait in vain")
        asked = [_asked(servers, name, kind, patience) for kind in kinds]
        try:
            answers = await asyncio.gather(*asked)
        except Blind:
            self._silences.miss(zone)
            raise
        self._silences.hit(zone)
        return dict(zip(kinds, answers, strict=True))


@asynccontextmanager
async def open_authorities(
    zones: Mapping[str, Sequence[str]], instead: str = ""
) -> AsyncIterator[Authorities]:
    """Open sockets to the zones' name servers, or to the one at `instead` (`host:port`).

    `zones` maps a zone to the names of its servers, which the system's resolver looks up.
    """
    placed = {zone: await _places(names) for zone, names in zones.items()}
    if instead:
        where = urlsplit(f"//{instead}")
        placed = {ANYWHERE: [(where.hostname or "", where.port or DNS)]}
    distinct = sorted({place for places in placed.values() for place in places})
    opened = {place: await DatagramServer.open(place) for place in distinct}
    try:
        yield Authorities({zone: [opened[p] for p in places] for zone, places in placed.items()})
    finally:
        for server in opened.values():
            server.close()


async def _asked(
    servers: Sequence[DatagramServer], name: str, kind: str, patience: Patience
) -> Answer:
    """Ask one server after another: a datagram may get lost."""
    why = ""
    for attempt in range(TRIES):
        server = servers[attempt % len(servers)]
        try:
            return answer_of(await server.ask(question(name, kind), patience))
        except (OSError, NoAnswer) as error:
            why = str(error) or type(error).__name__
    raise Blind(f"the name servers for {name} do not answer: {why}")


async def _places(names: Sequence[str]) -> list[Place]:
    """Return one address of each server, IPv4 where there is one; none for an unknown name."""
    loop = asyncio.get_running_loop()
    looked_up = await asyncio.gather(
        *(loop.getaddrinfo(name, DNS, type=socket.SOCK_DGRAM) for name in names),
        return_exceptions=True,
    )
    places = []
    for found in looked_up:
        if not isinstance(found, BaseException):
            first = min(found, key=lambda entry: entry[0] != socket.AF_INET)
            places.append((str(first[4][0]), int(first[4][1])))
    return places
