"""The stand-in itself: its routes, its saved state, its Python side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.clock import Clock
from sandbox.cloudflare.account import Account, Subscriber
from sandbox.cloudflare.errors import Refused
from sandbox.cloudflare.gate import gate_of
from sandbox.cloudflare.ratelimit import REQUESTS, Limiter
from sandbox.cloudflare.records_api import record_routes
from sandbox.cloudflare.state import fingerprint, loaded, saved, shown
from sandbox.cloudflare.tokens import everything, new_token, new_value
from sandbox.cloudflare.tokens_api import token_routes
from sandbox.cloudflare.zones_api import zone_routes
from sandbox.files import write_atomically
from sandbox.standin import StandIn


if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from aiohttp import web

    from sandbox.cloudflare.zones import Zone


class Cloudflare(StandIn):
    """One account with zones; `api_token` may do everything, and is made up when not given.

    A saved state wins over the arguments, but zones that it lacks are added, and an `api_token` it
    has never seen is let in. `record_quota` replaces each plan's limit of records;
    `requests_per_window` is Cloudflare's 1,200 in five minutes of `clock`.
    """

    name = "cloudflare"

    def __init__(
        self,
        *,
        path: Path | None = None,
        zones: Sequence[str] = (),
        api_token: str = "",
        plan: str = "free",
        clock: Clock | None = None,
        record_quota: int | None = None,
        requests_per_window: int = REQUESTS,
    ) -> None:
        super().__init__(path=path)
        self.api_token = api_token or new_value("")
        self.account = Account(clock or Clock(), Limiter(requests_per_window))
        self._names, self._plan, self._quota = tuple(zones), plan, record_quota
        self._bootstrapped: list[str] = []
        self._complete()

    @property
    def zones(self) -> dict[str, Zone]:
        """The zones by their ids."""
        return self.account.zones

    def zone_of(self, name: str) -> Zone | None:
        """Return the zone that answers for a name, or None."""
        return self.account.zone_of(name)

    def lookup(self, name: str, rtype: str) -> list[dict[str, Any]]:
        """Return what the authoritative servers answer; see `Account.lookup`."""
        return self.account.lookup(name, rtype)

    def exists(self, name: str) -> bool:
        """Say whether a name is NODATA rather than NXDOMAIN when `lookup` finds nothing."""
        return self.account.exists(name)

    def subscribe(self, callback: Subscriber) -> None:
        """Call back with ("created" | "updated" | "deleted", record) after each committed change.

        A state put by the admin API is told as ("replaced", {}).
        """
        self.account.subscribers.append(callback)

    def add_routes(self, app: web.Application) -> None:
        """Add `/client/v4`."""
        app.middlewares.append(gate_of(self.account))
        app.add_routes(zone_routes(self.account))
        app.add_routes(record_routes(self.account))
        app.add_routes(token_routes(self.account))

    def dump(self) -> dict[str, Any]:
        """Return zones with their records, and tokens without their values."""
        return shown(self.account)

    def load(self, state: dict[str, Any]) -> None:
        """Replace the state; raise ValueError when it cannot be Cloudflare's."""
        try:
            loaded(self.account, state)
        except Refused as error:
            raise ValueError(str(error)) from error
        self._bootstrapped = state.get("bootstrapped", self._bootstrapped)
        self._complete()
        for subscriber in self.account.subscribers:
            subscriber("replaced", {})

    def changed(self) -> None:
        """Save the state, with the tokens' values: a restart must not lock anyone out."""
        if self.path:
            write_atomically(self.path, saved(self.account, self._bootstrapped))

    def _complete(self) -> None:
        """Add what the arguments name and the state lacks."""
        known = {zone.name for zone in self.zones.values()}
        for name in self._names:
            if name not in known:
                self.account.add_zone(name, plan=self._plan)
        for zone in self.zones.values():
            zone.quota = self._quota
        if fingerprint(self.api_token) not in self._bootstrapped:
            self._let_in()

    def _let_in(self) -> None:
        account = self.account
        policies = everything(account.user, account.id)
        token = new_token(
            {"name": "sandbox", "policies": policies}, at=account.stamp(), value=self.api_token
        )
        account.tokens[token.id] = token
        self._bootstrapped.append(fingerprint(self.api_token))
