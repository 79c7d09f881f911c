"""Somebody else's zones in place of ours: what the DNS of the world answers.

Only the zones named are read, when their DNS is asked: an account may have others, which the token
may not read. The requests name the mirror in `User-Agent`, so that whoever counts can leave it out.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

import aiohttp

from sandbox.cloudflare.account import Account
from sandbox.world.mirrors import AGENT, TROUBLE


if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sandbox.cloudflare import Cloudflare

log = logging.getLogger(__name__)
FRESH = 0.5  # seconds of this machine for which one reading is good
MOST_RECORDS = 5_000


class ZonesMirror:
    """Keeps our zones' records like those of the Cloudflare API at `url`."""

    def __init__(self, ours: Cloudflare, url: str, token: str, names: Collection[str]) -> None:
        self._ours = ours
        self._names = names
        self._url = f"{url.rstrip('/').removesuffix('/client/v4')}/client/v4"
        self._headers = {"Authorization": f"Bearer {token}", **AGENT}
        self._ids: dict[str, str] = {}
        self._unanswered: set[str] = set()
        self._read_at = 0.0
        self._turn = asyncio.Lock()

    async def refresh(self) -> None:
        """Read the zones unless that was done just now; on trouble the last reading stands."""
        async with self._turn:
            if time.monotonic() - self._read_at < FRESH:
                return
            try:
                await self._look()
            except TROUBLE as error:
                log.warning("the zones could not be read: %s", error)
            self._read_at = time.monotonic()

    async def _look(self) -> None:
        read = Account()
        async with aiohttp.ClientSession(headers=self._headers) as http:
            for name in self._names:
                if zone_id := await self._id(http, name):
                    zone = read.add_zone(name, plan="enterprise", zone_id=zone_id)
                    self._fill(zone, await self._all(http, f"zones/{zone_id}/dns_records"))
        self._ours.account.zones = read.zones

    def _fill(self, zone: Any, records: Iterable[Mapping[str, Any]]) -> None:
        """Take the records that our DNS can answer with; one that it cannot hides no other."""
        for record in records:
            try:
                zone.restore(record)
            except (ValueError, KeyError, TypeError) as error:
                if str(error) not in self._unanswered:
                    log.warning("not answered: %s", error)
                self._unanswered.add(str(error))

    async def _id(self, http: aiohttp.ClientSession, name: str) -> str:
        """Return a zone's id, "" where the token is shown none of that name."""
        if name not in self._ids:
            shown = await self._all(http, "zones", {"name": name})
            self._ids |= {zone["name"]: zone["id"] for zone in shown}
        return self._ids.get(name, "")

    async def _all(
        self, http: aiohttp.ClientSession, path: str, query: Mapping[str, str] | None = None
    ) -> list[dict[str, Any]]:
        wanted = query or {"per_page": str(MOST_RECORDS)}
        found: list[dict[str, Any]] = []
        page = pages = 1
        while page <= pages:
            where = {**wanted, "page": str(page)}
            async with http.get(f"{self._url}/{path}", params=where) as answer:
                document = await answer.json()
            found += document["result"]
            pages = (document.get("result_info") or {}).get("total_pages", 1)
            page += 1
        return found
