"""`/zones/{zone}/dns_records`: reading, writing, and the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.cloudflare.envelope import Page, answer, listing_of_texts
from sandbox.cloudflare.errors import Refused, invalid
from sandbox.cloudflare.filters import chosen
from sandbox.cloudflare.gate import PREFIX, body_of, zone_for


if TYPE_CHECKING:
    from sandbox.cloudflare.account import Account
    from sandbox.cloudflare.zones import Record, Zone


READ, WRITE = ("DNS Read", "DNS Write"), ("DNS Write",)
MOST_PER_PAGE = 5_000_000
BATCH_ORDER = ("deletes", "patches", "puts", "posts")
RECORDS = f"{PREFIX}/zones/{{zone}}/dns_records"


def record_routes(account: Account) -> list[web.RouteDef]:
    """Return the routes of a zone's records."""
    return [*_readers(account), *_writers(account)]


def _readers(account: Account) -> list[web.RouteDef]:
    async def list_records(request: web.Request) -> web.Response:
        zone = zone_for(account, request, *READ)
        page = Page.of(request.query, default=100, most=MOST_PER_PAGE)
        found = chosen(zone, request.query)
        return listing_of_texts(page, [record.text for record in page.cut(found)], len(found))

    async def get_record(request: web.Request) -> web.Response:
        zone = zone_for(account, request, *READ)
        return answer(zone.get(request.match_info["record"]).wire)

    return [web.get(RECORDS, list_records), web.get(f"{RECORDS}/{{record}}", get_record)]


def _writers(account: Account) -> list[web.RouteDef]:
    async def create(request: web.Request) -> web.Response:
        zone, body = zone_for(account, request, *WRITE), await body_of(request)
        with account.changing(zone):
            return answer(zone.create(body).wire)

    async def put(request: web.Request) -> web.Response:
        zone, body = zone_for(account, request, *WRITE), await body_of(request)
        with account.changing(zone):
            return answer(zone.put(request.match_info["record"], body).wire)

    async def patch(request: web.Request) -> web.Response:
        zone, body = zone_for(account, request, *WRITE), await body_of(request)
        with account.changing(zone):
            return answer(zone.patch(request.match_info["record"], body).wire)

    async def delete(request: web.Request) -> web.Response:
        zone = zone_for(account, request, *WRITE)
        with account.changing(zone):
            return answer({"id": zone.delete(request.match_info["record"]).wire["id"]})

    async def batch(request: web.Request) -> web.Response:
        zone, body = zone_for(account, request, *WRITE), await body_of(request)
        operations = _operations(body, zone)
        with account.changing(zone):
            return answer(_carried_out(zone, operations))

    one = f"{RECORDS}/{{record}}"
    return [
        web.post(RECORDS, create),
        web.post(f"{RECORDS}/batch", batch),
        web.put(one, put),
        web.patch(one, patch),
        web.delete(one, delete),
    ]


def _operations(body: dict[str, Any], zone: Zone) -> dict[str, list[dict[str, Any]]]:
    """Return the four lists of a batch; raise Refused over the plan's limit."""
    operations = {kind: body.get(kind) or [] for kind in BATCH_ORDER}
    count = sum(map(len, operations.values()))
    if count > zone.plan.operations:
        raise invalid(
            9208,
            f"A batch may have {zone.plan.operations} operations on this plan, not {count}.",
        )
    return operations


def _carried_out(
    zone: Zone, operations: dict[str, list[dict[str, Any]]]
) -> dict[str, list[dict[str, Any]]]:
    """Carry the operations out in Cloudflare's order; the first refusal says where it happened."""
    done: dict[str, list[dict[str, Any]]] = {}
    for kind, bodies in operations.items():
        done[kind] = []
        for index, body in enumerate(bodies):
            try:
                done[kind].append(_operate(zone, kind, body).wire)
            except Refused as error:
                raise error.at(f"/{kind}/{index}") from error
    return done


def _operate(zone: Zone, kind: str, body: dict[str, Any]) -> Record:
    match kind:
        case "posts":
            return zone.create(body)
        case "puts":
            return zone.put(str(body.get("id")), body)
        case "patches":
            return zone.patch(str(body.get("id")), body)
        case _:
            return zone.delete(str(body.get("id")))
