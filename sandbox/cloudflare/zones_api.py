"""`/zones`: finding a zone and its plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.cloudflare.envelope import Page, answer, listing
from sandbox.cloudflare.gate import PREFIX, TOKEN, zone_for
from sandbox.cloudflare.tokens import resource_of_zone


if TYPE_CHECKING:
    from sandbox.cloudflare.account import Account
    from sandbox.cloudflare.zones import Zone


READ = ("Zone Read", "Zone Write")
OPERATORS = ("contains", "starts_with", "ends_with")


def zone_routes(account: Account) -> list[web.RouteDef]:
    """Return the routes that read zones."""

    async def list_zones(request: web.Request) -> web.Response:
        page = Page.of(request.query, default=20, most=50)
        mine = [zone for zone in account.zones.values() if _may_read(account, request, zone)]
        found = [zone_wire(account, zone) for zone in mine if _matches(zone, request)]
        key = "name" if request.query.get("order", "name") == "name" else "status"
        found.sort(key=lambda wire: wire[key], reverse=request.query.get("direction") == "desc")
        return listing(page, found)

    async def get_zone(request: web.Request) -> web.Response:
        return answer(zone_wire(account, zone_for(account, request, *READ)))

    return [
        web.get(f"{PREFIX}/zones", list_zones),
        web.get(f"{PREFIX}/zones/{{zone}}", get_zone),
    ]


def zone_wire(account: Account, zone: Zone) -> dict[str, Any]:
    """Return a zone as the API shows it."""
    plan = zone.plan
    return {
        "id": zone.id,
        "name": zone.name,
        "status": "active",
        "paused": False,
        "type": "full",
        "development_mode": 0,
        "name_servers": zone.name_servers,
        "original_name_servers": None,
        "original_registrar": None,
        "original_dnshost": None,
        "created_on": zone.created_on,
        "modified_on": zone.created_on,
        "activated_on": zone.created_on,
        "meta": {"step": 2, "custom_certificate_quota": 0, "page_rule_quota": 3},
        "owner": {"id": None, "type": "user", "email": None},
        "account": {"id": account.id, "name": "Sandbox"},
        "permissions": ["#dns_records:edit", "#dns_records:read", "#zone:read"],
        "plan": {
            "id": f"{plan.legacy_id:0<32}",
            "name": plan.title,
            "price": 0,
            "currency": "USD",
            "frequency": "",
            "is_subscribed": False,
            "can_subscribe": False,
            "legacy_id": plan.legacy_id,
            "legacy_discount": False,
            "externally_managed": False,
        },
    }


def _may_read(account: Account, request: web.Request, zone: Zone) -> bool:
    return request[TOKEN].may(set(READ), resource_of_zone(zone.id, account.id))


def _matches(zone: Zone, request: web.Request) -> bool:
    """Apply `name` (exact, or with an operator before a colon) and `status`."""
    operator, colon, text = request.query.get("name", "").partition(":")
    if not colon:
        right_name = operator in {"", zone.name}
    elif operator == "contains":
        right_name = text in zone.name
    else:
        right_name = operator in OPERATORS and (
            zone.name.startswith(text) if operator == "starts_with" else zone.name.endswith(text)
        )
    return right_name and request.query.get("status", "active") == "active"
