"""Webhooks: what a push or a pull request becomes, and how often it was delivered: once.

Like GitHub, this host never tries again by itself; it keeps what it sent, to be asked for.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import aiohttp

from sandbox.git import commands, log, payloads
from sandbox.git.payloads import Proposal, Push
from sandbox.git.state import Delivery, Hook, Pull


if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.git.gate import Gate
    from sandbox.git.state import Repository

PATIENCE = aiohttp.ClientTimeout(total=10)  # GitHub's
KEPT = 500
HEADS = "refs/heads/"


@dataclass
class Hooks:
    """The hooks of all repositories; `changed` is called when something was delivered."""

    gate: Gate
    changed: Callable[[], None]
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def add(self, repository: str, url: str, secret: str, identity: int = 0) -> Hook:
        """Add a webhook in place of one of the same URL or number."""
        state = self.gate.state
        state.hooks[:] = [
            hook
            for hook in state.hooks
            if (hook.repository, hook.url) != (repository, url) and hook.id != identity
        ]
        hook = Hook(identity or state.next_id(), repository, url, secret)
        state.hooks.append(hook)
        return hook

    def hook(self, identity: int) -> Hook | None:
        """Return a webhook."""
        return next((hook for hook in self.gate.state.hooks if hook.id == identity), None)

    def pull(self, repository: str, number: int) -> Pull | None:
        """Return a pull request."""
        found = (p for p in self.gate.state.pulls if p.repository == repository)
        return next((pull for pull in found if pull.number == number), None)

    def statuses(self, repository: Repository, sha: str) -> list[dict[str, Any]]:
        """Return the statuses of a commit, the newest first."""
        return self.gate.state.statuses.get(f"{repository.name} {sha}", [])[::-1]

    def note_status(
        self, repository: Repository, sha: str, fields: dict[str, Any]
    ) -> dict[str, Any]:
        """Keep a status of a commit, and return it."""
        status = {"context": "default", **fields, "id": self.gate.state.next_id()}
        status["created_at"] = self.now()
        self.gate.state.statuses.setdefault(f"{repository.name} {sha}", []).append(status)
        return status

    async def received(self, repository: Repository, ref: str, before: str, after: str) -> None:
        """Tell of a ref that moved, and of the pull requests whose head it is."""
        where = self.gate.where(repository)
        forced = await log.is_forced(where, before, after)
        commits = await log.pushed(where, before, after)
        push = Push(repository, ref, before, after, forced, self.now(), commits)
        self._tell(repository, payloads.push_event(push), None, payloads.push_body(push))
        for pull in self.gate.state.pulls:
            if pull.repository == repository.name and ref == HEADS + pull.head:
                await self.propose(repository, pull, "synchronize")

    async def propose(self, repository: Repository, pull: Pull, action: str) -> None:
        """Tell of a pull request."""
        sha = await commands.commit_of(self.gate.where(repository), HEADS + pull.head)
        told = Proposal(repository, pull.number, action, pull.head, sha, pull.base, self.now())
        event, body = payloads.proposal_event(told), payloads.proposal_body(told)
        self._tell(repository, event, action, body)

    def redeliver(self, identity: int) -> bool:
        """Send a delivery again, under its guid; return whether there is such a one."""
        deliveries = self.gate.state.deliveries
        earlier = next((one for one in deliveries if one.id == identity), None)
        hook = self.hook(earlier.hook) if earlier else None
        if earlier and hook:
            self._launch(hook, replace(earlier, redelivery=True, status="", status_code=0))
        return bool(hook)

    async def settle(self) -> None:
        """Wait until everything is delivered, or given up."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def now(self) -> str:
        """Return the world's time as these hosts write it."""
        moment = datetime.fromtimestamp(self.gate.clock.now(), UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _tell(
        self, repository: Repository, event: str, action: str | None, body: dict[str, Any]
    ) -> None:
        guid = str(uuid.uuid4())
        for hook in self.gate.state.hooks:
            if hook.repository == repository.name:
                self._launch(hook, Delivery(0, hook.id, guid, event, action, "", body))

    def _launch(self, hook: Hook, delivery: Delivery) -> None:
        made = replace(delivery, id=self.gate.state.next_id(), delivered_at=self.now())
        task = asyncio.get_running_loop().create_task(self._deliver(hook, made))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, hook: Hook, delivery: Delivery) -> None:
        repository = self.gate.state.repository(hook.repository)
        body = payloads.encoded(delivery.payload)
        provider = repository.provider if repository else ""
        headers = payloads.headers(provider, delivery, hook.secret, body)
        try:
            async with (
                aiohttp.ClientSession(timeout=PATIENCE) as session,
                session.post(hook.url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                delivery.status_code = answer.status
                delivery.status = "OK" if answer.status < 300 else "Invalid HTTP Response"
        except TimeoutError:
            delivery.status = "timed out"
        except aiohttp.ClientError:
            delivery.status = "failed to connect to host"
        deliveries = self.gate.state.deliveries
        deliveries.append(delivery)
        del deliveries[:-KEPT]
        self.changed()
