"""A CoreDNS of the sandbox, with everything around it in the test's hands."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import pytest

from sandbox.coredns import COREFILE, CoreDNS
from sandbox.dns import Client, reply
from sandbox.dns.records import rrset
from sandbox.dns.wire import Message, question


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


@dataclass
class StoppedClock:
    """Time that passes only when a test says so."""

    time: float = 1_700_000_000.0
    waiting: list[tuple[float, asyncio.Future[None]]] = field(default_factory=list)

    def now(self) -> float:
        """Return the time."""
        return self.time

    async def sleep(self, seconds: float) -> None:
        """Wait until `advance` gets there."""
        woken = asyncio.get_running_loop().create_future()
        self.waiting.append((self.time + seconds, woken))
        await woken

    async def advance(self, seconds: float) -> None:
        """Let time pass and everything happen that is due on the way."""
        end = self.time + seconds
        await _settled()
        while due := [entry for entry in self.waiting if entry[0] <= end]:
            first = min(due, key=lambda entry: entry[0])
            self.waiting.remove(first)
            self.time, woken = first
            if not woken.done():
                woken.set_result(None)
            await _settled()
        self.time = end


async def _settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@dataclass
class Upstream:
    """Other people's name servers: every A query has one answer, unless told otherwise.

    `dead` lists hosts that do not answer; `asked` what was asked of whom.
    """

    dead: set[str] = field(default_factory=set)
    rcodes: dict[str, dns.rcode.Rcode] = field(default_factory=dict)
    asked: list[tuple[str, int, str, str]] = field(default_factory=list)
    ttl: int = 300

    async def __call__(self, query: Message, host: str, port: int) -> Message:
        """Answer `203.0.113.9` to A queries, and nothing to others."""
        name, rtype = question(query)
        self.asked.append((host, port, name, rtype))
        if host in self.dead:
            raise TimeoutError(f"{host} is silent")
        response = reply(query, self.rcodes.get(host, dns.rcode.NOERROR), recursive=True)
        if rtype == "A" and response.rcode() == dns.rcode.NOERROR:
            response.answer = [rrset(name, self.ttl, "A", ["203.0.113.9"])]
        return response


@pytest.fixture
def clock() -> StoppedClock:
    """Return a clock that stands still."""
    return StoppedClock()


@pytest.fixture
def upstream() -> Upstream:
    """Return name servers that answer every A query."""
    return Upstream()


@pytest.fixture
def coredns(clock: StoppedClock, upstream: Upstream) -> Callable[..., CoreDNS]:
    """Return what makes a CoreDNS from a Corefile and other files; it is not started."""

    def make(corefile: str, files: Mapping[str, str] | None = None, **more: Any) -> CoreDNS:
        mounted = {COREFILE: corefile, **(files or {})}
        return CoreDNS(more.pop("mounted", mounted), clock, upstream, **more)

    return make


@pytest.fixture
def ask() -> Callable[..., str]:
    """Return what asks `NAME TYPE [CLASS]` and shows the answer in one line."""

    def asked(server: CoreDNS, words: str, client: str = "127.0.0.1") -> str:
        name, rtype, rclass = [*words.split(), "IN"][:3]
        query = dns.message.make_query(name, rtype, rclass)
        return shown(asyncio.run(server.answer(query, Client(client, 5353))))

    return asked


def shown(response: Message | None) -> str:
    """Return an answer as `RCODE [aa] | answer ; answer | authority | additional`."""
    if response is None:
        return "dropped"
    head = dns.rcode.to_text(response.rcode()) + (" aa" if response.flags & dns.flags.AA else "")
    sections = [
        " ; ".join(sorted(line for r in section for line in r.to_text().split("\n")))
        for section in (response.answer, response.authority, response.additional)
    ]
    return " | ".join([head, *sections]).rstrip(" |")


VECTORS = Path(__file__).parent / "vectors"
Case = tuple[str, ...]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that asks for `accepted`, `refused` or `answers` the cases of that file."""
    for name, read in (("accepted", _accepted), ("refused", _refused), ("answers", _answers)):
        if name in metafunc.fixturenames:
            cases = list(read(_lines(VECTORS / f"{name}.txt")))
            metafunc.parametrize(name, cases, ids=[f"{c[0]}-{c[-1]}"[:60] for c in cases])


def _lines(path: Path) -> list[str]:
    lines = path.read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _accepted(lines: list[str]) -> Iterator[Case]:
    for line in lines:
        page, body = line.split(":", 1)
        yield page, _corefile(body.strip())


def _refused(lines: list[str]) -> Iterator[Case]:
    for line in lines:
        case, message = line.split(" => ", 1)
        yield *next(_accepted([case])), message


def _answers(lines: list[str]) -> Iterator[Case]:
    case: Case = ()
    for line in lines:
        if line.startswith("? "):
            asked, expected = line.removeprefix("? ").split(" => ", 1)
            yield *case, asked, expected
        else:
            case = next(_accepted([line]))


def _corefile(body: str) -> str:
    text = body.replace(" / ", "\n").removesuffix(" /") + "\n"
    return text.removeprefix("@ ") if text.startswith("@ ") else f". {{\n{text}}}\n"
