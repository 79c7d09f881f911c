"""What the zones' own name servers say."""

from __future__ import annotations

import asyncio
import socket
from asyncio import FIRST_COMPLETED
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tailkeeper.adapters.prober.datagrams import DatagramServer, Place
from tailkeeper.adapters.prober.messages import answer_of, question
from tailkeeper.adapters.prober.nameservers import NoAnswer
from tailkeeper.adapters.prober.patience import ENOUGH, Patience, Silences
from tailkeeper.hostnames import zone_of
from tailkeeper.proof.hops import Blind


if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence

    from dns.message import Message

    from tailkeeper.proof.answers import Answer, Answers

DNS = 53
TRY = 2.0  # seconds for an answer to come back
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
    placed = {zone: await _places(names, DNS) for zone, names in zones.items()}
    if instead:
        where = urlsplit(f"//{instead}")
        placed = {ANYWHERE: await _places([where.hostname or ""], where.port or DNS)}
    opened = dict(_opened({place for places in placed.values() for place in places}))
    try:
        yield Authorities(
            {zone: [opened[p] for p in places if p in opened] for zone, places in placed.items()}
        )
    finally:
        for server in opened.values():
            server.close()


async def _asked(
    servers: Sequence[DatagramServer], name: str, kind: str, patience: Patience
) -> Answer:
    """Ask server after server, for datagrams get lost, and go on listening to those asked before.

    Raise Blind when the last has had its time.
    """
    why = "silence"
    waiting: set[asyncio.Task[Message]] = set()
    try:
        for attempt in range(TRIES):
            server = servers[attempt % len(servers)]
            waiting.add(asyncio.create_task(server.ask(question(name, kind), patience)))
            done, waiting = await asyncio.wait(waiting, timeout=TRY, return_when=FIRST_COMPLETED)
            for task in done:
                try:
                    return answer_of(task.result())
                except (OSError, NoAnswer) as error:
                    why = str(error)
    finally:
        for task in waiting:
            task.cancel()
    raise Blind(f"the name servers for {name} do not answer: {why}")


async def _places(names: Sequence[str], port: int) -> list[Place]:
    """Return one address of each server, IPv4 where there is one; none for an unknown name."""
    loop = asyncio.get_running_loop()
    looked_up = await asyncio.gather(
        *(loop.getaddrinfo(name, port, type=socket.SOCK_DGRAM) for name in names),
        return_exceptions=True,
    )
    places = []
    for found in looked_up:
        if not isinstance(found, BaseException):
            first = min(found, key=lambda entry: entry[0] != socket.AF_INET)
            places.append((str(first[4][0]), port))
    return places


def _opened(places: Iterable[Place]) -> Iterator[tuple[Place, DatagramServer]]:
    """Yield the servers to which this machine has a way."""
    for place in places:
        with suppress(OSError):
            yield place, DatagramServer.open(place)
