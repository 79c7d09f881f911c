"""Cloudflare's zones: found and read whole, written in batches.

The SDK authenticates and transports; its typed models and its pager stay out: they cost 68 times
the raw request, and one page too many. Rules: Cloudflare API v4, DNS records and batch.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
from cloudflare import APIConnectionError, APIStatusError, Cloudflare

from tailkeeper.adapters import zone_patience
from tailkeeper.adapters.zone_errors import (
    Throttled,
    Unreachable,
    Unsettled,
    ZoneMissing,
    named,
)
from tailkeeper.records.batches import KINDS
from tailkeeper.records.fitting import limits_of
from tailkeeper.records.wire import trimmed


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tailkeeper.adapters.budget import Budget
    from tailkeeper.records.batches import Batch

API = "/client/v4"
PER_PAGE = 5000
NEEDED = {"id", "name", "type"}  # a record without them counts as missing


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone, and how many operations its plan allows in one batch."""

    id: str
    name: str
    plan: str
    name_servers: tuple[str, ...]

    @property
    def operations(self) -> int:
        """Return the batch limit of the zone's plan."""
        return limits_of(self.plan).operations


@dataclass(frozen=True, slots=True)
class Listing:
    """Records, trimmed, and why they may not be all of them ("" when they are)."""

    records: list[dict[str, Any]]
    partial: str = ""

    @property
    def complete(self) -> bool:
        """Whether nothing is missing: only then does an absent record mean something."""
        return not self.partial


@dataclass(frozen=True)
class Zones:
    """What one token can see and write; `sleep` waits between the tries of a read.

    Each call is taken from the `budget`, which may raise Throttled and have it not made.
    """

    client: Cloudflare
    sleep: Callable[[float], None] = time.sleep
    budget: Budget | None = None

    def find_zone(self, name: str) -> Zone:
        """Return the active zone of that name; raise ZoneMissing."""
        found = self._read("/zones", {"name": name})["result"]
        zone = next((z for z in found if z["name"] == name and z["status"] == "active"), None)
        if not zone:
            raise ZoneMissing(f"Cloudflare shows this token no active zone {name}")
        plan = (zone.get("plan") or {}).get("legacy_id") or "free"
        return Zone(zone["id"], name, plan, tuple(zone.get("name_servers") or ()))

    def list_records(self, zone_id: str) -> Listing:
        """Return every record of a zone: one request for each 5,000."""
        return self._listing(zone_id, {})

    def find_records(self, zone_id: str, fragment: str) -> Listing:
        """Return the records whose name contains the fragment.

        A host as fragment finds its records together with the marks that carry a prefix, and
        those of longer names that end alike; marks with a suffix it does not find.
        """
        return self._listing(zone_id, {"name.contains": fragment})

    def apply_batch(self, zone_id: str, batch: Batch) -> list[dict[str, Any]]:
        """Carry out one batch; return each edit's receipt: its key, and what was written.

        Sent once. Raise Rejected when nothing was done, Unsettled when that is unknown, Throttled,
        Unauthorized, ZoneMissing.
        """
        self._spend()
        try:
            answer = self.client.post(
                f"/zones/{zone_id}/dns_records/batch", cast_to=httpx.Response, body=batch.body
            )
            return _receipts(batch, answer.json()["result"])
        except APIStatusError as error:
            raise self._heeded(named(error, Unsettled, batch)) from error
        except APIConnectionError as error:
            raise Unsettled(f"Cloudflare cut a batch off: {_cause(error)}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise Unsettled("Cloudflare's answer to a batch makes no sense") from error

    def _listing(self, zone_id: str, filters: Mapping[str, str]) -> Listing:
        records: dict[str, dict[str, Any]] = {}
        total = None
        for page in self._pages(zone_id, filters):
            total = _info(page).get("total_count")
            records |= {w["id"]: trimmed(w) for w in page["result"] or () if w.keys() >= NEEDED}
        missing = len(records) != total
        why = f"Cloudflare counts {total} records and sent {len(records)}" if missing else ""
        return Listing(list(records.values()), why)

    def _pages(self, zone_id: str, filters: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        number = last = 1
        while number <= last:
            where = {"per_page": PER_PAGE} | ({"page": number} if number > 1 else {})
            page = self._read(f"/zones/{zone_id}/dns_records", {**filters, **where})
            yield page
            number, last = number + 1, _info(page).get("total_pages") or 1

    def _read(self, path: str, query: Mapping[str, object]) -> dict[str, Any]:
        """GET, again after a failure that may pass: reading twice changes nothing."""
        return zone_patience.retrying(self.sleep)(self._get, path, query)

    def _get(self, path: str, query: Mapping[str, object]) -> dict[str, Any]:
        self._spend()
        try:
            answer = self.client.get(path, cast_to=httpx.Response, options={"params": query})
            document = answer.json()
        except APIStatusError as error:
            raise self._heeded(named(error, Unreachable)) from error
        except APIConnectionError as error:
            raise Unreachable(f"Cloudflare did not answer {path}: {_cause(error)}") from error
        except ValueError as error:
            raise Unreachable(f"Cloudflare's answer to {path} is no JSON") from error
        if not isinstance(document, dict) or not document.get("success"):
            raise Unreachable(f"Cloudflare's answer to {path} has no result")
        return document

    def _spend(self) -> None:
        if self.budget:
            self.budget.spend()

    def _heeded(self, error: Exception) -> Exception:
        """Let other runs wait too, when Cloudflare asks for it."""
        if self.budget and isinstance(error, Throttled):
            self.budget.close(error.retry_after)
        return error


def connect(base_url: str, token: str, timeout: float = 30) -> Cloudflare:
    """Return the SDK's client; `base_url` with or without `/client/v4`, `timeout` in seconds."""
    host = base_url.rstrip("/").removesuffix(API)
    return Cloudflare(api_token=token, base_url=host + API, timeout=timeout, max_retries=0)


def _info(page: Mapping[str, Any]) -> Mapping[str, Any]:
    return page.get("result_info") or {}


def _receipts(batch: Batch, result: Any) -> list[dict[str, Any]]:
    """Deal the four lists of the answer back to the edits, in order."""
    if not isinstance(result, dict):
        raise TypeError("the answer to a batch is no object")
    left = {kind: iter(result.get(kind) or ()) for kind in KINDS}
    try:
        return [
            {"key": edit.key}
            | {kind: [trimmed(next(left[kind])) for _ in getattr(edit, kind)] for kind in KINDS}
            for edit in batch.edits
        ]
    except StopIteration as error:
        raise ValueError("the answer is shorter than the batch") from error


def _cause(error: APIConnectionError) -> str:
    return type(error.__cause__ or error).__name__
