"""One CoreDNS process: starts, answers, watches its files."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass

from sandbox.coredns.chain import Configuration, configure, read
from sandbox.coredns.errors import CorefileError
from sandbox.coredns.files import Files, Mounted
from sandbox.coredns.request import Answer, Failure, Request
from sandbox.coredns.setup import Services, Surroundings, Time, Upstream
from sandbox.coredns.version import Version
from sandbox.dns.wire import Client, Message, reply


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandbox.coredns.corefile import ServerBlock


COREFILE = "/etc/coredns/Corefile"
KEPT_LINES = 1000
DEEPEST = 8  # look-ups that CoreDNS makes of itself to follow one CNAME after another
CHAOS_SPEAKERS = frozenset({"chaos", "forward"})
State = Literal["stopped", "running", "failed"]


@dataclass
class CoreDNS:
    """A CoreDNS container.

    `files` maps the paths that it sees to texts, or returns such a mapping when called, so that a
    ConfigMap's new content appears at once, as the kubelet swaps it. `upstream` asks another name
    server: `(query, host, port)`; it raises OSError when nobody answers. `log` holds what CoreDNS
    would print.
    """

    files: Mounted
    clock: Time
    upstream: Upstream
    services: Services = tuple
    environment: Mapping[str, str] = field(default_factory=dict)
    version: Version = field(default_factory=Version)
    path: str = COREFILE
    chance: Callable[[float, float], float] = random.uniform
    log: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))
    state: State = "stopped"
    configuration: Configuration | None = None
    seen: list[ServerBlock] = field(default_factory=list)

    def start(self) -> None:
        """Read the Corefile; raise CorefileError for a bad one: the process has exited with 1."""
        try:
            self.seen = read(self.path, self._around())
            self.configuration = configure(self.path, self._around())
        except CorefileError as error:
            self.state = "failed"
            self.log.append(str(error))
            raise
        self.state = "running"

    def stop(self) -> None:
        """End the process; it answers nothing until it is started again."""
        self.state, self.configuration = "stopped", None

    async def answer(
        self, message: Message, client: Client | None = None, *, port: int = 53
    ) -> Message | None:
        """Answer a query that came in on `port`; None for no answer at all."""
        if self.configuration is None:
            return None
        return await self._answer(message, client or Client(), port, depth=0)

    async def _answer(
        self, message: Message, client: Client, port: int, *, depth: int
    ) -> Message | None:
        async def lookup(name: str, rtype: str) -> Message:
            query = dns.message.make_query(name, rtype)
            found = await self._answer(query, client, port, depth=depth + 1)
            return found or reply(query, dns.rcode.SERVFAIL)

        if self.configuration is None or depth > DEEPEST:
            return reply(message, dns.rcode.SERVFAIL)
        answer = await self._routed(self.configuration, Request(message, client, lookup), port)
        return reply(message, answer.rcode) if isinstance(answer, Failure) else answer

    def reload_now(self) -> bool:
        """Do what the reload plugin does when its time has come; say whether it reloaded.

        A Corefile that does not parse is tried again the next time; one that parses and is refused
        is not tried again until it changes. The old configuration stays in both cases.
        """
        try:
            blocks = read(self.path, self._around(), known=False)
        except CorefileError as error:
            self.log.append(f"[WARNING] plugin/reload: Corefile parse failed: {error}")
            return False
        if blocks == self.seen:
            return False
        self.seen = blocks
        self.log.append("[INFO] Reloading")
        try:
            self.configuration = configure(self.path, self._around())
        except CorefileError as error:
            self.log.append(f"[ERROR] Restart failed: {error}")
            problem = f"starting with listener file descriptors: {error}"
            self.log.append(f"[ERROR] plugin/reload: Corefile changed but reload failed: {problem}")
            return False
        self.log.append("[INFO] Reloading complete")
        return True

    def refresh_now(self) -> None:
        """Let hosts and zone files be read again, if they have changed."""
        for plugin in self.configuration.refreshing if self.configuration else ():
            plugin.refresh()

    async def watch(self) -> None:
        """Reload what changes, each at its own interval, until cancelled."""
        while True:
            watched = self.configuration
            async with asyncio.TaskGroup() as tasks:
                reloading = tasks.create_task(self._reload_when_due(watched))
                others = [
                    tasks.create_task(self._every(plugin.interval, plugin.refresh))
                    for plugin in (watched.refreshing if watched else ())
                    if plugin.interval
                ]
                await reloading
                for task in others:
                    task.cancel()

    async def _reload_when_due(self, watched: Configuration | None) -> None:
        """Return once another configuration runs; without the plugin, never by itself."""
        if watched is None or watched.reload is None:
            await asyncio.Event().wait()
            return
        interval, jitter = watched.reload
        period = interval + self.chance(-jitter, jitter)
        while self.configuration is watched:
            await self.clock.sleep(period)
            self.reload_now()

    async def _every(self, interval: float, work: Callable[[], None]) -> None:
        while True:
            await self.clock.sleep(interval)
            work()

    async def _routed(self, running: Configuration, request: Request, port: int) -> Answer:
        sites = running.sites_for(request.name, port)
        on_port = [site for site in running.sites if site.address.port == port]
        chaotic = any(plugin.name in CHAOS_SPEAKERS for site in on_port for plugin in site.plugins)
        if request.rclass != "IN" and not chaotic:
            return Failure(dns.rcode.REFUSED)
        for site in sites:
            if not site.plugins:
                return Failure(dns.rcode.REFUSED)
            if site.accepts(request):
                return await site.answer(request)
        return Failure(dns.rcode.REFUSED)

    def _around(self) -> Surroundings:
        return Surroundings(
            Files(self.files),
            self.clock,
            self.upstream,
            self.services,
            self.environment,
            self.version,
            self.log.append,
        )
